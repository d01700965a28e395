package repair

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"io"
	"math"

	"weir/store/body"
	"weir/store/compact"
	"weir/store/drop"
	"weir/store/rowid"
)

// prune takes out what no reader could make sense of, and makes a beginning for
// the change log behind the revisions that flows have.
func (m *mender) prune(ctx context.Context) error {
	for _, t := range []struct{ table, id, shift string }{
		{"flow", "id", "0"},
		{"removed", "id", "0"},
		{"head", "id", "0"},
		{"note", "flow", "0"},
		{"revisit", "flow", "0"},
		{"body", "id", "23"},
		{"message", "id", "28"},
		{"conn", "min(id, 4294967295)", "0"},
	} {
		query := fmt.Sprintf("DELETE FROM %s WHERE (%s >> %s) NOT BETWEEN 1 AND %d", t.table, t.id, t.shift, uint32(math.MaxUint32))
		n, err := m.w.Exec(ctx, 0, query)
		if err != nil {
			return err
		}
		if n > 0 {
			m.r.report(t.table, "%d rows with impossible ids were left out", n)
		}
	}
	// A row with a number that stands for nothing is as good as lost: its head makes it anew.
	const odd = ` WHERE kind NOT BETWEEN 0 AND 255 OR flags NOT BETWEEN 0 AND 4294967295 OR status NOT BETWEEN 0 AND 4294967295
		OR state NOT BETWEEN 0 AND 2147483647 OR replay NOT BETWEEN 0 AND 2147483647`
	return m.w.ExecAll(ctx,
		"DELETE FROM flow"+odd,
		"DELETE FROM removed"+odd,
		"DELETE FROM site WHERE port NOT BETWEEN 0 AND 65535",
		"UPDATE message SET side = 0 WHERE side NOT BETWEEN 0 AND 7",
		"UPDATE message SET type = 0 WHERE type NOT BETWEEN 0 AND 2147483647",
		"DELETE FROM removed WHERE id IN (SELECT id FROM flow)",
		"INSERT OR IGNORE INTO session (key, value) SELECT '"+drop.KeyRemoved+"', count(*) FROM removed",
		"INSERT INTO change (revision, flows) SELECT coalesce(max(revision), 0) + 1, x'' FROM flow",
		// Where the compactor was is not to be trusted; looking twice does no harm.
		"DELETE FROM session WHERE key = '"+compact.KeyPlace+"'",
		"DELETE FROM revisit",
	)
}

// mendBodies cuts bodies where a piece is missing or damaged, then shared ones
// where those they share are cut.
func (m *mender) mendBodies(ctx context.Context) error {
	for _, part := range []func(context.Context) error{m.cutAtHoles, m.mendShared, m.cutDangling} {
		if err := part(ctx); err != nil {
			return err
		}
		if err := m.w.Flush(ctx); err != nil {
			return err
		}
	}
	return nil
}

// cutAtHoles deletes of each body what does not follow on from its beginning.
func (m *mender) cutAtHoles(ctx context.Context) error {
	rows, err := m.db.QueryContext(ctx, "SELECT id, start, size, enc, CASE enc WHEN 2 THEN NULL ELSE data END FROM body ORDER BY id")
	if err != nil {
		return err
	}
	defer rows.Close()
	var first, next, end int64 = -1, 0, 0 // the body, its next piece and where that should start
	var cut bool
	var buf []byte
	for rows.Next() {
		var id, start, size, enc int64
		var data sql.RawBytes
		if err := rows.Scan(&id, &start, &size, &enc, &data); err != nil {
			return err
		}
		if of := rowid.First(id); of != first {
			first, next, end, cut = of, 0, 0, false
		}
		if cut {
			continue
		}
		good := id-first == next && start == end && size >= 1 && size <= body.PieceSize
		if good && enc != body.EncShared {
			out, err := body.Decode(m.w.Bodies().Unpack, enc, size, data, buf)
			if good = err == nil; good && enc == body.EncZstd {
				buf = out
			}
		}
		if !good {
			cut = true
			if err := m.cutBody(ctx, id, end); err != nil {
				return err
			}
		}
		next, end = next+1, start+size
	}
	return rows.Err()
}

// cutBody deletes pieces of a body from a key on; so many bytes stay.
func (m *mender) cutBody(ctx context.Context, from, bytes int64) error {
	flow, side := rowid.BodyFlow(from), rowid.Side(from)
	m.r.report(fmt.Sprintf("body of flow %d", flow), "side %d: only its first %d bytes could be saved", side, bytes)
	_, err := m.w.Exec(ctx, 0, "DELETE FROM body WHERE id BETWEEN ? AND ?", from, rowid.Last(from))
	return err
}

// mendShared makes the list of shared bodies say what they now are.
func (m *mender) mendShared(ctx context.Context) error {
	if err := m.w.ExecAll(ctx, "DELETE FROM shared WHERE body NOT IN (SELECT id FROM body WHERE enc <> 2)",
		"DELETE FROM freed WHERE body NOT IN (SELECT id FROM body)"); err != nil {
		return err
	}
	if err := m.w.Flush(ctx); err != nil {
		return err
	}
	rows, err := m.db.QueryContext(ctx, "SELECT body, sha256, size FROM shared")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var first, size int64
		var sum []byte
		if err := rows.Scan(&first, &sum, &size); err != nil {
			return err
		}
		b, err := m.w.Bodies().OpenShared(ctx, first)
		if err != nil {
			return err
		}
		h := sha256.New()
		if _, err := io.Copy(h, b.NewReader(ctx)); err != nil {
			return err
		}
		if b.Size() == size && string(h.Sum(nil)) == string(sum) {
			continue
		}
		if b.Size() == size {
			m.r.report(fmt.Sprintf("body of flow %d", rowid.BodyFlow(first)), "some of its bytes were changed by the damage")
		}
		// Two that are now the same need not both be there for others to find.
		_, err = m.w.Exec(ctx, 0, "UPDATE OR REPLACE shared SET sha256 = ?, size = ? WHERE body = ?", h.Sum(nil), b.Size(), first)
		if err != nil {
			return err
		}
	}
	return rows.Err()
}

// cutDangling cuts bodies where they refer to what is not there any more.
func (m *mender) cutDangling(ctx context.Context) error {
	const query = `SELECT b.id, b.start FROM body b LEFT JOIN shared s ON s.body = b.data
		WHERE b.enc = 2 AND (s.body IS NULL OR b.start + b.size > s.size) ORDER BY b.id`
	rows, err := m.db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	last := int64(-1)
	for rows.Next() {
		var id, start int64
		if err := rows.Scan(&id, &start); err != nil {
			return err
		}
		if of := rowid.Body(id); of != last {
			last = of
			if err := m.cutBody(ctx, id, start); err != nil {
				return err
			}
		}
	}
	return rows.Err()
}
