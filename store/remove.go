package store

import (
	"context"
	"database/sql"
	"fmt"

	"weir/filter"
)

// Removed flows leave holes in the ids. Two rows of the session table keep what
// the flow table no longer tells: how many were removed, and the highest id ever
// given, so that no id is given twice and counting stays constant in time.
const (
	keyRemoved = "removed"
	keyHighest = "highest"

	// highestID is the highest id ever given to a flow.
	highestID = `SELECT max(
		(SELECT coalesce(max(id), 0) FROM flow),
		coalesce((SELECT value FROM session WHERE key = '` + keyHighest + `'), 0))`
)

// Remove takes flows out of the session, with their bodies, messages and notes,
// in one transaction. Ids that are not there are passed over. Removed space is
// used again by what is recorded later.
func (s *Session) Remove(ctx context.Context, ids []uint64) error {
	if len(ids) == 0 {
		return nil
	}
	err := s.update(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO session (key, value) VALUES (?, ("+highestID+"))", keyHighest); err != nil {
			return err
		}
		var removed int64
		for _, id := range ids {
			n, err := removeFlow(ctx, tx, id)
			if err != nil {
				return err
			}
			removed += n
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO session (key, value) VALUES (?1, ?2)
			ON CONFLICT (key) DO UPDATE SET value = value + ?2`, keyRemoved, removed)
		if err != nil {
			return err
		}
		return logChanges(ctx, tx, ids)
	})
	if err != nil {
		return fmt.Errorf("remove %d flows: %w", len(ids), err)
	}
	return nil
}

// removeFlow removes one flow and returns how many there were, 0 or 1.
func removeFlow(ctx context.Context, tx *sql.Tx, id uint64) (int64, error) {
	r, err := tx.ExecContext(ctx, "DELETE FROM flow WHERE id = ?", int64(id))
	if err != nil {
		return 0, err
	}
	n, err := r.RowsAffected()
	if err != nil {
		return 0, err
	}
	for _, del := range []struct {
		statement string
		from, to  int64
	}{
		{"DELETE FROM head WHERE id BETWEEN ? AND ?", int64(id), int64(id)},
		{"DELETE FROM note WHERE flow BETWEEN ? AND ?", int64(id), int64(id)},
		{"DELETE FROM body WHERE id BETWEEN ? AND ?", bodyKey(id, 0, 0), bodyKey(id+1, 0, 0) - 1},
		{"DELETE FROM message WHERE id BETWEEN ? AND ?", messageKey(id, 0), messageKey(id+1, 0) - 1},
	} {
		if _, err := tx.ExecContext(ctx, del.statement, del.from, del.to); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// Filter returns those of ids that match e, in ascending order. Ids that are not
// there do not match. It is for judging flows as they come; a page at a time.
func (s *Session) Filter(ctx context.Context, e filter.Expr, ids []uint64) ([]uint64, error) {
	sel, err := s.selection(Query{Filter: e})
	if err != nil {
		return nil, err
	}
	short, err := listIDs(ids)
	if err != nil {
		return nil, err
	}
	found, err := sel.collect(ctx, idsCondition(short, true), nil, nil)
	if err != nil {
		return nil, err
	}
	out := make([]uint64, len(found.ids))
	for i, id := range found.ids {
		out[i] = uint64(id)
	}
	return out, nil
}
