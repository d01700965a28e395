package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	flowpb "weir/proto"
	"weir/store/body"
	"weir/store/rowid"
)

// How bodies are cut. A body is a row of pieces; piece n+1 begins where piece n
// ends. What a transaction appends to a body goes into the last piece while that
// has less than minPiece bytes, and into new pieces of at most [body.PieceSize] after
// that. So a body that comes at once has whole pieces, one that trickles in is
// not written again and again, and no body has many tiny pieces.
const (
	minPiece = 16 << 10 // about a page: rewriting less costs no more than a new row
	// largePiece is from where on a piece is a statement of its own: several in one, as
	// small rows are written, would only be so much more memory to walk through.
	largePiece = 64 << 10

	// After so many pieces, at least 8 GB, the last one is filled before a new one
	// begins, so that the numbers suffice for 136 GB at any pace.
	manyPieces = rowid.MaxPieces / 2
)

// SQL of the body table.
const (
	bodyTail = "SELECT id, start, size FROM body WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT 1"
	// SQLite's || makes text of two blobs; the bytes are the same. What the compactor
	// has coded does not grow.
	bodyGrow = "UPDATE body SET data = CAST(data || ? AS BLOB), size = size + ? WHERE id = ? AND enc = 0"
)

// tail is where a body ends in the file.
type tail struct {
	pieces int
	start  int64 // of the last piece
	last   int64 // bytes in the last piece
}

// room is how many bytes the last piece still takes.
func (t *tail) room() int64 {
	if t.pieces == 0 || t.last >= minPiece && t.pieces < manyPieces {
		return 0
	}
	return body.PieceSize - t.last
}

// bodyTails are the ends of a flow's bodies by side; nil where they are not known.
type bodyTails [rowid.MaxSide + 1]*tail

// Body appends p, which is copied, to a body of a flow.
//
// Bodies of more than 136 GB fail with [ErrLimit], as do those that grew by tiny
// amounts to more than 8 GB.
func (w *Writer) Body(ctx context.Context, flow uint64, side flowpb.Side, p []byte) error {
	if side < 1 || side > rowid.MaxSide {
		return fmt.Errorf("record body of flow %d: side %d: %w", flow, side, ErrLimit)
	}
	for len(p) > 0 {
		n := min(len(p), body.PieceSize)
		e := &bodyEntry{flow: flow, side: side, data: w.buffers.clone(p[:n])}
		e.room = int64(cap(e.data))
		p = p[n:]
		var refusal error
		_, err := w.queue.put(ctx, e, func() bool {
			refusal = w.refuse(flow)
			return refusal == nil
		})
		if err = errors.Join(err, refusal); err != nil {
			return fmt.Errorf("record body of flow %d: %w", flow, err)
		}
	}
	return nil
}

// Buffer returns an empty buffer with room for n bytes of a body, PieceSize at most, which
// goes back to the writer by Whole or by Return.
func (w *Writer) Buffer(n int) []byte { return w.buffers.lend(min(n, body.PieceSize)) }

// Return gives a buffer back.
func (w *Writer) Return(buffer []byte) { w.buffers.give(buffer) }

// Part is bytes of a body, in a buffer of [Writer.Buffer].
type Part struct {
	Side flowpb.Side
	Data []byte
}

// Whole records a flow that is new, as Flow does, and appends the parts to its bodies, as Body
// does: all in one transaction, so that who says of a flow that it has ended need not have said
// before that it began. The parts count as one thing in the queue; their buffers are the
// writer's from now on, whatever it returns.
func (w *Writer) Whole(ctx context.Context, f *flowpb.Flow, parts ...Part) error {
	if f.GetId() != 0 {
		return fmt.Errorf("record flow %d as a new one: %w", f.GetId(), ErrLimit)
	}
	e := &flowEntry{fresh: true}
	for _, p := range parts {
		if p.Side < 1 || p.Side > rowid.MaxSide {
			return fmt.Errorf("record body of a flow: side %d: %w", p.Side, ErrLimit)
		}
		b := &bodyEntry{side: p.Side, data: p.Data, room: int64(cap(p.Data))}
		e.bodies = append(e.bodies, b)
		e.size += b.cost()
	}
	return w.record(ctx, e, f)
}

// refuse says why a flow takes no more of a body.
func (w *Writer) refuse(flow uint64) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, full := w.full[flow]
	switch {
	case flow == 0 || flow > w.lastFlow:
		return ErrNotFound
	case full:
		return fmt.Errorf("its body has %d pieces: %w", rowid.MaxPieces, ErrLimit)
	}
	return nil
}

// overflow notes that a body of a flow takes no more. What of it was queued is
// dropped: kept, it would stop all that comes after.
func (w *Writer) overflow(flow uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, again := w.full[flow]; !again {
		w.full[flow] = struct{}{}
		w.lost.Add(1)
	}
}

// startTails notes that a flow is new, so that its bodies need not be looked for.
func (t *tape) startTails(flow uint64) {
	tails := t.tailsOf(flow)
	for side := range tails {
		tails[side] = &tail{}
	}
}

// tailsOf returns what is known of a flow's bodies. To stay bounded it may forget
// those of some other flow, which are then found again in the file.
func (t *tape) tailsOf(flow uint64) *bodyTails {
	tails := t.tails[flow]
	if tails == nil {
		for other := range t.tails {
			if len(t.tails) < maxBodyTails {
				break
			}
			delete(t.tails, other)
		}
		tails = &bodyTails{}
		t.tails[flow] = tails
	}
	return tails
}

// tailOf returns the end of a body, from the file if need be.
func (t *tape) tailOf(ctx context.Context, flow uint64, side flowpb.Side) (*tail, error) {
	tails := t.tailsOf(flow)
	if end := tails[side]; end != nil {
		return end, nil
	}
	end := &tail{}
	var id int64
	err := t.bodyTail.QueryRowContext(ctx, rowid.Piece(flow, side, 0), rowid.Piece(flow, side, rowid.MaxPieces-1)).Scan(&id, &end.start, &end.last)
	switch {
	case err == nil:
		end.pieces = int(rowid.Number(id)) + 1
	case !errors.Is(err, sql.ErrNoRows):
		return nil, err
	}
	tails[side] = end
	return end, nil
}

func (t *tape) putBodies(ctx context.Context, b *batch) error {
	for _, a := range b.bodies {
		end, err := t.tailOf(ctx, a.flow, a.side)
		if err != nil {
			return err
		}
		err = t.appendBody(ctx, end, a)
		if errors.Is(err, ErrLimit) {
			t.overflow(a.flow)
			continue
		}
		if err != nil {
			return fmt.Errorf("flow %d: %w", a.flow, err)
		}
	}
	return t.body.flush(ctx)
}

// appendBody adds to a body: first what the last piece takes, then new pieces.
func (t *tape) appendBody(ctx context.Context, end *tail, a addition) error {
	parts := &parts{list: slices.Clone(a.parts), large: t.large} // a stays whole: if this transaction fails, it is written again
	defer func() { t.large = parts.large }()
	if p := parts.next(end.room()); len(p) > 0 {
		grown, err := t.grow(ctx, rowid.Piece(a.flow, a.side, end.pieces-1), p)
		switch {
		case err != nil:
			return err
		case grown:
			end.last += int64(len(p))
		default:
			parts.list = slices.Insert(parts.list, 0, bytes.Clone(p)) // p is good for one call only
		}
	}
	for p := parts.next(body.PieceSize); len(p) > 0; p = parts.next(body.PieceSize) {
		if end.pieces == rowid.MaxPieces {
			return ErrLimit
		}
		end.start += end.last
		end.last = int64(len(p))
		put := t.body.add
		if len(p) >= largePiece {
			put = t.body.alone
		}
		if err := put(ctx, rowid.Piece(a.flow, a.side, end.pieces), end.start, end.last, p); err != nil {
			return err
		}
		end.pieces++
	}
	return nil
}

// grow appends to a piece, unless the compactor has coded it.
func (t *tape) grow(ctx context.Context, id int64, p []byte) (bool, error) {
	// The piece may still be among the rows that the inserter holds back.
	if err := t.body.flush(ctx); err != nil {
		return false, err
	}
	r, err := t.bodyGrow.ExecContext(ctx, p, len(p), id)
	if err != nil {
		return false, err
	}
	n, err := r.RowsAffected()
	return n == 1, err
}

// parts hands out byte slices as if they were one.
type parts struct {
	list  [][]byte
	large []byte // where large pieces are put together
}

// next returns the next bytes, at most limit; empty at the end. It copies only where
// it has to put several slices together. From largePiece on they are good until the next call.
func (p *parts) next(limit int64) []byte {
	for len(p.list) > 0 && len(p.list[0]) == 0 {
		p.list = p.list[1:]
	}
	if len(p.list) == 0 || limit <= 0 {
		return nil
	}
	if first := p.list[0]; len(p.list) == 1 || int64(len(first)) >= limit {
		n := min(int64(len(first)), limit)
		p.list[0] = first[n:]
		return first[:n]
	}
	var total int64
	for _, part := range p.list {
		total += int64(len(part))
	}
	out := p.room(min(total, limit))
	for len(p.list) > 0 && int64(len(out)) < limit {
		n := min(int64(len(p.list[0])), limit-int64(len(out)))
		out = append(out, p.list[0][:n]...)
		if p.list[0] = p.list[0][n:]; len(p.list[0]) == 0 {
			p.list = p.list[1:]
		}
	}
	return out
}

// room is where n bytes are put together.
func (p *parts) room(n int64) []byte {
	if n < largePiece {
		return make([]byte, 0, n)
	}
	if p.large == nil {
		p.large = make([]byte, 0, body.PieceSize)
	}
	return p.large
}
