package drop

import (
	"context"
	"database/sql"
	"errors"

	"weir/store/body"
	"weir/store/rowid"
)

// Shared bodies. Of bodies with the same bytes, the one that the compactor met first
// keeps its pieces and has a row in the table shared; the pieces of the others become
// references to it, one by one. The row counts the bodies that need the pieces: they
// stay in their place when the flow they came with is removed, and go with the last
// user.
//
//	flow 3 ── body ── pieces ◄──┐
//	flow 7 ── body ── EncShared ┤     shared: body of flow 3, uses 3
//	flow 9 ── body ── EncShared ┘
//
// A body is converted from its first piece on, in the same transaction in which it is
// counted: it is a user if and only if its first piece is a reference.

// freeBodies lets go of the bodies of a flow that is being dropped; it must be called
// once for a flow. Those that others share stay, unseen; what nobody needs any more
// is left to dropFreed.
func freeBodies(ctx context.Context, tx *sql.Tx, flow uint64) error {
	const next = `SELECT b.id, CASE b.enc WHEN 2 THEN b.data END, s.uses FROM body b LEFT JOIN shared s ON s.body = b.id
		WHERE b.id >= ? AND b.id < ? ORDER BY b.id LIMIT 1`
	for from, end := rowid.Piece(flow, 0, 0), rowid.Piece(flow+1, 0, 0); ; {
		var id int64
		var owner any
		var uses sql.NullInt64
		err := tx.QueryRowContext(ctx, next, from, end).Scan(&id, &owner, &uses)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		first := rowid.First(id)
		from = rowid.Last(id) + 1
		if key, ok := owner.(int64); ok {
			if err := release(ctx, tx, key); err != nil {
				return err
			}
		}
		if uses.Valid {
			err = release(ctx, tx, first)
		} else {
			err = free(ctx, tx, first)
		}
		if err != nil {
			return err
		}
	}
}

// release takes one use from a shared body, and frees it with the last.
func release(ctx context.Context, tx *sql.Tx, first int64) error {
	var uses int64
	err := tx.QueryRowContext(ctx, "UPDATE shared SET uses = uses - 1 WHERE body = ? RETURNING uses", first).Scan(&uses)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil // a damaged file
	case err != nil || uses > 0:
		return err
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM shared WHERE body = ?", first); err != nil {
		return err
	}
	return free(ctx, tx, first)
}

func free(ctx context.Context, tx *sql.Tx, first int64) error {
	_, err := tx.ExecContext(ctx, "INSERT OR IGNORE INTO freed (body) VALUES (?)", first)
	return err
}

// dropFreed deletes the pieces of freed bodies whose keys lie in a range, as far as
// the allowance goes; whole means that none is left.
func dropFreed(ctx context.Context, tx *sql.Tx, from, to int64, left *Allowance) (whole bool, err error) {
	for {
		var first int64
		err := tx.QueryRowContext(ctx, "SELECT body FROM freed WHERE body BETWEEN ? AND ? LIMIT 1", from, to).Scan(&first)
		if errors.Is(err, sql.ErrNoRows) {
			return true, nil
		}
		if err == nil {
			whole, err = dropPieces(ctx, tx, first, left)
		}
		if err != nil || !whole {
			return false, err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM freed WHERE body = ?", first); err != nil {
			return false, err
		}
	}
}

// dropPieces deletes pieces of one body, likewise.
func dropPieces(ctx context.Context, tx *sql.Tx, first int64, left *Allowance) (whole bool, err error) {
	const sizes = "SELECT id, length(data) FROM body WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?"
	last, n, err := reach(ctx, tx, sizes, first, rowid.Last(first), left)
	if err != nil || n == 0 {
		return err == nil && !left.spent(), err
	}
	var before, after int64
	const packed = "SELECT coalesce(sum(size), 0), coalesce(sum(length(data)), 0) FROM body WHERE id BETWEEN ? AND ? AND enc = 1"
	if err := tx.QueryRowContext(ctx, packed, first, last).Scan(&before, &after); err != nil {
		return false, err
	}
	if err := body.CountPacked(ctx, tx, -before, -after); err != nil {
		return false, err
	}
	_, err = tx.ExecContext(ctx, "DELETE FROM body WHERE id BETWEEN ? AND ?", first, last)
	return err == nil && !left.spent(), err
}
