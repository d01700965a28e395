package prescan_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"weir/filter"
	flowpb "weir/proto"
	"weir/store/body"
	"weir/store/prescan"
	"weir/store/rowid"
	"weir/store/storetest"
)

// put stores a flow with a response in pieces; a piece is its bytes, or the flow that it
// refers to.
func put(t *testing.T, f *storetest.File, flow uint64, flags flowpb.Flags, pieces ...any) {
	t.Helper()
	f.Exec(t, "INSERT INTO flow SELECT ?, 0, ?, 5, ?, 0, 0, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0, 0, 0, 0, 0, ''",
		flow, int64(filter.PlainKind), int64(flags))
	for n, p := range pieces {
		data, enc, size := p, body.EncNone, 0
		switch p := p.(type) {
		case string:
			data, size = []byte(p), len(p)
		case uint64:
			data, enc, size = rowid.Piece(p, flowpb.SideResponse, 0), body.EncShared, 5
		}
		f.Exec(t, "INSERT INTO body (id, start, size, enc, data) VALUES (?, 0, ?, ?, ?)", rowid.Piece(flow, flowpb.SideResponse, n), size, enc, data)
	}
}

// TestFlows leaves out the flows that cannot match, and no others.
func TestFlows(t *testing.T) {
	f := storetest.New(t)
	put(t, f, 1, 0, "hay")
	put(t, f, 2, 0, "a needle")
	put(t, f, 3, 0, "hay nee", "dle")     // over an edge
	put(t, f, 4, 0, "hay n", "ee", "dle") // over two
	put(t, f, 5, 0)                       // no body
	put(t, f, 6, 0, uint64(2), uint64(2)) // as flow 2
	put(t, f, 7, 0, uint64(1))            // as flow 1
	put(t, f, 8, filter.PlainMask, "hay") // has its text elsewhere
	put(t, f, 9, 0, "hay")
	f.Exec(t, "UPDATE body SET enc = 1 WHERE id = ?", rowid.Piece(9, flowpb.SideResponse, 0)) // is damaged, and for others to tell
	put(t, f, 10, 0, "hay")
	f.Exec(t, "UPDATE body SET id = id + 1 WHERE id >> 23 = 10") // its first piece is missing
	put(t, f, 11, 0, append([]any{"needle"}, pieces(20, "hay")...)...)
	put(t, f, 12, 0, "hay, after a large one")
	put(t, f, 13, 0, "needle, after a large one")

	expr, err := filter.Parse("~bs needle")
	if err != nil {
		t.Fatal(err)
	}
	src := f.Bodies(f.DB)
	scan := &prescan.Scan{DB: f.DB, Calls: src.Calls, Unpack: src.Unpack, Prefilter: filter.NewPlan(expr).Prefilter}
	for range 2 { // what it remembers of shared bodies stays right
		got, err := scan.Flows(t.Context(), []uint32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 99})
		want := []uint32{2, 3, 4, 6, 8, 9, 10, 11, 13}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("flows: %v (-want +got):\n%s", err, diff)
		}
	}
	if got, err := scan.Flows(t.Context(), nil); err != nil || len(got) > 0 {
		t.Errorf("of no flows: got %v, %v", got, err)
	}
}

// pieces is a body of n pieces that are all the same.
func pieces(n int, content string) []any {
	all := make([]any, n)
	for i := range all {
		all[i] = content
	}
	return all
}
