package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"sort"

	flowpb "weir/proto"
)

// How bodies are cut. A body is a row of pieces; piece n+1 begins where piece n
// ends. What a transaction appends to a body goes into the last piece while that
// has less than minPiece bytes, and into new pieces of at most PieceSize after
// that. So a body that comes at once has whole pieces, one that trickles in is
// not written again and again, and no body has many tiny pieces.
const (
	// PieceSize is the largest piece of a body, in bytes.
	PieceSize = 256 << 10
	minPiece  = 16 << 10 // about a page: rewriting less costs no more than a new row

	pieceBits = 20
	sideBits  = 3
	maxPieces = 1 << pieceBits
	maxSide   = 1<<sideBits - 1
	// After so many pieces, at least 8 GB, the last one is filled before a new one
	// begins, so that the numbers suffice for 136 GB at any pace.
	manyPieces = maxPieces / 2
)

// bodyKey is the row of a piece: one integer that keeps the bodies of a flow together.
func bodyKey(flow uint64, side flowpb.Side, piece int) int64 {
	return int64(flow<<(pieceBits+sideBits) | uint64(side)<<pieceBits | uint64(piece))
}

// SQL of the body table.
const (
	bodyTail = "SELECT id, start, size FROM body WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT 1"
	// SQLite's || makes text of two blobs; the bytes are the same.
	bodyGrow = "UPDATE body SET data = CAST(data || ? AS BLOB), size = size + ? WHERE id = ?"
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
	return PieceSize - t.last
}

// bodyTails are the ends of a flow's bodies by side; nil where they are not known.
type bodyTails [maxSide + 1]*tail

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
	err := t.bodyTail.QueryRowContext(ctx, bodyKey(flow, side, 0), bodyKey(flow, side, maxPieces-1)).Scan(&id, &end.start, &end.last)
	switch {
	case err == nil:
		end.pieces = int(id&(maxPieces-1)) + 1
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
		if err := t.appendBody(ctx, end, a); err != nil {
			return fmt.Errorf("flow %d: %w", a.flow, err)
		}
	}
	return t.body.flush(ctx)
}

// appendBody adds to a body: first what the last piece takes, then new pieces.
func (t *tape) appendBody(ctx context.Context, end *tail, a addition) error {
	parts := &parts{list: a.parts}
	if p := parts.next(end.room()); len(p) > 0 {
		// The piece may still be among the rows that the inserter holds back.
		if err := t.body.flush(ctx); err != nil {
			return err
		}
		id := bodyKey(a.flow, a.side, end.pieces-1)
		if _, err := t.bodyGrow.ExecContext(ctx, p, len(p), id); err != nil {
			return err
		}
		end.last += int64(len(p))
	}
	for p := parts.next(PieceSize); len(p) > 0; p = parts.next(PieceSize) {
		if end.pieces == maxPieces {
			return fmt.Errorf("body of more than %d pieces: %w", maxPieces, ErrLimit)
		}
		end.start += end.last
		end.last = int64(len(p))
		if err := t.body.add(ctx, bodyKey(a.flow, a.side, end.pieces), end.start, end.last, p); err != nil {
			return err
		}
		end.pieces++
	}
	return nil
}

// parts hands out byte slices as if they were one.
type parts struct {
	list [][]byte
}

// next returns the next bytes, at most max; empty at the end. It copies only where
// it has to put several slices together.
func (p *parts) next(max int64) []byte {
	for len(p.list) > 0 && len(p.list[0]) == 0 {
		p.list = p.list[1:]
	}
	if len(p.list) == 0 || max <= 0 {
		return nil
	}
	if first := p.list[0]; len(p.list) == 1 || int64(len(first)) >= max {
		n := min(int64(len(first)), max)
		p.list[0] = first[n:]
		return first[:n]
	}
	var out []byte
	for len(p.list) > 0 && int64(len(out)) < max {
		n := min(int64(len(p.list[0])), max-int64(len(out)))
		out = append(out, p.list[0][:n]...)
		if p.list[0] = p.list[0][n:]; len(p.list[0]) == 0 {
			p.list = p.list[1:]
		}
	}
	return out
}

// Body is what is stored of one body when it was opened: bytes as received,
// content coding and all. It holds no memory and no connection; reading it costs
// a piece at a time. It is safe for concurrent use.
type Body struct {
	s      *Session
	flow   uint64
	side   flowpb.Side
	pieces int
	size   int64
}

// Body opens a body of a flow. Where nothing is stored its size is 0; whether
// that is because there was no body, or an empty one, the flow's head says.
func (s *Session) Body(ctx context.Context, flow uint64, side flowpb.Side) (*Body, error) {
	b := &Body{s: s, flow: flow, side: side}
	if side < 1 || side > maxSide {
		return b, nil
	}
	var id, start, size int64
	err := s.read.QueryRowContext(ctx, bodyTail, b.key(0), b.key(maxPieces-1)).Scan(&id, &start, &size)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return b, nil
	case err != nil:
		return nil, b.failed(err)
	}
	b.pieces, b.size = int(id&(maxPieces-1))+1, start+size
	if start < 0 || size < 1 || size > PieceSize || b.size > int64(b.pieces)*PieceSize {
		return nil, b.failed(fmt.Errorf("its last piece has bytes %d to %d: %w", start, b.size, ErrDamaged))
	}
	return b, nil
}

func (b *Body) key(piece int) int64 { return bodyKey(b.flow, b.side, piece) }

func (b *Body) failed(err error) error {
	return fmt.Errorf("read body of flow %d: %w", b.flow, classify(err))
}

// Size is the number of stored bytes.
func (b *Body) Size() int64 { return b.size }

// ReadAt reads len(p) bytes from offset off, or what there is with [io.EOF].
func (b *Body) ReadAt(ctx context.Context, p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, b.failed(errors.New("negative offset"))
	}
	if off >= b.size {
		return 0, io.EOF
	}
	number, err := b.find(ctx, off)
	if err != nil {
		return 0, err
	}
	for ; n < len(p) && off+int64(n) < b.size; number++ {
		data, err := b.piece(ctx, number, off+int64(n))
		if err != nil {
			return n, err
		}
		n += copy(p[n:], data)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// NewReader reads the body from its beginning, a piece in memory at a time. The
// context bounds all reads.
func (b *Body) NewReader(ctx context.Context) io.Reader {
	var rest []byte
	var number int
	var off int64
	return readerFunc(func(p []byte) (int, error) {
		if len(p) == 0 {
			return 0, nil
		}
		if len(rest) == 0 {
			if off >= b.size {
				return 0, io.EOF
			}
			var err error
			if rest, err = b.piece(ctx, number, off); err != nil {
				return 0, err
			}
			number++
		}
		n := copy(p, rest)
		rest = rest[n:]
		off += int64(n)
		return n, nil
	})
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// piece returns the bytes of a piece from the body's offset off on, which must be
// in it: what comes from the file is checked, since the file may be anything.
func (b *Body) piece(ctx context.Context, number int, off int64) ([]byte, error) {
	var start, size, enc int64
	var data []byte
	err := b.s.read.QueryRowContext(ctx, "SELECT start, size, enc, data FROM body WHERE id = ?", b.key(number)).
		Scan(&start, &size, &enc, &data)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, b.failed(fmt.Errorf("piece %d is missing: %w", number, ErrDamaged))
	case err != nil:
		return nil, b.failed(err)
	case enc != encNone:
		return nil, b.failed(fmt.Errorf("piece %d has coding %d: %w", number, enc, ErrNewer))
	case size != int64(len(data)) || start < 0 || start > off || off-start >= size:
		return nil, b.failed(fmt.Errorf("piece %d has %d bytes from %d on, where byte %d should be: %w", number, len(data), start, off, ErrDamaged))
	}
	// The last piece may have grown since the body was opened.
	return data[off-start : min(size, b.size-start)], nil
}

// encNone marks a piece whose data is as received.
const encNone = 0

// find returns the number of the piece that holds the offset off: the last one
// that does not start after it.
func (b *Body) find(ctx context.Context, off int64) (int, error) {
	var failure error
	after := sort.Search(b.pieces, func(n int) bool {
		if failure != nil {
			return true
		}
		var start int64
		failure = b.s.read.QueryRowContext(ctx, "SELECT start FROM body WHERE id = ?", b.key(n)).Scan(&start)
		return start > off
	})
	switch {
	case errors.Is(failure, sql.ErrNoRows):
		return 0, b.failed(fmt.Errorf("a piece is missing: %w", ErrDamaged))
	case failure != nil:
		return 0, b.failed(failure)
	case after == 0:
		return 0, b.failed(fmt.Errorf("its first piece does not start at 0: %w", ErrDamaged))
	}
	return after - 1, nil
}
