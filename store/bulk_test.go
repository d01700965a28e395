package store

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	flowpb "weir/proto"
)

// fillAt makes a session that is to be filled, and its writer.
func fillAt(t *testing.T, path string) (*Session, *Writer) {
	t.Helper()
	s, err := Create(t.Context(), path, Options{Bulk: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	w, err := s.NewWriter(t.Context(), WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return s, w
}

// inWAL reports whether the file's header says that it is in WAL mode
// (sqlite.org/fileformat2.html section 1.3.3).
func inWAL(t *testing.T, path string) bool {
	t.Helper()
	h, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return h[18] == 2 && h[19] == 2
}

// TestBulk fills a session while somebody else follows it, looks into it and annotates:
// there is no -wal file before the end, and afterwards it is a session like others.
func TestBulk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bulk.weir")
	s, w := fillAt(t, path)
	other, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	body := bytes.Repeat([]byte("0123456789abcdef"), 20<<10)
	var seen uint64
	for n := 1; n <= 40; n++ {
		f := httpFlow(n)
		f.GetHttp().GetResponse().GetBody().Size = uint64(len(body))
		if err := errors.Join(w.Flow(t.Context(), f), w.Body(t.Context(), f.GetId(), flowpb.SideResponse, body), w.Flush(t.Context())); err != nil {
			t.Fatal(err)
		}
		if seen, err = other.Wait(t.Context(), seen); err != nil {
			t.Fatal(err)
		}
		if got, err := other.Count(t.Context()); err != nil || got != uint64(n) {
			t.Fatalf("flows that another session sees: got %d, %v, want %d", got, err, n)
		}
	}
	mark := "seen"
	if _, err := other.Annotate(t.Context(), []uint64{3}, NoteChange{Marked: &mark}); err != nil {
		t.Errorf("annotate from another session: %v", err)
	}
	if _, err := os.Stat(path + "-wal"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("-wal file meanwhile: got %v, want none", err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if !inWAL(t, path) {
		t.Error("afterwards the file is not in WAL mode")
	}
	b, err := other.Body(t.Context(), 40, flowpb.SideResponse)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(b.NewReader(t.Context())); err != nil || !bytes.Equal(got, body) {
		t.Errorf("the last body: got %d bytes, %v, want the %d that were recorded", len(got), err, len(body))
	}
	f := httpFlow(41)
	f.GetHttp().Response = nil
	record(t, writerOf(t, s), f)
	if problems, err := other.Verify(t.Context()); err != nil || len(problems) > 0 {
		t.Errorf("verify: got %v, %v, want nothing", problems, err)
	}
}

// TestBulkWhileSomebodyReads ends the filling while somebody is amid reading: the session is
// whole all the same, and the next writer makes it like others.
func TestBulkWhileSomebodyReads(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bulk.weir")
	s, w := fillAt(t, path)
	record(t, w, httpFlow(1))
	tx, err := s.read.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := errors.Join(w.Flush(t.Context()), tx.QueryRow("SELECT count(*) FROM flow").Scan(&n)); err != nil || n != 1 {
		t.Fatalf("read: got %d, %v, want 1 flow", n, err)
	}
	if err := w.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	if inWAL(t, path) {
		t.Fatal("the file is in WAL mode while somebody reads")
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	record(t, writerOf(t, s), httpFlow(2))
	if !inWAL(t, path) {
		t.Error("afterwards the file is not in WAL mode")
	}
}

// writerOf begins to record.
func writerOf(t *testing.T, s *Session) *Writer {
	t.Helper()
	w, err := s.NewWriter(t.Context(), WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestKilledFilling kills a process that fills a session: what it said was committed is there.
func TestKilledFilling(t *testing.T) {
	for round := range soakRounds(t, 3) {
		path := filepath.Join(t.TempDir(), "killed.weir")
		acknowledged := killCapture(t, startAt(t, roleFill, path))
		if acknowledged == 0 {
			t.Fatalf("round %d: nothing acknowledged", round)
		}
		checkSurvivors(t, path, acknowledged, map[uint64]bool{})
	}
}

// TestSniffAmidTransaction: a file that is shorter than its header says is no damage while a
// journal stands beside it.
func TestSniffAmidTransaction(t *testing.T) {
	path := newSession(t).Path()
	short := filepath.Join(t.TempDir(), "short.weir")
	p, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(short, p[:len(p)-PageSize], 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := sniff(short); !errors.Is(err, ErrDamaged) {
		t.Errorf("sniff a file that is too short: got %v, want %v", err, ErrDamaged)
	}
	if err := os.WriteFile(short+"-journal", []byte("pages"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := sniff(short); err != nil {
		t.Errorf("sniff it amid a transaction: got %v, want nil", err)
	}
}
