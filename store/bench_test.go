package store

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	flowpb "weir/proto"
	"weir/store/seed"
)

// BenchmarkRecord measures complete small flows with a 2 KB body, an operation a flow.
func BenchmarkRecord(b *testing.B) {
	for _, o := range []Options{{}, {Synchronous: SyncNormal}} {
		b.Run(o.Synchronous.String(), func(b *testing.B) {
			s, err := Create(b.Context(), filepath.Join(b.TempDir(), "bench.weir"), o)
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			w, err := s.NewWriter(b.Context(), WriterOptions{})
			if err != nil {
				b.Fatal(err)
			}
			body := pattern(0, 2048)
			b.ReportAllocs()
			b.SetBytes(2048)
			for n := 0; b.Loop(); n++ {
				f := httpFlow(n)
				if err := w.Flow(b.Context(), f); err != nil {
					b.Fatal(err)
				}
				if err := w.Body(b.Context(), f.GetId(), flowpb.SideResponse, body); err != nil {
					b.Fatal(err)
				}
			}
			flush(b, w)
		})
	}
}

// BenchmarkBody measures a long body in writes of 32 KB, an operation a write.
func BenchmarkBody(b *testing.B) {
	_, w := newWriter(b, WriterOptions{})
	record(b, w, httpFlow(1))
	p := pattern(0, 32<<10)
	b.ReportAllocs()
	b.SetBytes(int64(len(p)))
	for b.Loop() {
		if err := w.Body(b.Context(), 1, flowpb.SideResponse, p); err != nil {
			b.Fatal(err)
		}
	}
	flush(b, w)
}

// BenchmarkRows measures a page of 50 rows, scattered over the session.
func BenchmarkRows(b *testing.B) {
	const flows = 20_000
	s := seeded(b, seed.Options{Flows: flows})
	ids := make([]uint64, 50)
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		for i := range ids {
			ids[i] = uint64((n*7919+i*3917)%flows + 1)
		}
		if rows, err := s.Rows(b.Context(), ids); err != nil || len(rows) != len(ids) {
			b.Fatal(len(rows), err)
		}
	}
}

// BenchmarkOpen measures opening and closing, which must not depend on the size.
func BenchmarkOpen(b *testing.B) {
	for _, flows := range []int{100, 20_000} {
		b.Run(fmt.Sprint(flows), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "bench.weir")
			seedAt(b, path, seed.Options{Flows: flows})
			for b.Loop() {
				s, err := Open(context.Background(), path, Options{})
				if err != nil {
					b.Fatal(err)
				}
				if err := s.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
