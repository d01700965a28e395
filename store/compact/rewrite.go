package compact

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"slices"

	"weir/store/body"
	"weir/store/rowid"
)

// rewrite is what the next transaction writes.
type rewrite struct {
	pieces     []newData
	candidates []candidate
	later      []int64 // flows to come back to
	visited    []int64 // flows not to come back to
	upto       int64   // KeyPlace; 0: as it was
	bytes      int64
}

// newData is what the data of a piece is replaced by.
type newData struct {
	old    storedPiece
	enc    int64
	data   any
	length int64
}

// put replaces the data of a piece: with bytes, or with the key of a shared body.
func (r *rewrite) put(p storedPiece, enc int64, data any) {
	n := newData{old: p, enc: enc, data: data}
	if coded, ok := data.([]byte); ok {
		n.length = int64(len(coded))
	}
	n.old.content = nil
	r.pieces = append(r.pieces, n)
	r.bytes += n.length + rowBytes
}

func (r *rewrite) register(k candidate) {
	r.candidates = append(r.candidates, k)
	r.bytes += rowBytes
}

// knows reports whether a body with that digest is about to be registered.
func (r *rewrite) knows(sum [sha256.Size]byte) bool {
	return slices.ContainsFunc(r.candidates, func(k candidate) bool { return k.sum == sum })
}

// drop takes back what was to be done with pieces.
func (r *rewrite) drop() { *r = rewrite{later: r.later, visited: r.visited, upto: r.upto} }

func (r *rewrite) empty() bool {
	return len(r.pieces)+len(r.candidates)+len(r.later)+len(r.visited) == 0 && r.upto == 0
}

// flush writes the batch. What fails is dropped: whoever compacts next begins there.
func (c *Compactor) flush(ctx context.Context) error {
	if c.batch.empty() {
		return nil
	}
	r := c.batch
	c.batch = rewrite{}
	return c.commit(ctx, r.bytes, func(tx *sql.Tx) error {
		for _, part := range []func(context.Context, *sql.Tx) error{r.putCandidates, r.putPieces, r.putPlace} {
			if err := part(context.WithoutCancel(ctx), tx); err != nil {
				return err
			}
		}
		for _, p := range r.pieces {
			c.done.Bytes += p.old.length - p.length
		}
		return nil
	})
}

// putCandidates registers bodies that are still there. Of two with the same digest the
// first stays, and a body that refers to others itself is none to refer to.
func (r *rewrite) putCandidates(ctx context.Context, tx *sql.Tx) error {
	for _, k := range r.candidates {
		_, err := tx.ExecContext(ctx, `INSERT OR IGNORE INTO shared (body, sha256, size, uses)
			SELECT id, ?, ?, 1 FROM body WHERE id = ? AND enc <> 2 AND id NOT IN (SELECT body FROM freed)`, k.sum[:], k.size, k.first)
		if err != nil {
			return err
		}
	}
	return nil
}

// putPieces replaces the data of pieces that are as they were. All rows are taken out and
// then put in again: those that only shrank in their places would leave their pages half
// empty, for SQLite looks at the pages beside one only when that is nearly so.
func (r *rewrite) putPieces(ctx context.Context, tx *sql.Tx) error {
	pieces, err := r.takePieces(ctx, tx)
	if err != nil || len(pieces) == 0 {
		return err
	}
	put, err := tx.PrepareContext(ctx, "INSERT INTO body (id, start, size, enc, data) VALUES (?, ?, ?, ?, ?)")
	if err != nil {
		return err
	}
	defer put.Close()
	var before, after int64
	for _, p := range pieces {
		if _, err := put.ExecContext(ctx, p.old.id, p.old.start, p.old.size, p.enc, p.data); err != nil {
			return err
		}
		if p.old.enc == body.EncZstd {
			before, after = before-p.old.size, after-p.old.length
		}
		switch p.enc {
		case body.EncZstd:
			before, after = before+p.old.size, after+p.length
		case body.EncShared:
			if err := p.use(ctx, tx); err != nil {
				return err
			}
		}
	}
	return body.CountPacked(ctx, tx, before, after)
}

// takePieces deletes the pieces that are as they were, and returns these.
func (r *rewrite) takePieces(ctx context.Context, tx *sql.Tx) (taken []newData, err error) {
	if len(r.pieces) == 0 {
		return nil, nil
	}
	take, err := tx.PrepareContext(ctx, "DELETE FROM body WHERE id = ? AND start = ? AND size = ? AND enc = ?")
	if err != nil {
		return nil, err
	}
	defer take.Close()
	for _, p := range r.pieces {
		done, err := take.ExecContext(ctx, p.old.id, p.old.start, p.old.size, p.old.enc)
		if err != nil {
			return nil, err
		}
		n, err := done.RowsAffected()
		if err != nil {
			return nil, err
		}
		if n > 0 {
			taken = append(taken, p)
		}
	}
	return taken, nil
}

// use counts a body among the users of another one, with its first piece. A body that
// has users must not become one, or the references would form a chain.
func (p *newData) use(ctx context.Context, tx *sql.Tx) error {
	if rowid.Number(p.old.id) != 0 {
		return nil
	}
	done, err := tx.ExecContext(ctx, `UPDATE shared SET uses = uses + 1
		WHERE body = ? AND NOT EXISTS (SELECT 1 FROM shared WHERE body = ?)`, p.data, p.old.id)
	if err != nil {
		return err
	}
	n, err := done.RowsAffected()
	if err == nil && n == 0 {
		return errNotSame
	}
	return err
}

// putPlace writes down where the compactor is.
func (r *rewrite) putPlace(ctx context.Context, tx *sql.Tx) error {
	for _, list := range []struct {
		query string
		flows []int64
	}{
		{"INSERT OR IGNORE INTO revisit (flow) VALUES (?)", r.later},
		{"DELETE FROM revisit WHERE flow = ?", r.visited},
	} {
		for _, flow := range list.flows {
			if _, err := tx.ExecContext(ctx, list.query, flow); err != nil {
				return err
			}
		}
	}
	if r.upto == 0 {
		return nil
	}
	_, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO session (key, value) VALUES (?, ?)", KeyPlace, r.upto)
	return err
}
