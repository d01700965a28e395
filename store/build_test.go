package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	flowpb "weir/proto"
	"weir/store/extsort"
	"weir/store/idlist"
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
	for _, order := range []Order{OrderID, OrderPath, OrderDuration, OrderMethod} {
		sel, err := s.selection(Query{Order: order})
		if err != nil {
			t.Fatal(err)
		}
		var lengths []int
		last := 0
		b := builder{sel: sel, tune: tuning{first: 8, ranks: maxRanks}, newest: true}
		b.show = func(l idlist.List, progress int) {
			lengths = append(lengths, l.Len())
			ids := slices.Collect(l.All())
			if slices.Sort(ids); int(ids[0]) != n-len(ids)+1 || len(slices.Compact(ids)) != len(ids) {
				t.Errorf("by %v, at %d %%: got flows %v, want each of the newest once", order, progress, ids)
			}
			if progress < last || progress > 100 {
				t.Errorf("by %v: progress goes from %d %% to %d %%", order, last, progress)
			}
			last = progress
		}
		made, err := b.build(t.Context(), span{1, n})
		if err != nil {
			t.Fatal(err)
		}
		if made.Len() != n || len(lengths) < 3 || lengths[0] != 8 {
			t.Errorf("by %v: lists of %v flows were shown, then one of %d, want the first part and some more on the way to %d",
				order, lengths, made.Len(), n)
		}
	}
}

// Texts that have most in common, and more of them than memory is for.
func TestSortingInAFileComesToTheSame(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	const n = 300
	long := strings.Repeat("long/", maxText/10)
	var flows []*flowpb.Flow
	for i := range n {
		flows = append(flows, pathFlow(fmt.Sprintf("/%c/%s/%03d", 'a'+i%4, long, i*7%n)))
	}
	record(t, w, flows...)
	for _, order := range []Order{OrderPath, OrderURL} {
		sel, err := s.selection(Query{Order: order})
		if err != nil {
			t.Fatal(err)
		}
		build := func(o extsort.Options) []uint32 {
			b := builder{sel: sel, tune: tuning{first: n, sort: o}, show: func(idlist.List, int) {}}
			l, err := b.build(t.Context(), span{1, n})
			if err != nil {
				t.Fatal(err)
			}
			return slices.Collect(l.All())
		}
		inMemory, inFile := build(extsort.Options{}), build(extsort.Options{Expect: 100, Memory: 1, Load: 10_000, Dir: t.TempDir()})
		if !slices.Equal(inMemory, inFile) {
			t.Errorf("by %v: got %v in a file, %v in memory", order, inFile, inMemory)
		}
		path := func(id uint32) string { return string(flows[id-1].GetHttp().GetRequest().GetPath()) }
		if !slices.IsSortedFunc(inMemory, func(a, b uint32) int { return strings.Compare(path(a), path(b)) }) {
			t.Errorf("by %v: paths are not in order", order)
		}
	}
}

// A sort of flows that another view shows does not look for them again.
func TestASecondSortTakesOverWhatWasFound(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	const n = 100
	var flows []*flowpb.Flow
	for i := range n {
		f := pathFlow(fmt.Sprintf("/%d", i*7919%n))
		f.GetHttp().Response.Status = uint32(200 + i%2)
		f.GetHttp().Response.Reason = []byte{"yn"[i%2]}
		flows = append(flows, f)
	}
	record(t, w, flows...)
	find := func(q Query) *View {
		v, err := s.view(t.Context(), q, tuning{first: 8, moves: n})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = v.Close() })
		settled(t.Context(), t, v)
		return v
	}
	q := Query{Filter: parse(t, "~c 201 & ~hs text")}
	find(q)
	// Who looks into the flows again finds nothing.
	if _, err := s.note.Exec("UPDATE head SET blob = x'01ffff'"); err != nil {
		t.Fatal(err)
	}
	for _, order := range []Order{OrderPath, OrderDuration, OrderPath, OrderID} {
		q.Order = order
		if got := find(q).IDs(0, n); len(got) != n/2 {
			t.Errorf("by %v: got %d flows, want %d", order, len(got), n/2)
		}
	}
	q.MarkedOnly = true
	if v := find(q); v.len() != 0 {
		t.Errorf("marked flows: got %d, want none: they are others", v.len())
	}
}
