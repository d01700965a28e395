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
	var buf []byte
	for ; n < len(p) && off+int64(n) < b.size; number++ {
		if buf, err = b.piece(ctx, number, off+int64(n), buf); err != nil {
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
			if buf, err = b.piece(ctx, number, off, buf); err != nil {
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

// piece returns, in buf if that is large enough, the bytes of a piece from the body's
// offset off on, which must be in it.
func (b *Body) piece(ctx context.Context, number int, off int64, buf []byte) ([]byte, error) {
	rows, err := b.s.read.QueryContext(ctx, "SELECT start, size, enc, data FROM body WHERE id = ?", b.key(number))
	if err != nil {
		return nil, b.failed(err)
	}
	defer rows.Close()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return nil, b.failed(err)
		}
		return nil, b.failed(fmt.Errorf("piece %d is missing: %w", number, ErrDamaged))
	}
	var start, size, enc int64
	var data sql.RawBytes
	if err := rows.Scan(&start, &size, &enc, &data); err != nil {
		return nil, b.failed(err)
	}
	// The file may be anything: nothing of it is an index before it was checked.
	switch {
	case enc != encNone:
		return nil, b.failed(fmt.Errorf("piece %d has coding %d: %w", number, enc, ErrNewer))
	case size != int64(len(data)) || start < 0 || start > off || off-start >= size:
		return nil, b.failed(fmt.Errorf("piece %d has %d bytes from %d on, where byte %d should be: %w", number, len(data), start, off, ErrDamaged))
	}
	// The last piece may have grown since the body was opened.
	return append(buf[:0], data[off-start:min(size, b.size-start)]...), nil
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
