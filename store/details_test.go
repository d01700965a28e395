package store

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	flowpb "weir/proto"
	"weir/store/seed"
)

func TestDetails(t *testing.T) {
	ctx := t.Context()
	s, w := newWriter(t, WriterOptions{})
	for n := range 5 {
		f := httpFlow(n)
		if n > 2 {
			f.GetHttp().Request.Host = []byte("other.example")
		}
		if n == 4 {
			f.State, f.Error = flowpb.StateError, &flowpb.Error{Message: "no"}
		}
		record(t, w, f)
	}
	record(t, w, &flowpb.Flow{State: flowpb.StateComplete, Protocol: &flowpb.Flow_Tcp{Tcp: &flowpb.Stream{}}})
	if _, err := s.Remove(ctx, []uint64{1}); err != nil {
		t.Fatal(err)
	}
	got, err := s.Details(ctx, false)
	if err != nil {
		t.Fatal(err)
	}
	want := Details{
		Kinds: map[flowpb.Kind]uint64{flowpb.KindHTTP: 4, flowpb.KindTCP: 1}, Failed: 1, Removed: 1, Exact: true,
		Hosts: []HostCount{{Host: "example.com", Flows: 2, Bytes: 10}, {Host: "other.example", Flows: 2, Bytes: 10}},
	}
	sizes := map[string]TableSize{}
	for _, table := range got.Tables {
		sizes[table.Name] = table
	}
	if head := sizes["head"]; head.Rows != 6 || head.Bytes < PageSize {
		t.Errorf("table head: got %+v, want 6 rows and a page", head)
	}
	got.Tables, got.WAL = nil, 0
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("details (-want +got):\n%s", diff)
	}
}

// What samples tell is near what is measured.
func TestEstimate(t *testing.T) {
	onlyWhole(t)
	s, w := newWriter(t, WriterOptions{})
	flows := 20_000
	if testing.Short() {
		flows = 8000 // twice the windows
	}
	if err := seed.Into(t.Context(), w, seed.Options{Flows: flows, BodySize: 700}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	measured, err := s.measure(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	estimated, err := s.estimate(t.Context(), &Details{})
	if err != nil {
		t.Fatal(err)
	}
	for _, guess := range estimated {
		for _, is := range measured {
			if is.Name != guess.Name || is.Name == "message" { // too few of these
				continue
			}
			if off := math.Abs(float64(guess.Rows)/float64(is.Rows) - 1); off > 0.1 {
				t.Errorf("rows of %s: estimated %d, there are %d", is.Name, guess.Rows, is.Rows)
			}
			if off := math.Abs(float64(guess.Bytes)/float64(is.Bytes) - 1); off > 0.35 {
				t.Errorf("bytes of %s: estimated %d, there are %d", is.Name, guess.Bytes, is.Bytes)
			}
		}
	}
}
