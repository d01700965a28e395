package drop

import (
	"context"
	"database/sql"
	"slices"

	"weir/store/body"
	"weir/store/rowid"
)

// Most flows are plain: no messages, and bodies of one piece that no other body
// refers to and that refer to none. Deleting these together takes a statement a
// table, where deleting them one by one takes a dozen each.

// sorted is how some removed flows are deleted in one transaction.
type sorted struct {
	plain  []uint64 // together, with their pieces
	pieces []plainPiece
	others []uint64 // one by one
	more   bool     // there are flows that have to wait for the next transaction
}

// plainPiece is a body of a plain flow.
type plainPiece struct {
	id, size, length, enc int64
}

func (p plainPiece) flow() uint64 { return uint64(rowid.BodyFlow(p.id)) }

// wholeFlows finds those of some flows, ascending, of which nothing was deleted yet,
// and that have no messages.
const wholeFlows = `SELECT j.value FROM json_each(?) j
	WHERE EXISTS (SELECT 1 FROM head WHERE id = j.value)
		AND NOT EXISTS (SELECT 1 FROM message WHERE id BETWEEN j.value << 28 AND (j.value + 1 << 28) - 1)
	ORDER BY j.value`

// theirPieces finds the pieces of bodies of flows, with all that decides whether
// they are plain.
const theirPieces = `SELECT b.id, b.size, length(b.data), b.enc, EXISTS (SELECT 1 FROM shared WHERE body = b.id)
	FROM json_each(?) j CROSS JOIN body b ON b.id BETWEEN j.value << 23 AND (j.value + 1 << 23) - 1
	ORDER BY b.id LIMIT ?`

// sortFlows sorts removed flows, as far as the allowance goes.
func sortFlows(ctx context.Context, tx *sql.Tx, ids []uint64, left Allowance) (s sorted, err error) {
	if s.plain, err = rowid.Select(ctx, tx, wholeFlows, rowid.List(ids)); err != nil {
		return s, err
	}
	special, upto, err := s.look(ctx, tx, left)
	if err != nil {
		return s, err
	}
	for _, id := range ids {
		if _, whole := slices.BinarySearch(s.plain, id); !whole || special[id] {
			s.others = append(s.others, id)
		}
	}
	waits := func(id uint64) bool { return upto > 0 && id >= upto }
	s.more = upto > 0
	s.plain = slices.DeleteFunc(s.plain, func(id uint64) bool { return special[id] || waits(id) })
	s.pieces = slices.DeleteFunc(s.pieces, func(p plainPiece) bool { return special[p.flow()] || waits(p.flow()) })
	if len(s.plain)+len(s.others) == 0 {
		s.others = ids[:1] // more than an allowance by itself
	}
	return s, nil
}

// look reads the pieces of the flows in question. It says which of these are not
// plain, and where it had to stop: what comes from that flow on was not seen, or not
// whole; 0 if it saw all.
func (s *sorted) look(ctx context.Context, tx *sql.Tx, left Allowance) (special map[uint64]bool, upto uint64, err error) {
	rows, err := tx.QueryContext(ctx, theirPieces, rowid.List(s.plain), left.Rows)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	special = map[uint64]bool{}
	for rows.Next() {
		var p plainPiece
		var shared bool
		if err := rows.Scan(&p.id, &p.size, &p.length, &p.enc, &shared); err != nil {
			return nil, 0, err
		}
		if rowid.Number(p.id) > 0 || p.enc == body.EncShared || shared {
			special[p.flow()] = true
		}
		s.pieces = append(s.pieces, p)
		left.Bytes -= p.length
		if left.Rows--; left.spent() {
			return special, p.flow(), nil
		}
	}
	return special, 0, rows.Err()
}

// dropPlain deletes the plain ones of the flows.
func (s *sorted) dropPlain(ctx context.Context, tx *sql.Tx, left *Allowance) error {
	if len(s.plain) == 0 {
		return nil
	}
	keys := make([]uint64, len(s.pieces))
	var before, after int64
	for i, p := range s.pieces {
		keys[i] = uint64(p.id)
		left.Bytes -= p.length
		left.Rows--
		if p.enc == body.EncZstd {
			before, after = before+p.size, after+p.length
		}
	}
	for _, del := range []struct {
		statement string
		ids       []uint64
	}{
		{"DELETE FROM body WHERE id IN (SELECT value FROM json_each(?))", keys},
		{"DELETE FROM head WHERE id IN (SELECT value FROM json_each(?))", s.plain},
		{"DELETE FROM note WHERE flow IN (SELECT value FROM json_each(?))", s.plain},
		{"DELETE FROM origin WHERE flow IN (SELECT value FROM json_each(?))", s.plain},
		{"DELETE FROM removed WHERE id IN (SELECT value FROM json_each(?))", s.plain},
	} {
		if _, err := tx.ExecContext(ctx, del.statement, rowid.List(del.ids)); err != nil {
			return err
		}
	}
	return body.CountPacked(ctx, tx, -before, -after)
}
