package store

import (
	"bytes"
	"errors"
	"os"
	"testing"
	"time"

	flowpb "weir/proto"
)

// TestMovedFile takes a session's file away under its writer: nothing is written
// to where nobody would find it, readers and new connections say so, and all goes on
// when the file is back.
func TestMovedFile(t *testing.T) {
	for name, replace := range map[string]func(t *testing.T, path string){
		"removed": func(*testing.T, string) {},
		"replaced": func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte("something else"), 0o600); err != nil {
				t.Fatal(err)
			}
		},
		"replaced by another session": func(t *testing.T, path string) {
			other := newSession(t)
			if err := other.Close(); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(other.Path(), path); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, w := newWriter(t, WriterOptions{})
			record(t, w, httpFlow(1))
			aside := s.Path() + "-aside"
			if err := os.Rename(s.Path(), aside); err != nil {
				t.Fatal(err)
			}
			replace(t, s.Path())
			if err := w.Flow(t.Context(), httpFlow(2)); err != nil {
				t.Fatal(err)
			}
			if err := w.Flush(t.Context()); !errors.Is(err, ErrMoved) || !errors.Is(err, ErrWrite) {
				t.Errorf("flush: got %v, want %v", err, ErrMoved)
			}
			if st := w.Stats(); !errors.Is(st.Err, ErrMoved) {
				t.Errorf("stats: got %v, want %v", st.Err, ErrMoved)
			}
			late := s.pool(dsn{mode: modeReadOnly}, 1)
			if err := late.PingContext(t.Context()); !errors.Is(err, ErrMoved) {
				t.Errorf("a new connection: got %v, want %v", err, ErrMoved)
			}
			if err := late.Close(); err != nil {
				t.Error(err)
			}
			if err := os.Rename(aside, s.Path()); err != nil {
				t.Fatal(err)
			}
			flush(t, w)
			if n, err := s.Count(t.Context()); err != nil || n != 2 {
				t.Errorf("flows when the file is back: got %d, %v, want 2", n, err)
			}
			checkSound(t, s)
		})
	}
}

// checkSound sees that verify finds nothing but bodies that httpFlow announces and
// nobody recorded.
func checkSound(t *testing.T, s *Session) {
	t.Helper()
	problems, err := s.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if !bytes.HasPrefix([]byte(p.Place), []byte("body of flow")) {
			t.Errorf("verify: %v", p)
		}
	}
}

// TestCreateWhereOneWas makes a session where another one was deleted, whose -wal file was left and
// which is even still open: the two have nothing in common.
func TestCreateWhereOneWas(t *testing.T) {
	old, w := newWriter(t, WriterOptions{})
	record(t, w, httpFlow(1), httpFlow(2))
	if err := os.Remove(old.Path()); err != nil {
		t.Fatal(err)
	}
	s, err := Create(t.Context(), old.Path(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := s.Count(t.Context()); err != nil || n != 0 {
		t.Errorf("flows of the new session: got %d, %v, want 0", n, err)
	}
	if n, err := old.Count(t.Context()); err != nil || n != 2 {
		t.Errorf("flows of the old one: got %d, %v, want 2", n, err)
	}
	_ = w.Flow(t.Context(), httpFlow(3))
	if err := w.Flush(t.Context()); !errors.Is(err, ErrMoved) {
		t.Errorf("flush of the old one: got %v, want %v", err, ErrMoved)
	}
	w.GiveUp()
	_ = w.Close()
	checkSound(t, s)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestReadOnlyMeanwhile takes the write bits from a session's file while it is being written: the
// capture goes on, who comes later can only look.
func TestReadOnlyMeanwhile(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	record(t, w, httpFlow(1))
	if err := os.Chmod(s.Path(), 0o400); err != nil {
		t.Fatal(err)
	}
	record(t, w, httpFlow(2))
	late, err := Open(t.Context(), s.Path(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer late.Close()
	if n, err := late.Count(t.Context()); err != nil || n != 2 || !late.ReadOnly() {
		t.Errorf("opened later: got %d flows, %v, read-only %v, want 2 and read-only", n, err, late.ReadOnly())
	}
	if _, err := late.NewWriter(t.Context(), WriterOptions{}); !errors.Is(err, ErrReadOnly) {
		t.Errorf("a writer: got %v, want %v", err, ErrReadOnly)
	}
}

// TestSlowDisk holds the disk up: what is recorded waits within the bounds of the
// queue, readers do not wait, and nothing is lost.
func TestSlowDisk(t *testing.T) {
	const queue = 256 << 10
	s, w := newWriter(t, WriterOptions{QueueBytes: queue, BatchBytes: 32 << 10})
	record(t, w, httpFlow(0))
	s.writing.Lock() // as if a commit took that long
	const flows = 2000
	done := make(chan error, 1)
	go func() { // waited for below
		for n := range flows {
			f := httpFlow(n)
			if err := errors.Join(w.Flow(t.Context(), f), w.Body(t.Context(), f.GetId(), flowpb.SideResponse, []byte("hello"))); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for w.Stats().Waiting == 0 {
		time.Sleep(time.Millisecond)
	}
	if st := w.Stats(); st.QueuedBytes > queue || st.Err != nil {
		t.Errorf("while the disk is slow: got %+v, want at most %d bytes and no error", st, queue)
	}
	if n, err := s.Count(t.Context()); err != nil || n != 1 {
		t.Errorf("a reader meanwhile: got %d, %v, want the 1 flow that is on disk", n, err)
	}
	s.writing.Unlock()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	flush(t, w)
	if n, err := s.Count(t.Context()); err != nil || n != flows+1 {
		t.Errorf("flows: got %d, %v, want %d", n, err, flows+1)
	}
}

// TestTruncatedMeanwhile cuts the file under a reader and a writer. What is gone is gone; but
// whoever asks for it is told, and nothing crashes or hangs.
func TestTruncatedMeanwhile(t *testing.T) {
	for _, left := range []int64{0, 100, PageSize + 1, 10 * PageSize} {
		s, w := newWriter(t, WriterOptions{})
		for n := range 200 {
			f := httpFlow(n)
			if err := w.Flow(t.Context(), f); err != nil {
				t.Fatal(err)
			}
			if err := w.Body(t.Context(), f.GetId(), flowpb.SideResponse, pattern(n, 5000)); err != nil {
				t.Fatal(err)
			}
		}
		flush(t, w)
		if _, err := s.note.Exec("PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(s.Path(), left); err != nil {
			t.Fatal(err)
		}
		late, err := Open(t.Context(), s.Path(), Options{})
		if err == nil {
			exercise(t.Context(), late)
			err = late.Close()
		}
		t.Logf("%d bytes left: opened again: %v", left, err)
		failed := exercise(t.Context(), s)
		if left < PageSize && failed == 0 {
			t.Errorf("%d bytes left: everything could be read", left)
		}
		_ = w.Flow(t.Context(), httpFlow(1))
		t.Logf("%d bytes left: %d reads failed, flush: %v", left, failed, w.Flush(t.Context()))
		w.GiveUp()
		_ = w.Close()
	}
}
