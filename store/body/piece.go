package body

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"slices"

	"weir/store/fault"
	"weir/store/pack"
	"weir/store/upcall"
)

// How the data of a piece is coded: body.enc. Everything but EncNone is the work of
// the compactor.
const (
	EncNone   = 0 // as received
	EncZstd   = 1 // a frame of package pack
	EncShared = 2 // an integer: the body that has these bytes at the same offset
)

// PieceSize is the largest piece of a body, in bytes.
const PieceSize = 256 << 10

// Decode undoes the coding of a piece of size bytes, which must not be [EncShared]. What it
// returns is data itself, or stands in buf.
func Decode(u *pack.Unpacker, enc, size int64, data, buf []byte) ([]byte, error) {
	switch enc {
	case EncNone:
		if size != int64(len(data)) {
			return nil, fmt.Errorf("%d bytes where it says %d: %w", len(data), size, fault.ErrDamaged)
		}
		return data, nil
	case EncZstd:
		if size < 1 || size > PieceSize {
			return nil, fmt.Errorf("a size of %d bytes: %w", size, fault.ErrDamaged)
		}
		out, err := u.Unpack(data, int(size), buf)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", fault.ErrDamaged, err)
		}
		return out, nil
	default:
		return nil, fmt.Errorf("coding %d: %w", enc, fault.ErrNewer)
	}
}

// Piece returns, in buf if that is large enough, the bytes of a piece from the body's
// offset off on, which must be in it.
func (b *Body) Piece(ctx context.Context, number int, off int64, buf []byte) ([]byte, error) {
	p := pieceRead{body: b, number: number, off: off, out: buf}
	// A row through database/sql is garbage of its size; this way there is none.
	err := b.Calls.Scan(ctx, p.row, nil, func(token int64) error {
		const query = "SELECT count(" + upcall.Collect + "(?, start, size, enc, data)) FROM body WHERE id = ?"
		var none int
		return b.DB.QueryRowContext(ctx, query, token, b.key(number)).Scan(&none)
	})
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, b.failed(context.Cause(ctx))
	case err != nil:
		return nil, b.failed(err)
	case !p.found:
		return nil, b.failed(fmt.Errorf("piece %d is missing: %w", number, fault.ErrDamaged))
	case !p.shared:
		return p.out, nil
	}
	owner, err := b.lenderAt(ctx, p.owner)
	if err != nil {
		return nil, err
	}
	return b.Borrow(ctx, owner, off, p.end, buf)
}

// pieceRead takes a row of a body.
type pieceRead struct {
	body   *Body
	number int
	off    int64
	out    []byte // room, then the bytes

	found  bool
	shared bool
	owner  int64 // that has the bytes up to end
	end    int64
}

func (p *pieceRead) row(row []driver.Value) error {
	start, _ := row[0].(int64)
	size, _ := row[1].(int64)
	enc, _ := row[2].(int64)
	p.found = true
	// The file may be anything: nothing of it is an index before it was checked.
	if size < 1 || size > PieceSize || start < 0 || start > p.off || p.off-start >= size {
		return fmt.Errorf("piece %d has %d bytes from %d on, where byte %d should be: %w", p.number, size, start, p.off, fault.ErrDamaged)
	}
	// The last piece may have grown since the body was opened.
	end := min(size, p.body.size-start)
	if enc == EncShared {
		p.shared = true
		p.owner, _ = row[3].(int64) // 0 is no body, which is an error of its own
		p.end = start + end
		return nil
	}
	data, _ := row[3].([]byte)
	content, err := Decode(p.body.Unpack, enc, size, data, p.out)
	if err != nil {
		return fmt.Errorf("piece %d: %w", p.number, err)
	}
	p.out = append(p.out[:0], content[p.off-start:end]...)
	return nil
}

// Borrow returns, in buf if that is large enough, the bytes from off to end of another
// body, which has them.
func (b *Body) Borrow(ctx context.Context, owner *Body, off, end int64, buf []byte) ([]byte, error) {
	buf = slices.Grow(buf[:0], int(end-off))[:end-off]
	n, err := owner.ReadAt(ctx, buf, off)
	switch {
	case errors.Is(err, io.EOF):
		return nil, b.failed(fmt.Errorf("the body that has its bytes ends %d before %d: %w", len(buf)-n, end, fault.ErrDamaged))
	case err != nil:
		return nil, err
	}
	return buf, nil
}

// lenderAt is lender, remembered.
func (b *Body) lenderAt(ctx context.Context, key int64) (*Body, error) {
	if b.owner != nil && b.owner.first == key {
		return b.owner, nil
	}
	return b.lender(ctx, key)
}

// lender opens a body that b refers to.
func (b *Body) lender(ctx context.Context, key int64) (*Body, error) {
	if b.own || key == b.first {
		return nil, b.failed(fmt.Errorf("others refer to it, and it to others: %w", fault.ErrDamaged))
	}
	return b.open(ctx, key, true)
}
