package compact

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"

	"weir/store/body"
	"weir/store/fault"
	"weir/store/pack"
	"weir/store/rowid"
)

// body makes one body smaller.
func (c *Compactor) body(ctx context.Context, b *body.Body, packable bool) error {
	if b.Size() >= ShareFrom {
		shared, err := c.share(ctx, b)
		if err != nil || shared {
			return err
		}
	}
	if !packable {
		return nil
	}
	return c.pieces(ctx, b, func(p storedPiece) error {
		if p.enc != body.EncNone {
			return nil
		}
		coded, err := c.pack(p.content)
		if coded != nil {
			c.batch.put(p, body.EncZstd, coded)
		}
		return err
	})
}

// pack codes a piece; nil where that gains too little.
func (c *Compactor) pack(p []byte) (coded []byte, err error) {
	if c.packer == nil {
		if c.packer, err = pack.NewPacker(body.PieceSize); err != nil {
			return nil, err
		}
	}
	return c.packer.Pack(p), nil
}

// Rest gives back the memory that can be had again, some megabytes. It is for [Options].Pause
// to call when others have work to do that may last.
func (c *Compactor) Rest(ctx context.Context) {
	c.packer = nil
	_, _ = c.file.Write.ExecContext(ctx, "PRAGMA shrink_memory") // it keeps it then
}

// storedPiece is a piece as it is stored, with what it stands for.
type storedPiece struct {
	id, start, size, enc int64
	length               int64  // of the data
	content              []byte // valid until the next one
}

// pieces calls each for the pieces of a body in order, which have to be there,
// and writes what that leaves in the batch as often as there is enough.
func (c *Compactor) pieces(ctx context.Context, b *body.Body, each func(storedPiece) error) error {
	const facts = "SELECT start, size, enc, length(data) FROM body WHERE id = ?"
	for n := range b.Pieces() {
		if err := c.pause(ctx); err != nil {
			return err
		}
		p := storedPiece{id: b.First() + int64(n)}
		err := c.file.Read.QueryRowContext(ctx, facts, p.id).Scan(&p.start, &p.size, &p.enc, &p.length)
		if errors.Is(err, sql.ErrNoRows) {
			return failed(b, fault.ErrNotFound)
		}
		if err != nil {
			return failed(b, err)
		}
		if c.buf, err = b.Piece(ctx, n, p.start, c.buf); err != nil {
			return err
		}
		if p.content = c.buf; int64(len(p.content)) != p.size {
			return failed(b, fmt.Errorf("piece %d has changed: %w", n, fault.ErrNotFound))
		}
		if err := each(p); err != nil {
			return err
		}
		if c.batch.bytes >= c.budget {
			if err := c.flush(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// failed names the body that something went wrong with.
func failed(b *body.Body, err error) error {
	return fmt.Errorf("body of flow %d: %w", rowid.BodyFlow(b.First()), fault.Classify(err))
}

// digest is the SHA-256 of a body.
func (c *Compactor) digest(ctx context.Context, b *body.Body) (sum [sha256.Size]byte, err error) {
	h := sha256.New()
	err = c.pieces(ctx, b, func(p storedPiece) error {
		_, err := h.Write(p.content)
		return err
	})
	return [sha256.Size]byte(h.Sum(nil)), err
}
