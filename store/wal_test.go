package store

import (
	"os"
	"sync"
	"testing"

	flowpb "weir/proto"
	"weir/store/body"
)

// walSize is the size of a session's -wal file in bytes.
func walSize(t *testing.T, s *Session) int64 {
	t.Helper()
	info, err := os.Stat(s.Path() + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// stopPages replaces how many pages in the -wal file stop the writer.
func stopPages(w *Writer, n int64) {
	w.s.writing.Lock()
	defer w.s.writing.Unlock()
	w.tape.points.most = n
}

// TestReadersDoNotGrowTheWAL records 100 000 flows at full speed while others look: one that
// keeps a view and half a body open and hardly ever reads on, and one that pages
// all the time, through sessions of their own. The -wal file stays bounded.
func TestReadersDoNotGrowTheWAL(t *testing.T) {
	flows := 100_000
	if testing.Short() {
		flows = 10_000
	}
	const most = 256 // pages
	s, w := newWriter(t, WriterOptions{BatchBytes: 256 << 10})
	stopPages(w, most)
	record(t, w, httpFlow(1))
	if err := w.Body(t.Context(), 1, flowpb.SideResponse, pattern(0, 3*body.PieceSize)); err != nil {
		t.Fatal(err)
	}
	flush(t, w)

	slow := lookAt(t, s)
	stored, err := slow.session.Body(t.Context(), 1, flowpb.SideResponse)
	if err != nil {
		t.Fatal(err)
	}
	half := stored.NewReader(t.Context())
	if _, err := half.Read(make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var busy sync.WaitGroup
	busy.Add(1)
	quick := lookAt(t, s)
	go func() { // ends with stop; waited for below
		defer busy.Done()
		for {
			select {
			case <-stop:
				return
			default:
				quick.page(t)
			}
		}
	}()

	var largest int64
	for n := 2; n <= flows; n++ {
		if err := w.Flow(t.Context(), httpFlow(n)); err != nil {
			t.Fatal(err)
		}
		if n%1000 == 0 {
			largest = max(largest, walSize(t, s))
		}
		if n%(flows/5) == 0 {
			slow.page(t)
		}
	}
	flush(t, w)
	close(stop)
	busy.Wait()
	// What is written until the checkpointer has seen that there is too much is an
	// interval of its own; with the batches on the way twice that is generous.
	bound := int64(most)*PageSize + 2*checkpointBytes
	t.Logf("the -wal file had %d bytes at most, the bound is %d, the session has %d flows", largest, bound, flows)
	if largest > bound {
		t.Errorf("-wal file: got %d bytes, want at most %d", largest, bound)
	}
	if _, err := half.Read(make([]byte, 100)); err != nil {
		t.Errorf("the body, read on: %v", err)
	}
}

// onlooker is somebody with a session and a view of his own.
type onlooker struct {
	session *Session
	view    *View
}

func lookAt(t *testing.T, s *Session) onlooker {
	t.Helper()
	other, err := Open(t.Context(), s.Path(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close() })
	v, err := other.View(t.Context(), Query{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = v.Close() })
	if st, err := v.Wait(t.Context(), 0); err != nil || st.Err != nil {
		t.Fatal(err, st.Err)
	}
	return onlooker{other, v}
}

// page reads a page.
func (o onlooker) page(t *testing.T) {
	if rows, err := o.view.Rows(t.Context(), 0, 50); err != nil || len(rows) == 0 {
		t.Errorf("page: got %d rows, %v, want some", len(rows), err)
	}
}

// TestForeignTransactionEnds lets another program hold a read transaction, which the
// writer neither waits for nor fails by. When it has gone the -wal file is used again from its
// beginning, and cut back.
func TestForeignTransactionEnds(t *testing.T) {
	s, w := newWriter(t, WriterOptions{BatchBytes: 256 << 10})
	stopPages(w, 64)
	record(t, w, httpFlow(1))
	tx, err := s.read.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := tx.QueryRow("SELECT count(*) FROM flow").Scan(&n); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	grow := func() {
		for i := range 40 {
			f := httpFlow(i)
			record(t, w, f)
			if err := w.Body(t.Context(), f.GetId(), flowpb.SideResponse, pattern(0, body.PieceSize)); err != nil {
				t.Fatal(err)
			}
		}
		flush(t, w)
	}
	grow()
	if err := tx.QueryRow("SELECT count(*) FROM flow").Scan(&n); err != nil || n != 1 {
		t.Errorf("inside the transaction: got %d flows, %v, want the 1 of its beginning", n, err)
	}
	grown := walSize(t, s)
	if grown < 10<<20 {
		t.Fatalf("-wal file under a held transaction: got %d bytes, want all that was written", grown)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.tape.conn.ExecContext(t.Context(), "PRAGMA journal_size_limit = 4194304"); err != nil {
		t.Fatal(err)
	}
	for range 6 {
		grow()
	}
	if after := walSize(t, s); after >= grown {
		t.Errorf("-wal file after the transaction: got %d bytes, want less than the %d it had grown to", after, grown)
	}
}
