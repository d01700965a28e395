package store

import (
	"os"
	"testing"
)

// TestGlanceSeesEveryCommit looks between commits of every kind, from a session of its own.
func TestGlanceSeesEveryCommit(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	record(t, w, httpFlow(1))
	other, err := Open(t.Context(), s.Path(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	last, ok := other.glance.look()
	if !ok {
		t.Fatal("no wal-index to look at while the session is open")
	}
	if again, _ := other.glance.look(); again != last {
		t.Error("the mark changed with no commit between two looks")
	}
	note := "x"
	for n := range 200 {
		switch n % 3 {
		case 0:
			record(t, w, httpFlow(n))
		case 1:
			if _, err := s.Annotate(t.Context(), []uint64{1}, NoteChange{Comment: &note}); err != nil {
				t.Fatal(err)
			}
		case 2: // the -wal file begins anew
			if _, err := s.note.Exec("PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
				t.Fatal(err)
			}
			record(t, w, httpFlow(n))
		}
		now, ok := other.glance.look()
		if !ok || now == last {
			t.Fatalf("commit %d: got the same mark as before it (%v)", n, ok)
		}
		last = now
	}
}

// TestGlanceWithoutWAL sees that a file that is read without a -wal file has nothing to glance at.
func TestGlanceWithoutWAL(t *testing.T) {
	s := newSession(t)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(s.Path() + "-shm"); err == nil {
		t.Fatal("a closed session has an -shm file")
	}
	if _, ok := s.glance.look(); ok {
		t.Error("a closed session: got something to look at")
	}
	g := glance{path: s.Path() + "-shm"}
	if _, ok := g.look(); ok {
		t.Error("no -shm file: got something to look at")
	}
}
