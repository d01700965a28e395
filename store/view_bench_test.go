package store

import (
	"testing"
	"time"

	"weir/store/seed"
)

// benchFlows is the size of the session that views are measured on. What a view
// costs grows with it, so figures are given per flow.
const benchFlows = 100_000

// measure builds a view again and again, and reports besides the time of a whole
// build the share of it until the first page was there.
func measure(b *testing.B, s *Session, q Query) {
	const page = 50
	var first, whole time.Duration
	b.ReportAllocs()
	for b.Loop() {
		begun := time.Now()
		v, err := s.View(b.Context(), q)
		if err != nil {
			b.Fatal(err)
		}
		paged := false
		for status := (Status{Building: true}); status.Building; {
			if status, err = v.Wait(b.Context(), status.Version); err != nil {
				b.Fatal(err)
			}
			if !paged && (status.Len >= page || !status.Building) {
				paged = true
				if _, err := v.Rows(b.Context(), 0, page); err != nil {
					b.Fatal(err)
				}
				first += time.Since(begun)
			}
		}
		whole += time.Since(begun)
		if err := v.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(whole.Nanoseconds())/float64(b.N)/benchFlows, "ns/flow")
	b.ReportMetric(float64(first)/float64(whole), "first-page/whole")
}

// BenchmarkView measures a view of a whole session in each order, and by filters
// that read columns, heads and bodies.
func BenchmarkView(b *testing.B) {
	s := seeded(b, seed.Options{Flows: benchFlows, BodySize: 1000})
	for o := range orders {
		b.Run("by="+Order(o).String(), func(b *testing.B) { measure(b, s, Query{Order: Order(o)}) })
	}
	for _, src := range []string{"~c 404", "~d example", "~u users", "~hs nginx", "~b needle"} {
		b.Run("filter="+src, func(b *testing.B) { measure(b, s, Query{Filter: parse(b, src)}) })
	}
}

// BenchmarkFind measures finding a flow in a sorted view.
func BenchmarkFind(b *testing.B) {
	s := seeded(b, seed.Options{Flows: benchFlows})
	for _, o := range []Order{OrderID, OrderDuration, OrderURL} {
		b.Run(o.String(), func(b *testing.B) {
			v := newView(b, s, Query{Order: o})
			b.ReportAllocs()
			for n := uint64(0); b.Loop(); n++ {
				if _, found, err := v.Find(b.Context(), n*7919%benchFlows+1); err != nil || !found {
					b.Fatalf("find: got %v, %v", found, err)
				}
			}
		})
	}
}
