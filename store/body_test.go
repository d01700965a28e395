package store

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"testing/iotest"
	"time"

	"pgregory.net/rapid"

	flowpb "weir/proto"
	"weir/store/body"
	"weir/store/rowid"
)

// checkBody compares a stored body with want: as a stream and at random offsets.
func checkBody(rt *rapid.T, s *Session, flow uint64, side flowpb.Side, want []byte) {
	ctx := context.Background()
	b, err := s.Body(ctx, flow, side)
	if err != nil {
		rt.Fatal(err)
	}
	if got := b.Size(); got != int64(len(want)) {
		rt.Fatalf("size of body %d/%v: got %d, want %d", flow, side, got, len(want))
	}
	got, err := io.ReadAll(b.NewReader(ctx))
	if err != nil || !bytes.Equal(got, want) {
		rt.Fatalf("body %d/%v as a stream: got %d bytes, %v, want the %d recorded", flow, side, len(got), err, len(want))
	}
	off := rapid.IntRange(0, len(want)).Draw(rt, "offset")
	p := make([]byte, rapid.IntRange(0, 2*body.PieceSize).Draw(rt, "length"))
	n, err := b.ReadAt(ctx, p, int64(off))
	if whole := off+len(p) <= len(want) && off < len(want); (err == nil) != whole || err != nil && !errors.Is(err, io.EOF) {
		rt.Fatalf("read %d bytes at %d of %d: %v", len(p), off, len(want), err)
	}
	if !bytes.Equal(p[:n], want[off:min(len(want), off+len(p))]) {
		rt.Fatalf("read %d bytes at %d of %d: got %d other ones", len(p), off, len(want), n)
	}
}

// pieceSizes returns the sizes of a body's pieces.
func pieceSizes(t *testing.T, s *Session, flow uint64, side flowpb.Side) (sizes []int64) {
	t.Helper()
	rows, err := s.read.Query("SELECT size FROM body WHERE id BETWEEN ? AND ? ORDER BY id", rowid.Piece(flow, side, 0), rowid.Piece(flow, side, rowid.MaxPieces-1))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, n)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return sizes
}

// TestPieces sees how bodies are cut, for each way in which they arrive.
func TestPieces(t *testing.T) {
	for _, c := range []struct {
		name    string
		write   int // bytes a call
		calls   int
		commit  bool // after each call
		pieces  int
		largest int64
	}{
		{"small at once", 100, 1, true, 1, 100},
		{"a piece at once", body.PieceSize, 1, true, 1, body.PieceSize},
		{"a piece and a byte at once", body.PieceSize + 1, 1, true, 2, body.PieceSize},
		{"a piece in one batch of small writes", 1024, 256, false, 1, body.PieceSize},
		{"trickling", 1000, 100, true, 6, 17_000},
		{"pages", minPiece, 10, true, 10, minPiece},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, w := newWriter(t, WriterOptions{BatchDelay: time.Hour})
			if err := w.Flow(t.Context(), httpFlow(1)); err != nil {
				t.Fatal(err)
			}
			for i := range c.calls {
				if err := w.Body(t.Context(), 1, flowpb.SideRequest, pattern(i*c.write, c.write)); err != nil {
					t.Fatal(err)
				}
				if c.commit {
					flush(t, w)
				}
			}
			flush(t, w)
			sizes := pieceSizes(t, s, 1, flowpb.SideRequest)
			var total, largest int64
			for _, n := range sizes {
				total += n
				largest = max(largest, n)
			}
			if total != int64(c.write*c.calls) || len(sizes) != c.pieces || largest != c.largest {
				t.Errorf("got %d bytes in %d pieces of up to %d, want %d in %d of up to %d",
					total, len(sizes), largest, c.write*c.calls, c.pieces, c.largest)
			}
		})
	}
}

// TestManyPieces sees that the last piece is filled once a body has many, so that
// their numbers suffice.
func TestManyPieces(t *testing.T) {
	few, many := tail{pieces: 3, last: minPiece}, tail{pieces: manyPieces, last: minPiece}
	if got := few.room(); got != 0 {
		t.Errorf("room in a page-sized piece: got %d, want 0", got)
	}
	if got := many.room(); got != body.PieceSize-minPiece {
		t.Errorf("room in the last of many: got %d, want %d", got, body.PieceSize-minPiece)
	}
	if got := (&tail{}).room(); got != 0 {
		t.Errorf("room without a piece: got %d, want 0", got)
	}
}

// TestFullBody sees that a body without numbers for more pieces stops nothing else.
func TestFullBody(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	record(t, w, httpFlow(1))
	_, err := s.note.Exec("INSERT INTO body (id, start, size, data) VALUES (?, 5, ?, zeroblob(?))",
		rowid.Piece(1, flowpb.SideRequest, rowid.MaxPieces-1), body.PieceSize-2, body.PieceSize-2)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Body(t.Context(), 1, flowpb.SideRequest, []byte("123")); err != nil {
		t.Fatal(err)
	}
	record(t, w, httpFlow(2))
	if err := w.Body(t.Context(), 1, flowpb.SideRequest, []byte("4")); !errors.Is(err, ErrLimit) {
		t.Errorf("more of a full body: got %v, want %v", err, ErrLimit)
	}
	if err := w.Close(); !errors.Is(err, ErrWrite) || w.Stats().Lost != 1 {
		t.Errorf("close: got %v and %d lost, want %v and 1", err, w.Stats().Lost, ErrWrite)
	}
	if b, err := s.Body(t.Context(), 1, flowpb.SideRequest); err != nil || b.Size() != 5+body.PieceSize {
		t.Errorf("body: got %+v, %v, want it filled to its end", b, err)
	}
}

func TestBodyReader(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	want := pattern(0, 2*body.PieceSize+12345)
	if err := w.Flow(t.Context(), httpFlow(1)); err != nil {
		t.Fatal(err)
	}
	if err := w.Body(t.Context(), 1, flowpb.SideResponse, want); err != nil {
		t.Fatal(err)
	}
	flush(t, w)
	b, err := s.Body(t.Context(), 1, flowpb.SideResponse)
	if err != nil {
		t.Fatal(err)
	}
	if err := iotest.TestReader(b.NewReader(t.Context()), want); err != nil {
		t.Error(err)
	}
	// What arrives later belongs to a later Body.
	if err := w.Body(t.Context(), 1, flowpb.SideResponse, []byte("more")); err != nil {
		t.Fatal(err)
	}
	flush(t, w)
	if got, err := io.ReadAll(b.NewReader(t.Context())); err != nil || !bytes.Equal(got, want) {
		t.Errorf("a body that grew meanwhile: got %d bytes, %v, want the %d there were", len(got), err, len(want))
	}
	p := make([]byte, 100)
	if n, err := b.ReadAt(t.Context(), p, b.Size()-10); n != 10 || !errors.Is(err, io.EOF) {
		t.Errorf("read over the end: got %d, %v, want 10, EOF", n, err)
	}
	if _, err := b.ReadAt(t.Context(), p, -1); err == nil {
		t.Error("read at -1: got nil, want an error")
	}
	ctx, cancel := context.WithCancel(t.Context())
	r := b.NewReader(ctx)
	cancel()
	if _, err := r.Read(p); !errors.Is(err, context.Canceled) {
		t.Errorf("read with an ended context: got %v, want %v", err, context.Canceled)
	}
}

// TestReadingNeedsAPieceOfMemory reads and writes a body far larger than what is
// allocated on the way, per byte.
func TestReadingNeedsAPieceOfMemory(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	f := httpFlow(1)
	f.State = flowpb.StateResponse
	record(t, w, f)
	chunk := pattern(0, body.PieceSize)
	for range 32 {
		if err := w.Body(t.Context(), 1, flowpb.SideResponse, chunk); err != nil {
			t.Fatal(err)
		}
	}
	f.State = flowpb.StateComplete
	record(t, w, f)
	if n := len(w.tape.tails); n != 0 {
		t.Errorf("ends of bodies remembered for a complete flow: got %d, want 0", n)
	}
	b, err := s.Body(t.Context(), 1, flowpb.SideResponse)
	if err != nil {
		t.Fatal(err)
	}
	p := make([]byte, 16)
	// One offset costs a bisection and one piece, not the pieces before it.
	got := testing.AllocsPerRun(5, func() {
		if _, err := b.ReadAt(t.Context(), p, 31*body.PieceSize+5); err != nil {
			t.Error(err)
		}
	})
	if got > 500 {
		t.Errorf("allocations for 16 bytes far inside: got %v, want at most 500", got)
	}
}

// TestDamagedBody sees that a body with a hole is an error and no panic.
func TestDamagedBody(t *testing.T) {
	for _, damage := range []string{
		"DELETE FROM body WHERE id & 1048575 = 1",
		"DELETE FROM body WHERE id & 1048575 = 0",
		"UPDATE body SET size = 7 WHERE id & 1048575 = 1",
		"UPDATE body SET data = zeroblob(3) WHERE id & 1048575 = 1",
		"UPDATE body SET data = x'', size = 0 WHERE id & 1048575 = 1",
		"UPDATE body SET start = start + 9",
		"UPDATE body SET start = -5",
		"UPDATE body SET start = start * 1000000000 WHERE id & 1048575 = 2",
		"UPDATE body SET enc = 99",
		"UPDATE body SET size = 9223372036854775807, start = 9223372036854775807 WHERE id & 1048575 = 2",
	} {
		t.Run(damage, func(t *testing.T) {
			s, w := newWriter(t, WriterOptions{})
			if err := w.Flow(t.Context(), httpFlow(1)); err != nil {
				t.Fatal(err)
			}
			if err := w.Body(t.Context(), 1, flowpb.SideResponse, pattern(0, 3*body.PieceSize)); err != nil {
				t.Fatal(err)
			}
			flush(t, w)
			if _, err := s.note.Exec(damage); err != nil {
				t.Fatal(err)
			}
			b, err := s.Body(t.Context(), 1, flowpb.SideResponse)
			if err == nil {
				_, err = io.Copy(io.Discard, b.NewReader(t.Context()))
			}
			if err == nil {
				t.Error("stream: got nil, want an error")
			}
			if b != nil {
				p := make([]byte, 4*body.PieceSize)
				if _, err = b.ReadAt(t.Context(), p, 5); err == nil {
					t.Error("ReadAt: got nil, want an error")
				}
			}
		})
	}
}
