package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"weir/store/drop"
	"weir/store/rowid"
)

// A removed flow is one whose row stands in the table removed and no longer in
// the table flow. That is all: nothing that scans, counts or lists has to know of
// it, bringing it back is moving a row, and what it had is where it was.
//
//	         Remove              Purge
//	flow ─────────────► removed ───────► at 0 ─ ─ ─► nothing left
//	     ◄─────────────         Drop ──►      pieces
//	          Undo
//
// The writer goes on recording a removed flow that is still open: head, bodies and
// messages where they always go, the row into removed. What it records of a flow
// that was dropped goes nowhere.

const (
	// highestID is the highest id ever given to a flow.
	highestID = `SELECT max(
		(SELECT coalesce(max(id), 0) FROM flow),
		coalesce((SELECT value FROM session WHERE key = '` + drop.KeyHighest + `'), 0))`

	keepHighest  = "INSERT OR REPLACE INTO session (key, value) VALUES ('" + drop.KeyHighest + "', (" + highestID + "))"
	countRemoved = "INSERT INTO session (key, value) VALUES ('" + drop.KeyRemoved + "', ?1) ON CONFLICT (key) DO UPDATE SET value = value + ?1"

	// nextRemoval is later than every removal before it, whatever the clock says.
	nextRemoval = "SELECT max(?, coalesce(max(at), 0) + 1) FROM removed"
	lastRemoval = "SELECT coalesce(max(at), 0) FROM removed"
	ofRemoval   = "SELECT id FROM removed WHERE at = ? ORDER BY id LIMIT ?"

	these         = " WHERE id IN (SELECT value FROM json_each(?))"
	copyToRemoved = "INSERT INTO removed (at, " + flowColumns + ") SELECT ?, " + flowColumns + " FROM flow" + these
	deleteFlows   = "DELETE FROM flow" + these
	copyToFlows   = "INSERT INTO flow (" + flowColumns + ") SELECT " + flowColumns + " FROM removed" + these
	deleteRemoved = "DELETE FROM removed" + these
)

// moveFlows is how many flows are removed or brought back in one transaction:
// about as long a one as the writer's.
const moveFlows = 2048

// Remove takes flows out of the session until [Session.Undo] brings them back or
// [Session.Purge] drops them, and returns how many there were; ids that are not
// there are passed over. Marked flows are no exception. What is recorded of a
// removed flow afterwards stays with it.
//
// Many flows take several short transactions: if it fails, those that it counted
// are removed, and one Undo brings them back.
func (s *Session) Remove(ctx context.Context, ids []uint64) (int, error) {
	r := removal{session: s}
	for some := range slices.Chunk(slices.Compact(slices.Sorted(slices.Values(ids))), moveFlows) {
		if err := r.take(ctx, some); err != nil {
			return r.n, fmt.Errorf("remove %d flows: %w", len(ids), err)
		}
	}
	return r.n, nil
}

// RemoveAll removes all flows of the session, as [Session.Remove] does.
func (s *Session) RemoveAll(ctx context.Context) (int, error) {
	return s.removeWhere(ctx, func(context.Context, span) ([]uint32, error) { return nil, nil })
}

// RemoveOthers removes the flows that q does not select, as [Session.Remove] does.
// Each is judged when its turn comes; q's order and limit do not matter.
func (s *Session) RemoveOthers(ctx context.Context, q Query) (int, error) {
	sel, err := s.selection(Query{Filter: q.Filter, MarkedOnly: q.MarkedOnly})
	if err != nil {
		return 0, err
	}
	return s.removeWhere(ctx, func(ctx context.Context, r span) ([]uint32, error) {
		return sel.collect(ctx, s.read, r.condition(true))
	})
}

// removeWhere removes the flows that there are now but for those that stay, which
// is asked for a range of ids at a time and answers in ascending order.
func (s *Session) removeWhere(ctx context.Context, stay func(context.Context, span) ([]uint32, error)) (int, error) {
	if s.readOnly {
		return 0, fmt.Errorf("remove flows: %w", ErrReadOnly)
	}
	all, _, err := extent(ctx, s.read)
	if err != nil {
		return 0, err
	}
	r := removal{session: s}
	for low := uint64(all.low); low <= uint64(all.high); low += moveFlows {
		part := span{uint32(low), uint32(min(low+moveFlows-1, uint64(all.high)))}
		ids, err := rowid.Select(ctx, s.read, "SELECT id FROM flow WHERE id BETWEEN ? AND ? ORDER BY id", int64(part.low), int64(part.high))
		if err != nil {
			return r.n, fmt.Errorf("remove flows: %w", classify(err))
		}
		kept, err := stay(ctx, part)
		if err != nil {
			return r.n, fmt.Errorf("remove flows: %w", err)
		}
		ids = slices.DeleteFunc(ids, func(id uint64) bool {
			_, stays := slices.BinarySearch(kept, uint32(id))
			return stays
		})
		if err := r.take(ctx, ids); err != nil {
			return r.n, fmt.Errorf("remove flows: %w", err)
		}
	}
	return r.n, nil
}

// removal is one act of removing, in as many transactions as it takes.
type removal struct {
	session *Session
	drop    bool  // what is removed does not come back
	at      int64 // set by the first transaction
	n       int   // flows removed so far
}

// take removes some flows.
func (r *removal) take(ctx context.Context, ids []uint64) error {
	if len(ids) == 0 {
		return nil
	}
	var n int64
	err := r.session.update(ctx, func(tx *sql.Tx) (err error) {
		if r.at == 0 && !r.drop {
			if err := tx.QueryRowContext(ctx, nextRemoval, time.Now().UnixNano()).Scan(&r.at); err != nil {
				return err
			}
		}
		n, err = hide(ctx, tx, ids, r.at)
		return err
	})
	if err == nil {
		r.n += int(n)
	}
	return err
}

// hide moves flows from the list of flows to the removed ones.
func hide(ctx context.Context, tx *sql.Tx, ids []uint64, at int64) (n int64, err error) {
	list := rowid.List(ids)
	if _, err := tx.ExecContext(ctx, keepHighest); err != nil {
		return 0, err
	}
	if _, err := tx.ExecContext(ctx, copyToRemoved, at, list); err != nil {
		return 0, err
	}
	if n, err = affected(tx.ExecContext(ctx, deleteFlows, list)); err != nil || n == 0 {
		return n, err
	}
	if _, err := tx.ExecContext(ctx, countRemoved, n); err != nil {
		return 0, err
	}
	return n, logChanges(ctx, tx, ids)
}

// affected is the number of rows that a statement changed.
func affected(r sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// Undo brings the flows of the last removal back, whichever process made it, and
// returns how many there were; 0 if there is nothing to bring back. They have
// their ids, their notes and all that was recorded of them meanwhile. Called again
// it undoes the removal before that.
func (s *Session) Undo(ctx context.Context) (int, error) {
	var at int64
	total := 0
	for {
		var n int
		err := s.update(ctx, func(tx *sql.Tx) (err error) {
			if at == 0 {
				if err := tx.QueryRowContext(ctx, lastRemoval).Scan(&at); err != nil {
					return err
				}
			}
			if at > drop.Never {
				n, err = show(ctx, tx, at)
			}
			return err
		})
		total += n
		if err != nil {
			return total, fmt.Errorf("undo a removal: %w", err)
		}
		if n < moveFlows {
			return total, nil
		}
	}
}

// show moves flows of a removal back, a transaction's worth.
func show(ctx context.Context, tx *sql.Tx, at int64) (int, error) {
	ids, err := rowid.Select(ctx, tx, ofRemoval, at, moveFlows)
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	for _, statement := range []string{copyToFlows, deleteRemoved} {
		if _, err := tx.ExecContext(ctx, statement, rowid.List(ids)); err != nil {
			return 0, err
		}
	}
	if _, err := tx.ExecContext(ctx, countRemoved, -len(ids)); err != nil {
		return 0, err
	}
	return len(ids), logChanges(ctx, tx, ids)
}

// Removed is what a session holds that [Session.Undo] can bring back.
type Removed struct {
	Flows    int
	Removals int // how often Undo can be called
}

// Removed tells what can be undone. It takes one scan of what was removed.
func (s *Session) Removed(ctx context.Context) (r Removed, err error) {
	err = s.read.QueryRowContext(ctx, "SELECT count(*), count(DISTINCT at) FROM removed WHERE at > ?", drop.Never).Scan(&r.Flows, &r.Removals)
	if err != nil {
		return Removed{}, fmt.Errorf("count removed flows: %w", classify(err))
	}
	return r, nil
}
