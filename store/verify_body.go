package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"io"
)

// references finds pieces that refer to what is not there, and bodies that are used
// by more or fewer than they say.
func (v *verifier) references(ctx context.Context) error {
	const dangling = `SELECT b.id, b.data FROM body b LEFT JOIN shared s ON s.body = b.data
		WHERE b.enc = 2 AND (s.body IS NULL OR b.start + b.size > s.size)`
	err := v.each(ctx, dangling, func(rows *sql.Rows) error {
		var id int64
		var owner any
		err := rows.Scan(&id, &owner)
		if err == nil {
			v.report(fmt.Sprintf("body of flow %d", id>>(pieceBits+sideBits)), "piece %d refers to what is not in body %v", id&(maxPieces-1), owner)
		}
		return err
	})
	if err != nil {
		return err
	}
	// A flow lets go of its bodies when it loses its head.
	const uses = `SELECT s.body, s.uses, (s.body >> 23 IN (SELECT id FROM head)) + coalesce(u.n, 0) AS found
		FROM shared s LEFT JOIN (SELECT data, count(*) AS n FROM body WHERE enc = 2 AND id & 1048575 = 0 GROUP BY data) u ON u.data = s.body
		WHERE found <> s.uses`
	return v.each(ctx, uses, func(rows *sql.Rows) error {
		var body, says, found int64
		err := rows.Scan(&body, &says, &found)
		if err == nil {
			v.report(fmt.Sprintf("shared body of flow %d", body>>(pieceBits+sideBits)), "is used %d times, not %d", found, says)
		}
		return err
	})
}

// owners checks that shared bodies are what their digests say.
func (v *verifier) owners(ctx context.Context) error {
	return v.each(ctx, "SELECT body, sha256, size FROM shared", func(rows *sql.Rows) error {
		var first, size int64
		var sum []byte
		if err := rows.Scan(&first, &sum, &size); err != nil {
			return err
		}
		place := fmt.Sprintf("shared body of flow %d", first>>(pieceBits+sideBits))
		b, err := v.open(ctx, first, true)
		h := sha256.New()
		if err == nil {
			_, err = io.CopyN(h, b.NewReader(ctx), size)
		}
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			v.report(place, "%v", err)
		case !bytes.Equal(h.Sum(nil), sum):
			v.report(place, "its bytes have another digest")
		}
		return nil
	})
}
