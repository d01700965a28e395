package store

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	flowpb "weir/proto"
	"weir/store/extsort"
)

// Views that are built and refreshed in the middle of a capture end up like those
// made after it.
func TestViewsFollowAFastCapture(t *testing.T) {
	s, w := newWriter(t, WriterOptions{BatchFlows: 64})
	const n = 2500
	var capture sync.WaitGroup
	capture.Go(func() {
		for i := range n {
			f := pathFlow(fmt.Sprintf("/the/same/beginning/%d/of/%d/and/then/%d", i%3, i%50, i*7919%n))
			f.GetHttp().Response.Status = uint32(200 + i%5)
			if err := w.Flow(t.Context(), f); err != nil {
				t.Error(err)
				return
			}
			if i%3 > 0 {
				f.GetHttp().Response.Status++
				f.GetHttp().Request.Path = append(f.GetHttp().Request.Path, 'x')
				if err := w.Flow(t.Context(), f); err != nil {
					t.Error(err)
					return
				}
			}
		}
	})
	queries := []Query{
		{},
		{Order: OrderPath},
		{Order: OrderURL, Reverse: true},
		{Order: OrderStatus},
		{Order: OrderPath, Filter: parse(t, "~c 203 | ~u beginning/1")},
		{Reverse: true, Filter: parse(t, "~h text/html & ! ~c 200")},
	}
	tune := tuning{first: 50, moves: 300, sort: extsort.Options{Expect: 100}}
	views := make([]*View, len(queries))
	for i, q := range queries {
		v, err := s.view(t.Context(), q, tune)
		if err != nil {
			t.Fatal(err)
		}
		defer v.Close()
		views[i] = v
	}
	capture.Wait()
	flush(t, w)
	for _, v := range views {
		settled(t.Context(), t, v)
		var want []uint64
		err := s.Select(t.Context(), v.query, func(id uint64) bool {
			want = append(want, id)
			return true
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := v.IDs(0, n); !slices.Equal(got, want) {
			t.Errorf("view of %s by %v: %d flows that are not those, or not in the order, of the %d selected afterwards",
				describe(v.query), v.query.Order, len(got), len(want))
		}
	}
}

// A text that only its end tells from many others is placed by reading few of them.
func TestPlacingATextReadsFewOthers(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	const n = 3000
	var flows []*flowpb.Flow
	for i := range n {
		flows = append(flows, pathFlow(fmt.Sprintf("/a/long/common/beginning/%06d", 2*i)))
	}
	record(t, w, flows...)
	v, err := s.view(t.Context(), Query{Order: OrderPath}, tuning{first: n, moves: n})
	if err != nil {
		t.Fatal(err)
	}
	settled(t.Context(), t, v)
	if err := v.Close(); err != nil { // from here on the test refreshes it
		t.Fatal(err)
	}
	since, err := s.Revision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	record(t, w, pathFlow("/a/long/common/beginning/002001"))
	before := s.functions.Rows()
	if _, _, err := v.refresh(t.Context(), since); err != nil {
		t.Fatal(err)
	}
	if got := s.functions.Rows() - before; got > 3*pivots {
		t.Errorf("rows read to place one among %d: got %d, want at most %d", n, got, 3*pivots)
	}
	if got, want := v.IDs(1000, 3), []uint64{1001, n + 1, 1002}; !slices.Equal(got, want) {
		t.Errorf("around the new one: got %v, want %v", got, want)
	}
}
