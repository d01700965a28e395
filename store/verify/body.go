package verify

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math"

	"weir/store/rowid"
)

// counts finds shared bodies that are used by more or fewer than they say. What was
// counted on the way is of many moments, between which a compactor may have been at
// work: only where it does not fit all is counted again, in one snapshot.
func (v *verifier) counts(ctx context.Context) error {
	doubt := v.uses == nil
	err := v.each(ctx, "SELECT body, uses, body >> 23 IN (SELECT id FROM head) FROM shared", func(rows *sql.Rows) error {
		var body, says, own int64
		err := rows.Scan(&body, &says, &own)
		doubt = doubt || says != own+v.uses[body]
		return err
	})
	if err != nil || !doubt {
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
			v.report(fmt.Sprintf("shared body of flow %d", rowid.BodyFlow(body)), "is used %d times, not %d", found, says)
		}
		return err
	})
}

// owners checks that shared bodies are what their digests say, each in a snapshot of
// its own.
func (v *verifier) owners(ctx context.Context) error {
	for first := int64(math.MinInt64); len(v.problems) < MaxProblems; {
		if err := v.begin(ctx); err != nil {
			return err
		}
		var size int64
		var sum []byte
		err := v.tx.QueryRowContext(ctx, "SELECT body, sha256, size FROM shared WHERE body > ? ORDER BY body LIMIT 1", first).Scan(&first, &sum, &size)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err == nil {
			err = v.owner(ctx, first, sum, size)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// owner checks one shared body.
func (v *verifier) owner(ctx context.Context, first int64, sum []byte, size int64) error {
	place := fmt.Sprintf("shared body of flow %d", rowid.BodyFlow(first))
	b, err := v.OpenShared(ctx, first)
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
}
