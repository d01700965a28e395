package store

import (
	"io"
	"runtime"
	"testing"

	flowpb "weir/proto"
	"weir/store/body"
)

// allocated is how many bytes of the heap f takes, all it gives back included.
func allocated(f func()) int64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}

// live is the heap that is in use.
func live() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestLargeBodyNeedsAPieceOfMemory sees that what is done with a body takes memory for
// pieces of it, however large it is: coded by the compactor or as it came, alone or
// shared.
func TestLargeBodyNeedsAPieceOfMemory(t *testing.T) {
	pieces := 128 // 32 MB
	if testing.Short() {
		pieces = 64
	}
	s, w := newWriter(t, never(WriterOptions{}))
	for range 2 {
		f := bodyFlow(pieces*body.PieceSize, "text/plain")
		if err := w.Flow(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		for n := range pieces {
			if err := w.Body(t.Context(), f.Id, flowpb.SideResponse, text(n, body.PieceSize)); err != nil {
				t.Fatal(err)
			}
		}
	}
	flush(t, w)
	for _, state := range []string{"as received", "compacted"} {
		if state == "compacted" {
			compactNow(t, s)
			if shared := queryInt(t, s, "SELECT count(*) FROM body WHERE enc = 2"); shared != int64(pieces) {
				t.Fatalf("pieces shared: got %d, want %d", shared, pieces)
			}
		}
		for flow := range uint64(2) {
			checkReading(t, s, flow+1, int64(pieces))
		}
		found := -1
		got := allocated(func() {
			var err error
			if found, err = s.CountMatching(t.Context(), parse(t, `~bs "there is no such text"`)); err != nil {
				t.Fatal(err)
			}
		})
		if found != 0 || got > searchAllocated {
			t.Errorf("search, %s: got %d flows and %d bytes allocated, want 0 and at most %d", state, found, got, searchAllocated)
		}
	}
}

// searchAllocated is what a search of two bodies may allocate, in bytes, the detector of
// races included.
const searchAllocated = 16 * body.PieceSize

// checkReading reads a body at offsets and as a stream.
func checkReading(t *testing.T, s *Session, flow uint64, pieces int64) {
	t.Helper()
	b, err := s.Body(t.Context(), flow, flowpb.SideResponse)
	if err != nil {
		t.Fatal(err)
	}
	p := make([]byte, 100)
	for _, off := range []int64{0, 5*body.PieceSize + 7, (pieces-1)*body.PieceSize + 11, 40*body.PieceSize - 50} {
		got := allocated(func() {
			if _, err := b.ReadAt(t.Context(), p, off); err != nil {
				t.Fatal(err)
			}
		})
		if most := int64(10 * body.PieceSize); got > most {
			t.Errorf("flow %d: 100 bytes at %d: got %d bytes allocated, want at most %d", flow, off, got, most)
		}
	}
	before := live()
	r := b.NewReader(t.Context())
	for n := range pieces {
		if _, err := io.CopyN(io.Discard, r, body.PieceSize); err != nil {
			t.Fatal(err)
		}
		if n%50 != 49 {
			continue
		}
		if got := live() - before; got > 4*body.PieceSize {
			t.Errorf("flow %d: after %d pieces: got %d bytes more in use, want at most %d", flow, n+1, got, 4*body.PieceSize)
		}
	}
	runtime.KeepAlive(r)
}
