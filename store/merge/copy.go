package merge

import (
	"context"
	"fmt"

	flowpb "weir/proto"
	"weir/store/body"
	"weir/store/fault"
	"weir/store/rowid"
)

// flushFull writes the batch when there is enough of it.
func (g *merger) flushFull(ctx context.Context) error {
	waiting := 0
	for _, r := range g.reels {
		waiting += len(r.copies)
	}
	if waiting < batchFlows && g.w.Waiting() < batchBytes {
		return nil
	}
	return g.flush(ctx)
}

// flushBut writes the batch but for the last flow of a reel, which stays to be copied.
func (g *merger) flushBut(ctx context.Context, r *reel) error {
	last := r.copies[len(r.copies)-1]
	r.copies = r.copies[:len(r.copies)-1]
	err := g.flush(ctx)
	r.copies = append(r.copies, last)
	return err
}

// flush writes the batch: rows and heads, then what they have.
func (g *merger) flush(ctx context.Context) error {
	if err := g.w.Flush(ctx); err != nil {
		return err
	}
	clear(g.waiting)
	for _, r := range g.reels {
		if err := g.copyParts(ctx, r); err != nil {
			return fmt.Errorf("merge session %q: %w", r.s.Path(), err)
		}
		r.copies, r.conns = r.copies[:0], r.conns[:0]
	}
	return g.w.Flush(ctx)
}

// copyParts copies what the flows of the batch have: connections, notes, messages, bodies.
func (g *merger) copyParts(ctx context.Context, r *reel) error {
	if len(r.copies) == 0 {
		return nil
	}
	const these = " FROM json_each(?) j CROSS JOIN "
	whole, is := r.ids(func(c copied) bool { return c.whole })
	all, now := r.ids(func(copied) bool { return true })
	err := g.copyRows(ctx, r, "SELECT c.id, c.blob"+these+"conn c ON c.id = j.value ORDER BY j.key",
		"INSERT OR IGNORE INTO conn (id, blob) VALUES (?, ?)", func(values []any) error {
			id, err := integer(values[0])
			values[0] = int64(r.connID(uint64(id)))
			return err
		}, rowid.List(r.conns))
	if err != nil {
		return err
	}
	err = g.copyRows(ctx, r, "SELECT m.id, m.at, m.side, m.type, m.flags, m.detail, m.content"+these+
		"message m ON m.id BETWEEN j.value << 28 AND (j.value + 1 << 28) - 1 ORDER BY j.key, m.id",
		"INSERT OR REPLACE INTO message (id, at, side, type, flags, detail, content) VALUES (?, ?, ?, ?, ?, ?, ?)", func(values []any) error {
			id, err := integer(values[0])
			values[0] = rowid.Message(is[uint64(rowid.MessageFlow(id))], uint64(rowid.Sequence(id)))
			return err
		}, rowid.List(whole))
	if err != nil {
		return err
	}
	if err := g.copyNotes(ctx, r, all, now); err != nil {
		return err
	}
	return g.copyBodies(ctx, r, whole, is)
}

// copyRows copies rows of a query, changed by change if that is set, by a statement
// that takes as many values.
func (g *merger) copyRows(ctx context.Context, r *reel, from, to string, change func(values []any) error, args ...any) error {
	rows, err := r.db.QueryContext(ctx, from, args...)
	if err != nil {
		return fault.Classify(err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return err
	}
	values, into := make([]any, len(names)), make([]any, len(names))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return fault.Classify(err)
		}
		var size int64
		for _, v := range values {
			if p, ok := v.([]byte); ok {
				size += int64(len(p))
			}
		}
		if change != nil {
			if err := change(values); err != nil {
				return err
			}
		}
		if _, err := g.w.Exec(ctx, size, to, values...); err != nil {
			return err
		}
	}
	return fault.Classify(rows.Err())
}

// copyNotes copies notes, and unites them with those that are there.
func (g *merger) copyNotes(ctx context.Context, r *reel, was []uint64, is map[uint64]uint64) error {
	noted, err := rowid.Select(ctx, r.db, "SELECT flow FROM json_each(?) j CROSS JOIN note ON flow = j.value", rowid.List(was))
	if err != nil {
		return fault.Classify(err)
	}
	for _, id := range noted {
		n, err := r.s.Note(ctx, id)
		if err != nil {
			return err
		}
		old, err := g.w.Note(ctx, is[id])
		if err != nil {
			return err
		}
		if err := g.w.SetNote(ctx, is[id], united(old, n)); err != nil {
			return err
		}
	}
	return nil
}

// united is what two sessions say of one flow: of two marks or highlights the first
// stays, of two comments both.
func united(a, b flowpb.Note) flowpb.Note {
	if a.Marked == "" {
		a.Marked = b.Marked
	}
	if a.Highlight == "" {
		a.Highlight = b.Highlight
	}
	switch {
	case a.Comment == "":
		a.Comment = b.Comment
	case b.Comment != "" && b.Comment != a.Comment:
		a.Comment += "\n" + b.Comment
	}
	a.Tags = append(a.Tags, b.Tags...)
	return a
}

// copyBodies copies bodies piece by piece, packed ones as they are. Those that are
// shared get bytes of their own: the next compaction finds again which are the same.
func (g *merger) copyBodies(ctx context.Context, r *reel, was []uint64, is map[uint64]uint64) error {
	var packedFrom, packedTo int64
	err := g.copyRows(ctx, r, `SELECT b.id, b.start, b.size, b.enc, b.data FROM json_each(?) j
		CROSS JOIN body b ON b.id BETWEEN j.value << 23 AND (j.value + 1 << 23) - 1 ORDER BY j.key, b.id`,
		"INSERT OR REPLACE INTO body (id, start, size, enc, data) VALUES (?, ?, ?, ?, ?)", func(values []any) error {
			p, err := pieceOf(values)
			if err != nil {
				return err
			}
			flow := uint64(rowid.BodyFlow(p.id))
			values[0] = rowid.Piece(is[flow], rowid.Side(p.id), int(rowid.Number(p.id)))
			switch p.enc {
			case body.EncShared:
				values[3] = int64(body.EncNone)
				values[4], err = r.bytes(ctx, flow, rowid.Side(p.id), p.start, p.size)
			case body.EncZstd:
				data, _ := values[4].([]byte)
				packedFrom, packedTo = packedFrom+p.size, packedTo+int64(len(data))
			}
			return err
		}, rowid.List(was))
	if err != nil || packedFrom == 0 {
		return err
	}
	_, err = g.w.Exec(ctx, 0, body.AddPacked, body.KeyPackedFrom, packedFrom, body.KeyPackedTo, packedTo)
	return err
}

// integer reads a value that should be one. What a file says of its columns does not
// bind what is in them.
func integer(v any) (int64, error) {
	n, ok := v.(int64)
	if !ok {
		return 0, fmt.Errorf("a %T where a number should be: %w", v, fault.ErrDamaged)
	}
	return n, nil
}

// piece is a piece of a body as it is stored.
type piece struct{ id, start, size, enc int64 }

// pieceOf reads the first columns of a body's row.
func pieceOf(values []any) (p piece, err error) {
	for i, to := range []*int64{&p.id, &p.start, &p.size, &p.enc} {
		if *to, err = integer(values[i]); err != nil {
			return p, err
		}
	}
	return p, nil
}
