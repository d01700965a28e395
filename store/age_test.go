package store

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	flowpb "weir/proto"
)

// agedFlow is a flow that began at second n.
func agedFlow(n int, state flowpb.State) *flowpb.Flow {
	f := httpFlow(n)
	f.State, f.CreatedNs = state, time.Unix(int64(n), 0).UnixNano()
	f.GetHttp().Response.Body = nil
	return f
}

// TestAges keeps its blocks right by looking only at those that the change log names.
func TestAges(t *testing.T) {
	s, w := newWriter(t, WriterOptions{CompactAfter: -1})
	const blocks, each = 3, 1 << blockBits
	for n := range blocks * each {
		if err := w.Flow(t.Context(), agedFlow(1_000_000-n, flowpb.StateComplete)); err != nil { // each began before the one before
			t.Fatal(err)
		}
	}
	flush(t, w)
	a := ages{s: s, rows: mayGo(false)}
	began := func(second int) int64 { return time.Unix(int64(second), 0).UnixNano() }
	if ids, err := a.before(t.Context(), began(1_000_000-blocks*each+4), 100); err != nil || !slices.Equal(ids, []uint64{blocks*each - 2, blocks*each - 1, blocks * each}) {
		t.Errorf("oldest flows: got %v, %v, want the last 3", ids, err)
	}
	// What is believed of a block that nothing has changed in is not read again.
	a.earliest[1] = 0
	if _, err := s.Drop(t.Context(), []uint64{1, 2, blocks * each}); err != nil {
		t.Fatal(err)
	}
	if err := a.refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := map[int64]int64{0: began(1_000_000 - each + 2), 1: 0, 2: began(1_000_000 - 3*each + 2)} // that of flow blocks*each is gone
	if diff := cmp.Diff(want, a.earliest); diff != "" {
		t.Errorf("blocks (-want +got):\n%s", diff)
	}
	// And once it was read and has nothing so old, it is put right.
	if ids, err := a.before(t.Context(), 1, 100); err != nil || len(ids) > 0 || a.earliest[1] == 0 {
		t.Errorf("flows from before 1970: got %v, %v, want none", ids, err)
	}
}
