package store

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	flowpb "weir/proto"
)

// pathFlow is a flow with a path.
func pathFlow(path string) *flowpb.Flow {
	f := httpFlow(1)
	f.GetHttp().Request.Path = []byte(path)
	return f
}

func TestABuildShowsOnlyWhatIsSo(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	const n = 200
	var flows []*flowpb.Flow
	for i := range n {
		flows = append(flows, pathFlow(fmt.Sprintf("/a/common/beginning/%d/of/%d", i%7, i%30)))
	}
	record(t, w, flows...)
	for _, order := range []Order{OrderID, OrderPath, OrderDuration} {
		sel, err := s.selection(Query{Order: order})
		if err != nil {
			t.Fatal(err)
		}
		var lengths []int
		b := builder{sel: sel, tune: tuning{first: 8, sample: 4, tails: maxTails}, newest: true, mu: &sync.Mutex{}, list: &list{}}
		b.step = func(progress int) {
			lengths = append(lengths, b.list.len())
			ids := slices.Clone(b.list.ids)
			if !slices.IsSorted(b.list.keys) {
				t.Errorf("by %v, at %d %%: keys are not in order", order, progress)
			}
			slices.Sort(ids)
			if low := ids[0]; int(low) != n-len(ids)+1 || len(slices.Compact(ids)) != len(ids) {
				t.Errorf("by %v, at %d %%: got flows %v, want each of the newest once", order, progress, ids)
			}
		}
		if err := b.build(t.Context(), span{1, n}); err != nil {
			t.Fatal(err)
		}
		if len(lengths) < 4 || lengths[0] != 8 || lengths[len(lengths)-1] != n {
			t.Errorf("by %v: lists of %v flows were shown, want the first range and some more on the way to %d", order, lengths, n)
		}
	}
}

// Texts that fill the memory for tails are read again in parts.
func TestRefiningInPartsComesToTheSame(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	const n = 120
	var flows []*flowpb.Flow
	for i := range n {
		flows = append(flows, pathFlow(fmt.Sprintf("/%c/the/same/beginning/%03d", 'a'+i%4, i*7%n)))
	}
	record(t, w, flows...)
	sel, err := s.selection(Query{Order: OrderPath})
	if err != nil {
		t.Fatal(err)
	}
	build := func(limit int) []uint32 {
		b := builder{sel: sel, tune: tuning{first: n, sample: 1, tails: limit}, mu: &sync.Mutex{}, list: &list{}, step: func(int) {}}
		if err := b.build(t.Context(), span{1, n}); err != nil {
			t.Fatal(err)
		}
		if (b.tails == nil) != (limit == 1) {
			t.Errorf("with %d bytes for tails: all held is %v", limit, b.tails != nil)
		}
		return b.list.ids
	}
	whole, parts := build(maxTails), build(1)
	if !slices.Equal(whole, parts) {
		t.Errorf("order: got %v in parts, %v at once", parts, whole)
	}
	path := func(id uint32) string { return string(flows[id-1].GetHttp().GetRequest().GetPath()) }
	if !slices.IsSortedFunc(whole, func(a, b uint32) int { return strings.Compare(path(a), path(b)) }) {
		t.Errorf("paths are not in order")
	}
}
