package store

import (
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

// failSync makes the writer's syncs fail with what next returns, nil for success.
// All that was recorded is on disk.
func failSync(w *Writer, next func() error) {
	usual := w.tape.sync
	w.tape.sync = func() error {
		if err := next(); err != nil {
			return err
		}
		return usual()
	}
}

// TestSyncThatFails sees that nothing is acknowledged before it is durable, and that
// what the disk refused in the -wal file gets into the session instead.
func TestSyncThatFails(t *testing.T) {
	s, w := newWriter(t, WriterOptions{CompactAfter: -1})
	record(t, w, httpFlow(1))
	refusal := errors.New("input/output error")
	var syncs atomic.Int64
	failSync(w, func() error {
		if syncs.Add(1) == 1 {
			return refusal
		}
		return nil
	})
	if err := w.Flow(t.Context(), httpFlow(2)); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(t.Context()); !errors.Is(err, refusal) || !errors.Is(err, ErrWrite) {
		t.Errorf("flush while the disk refuses: got %v, want %v", err, refusal)
	}
	flush(t, w)
	if n := syncs.Load(); n != 1 {
		t.Errorf("syncs of the -wal file: got %d, want none after the one that failed", n)
	}
	if st := w.Stats(); st.Err != nil || st.Flows != 2 {
		t.Errorf("stats: got %+v, want 2 flows and no error", st)
	}
	// The session without its -wal file has all of it.
	alone := filepath.Join(t.TempDir(), "alone.weir")
	file, err := os.ReadFile(s.Path())
	if err = errors.Join(err, os.WriteFile(alone, file, 0o600)); err != nil {
		t.Fatal(err)
	}
	copied, err := Open(t.Context(), alone, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer copied.Close()
	if n, err := copied.Count(t.Context()); err != nil || n != 2 {
		t.Errorf("flows in the session without its -wal file: got %d, %v, want 2", n, err)
	}
}

// TestSyncForMany sees that one sync is for all that was committed before it.
func TestSyncForMany(t *testing.T) {
	s, w := newWriter(t, WriterOptions{BatchFlows: 1, BatchDelay: time.Nanosecond, CompactAfter: -1})
	record(t, w, httpFlow(1))
	hold, begun := make(chan struct{}), make(chan struct{}, 1)
	var syncs atomic.Int64
	failSync(w, func() error {
		if syncs.Add(1) == 1 {
			begun <- struct{}{}
			<-hold
		}
		return nil
	})
	for n := 2; n <= 9; n++ {
		if err := w.Flow(t.Context(), httpFlow(n)); err != nil {
			t.Fatal(err)
		}
	}
	<-begun
	if st := w.Stats(); st.Flows != 1 {
		t.Errorf("flows on disk before the sync has ended: got %d, want 1", st.Flows)
	}
	for n := uint64(0); n < 9; time.Sleep(time.Millisecond) {
		var err error
		if n, err = s.Count(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	close(hold)
	flush(t, w)
	if n := syncs.Load(); n > 3 {
		t.Errorf("syncs: got %d for 8 transactions that were made during the first, want one for all the others", n)
	}
}
