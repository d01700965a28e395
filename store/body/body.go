// Package body keeps bodies: how they are cut into the rows of a session's file, how these
// are coded, and how equal bodies have their bytes in common.
//
// A body is a row of pieces, numbered from 0, each beginning where the one before ends, of
// [PieceSize] bytes at most. The writer cuts them; whatever else is done to a piece is the
// compactor's work, which leaves its bytes and its place as they are and changes how it is
// coded: see [EncNone] and its like, and [Release] for how shared bodies come and go.
//
// A [Source] opens a [Body], which is read in any order with a piece in memory at a time.
// It is as long as it was when it was opened, and holds neither memory nor a connection.
// Both are safe for concurrent use; the functions that write run in a transaction that
// is the caller's.
//
// The file may be anything: nothing that is read from it is an index or a size of memory
// before it was checked, and what does not fit is [fault.ErrDamaged].
package body

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"sort"

	flowpb "weir/proto"
	"weir/store/fault"
	"weir/store/pack"
	"weir/store/rowid"
	"weir/store/upcall"
)

// Body is what is stored of one body when it was opened: bytes as received,
// content coding and all, however the compactor has stored them. It holds no memory
// and no connection; reading it costs a piece at a time. It is safe for concurrent use.
type Body struct {
	Source
	first  int64 // id of its first piece
	pieces int
	size   int64
	owner  *Body // whose bytes its last piece has, nil: its own
	own    bool  // it refers to no other body
}

// Source is where bodies are read from: a session, or one snapshot of it.
type Source struct {
	DB     rowid.Querier
	Calls  *upcall.Functions // of the connections of DB
	Unpack *pack.Unpacker
}

// Open opens a body of a flow. Where nothing is stored its size is 0; whether
// that is because there was no body, or an empty one, the flow's head says.
func (src Source) Open(ctx context.Context, flow uint64, side flowpb.Side) (*Body, error) {
	if side < 1 || side > rowid.MaxSide {
		return &Body{}, nil
	}
	return src.open(ctx, rowid.Piece(flow, side, 0), false)
}

// OpenShared opens the body whose first piece has an id. It fails with
// [fault.ErrDamaged] where the body refers to another one.
func (src Source) OpenShared(ctx context.Context, first int64) (*Body, error) {
	return src.open(ctx, first, true)
}

// open opens the body whose first piece has the id. With own, it must not refer to
// another one.
func (src Source) open(ctx context.Context, first int64, own bool) (*Body, error) {
	b := &Body{Source: src, first: first, own: own}
	const tail = "SELECT id, start, size, CASE enc WHEN 2 THEN data END FROM body WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT 1"
	var id, start, size int64
	var owner any
	err := src.DB.QueryRowContext(ctx, tail, first, b.key(rowid.MaxPieces-1)).Scan(&id, &start, &size, &owner)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return b, nil
	case err != nil:
		return nil, b.failed(err)
	}
	b.pieces, b.size = int(rowid.Number(id))+1, start+size
	if start < 0 || size < 1 || size > PieceSize || start > int64(b.pieces)*PieceSize-size {
		return nil, b.failed(fmt.Errorf("its last piece begins at byte %d and has %d: %w", start, size, fault.ErrDamaged))
	}
	if id, ok := owner.(int64); ok {
		b.owner, err = b.lender(ctx, id)
	}
	return b, err
}

func (b *Body) key(piece int) int64 { return b.first + int64(piece) }

func (b *Body) failed(err error) error {
	return fmt.Errorf("read body of flow %d: %w", rowid.BodyFlow(b.first), fault.Classify(err))
}

// Size is the number of stored bytes.
func (b *Body) Size() int64 { return b.size }

// First is the id of the first piece; those that follow have the ids that follow.
func (b *Body) First() int64 { return b.first }

// Pieces is how many pieces there are.
func (b *Body) Pieces() int { return b.pieces }

// Refers reports whether the body has its bytes, to the last piece, from another one.
func (b *Body) Refers() bool { return b.owner != nil }

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
	var buf []byte
	for ; n < len(p) && off+int64(n) < b.size; number++ {
		if buf, err = b.Piece(ctx, number, off+int64(n), buf); err != nil {
			return n, err
		}
		n += copy(p[n:], buf)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// NewReader reads the body from its beginning, a piece in memory at a time. The
// context bounds all reads.
func (b *Body) NewReader(ctx context.Context) io.Reader {
	var buf, rest []byte // rest is what of buf was not read yet
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
			if buf, err = b.Piece(ctx, number, off, buf); err != nil {
				return 0, err
			}
			rest = buf
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

// find returns the number of the piece that holds the offset off: the last one
// that does not start after it.
func (b *Body) find(ctx context.Context, off int64) (int, error) {
	if b.pieces == 1 {
		return 0, nil
	}
	var failure error
	starts := func(n int) (start int64) {
		if failure == nil {
			failure = b.DB.QueryRowContext(ctx, "SELECT start FROM body WHERE id = ?", b.key(n)).Scan(&start)
		}
		return start
	}
	// Most bodies have pieces of one size, but for the last: then the first guess is right.
	low, high := 0, b.pieces
	if guess := int(min(off/max(starts(1), 1), int64(b.pieces-1))); failure == nil && starts(guess) <= off {
		low = guess
		if guess+1 < b.pieces && starts(guess+1) > off {
			high = guess + 1
		}
	}
	after := low + sort.Search(high-low, func(n int) bool { return failure != nil || starts(low+n) > off })
	switch {
	case errors.Is(failure, sql.ErrNoRows):
		return 0, b.failed(fmt.Errorf("a piece is missing: %w", fault.ErrDamaged))
	case failure != nil:
		return 0, b.failed(failure)
	case after == 0:
		return 0, b.failed(fmt.Errorf("its first piece does not start at 0: %w", fault.ErrDamaged))
	}
	return after - 1, nil
}
