package verify

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"

	flowpb "weir/proto"
	"weir/store/body"
	"weir/store/rowid"
)

// walk goes through the flows with all that belongs to them, in one pass over the file:
// through each table in the order of flows, side by side.
type walk struct {
	*verifier
	flow, removed, head, body *cursor

	kept  bool // of the removed flow: it can come back
	blob  sql.RawBytes
	piece struct {
		start, size, enc int64
		data             sql.RawBytes
		owner            sql.NullInt64 // of a shared piece
	}
	conns  *finder
	stray  *sql.Stmt
	shared *sql.Stmt
	buf    []byte
}

// flows checks every flow: that it has a head and every head a flow, that bodies are whole
// and as long as the head says, and that its connections are there.
func (v *verifier) flows(ctx context.Context) error {
	w := &walk{verifier: v}
	err := w.open(ctx, math.MinInt64)
	if err == nil {
		err = w.all(ctx)
	}
	return errors.Join(err, w.close())
}

// open sets the walk on its way through the snapshot, from a flow on.
func (w *walk) open(ctx context.Context, from int64) (err error) {
	p := &w.piece
	for _, c := range []struct {
		to    **cursor
		bits  int
		query string
		into  []any
	}{
		{&w.flow, 0, "SELECT id FROM flow WHERE id >= ? ORDER BY id", nil},
		{&w.removed, 0, "SELECT id, at > 0 FROM removed WHERE id >= ? ORDER BY id", []any{&w.kept}},
		{&w.head, 0, "SELECT id, blob FROM head WHERE id >= ? ORDER BY id", []any{&w.blob}},
		{
			&w.body, rowid.BodyBits,
			`SELECT id, start, size, enc, CASE enc WHEN 2 THEN NULL ELSE data END, CASE WHEN enc = 2 AND typeof(data) = 'integer' THEN data END
			FROM body WHERE id >= ? ORDER BY id`,
			[]any{&p.start, &p.size, &p.enc, &p.data, &p.owner},
		},
	} {
		if *c.to, err = w.cursor(ctx, c.bits, from, c.query, c.into...); err != nil {
			return err
		}
		if err := (*c.to).next(); err != nil {
			return err
		}
	}
	if w.conns, err = w.finder(ctx, "SELECT EXISTS (SELECT 1 FROM conn WHERE id = ?)"); err != nil {
		return err
	}
	const stray = "SELECT NOT EXISTS (SELECT 1 FROM shared WHERE body = ?1) AND NOT EXISTS (SELECT 1 FROM freed WHERE body = ?1)"
	if w.stray, err = w.tx.PrepareContext(ctx, stray); err != nil {
		return err
	}
	w.shared, err = w.tx.PrepareContext(ctx, "SELECT size FROM shared WHERE body = ?")
	return err
}

// close ends what open began, as far as that came.
func (w *walk) close() (err error) {
	for _, c := range []**cursor{&w.flow, &w.removed, &w.head, &w.body} {
		if *c != nil {
			err = errors.Join(err, (*c).rows.Close())
		}
		*c = nil
	}
	if w.conns != nil {
		err = errors.Join(err, w.conns.stmt.Close())
	}
	for _, stmt := range []*sql.Stmt{w.stray, w.shared} {
		if stmt != nil {
			err = errors.Join(err, stmt.Close())
		}
	}
	w.conns, w.stray, w.shared = nil, nil, nil
	return err
}

// again goes on in a new snapshot, from a flow on.
func (w *walk) again(ctx context.Context, from int64) error {
	if err := w.close(); err != nil {
		return err
	}
	if err := w.begin(ctx); err != nil {
		return err
	}
	return w.open(ctx, from)
}

// all walks, up to the last flow that there was when it began: a capture may be faster.
func (w *walk) all(ctx context.Context) error {
	const last = `SELECT max(coalesce((SELECT max(id) FROM flow), 0), coalesce((SELECT max(id) FROM removed), 0),
		coalesce((SELECT max(id) FROM head), 0), coalesce((SELECT max(id) >> 23 FROM body), 0))`
	var total int64
	if err := w.tx.QueryRowContext(ctx, last).Scan(&total); err != nil {
		return err
	}
	for n := 1; len(w.problems) < MaxProblems; n++ {
		id := w.next()
		if id <= total && w.old() {
			if err := w.again(ctx, id); err != nil {
				return err
			}
			id = w.next() // that flow may have gone meanwhile
		}
		if id > total || id == noFlow { // which a damaged file may have as a flow
			break
		}
		if err := w.one(ctx, id); err != nil {
			return err
		}
		if n%verifyStep == 0 {
			w.tell("flows", uint64(max(id, 0)), uint64(total))
		}
	}
	return nil
}

// next is the next flow that any table has something of.
func (w *walk) next() int64 { return min(w.flow.at, w.removed.at, w.head.at, w.body.at) }

// one checks what there is of a flow, and moves on.
func (w *walk) one(ctx context.Context, id int64) error {
	flow, removed, head := w.flow.at == id, w.removed.at == id, w.head.at == id
	switch {
	case flow && !head:
		w.report(fmt.Sprintf("flow %d", id), "has no head")
	case removed && w.kept && !head:
		w.report(fmt.Sprintf("removed flow %d", id), "has no head")
	case head && !flow && !removed:
		w.report(fmt.Sprintf("head %d", id), "has no flow")
	}
	if flow && removed {
		w.report(fmt.Sprintf("flow %d", id), "is removed and is not")
	}
	stored, err := w.bodies(ctx, id, head, flow || removed)
	if err == nil && head {
		err = w.judge(ctx, id, stored)
	}
	for _, c := range []*cursor{w.flow, w.removed, w.head} {
		if err == nil && c.at == id {
			err = c.next()
		}
	}
	return err
}

// judge compares a head with what there is beside it.
func (w *walk) judge(ctx context.Context, id int64, stored [rowid.MaxSide + 1]int64) error {
	f, err := flowpb.DecodeFlow(uint64(id), w.blob)
	if err != nil {
		w.report(fmt.Sprintf("flow %d", id), "%v", err)
		return nil
	}
	w.lengths(f, stored)
	for _, conn := range []uint64{f.GetClientConn(), f.GetServerConn()} {
		if conn == 0 {
			continue
		}
		if there, err := w.conns.has(ctx, int64(conn)); err != nil {
			return err
		} else if !there {
			w.report(fmt.Sprintf("flow %d", id), "its connection %d is not there", conn)
		}
	}
	return nil
}

// bodies goes through the pieces of a flow's bodies and returns the bodies' sizes by
// side. What stays of a flow that has lost its head is checked elsewhere, if others
// need it, or being deleted.
func (w *walk) bodies(ctx context.Context, id int64, head, known bool) (stored [rowid.MaxSide + 1]int64, err error) {
	var next [rowid.MaxSide + 1]int64
	told := false
	for w.body.at == id {
		side, number := int64(rowid.Side(w.body.id)), rowid.Number(w.body.id)
		if head {
			w.check(id, side, number, next[side], stored[side])
		}
		if w.piece.enc == body.EncShared {
			if err := w.refers(ctx, id, number); err != nil {
				return stored, err
			}
		}
		if !known && !told && next[side] == 0 {
			if err := w.stray.QueryRowContext(ctx, rowid.First(w.body.id)).Scan(&told); err != nil {
				return stored, err
			}
			if told {
				w.report(fmt.Sprintf("body of flow %d", id), "has no flow")
			}
		}
		next[side], stored[side] = number+1, w.piece.start+w.piece.size
		if err := w.body.next(); err != nil {
			return stored, err
		}
	}
	return stored, nil
}

// check checks the piece that the walk stands on: which it should be, and where in the
// body it should begin.
func (w *walk) check(flow, side, number, want, start int64) {
	p := &w.piece
	wrong := func(format string, args ...any) {
		w.report(fmt.Sprintf("body of flow %d", flow), "side %d: "+format, append([]any{side}, args...)...)
	}
	if number != want || p.start != start || p.size < 1 || p.size > body.PieceSize {
		wrong("piece %d (bytes %d to %d) does not follow piece %d (to %d)", number, p.start, p.start+p.size, want-1, start)
	}
	if p.enc == body.EncShared {
		return
	}
	out, err := body.Decode(w.Unpack, p.enc, p.size, p.data, w.buf)
	if err != nil {
		wrong("piece %d: %v", number, err)
	} else if p.enc == body.EncZstd {
		w.buf = out
	}
}

// maxCounted is how many shared bodies are counted on the way.
const maxCounted = 1 << 18

// refers checks that the piece that the walk stands on refers to what is there, and
// counts the users of a body, which refer to it with their first piece.
func (w *walk) refers(ctx context.Context, flow, number int64) error {
	p := &w.piece
	var size int64
	err := w.shared.QueryRowContext(ctx, p.owner).Scan(&size)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if err != nil || p.start+p.size > size {
		w.report(fmt.Sprintf("body of flow %d", flow), "piece %d refers to what is not in body %d", number, p.owner.Int64)
	}
	if number == 0 && w.uses != nil {
		if w.uses[p.owner.Int64]++; len(w.uses) > maxCounted {
			w.uses = nil
		}
	}
	return nil
}
