package compact

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"

	"weir/store/body"
	"weir/store/fault"
)

// ShareFrom is the least size of a body that is looked for among the others, in
// bytes: what a smaller one would save is little more than what the search costs.
const ShareFrom = 4 << 10

// share makes b refer to a body with the same bytes, and reports whether it does. If
// there is none, later ones may refer to b.
func (c *Compactor) share(ctx context.Context, b *body.Body) (bool, error) {
	if b.Refers() {
		return true, nil // all of it was converted before
	}
	var lent any // what its first piece refers to, if somebody was interrupted
	err := c.file.Read.QueryRowContext(ctx, "SELECT CASE enc WHEN 2 THEN data END FROM body WHERE id = ?", b.First()).Scan(&lent)
	if err != nil {
		return false, failed(b, noRows(err))
	}
	if key, ok := lent.(int64); ok {
		return true, c.convertIfSame(ctx, b, key)
	}
	sum, err := c.digest(ctx, b)
	if err != nil {
		return false, err
	}
	if c.batch.knows(sum) {
		if err := c.flush(ctx); err != nil {
			return false, err
		}
	}
	var first int64
	err = c.file.Read.QueryRowContext(ctx, "SELECT body FROM shared WHERE sha256 = ?", sum[:]).Scan(&first)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		c.batch.register(candidate{first: b.First(), sum: sum, size: b.Size()})
		return false, nil
	case err != nil:
		return false, fault.Classify(err)
	case first == b.First():
		return false, nil
	}
	shared := c.done.Shared
	err = c.convertIfSame(ctx, b, first)
	return c.done.Shared > shared, err
}

// convertIfSame is convert, but leaves what is not the same as it is.
func (c *Compactor) convertIfSame(ctx context.Context, b *body.Body, first int64) error {
	err := c.convert(ctx, b, first)
	if errors.Is(err, errNotSame) {
		return nil
	}
	return err
}

// errNotSame means that a body cannot be shared: it has other bytes than its
// digest says, was removed meanwhile, or others refer to it.
var errNotSame = errors.New("not the same body")

// convert turns the pieces of b into references to the body that begins at first.
// Each is compared with what it is to refer to, so that it may stop after any of them.
func (c *Compactor) convert(ctx context.Context, b *body.Body, first int64) error {
	if err := c.flush(ctx); err != nil {
		return err
	}
	owner, err := c.bodies.OpenShared(ctx, first)
	if err != nil {
		return err
	}
	var theirs []byte
	err = c.pieces(ctx, b, func(p storedPiece) error {
		if p.enc == body.EncShared {
			return nil
		}
		if theirs, err = b.Borrow(ctx, owner, p.start, p.start+p.size, theirs); err != nil {
			return err
		}
		if !bytes.Equal(theirs, p.content) {
			return errNotSame
		}
		c.batch.put(p, body.EncShared, first)
		return nil
	})
	if err == nil {
		err = c.flush(ctx)
	}
	if err == nil {
		c.done.Shared++
		return nil
	}
	c.batch.drop()
	return err
}

// candidate is a body that others may come to share.
type candidate struct {
	first int64
	sum   [sha256.Size]byte
	size  int64
}

// noRows says fault.ErrNotFound where a query found nothing.
func noRows(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return fault.ErrNotFound
	}
	return err
}
