package merge_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	flowpb "weir/proto"
	"weir/store"
	"weir/store/merge"
	"weir/store/rowid"
	"weir/store/storetest"
)

// mergeable makes a session of flows that start at times from, from+step …, with all that
// flows have.
func mergeable(t *testing.T, n int, from, step int64) *store.Session {
	t.Helper()
	s, w := storetest.Create(t, store.WriterOptions{})
	ctx := t.Context()
	for i := range n {
		c := &flowpb.Conn{Peer: &flowpb.Address{Port: uint32(from)}, Tls: &flowpb.Tls{Presented: &flowpb.Certificate{Der: fmt.Appendf(nil, "der %d", from)}}}
		if err := w.Conn(ctx, c); err != nil {
			t.Fatal(err)
		}
		f := storetest.HTTPFlow(fmt.Sprintf("/%d/%d", from, i), 5000)
		f.CreatedNs = from + step*int64(i)
		f.ServerConn = c.GetId()
		if err := w.Flow(ctx, f); err != nil {
			t.Fatal(err)
		}
		if err := w.Body(ctx, f.GetId(), flowpb.SideResponse, storetest.Pattern(int(from)+i%2, 5000)); err != nil {
			t.Fatal(err)
		}
		if err := w.Message(ctx, &flowpb.Message{Flow: f.GetId(), Content: fmt.Appendf(nil, "hi %d", i), Note: "odd", Compressed: true}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return s
}

// merged merges sessions and opens the result, which must be whole.
func merged(t *testing.T, from ...*store.Session) (*store.Session, merge.Result) {
	t.Helper()
	var paths []string
	for _, s := range from {
		paths = append(paths, s.Path())
	}
	to := filepath.Join(t.TempDir(), "merged.weir")
	m, err := merge.Sessions(t.Context(), paths, to, merge.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return storetest.Whole(t, to, m.Flows), m
}

// told is a flow with what belongs to it, as text: what a merge must keep.
func told(t *testing.T, s *store.Session, id uint64) string {
	t.Helper()
	ctx := t.Context()
	f, err := s.Flow(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	origin := flowpb.OriginOf(f)
	if origin == (flowpb.Origin{}) {
		origin = flowpb.Origin{Session: s.UUID(), Sequence: id}
	}
	b, err := s.Body(ctx, id, flowpb.SideResponse)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(b.NewReader(ctx))
	if err != nil {
		t.Fatal(err)
	}
	messages, err := s.Messages(ctx, id, 1, 10)
	if err != nil {
		t.Fatal(err)
	}
	var contents []string
	for _, m := range messages {
		contents = append(contents, fmt.Sprint(string(m.GetContent()), m.GetNote(), m.GetCompressed()))
	}
	c, err := s.Conn(ctx, f.GetServerConn())
	if err != nil {
		t.Fatal(err)
	}
	n, err := s.Note(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x:%d %v %s body %x of %d messages %q conn %d %s note %+v", origin.Session, origin.Sequence, f.GetState(),
		f.GetHttp().GetRequest().GetPath(), content[:min(4, len(content))], len(content), contents, c.GetPeer().GetPort(), c.GetTls().GetPresented().GetDer(), n)
}

func tellAll(t *testing.T, s *store.Session) (all []string) {
	t.Helper()
	n, err := s.Count(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for id := uint64(1); id <= n; id++ {
		all = append(all, told(t, s, id))
	}
	return all
}

func TestMerge(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes long and shares nothing between goroutines")
	}
	ctx := t.Context()
	a, b := mergeable(t, 420, 1000, 10), mergeable(t, 180, 1005, 20)
	if _, err := b.Compact(ctx, store.CompactOptions{}); err != nil { // its bodies are packed and shared now
		t.Fatal(err)
	}
	comment, tags := "slow", []string{"x"}
	if _, err := a.Annotate(ctx, []uint64{3}, store.NoteChange{Comment: &comment, Tags: &tags}); err != nil {
		t.Fatal(err)
	}
	if err := a.SetState(ctx, "view", []byte("of a")); err != nil {
		t.Fatal(err)
	}
	c, m := merged(t, a, b)
	if want := (merge.Result{Flows: 600}); m != want {
		t.Errorf("merged: got %+v, want %+v", m, want)
	}
	got := tellAll(t, c)
	want := append(tellAll(t, a), tellAll(t, b)...)
	slices.Sort(want)
	if diff := cmp.Diff(want, slices.Sorted(slices.Values(got))); diff != "" {
		t.Errorf("flows (-want +got):\n%s", diff)
	}
	started, err := rowid.Select(ctx, c.DB(), "SELECT started FROM flow ORDER BY id")
	if err != nil || !slices.IsSorted(started) {
		t.Errorf("the flows are not in the order of their start (%v)", err)
	}
	if state, err := c.State(ctx, "view"); err != nil || string(state) != "of a" {
		t.Errorf("view state: got %q, %v, want that of the first session", state, err)
	}

	// Merged again with one of them it stays what it is.
	d, m := merged(t, c, a)
	if want := (merge.Result{Flows: 600, Duplicates: 420}); m != want {
		t.Errorf("merged again: got %+v, want %+v", m, want)
	}
	const identities = "SELECT uid FROM flows ORDER BY id"
	if diff := cmp.Diff(storetest.Rows(t, c, identities), storetest.Rows(t, d, identities)); diff != "" {
		t.Errorf("identities (-first +second merge):\n%s", diff)
	}
	sources := storetest.Rows(t, d, "SELECT count(*) FROM source")
	if sources[0] != "3" {
		t.Errorf("sources: got %s, want a, b and their first merge", sources[0])
	}
}

// A flow that was open when it was copied first comes whole when it is met again.
func TestMergeLater(t *testing.T) {
	ctx := t.Context()
	s, w := storetest.Create(t, store.WriterOptions{})
	f := storetest.HTTPFlow("/", 0)
	f.State, f.GetHttp().Response.Body = flowpb.StateResponse, &flowpb.Body{State: flowpb.BodyStreaming, Size: 3}
	if err := w.Flow(ctx, f); err != nil {
		t.Fatal(err)
	}
	if err := w.Body(ctx, 1, flowpb.SideResponse, []byte("abc")); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	early, _ := merged(t, s) // while it is being captured
	f.State, f.GetHttp().Response.Body = flowpb.StateComplete, &flowpb.Body{State: flowpb.BodyComplete, Size: 6}
	if err := w.Body(ctx, 1, flowpb.SideResponse, []byte("def")); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Flow(ctx, f), w.Flush(ctx)); err != nil {
		t.Fatal(err)
	}
	for _, from := range [][]*store.Session{{early, s}, {s, early}} {
		got, m := merged(t, from...)
		if m.Flows != 1 || m.Duplicates != 1 {
			t.Errorf("merged: got %+v, want one flow, met twice", m)
		}
		b, err := got.Body(ctx, 1, flowpb.SideResponse)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(b.NewReader(ctx)); err != nil || string(body) != "abcdef" {
			t.Errorf("body: got %q, %v, want all of it", body, err)
		}
	}
}

func TestMergeRefused(t *testing.T) {
	a := mergeable(t, 1, 1000, 1)
	if _, err := merge.Sessions(t.Context(), []string{a.Path()}, a.Path(), merge.Options{}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("onto a session: got %v, want that it exists", err)
	}
	to := filepath.Join(t.TempDir(), "c.weir")
	if _, err := merge.Sessions(t.Context(), []string{a.Path(), filepath.Join(t.TempDir(), "none")}, to, merge.Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("with a missing one: got %v", err)
	}
	if left, err := filepath.Glob(to + "*"); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
