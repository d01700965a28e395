package repair

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"

	flowpb "weir/proto"
	"weir/store/body"
	"weir/store/drop"
	"weir/store/rowid"
)

// mendMessages closes the gaps that lost messages leave in the numbers of a flow's
// messages.
func (m *mender) mendMessages(ctx context.Context) error {
	rows, err := m.db.QueryContext(ctx, "SELECT id FROM message ORDER BY id")
	if err != nil {
		return err
	}
	defer rows.Close()
	var flow, next, lost int64
	tell := func() {
		if lost > 0 {
			m.r.report(fmt.Sprintf("messages of flow %d", flow), "%d are lost; those after them moved up", lost)
		}
	}
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return err
		}
		if of := rowid.MessageFlow(id); of != flow {
			tell()
			flow, next, lost = of, 1, 0
		}
		if sequence := rowid.Sequence(id); sequence != next {
			lost = sequence - next
			if _, err := m.w.Exec(ctx, 0, "UPDATE OR REPLACE message SET id = ? WHERE id = ?", rowid.Message(uint64(flow), uint64(next)), id); err != nil {
				return err
			}
		}
		next++
	}
	tell()
	return rows.Err()
}

// mendConns takes out connections that cannot be read and certificates that are not
// what their digests say, and the references to these.
func (m *mender) mendConns(ctx context.Context) error {
	if err := m.mendCerts(ctx); err != nil {
		return err
	}
	if err := m.w.Flush(ctx); err != nil {
		return err
	}
	rows, err := m.db.QueryContext(ctx, "SELECT id, blob FROM conn ORDER BY id")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var blob sql.RawBytes
		if err := rows.Scan(&id, &blob); err != nil {
			return err
		}
		if err := m.mendConn(ctx, id, blob); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (m *mender) mendCerts(ctx context.Context) error {
	rows, err := m.db.QueryContext(ctx, "SELECT sha256, der FROM cert")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var hash, der []byte
		if err := rows.Scan(&hash, &der); err != nil {
			return err
		}
		if sum := sha256.Sum256(der); string(sum[:]) != string(hash) {
			m.r.report(fmt.Sprintf("certificate %x", hash), "is damaged and was left out")
			if _, err := m.w.Exec(ctx, 0, "DELETE FROM cert WHERE sha256 = ?", hash); err != nil {
				return err
			}
		}
	}
	return rows.Err()
}

// mendConn checks one connection. What it says of certificates that are lost it says
// no more.
func (m *mender) mendConn(ctx context.Context, id int64, blob []byte) error {
	c := &flowpb.Conn{}
	place := fmt.Sprintf("connection %d", id)
	if err := flowpb.Decode(blob, c); err != nil {
		m.r.report(place, "is damaged and was left out")
		_, err := m.w.Exec(ctx, 0, "DELETE FROM conn WHERE id = ?", id)
		return err
	}
	lost := 0
	for _, x := range c.AllCertificates() {
		if len(x.GetSha256()) == 0 {
			continue
		}
		var there bool
		if err := m.db.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM cert WHERE sha256 = ?)", x.Sha256).Scan(&there); err != nil {
			return err
		}
		if !there {
			lost++
			x.Sha256 = nil
		}
	}
	if lost == 0 {
		return nil
	}
	m.r.report(place, "%d of its certificates are lost", lost)
	changed, err := flowpb.Encode(nil, c)
	if err != nil {
		return err
	}
	_, err = m.w.Exec(ctx, int64(len(changed)), "UPDATE conn SET blob = ? WHERE id = ?", changed, id)
	return err
}

// count makes the session's sums true, and says which flows are missing.
func (m *mender) count(ctx context.Context) error {
	var before sql.NullInt64
	var highest, flows int64
	err := m.db.QueryRowContext(ctx, `SELECT (SELECT value FROM session WHERE key = ?),
		max(`+highestEver+`, coalesce((SELECT max(id) FROM removed), 0)), (SELECT count(*) FROM flow)`, drop.KeyRemoved).Scan(&before, &highest, &flows)
	if err != nil {
		return err
	}
	m.r.Flows = uint64(flows)
	m.r.Lost = uint64(max(highest-flows-before.Int64, 0))
	for _, q := range []struct {
		query string
		args  []any
	}{
		{"INSERT OR REPLACE INTO session (key, value) VALUES (?, ?), (?, ?)", []any{drop.KeyRemoved, highest - flows, drop.KeyHighest, highest}},
		{"DELETE FROM origin WHERE flow NOT IN (SELECT id FROM head)", nil},
		{"UPDATE shared SET uses = body >> 23 IN (SELECT id FROM head)", nil}, // its own flow's
		{`UPDATE shared SET uses = uses + others FROM
			(SELECT data AS owner, count(*) AS others FROM body WHERE enc = 2 AND id & 1048575 = 0 GROUP BY data) WHERE owner = body`, nil},
		{"INSERT OR IGNORE INTO freed (body) SELECT body FROM shared WHERE uses = 0", nil},
		{"DELETE FROM shared WHERE uses = 0", nil},
		{`INSERT OR REPLACE INTO session (key, value)
			SELECT ?, coalesce(sum(size), 0) FROM body WHERE enc = 1 UNION ALL
			SELECT ?, coalesce(sum(length(data)), 0) FROM body WHERE enc = 1`, []any{body.KeyPackedFrom, body.KeyPackedTo}},
	} {
		if _, err := m.w.Exec(ctx, 0, q.query, q.args...); err != nil {
			return err
		}
	}
	if m.r.Lost == 0 {
		return nil
	}
	return m.missing(ctx, highest)
}

// highestEver is the highest id that was given, as far as it can be believed.
const highestEver = `(SELECT max((SELECT coalesce(max(id), 0) FROM flow),
	coalesce((SELECT value FROM session WHERE key = '` + drop.KeyHighest + `' AND value BETWEEN 0 AND 4294967295), 0)))`

// maxRanges bounds the ranges of missing ids that are told.
const maxRanges = 100

// missing lists the ids that no flow has.
func (m *mender) missing(ctx context.Context, highest int64) error {
	rows, err := m.db.QueryContext(ctx, `SELECT before + 1, id - 1 FROM (
			SELECT id, lag(id, 1, 0) OVER (ORDER BY id) AS before FROM (
				SELECT id FROM flow UNION ALL SELECT id FROM removed UNION ALL SELECT ?))
		WHERE id > before + 1 ORDER BY id LIMIT ?`, highest+1, maxRanges)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var r Range
		if err := rows.Scan(&r.First, &r.Last); err != nil {
			return err
		}
		m.r.Missing = append(m.r.Missing, r)
	}
	return rows.Err()
}
