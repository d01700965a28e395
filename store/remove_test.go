package store

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"weir/filter"
	flowpb "weir/proto"
)

// flowIDs are the flows of a session, as a query finds them.
func flowIDs(t testing.TB, s *Session) []uint64 {
	t.Helper()
	var ids []uint64
	err := s.Select(context.Background(), Query{}, func(id uint64) bool { ids = append(ids, id); return true })
	if err != nil {
		t.Fatal(err)
	}
	if n, err := s.Count(context.Background()); err != nil || n != uint64(len(ids)) {
		t.Errorf("count: got %d, %v, want %d", n, err, len(ids))
	}
	return ids
}

// removing makes a session of n flows with a body of five bytes each.
func removing(t *testing.T, n int) (*Session, *Writer) {
	t.Helper()
	s, w := newWriter(t, WriterOptions{})
	for i := range n {
		f := httpFlow(i)
		if err := w.Flow(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		if err := w.Body(t.Context(), f.GetId(), flowpb.SideResponse, []byte("body!")); err != nil {
			t.Fatal(err)
		}
	}
	flush(t, w)
	return s, w
}

func TestRemove(t *testing.T) {
	s, w := removing(t, 5)
	mark := flowpb.DefaultMarker
	if _, err := s.Annotate(t.Context(), []uint64{2, 5}, NoteChange{Marked: &mark}); err != nil {
		t.Fatal(err)
	}
	// One in the middle twice, the last, one that is not there.
	if n, err := s.Remove(t.Context(), []uint64{2, 5, 99, 2}); err != nil || n != 2 {
		t.Errorf("remove: got %d, %v, want 2", n, err)
	}
	if got, want := flowIDs(t, s), []uint64{1, 3, 4}; !slices.Equal(got, want) {
		t.Errorf("flows: got %v, want %v", got, want)
	}
	if _, err := s.Flow(t.Context(), 2); !errors.Is(err, ErrNotFound) {
		t.Errorf("a removed flow: got %v, want %v", err, ErrNotFound)
	}
	if heads, err := s.Heads(t.Context(), []uint64{1, 2, 3}); err != nil || len(heads) != 2 {
		t.Errorf("heads: got %d, %v, want 2", len(heads), err)
	}
	if _, err := s.Annotate(t.Context(), []uint64{2}, NoteChange{Marked: &mark}); !errors.Is(err, ErrNotFound) {
		t.Errorf("note on a removed flow: got %v, want %v", err, ErrNotFound)
	}
	if in, err := s.Info(t.Context()); err != nil || in.Marked != 0 {
		t.Errorf("marked flows: got %d, %v, want 0", in.Marked, err)
	}
	if n, err := s.Unmark(t.Context()); err != nil || n != 0 {
		t.Errorf("unmark: got %d, %v, want 0: removed flows keep their marks", n, err)
	}
	// No id is given twice, not even after the file was closed.
	f := httpFlow(6)
	f.GetHttp().Response.Body = nil
	record(t, w, f)
	if f.GetId() != 6 {
		t.Errorf("the next flow got id %d, want 6", f.GetId())
	}
	if n, err := s.Drop(t.Context(), []uint64{6}); err != nil || n != 1 {
		t.Errorf("drop: got %d, %v, want 1", n, err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	w, err := s.NewWriter(t.Context(), WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	f = httpFlow(7)
	f.GetHttp().Response.Body = nil
	record(t, w, f)
	if f.GetId() != 7 {
		t.Errorf("after reopening: got id %d, want 7", f.GetId())
	}
	// All that was removed comes back with what was said of it.
	if n, err := s.Undo(t.Context()); err != nil || n != 2 {
		t.Errorf("undo: got %d, %v, want 2", n, err)
	}
	if got, want := flowIDs(t, s), []uint64{1, 2, 3, 4, 5, 7}; !slices.Equal(got, want) {
		t.Errorf("flows: got %v, want %v", got, want)
	}
	if note, err := s.Note(t.Context(), 5); err != nil || note.Marked != mark {
		t.Errorf("mark: got %q, %v, want %q", note.Marked, err, mark)
	}
	if n, err := s.Undo(t.Context()); err != nil || n != 0 {
		t.Errorf("second undo: got %d, %v, want 0", n, err)
	}
	if problems, err := s.Verify(t.Context()); err != nil || len(problems) > 0 {
		t.Errorf("verify: %v %v", problems, err)
	}
}

func TestRemoveFromReadOnly(t *testing.T) {
	s := newSession(t)
	ro, err := Open(t.Context(), s.Path(), Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer ro.Close()
	for name, act := range map[string]func() (int, error){
		"remove":        func() (int, error) { return ro.Remove(t.Context(), []uint64{1}) },
		"remove all":    func() (int, error) { return ro.RemoveAll(t.Context()) },
		"remove others": func() (int, error) { return ro.RemoveOthers(t.Context(), Query{}) },
		"drop":          func() (int, error) { return ro.Drop(t.Context(), []uint64{1}) },
		"undo":          func() (int, error) { return ro.Undo(t.Context()) },
		"purge":         func() (int, error) { return ro.Purge(t.Context()) },
	} {
		if _, err := act(); !errors.Is(err, ErrReadOnly) {
			t.Errorf("%s: got %v, want %v", name, err, ErrReadOnly)
		}
	}
}

// TestRemovedTableIsLikeFlow keeps the two tables of rows alike: rows move between them.
func TestRemovedTableIsLikeFlow(t *testing.T) {
	s := newSession(t)
	columns := func(table string) (out []string) {
		rows, err := s.read.QueryContext(t.Context(), `SELECT name || ' ' || type || ' ' || "notnull" || ' ' || pk FROM pragma_table_info(?)`, table)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var c string
			if err := rows.Scan(&c); err != nil {
				t.Fatal(err)
			}
			out = append(out, c)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		return out
	}
	want := append([]string{"at INTEGER 1 0"}, columns("flow")...)
	if d := cmp.Diff(want, columns("removed")); d != "" {
		t.Errorf("columns of removed (-want +got):\n%s", d)
	}
}

// TestRemovedFlowIsRecordedOn removes a flow while the proxy still writes it.
func TestRemovedFlowIsRecordedOn(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	f := httpFlow(1)
	f.State = flowpb.StateWaiting
	response := f.GetHttp().GetResponse()
	f.GetHttp().Response = nil
	record(t, w, f)
	if n, err := s.Remove(t.Context(), []uint64{1}); err != nil || n != 1 {
		t.Fatalf("remove: got %d, %v, want 1", n, err)
	}
	f.State, f.GetHttp().Response = flowpb.StateComplete, response
	record(t, w, f)
	if err := w.Body(t.Context(), 1, flowpb.SideResponse, []byte("body!")); err != nil {
		t.Fatal(err)
	}
	flush(t, w)
	if ids := flowIDs(t, s); len(ids) > 0 {
		t.Errorf("flows: got %v, want none: what is recorded does not bring a flow back", ids)
	}
	if n, err := s.Undo(t.Context()); err != nil || n != 1 {
		t.Fatalf("undo: got %d, %v, want 1", n, err)
	}
	rows, err := s.Rows(t.Context(), []uint64{1})
	if err != nil || len(rows) != 1 || rows[0].Status != 404 || rows[0].State != flowpb.StateComplete {
		t.Errorf("row: got %+v, %v, want the last recorded state", rows, err)
	}
	if got, err := s.Flow(t.Context(), 1); err != nil || !proto.Equal(got, f) {
		t.Errorf("flow: got %v, %v, want %v", got, err, f)
	}
	if problems, err := s.Verify(t.Context()); err != nil || len(problems) > 0 {
		t.Errorf("verify: %v %v", problems, err)
	}
}

// TestDroppedFlowIsNotRecordedOn drops a flow while the proxy still writes it.
func TestDroppedFlowIsNotRecordedOn(t *testing.T) {
	s, w := removing(t, 2)
	if n, err := s.Drop(t.Context(), []uint64{1}); err != nil || n != 1 {
		t.Fatalf("drop: got %d, %v, want 1", n, err)
	}
	f := httpFlow(1)
	f.Id = 1
	record(t, w, f)
	if err := w.Body(t.Context(), 1, flowpb.SideResponse, []byte("more")); err != nil {
		t.Fatal(err)
	}
	if err := w.Message(t.Context(), &flowpb.Message{Flow: 1, Content: []byte("late")}); err != nil {
		t.Fatal(err)
	}
	flush(t, w)
	if got, want := flowIDs(t, s), []uint64{2}; !slices.Equal(got, want) {
		t.Errorf("flows: got %v, want %v", got, want)
	}
	if problems, err := s.Verify(t.Context()); err != nil || len(problems) > 0 {
		t.Errorf("verify: %v %v: a dropped flow leaves nothing", problems, err)
	}
}

// TestSettleEndsRemovedFlows kills a capture whose open flow was removed.
func TestSettleEndsRemovedFlows(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	f := httpFlow(1)
	f.State, f.GetHttp().Response = flowpb.StateWaiting, nil
	record(t, w, f)
	if _, err := s.Remove(t.Context(), []uint64{1}); err != nil {
		t.Fatal(err)
	}
	if n, err := w.Settle(t.Context()); err != nil || n != 1 {
		t.Errorf("settled: got %d, %v, want 1", n, err)
	}
	flush(t, w)
	if _, err := s.Undo(t.Context()); err != nil {
		t.Fatal(err)
	}
	if rows, err := s.Rows(t.Context(), []uint64{1}); err != nil || len(rows) != 1 || rows[0].State != flowpb.StateError {
		t.Errorf("row: got %+v, %v, want a failed flow", rows, err)
	}
}

func TestRemoveManyAtOnce(t *testing.T) {
	const n = 2*moveFlows + 100
	s, w := newWriter(t, WriterOptions{})
	for i := range n {
		f := httpFlow(i)
		f.GetHttp().Response.Body = nil
		f.GetHttp().Response.Status = uint32(200 + i%2)
		if err := w.Flow(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	flush(t, w)
	e, err := filter.Parse("~c 200")
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		name        string
		act         func(context.Context) (int, error)
		moved, left int
	}{
		{"remove others", func(ctx context.Context) (int, error) { return s.RemoveOthers(ctx, Query{Filter: e, Order: OrderHost}) }, n / 2, n / 2},
		{"remove others again", func(ctx context.Context) (int, error) { return s.RemoveOthers(ctx, Query{Filter: e}) }, 0, n / 2},
		{"remove all", s.RemoveAll, n / 2, 0},
		{"undo", s.Undo, n / 2, n / 2},
		{"undo again", s.Undo, n / 2, n},
		{"undo nothing", s.Undo, 0, n},
	} {
		if got, err := step.act(t.Context()); err != nil || got != step.moved {
			t.Errorf("%s: got %d, %v, want %d", step.name, got, err, step.moved)
		}
		if got := len(flowIDs(t, s)); got != step.left {
			t.Errorf("flows after %s: got %d, want %d", step.name, got, step.left)
		}
	}
}

// TestPurgeInSteps drops flows with bodies that are too much for one transaction.
func TestPurgeInSteps(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	for n := range 3 {
		f := httpFlow(n)
		f.GetHttp().Response.Body.Size = 6 << 20
		if err := w.Flow(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		if err := w.Body(t.Context(), f.GetId(), flowpb.SideResponse, pattern(n, 6<<20)); err != nil {
			t.Fatal(err)
		}
	}
	flush(t, w)
	if _, err := s.Remove(t.Context(), []uint64{1}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Remove(t.Context(), []uint64{2}); err != nil {
		t.Fatal(err)
	}
	flows, more, err := s.purgeSome(t.Context(), 1<<62)
	if err != nil || flows != 0 || !more {
		t.Fatalf("first step: got %d flows, more %v, %v, want none yet, and more", flows, more, err)
	}
	if problems, err := s.Verify(t.Context()); err != nil || len(problems) > 0 {
		t.Errorf("verify half way: %v %v", problems, err)
	}
	// What is half gone does not come back, what is whole does.
	if r, err := s.Removed(t.Context()); err != nil || r != (Removed{Flows: 1, Removals: 1}) {
		t.Errorf("removed: got %+v, %v, want one flow", r, err)
	}
	if n, err := s.Undo(t.Context()); err != nil || n != 1 {
		t.Errorf("undo: got %d, %v, want 1", n, err)
	}
	if n, err := s.Purge(t.Context()); err != nil || n != 1 {
		t.Errorf("purge: got %d, %v, want 1", n, err)
	}
	if got, want := flowIDs(t, s), []uint64{2, 3}; !slices.Equal(got, want) {
		t.Errorf("flows: got %v, want %v", got, want)
	}
	if b, err := s.Body(t.Context(), 1, flowpb.SideResponse); err != nil || b.Size() != 0 {
		t.Errorf("body of a purged flow: got %v, %v, want nothing", b, err)
	}
	if b, err := s.Body(t.Context(), 2, flowpb.SideResponse); err != nil || b.Size() != 6<<20 {
		t.Errorf("body of the flow that came back: got %v, %v, want 6 MB", b, err)
	}
	if problems, err := s.Verify(t.Context()); err != nil || len(problems) > 0 {
		t.Errorf("verify: %v %v", problems, err)
	}
}

// TestNeighbourOfRemovedFlow keeps the place of a flow that was removed, in any
// order: whoever stood on it goes on there.
func TestNeighbourOfRemovedFlow(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	for _, path := range []string{"/e", "/b", "/d", "/a", "/c"} {
		record(t, w, pathFlow(path))
	}
	for _, q := range []Query{{Order: OrderPath}, {Order: OrderPath, Reverse: true}, {}} {
		v := newView(t, s, q)
		before := v.IDs(0, 5)
		if _, err := s.Remove(t.Context(), before[2:3]); err != nil {
			t.Fatal(err)
		}
		settled(t.Context(), t, v)
		if pos, found, err := v.Find(t.Context(), before[2]); err != nil || found || pos != 2 {
			t.Errorf("by %v, reverse %v: got position %d, found %v, %v, want 2", q.Order, q.Reverse, pos, found, err)
		}
		if _, err := s.Undo(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
