package store

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	flowpb "weir/proto"
)

func TestChanges(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	f := httpFlow(1)
	record(t, w, f, httpFlow(2))
	first, err := s.Revision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	record(t, w, httpFlow(3))
	if err := w.Body(t.Context(), 1, flowpb.SideRequest, []byte("x")); err != nil {
		t.Fatal(err)
	}
	flush(t, w)
	if err := w.Message(t.Context(), &flowpb.Message{Flow: 2}); err != nil {
		t.Fatal(err)
	}
	flush(t, w)
	mark := "x"
	if _, err := s.Annotate(t.Context(), []uint64{3, 1}, NoteChange{Marked: &mark}); err != nil {
		t.Fatal(err)
	}
	last, err := s.Revision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		since     uint64
		want      []uint64
		upto      uint64
		truncated bool
	}{
		{0, []uint64{1, 2, 3}, last, false},
		{first, []uint64{1, 2, 3}, last, false},
		{last - 1, []uint64{1, 3}, last, false},
		{last - 2, []uint64{1, 2, 3}, last, false},
		{last, nil, last, false},
		{last + 5, nil, last + 5, false},
	} {
		ids, upto, truncated, err := s.Changes(t.Context(), c.since)
		if err != nil || !cmp.Equal(ids, c.want) || upto != c.upto || truncated != c.truncated {
			t.Errorf("changes since %d: got %v, %d, %v, %v, want %v, %d, %v", c.since, ids, upto, truncated, err, c.want, c.upto, c.truncated)
		}
	}
	// The flow's own column tells the same revision.
	var revision uint64
	if err := s.read.QueryRow("SELECT revision FROM flow WHERE id = 1").Scan(&revision); err != nil || revision != first {
		t.Errorf("revision of flow 1: got %d, %v, want %d", revision, err, first)
	}
}

// TestConnectionsAreNoChange sees that a commit that touches no flow has no revision.
func TestConnectionsAreNoChange(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	record(t, w, httpFlow(1))
	before, _ := s.Revision(t.Context())
	if err := w.Conn(t.Context(), &flowpb.Conn{}); err != nil {
		t.Fatal(err)
	}
	flush(t, w)
	if after, err := s.Revision(t.Context()); err != nil || after != before {
		t.Errorf("revision: got %d, %v, want %d", after, err, before)
	}
}

func TestChangeLogIsTrimmed(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	record(t, w, httpFlow(1))
	const fill = `WITH RECURSIVE n(r) AS (SELECT 2 UNION ALL SELECT r + 1 FROM n WHERE r < ?)
		INSERT INTO change (revision, flows) SELECT r, x'01' FROM n`
	if _, err := s.note.Exec(fill, 2*keptChanges-1); err != nil {
		t.Fatal(err)
	}
	mark := "x"
	if _, err := s.Annotate(t.Context(), []uint64{1}, NoteChange{Marked: &mark}); err != nil { // revision 2 × keptChanges
		t.Fatal(err)
	}
	var n int
	if err := s.read.QueryRow("SELECT count(*) FROM change").Scan(&n); err != nil || n != keptChanges {
		t.Errorf("rows of the log: got %d, %v, want %d", n, err, keptChanges)
	}
	ids, upto, truncated, err := s.Changes(t.Context(), 5)
	if err != nil || ids != nil || upto != 2*keptChanges || !truncated {
		t.Errorf("changes from before the log: got %v, %d, %v, %v, want nil, %d, true", ids, upto, truncated, err, 2*keptChanges)
	}
	ids, _, truncated, err = s.Changes(t.Context(), keptChanges)
	if err != nil || truncated || !cmp.Equal(ids, []uint64{1}) {
		t.Errorf("changes from the log's beginning: got %v, %v, %v, want [1], false", ids, truncated, err)
	}
	for range 2 * trimEvery {
		record(t, w, httpFlow(1))
	}
	if err := s.read.QueryRow("SELECT count(*) FROM change").Scan(&n); err != nil || n >= keptChanges+trimEvery {
		t.Errorf("rows of the log after many commits: got %d, %v, want less than %d", n, err, keptChanges+trimEvery)
	}
}

func TestDamagedChangeRow(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	record(t, w, httpFlow(1))
	if _, err := s.note.Exec("UPDATE change SET flows = x'ffff'"); err != nil {
		t.Fatal(err)
	}
	if _, upto, truncated, err := s.Changes(t.Context(), 0); err != nil || !truncated || upto != 1 {
		t.Errorf("got %d, %v, %v, want 1, true, nil: look at everything again", upto, truncated, err)
	}
}

func TestWaitWakesAtCommit(t *testing.T) {
	s, w := newWriter(t, WriterOptions{BatchDelay: time.Millisecond})
	type answer struct {
		revision uint64
		err      error
	}
	got := make(chan answer)
	go func() {
		r, err := s.Wait(t.Context(), 0)
		got <- answer{r, err}
	}()
	record(t, w, httpFlow(1))
	if a := <-got; a.err != nil || a.revision != 1 {
		t.Errorf("wait: got %d, %v, want 1", a.revision, a.err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		_, err := s.Wait(ctx, 1)
		got <- answer{0, err}
	}()
	cancel()
	if a := <-got; !errors.Is(a.err, context.Canceled) {
		t.Errorf("wait with an ended context: got %v, want %v", a.err, context.Canceled)
	}
}

func TestIDsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var want []uint64
		var last uint64
		for _, d := range rapid.SliceOf(rapid.Uint64Range(1, 1<<40)).Draw(t, "differences") {
			last += d
			want = append(want, last)
		}
		got, ok := readIDs(nil, appendIDs(nil, want))
		if !ok || !cmp.Equal(got, want) {
			t.Fatalf("got %v, %v, want %v", got, ok, want)
		}
	})
}

func FuzzReadIDs(f *testing.F) {
	f.Add([]byte{1, 2, 3})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, p []byte) {
		ids, ok := readIDs(nil, p)
		if len(ids) > len(p) {
			t.Errorf("%d ids out of %d bytes (%v)", len(ids), len(p), ok)
		}
	})
}
