// Package drop deletes flows for good, with all that they had: heads, bodies, messages, notes.
//
// It deletes rows of the table removed, where a flow that goes has been put before. A
// flow may have more than one transaction should delete, for those who write wait for it:
// each is given an [Allowance], stops when that is spent, and says that there is more. From
// the first deletion on a flow cannot be brought back, and a later call goes on with it.
//
// Bodies that others share stay, unseen, until the last of these goes. Connections and certificates, which flows have in common too, are
// not its business. All of it runs in the caller's transaction and keeps nothing.
package drop

import (
	"context"
	"database/sql"
	"math"
	"slices"

	"weir/store/rowid"
)

// Never is removed.at of flows that do not come back: they were dropped, and what they had
// is being deleted.
const Never = 0

// Removed flows leave holes in the ids. Two rows of the session table keep what
// the flow table no longer tells: how many flows are not in it, and the highest id
// ever given, so that no id is given twice and counting stays constant in time.
const (
	KeyRemoved = "removed"
	KeyHighest = "highest"
)

// maxFlows is how many flows one transaction deletes.
const maxFlows = 512

// Removed deletes some of what was removed up to a time (removed.at), earliest first, and of
// what flows that are long gone had shared with the last of these. It returns how many flows
// are gone entirely; more means that there may be others.
func Removed(ctx context.Context, tx *sql.Tx, upto int64, left Allowance) (flows int, more bool, err error) {
	ids, err := rowid.Select(ctx, tx, "SELECT id FROM removed WHERE at <= ? ORDER BY at, id LIMIT ?", upto, maxFlows)
	if err != nil {
		return 0, false, err
	}
	if flows, more, err = dropFlows(ctx, tx, ids, &left); err != nil {
		return flows, more, err
	}
	whole, err := dropFreed(ctx, tx, 0, math.MaxInt64, &left)
	return flows, more || !whole || len(ids) == maxFlows, err
}

// dropFlows deletes removed flows as far as the allowance goes, and returns how many are
// gone entirely; more means that some are not.
func dropFlows(ctx context.Context, tx *sql.Tx, ids []uint64, left *Allowance) (flows int, more bool, err error) {
	if len(ids) == 0 {
		return 0, false, nil
	}
	slices.Sort(ids)
	s, err := sortFlows(ctx, tx, ids, *left)
	if err != nil {
		return 0, false, err
	}
	if err := s.dropPlain(ctx, tx, left); err != nil {
		return 0, false, err
	}
	flows, more = len(s.plain), s.more
	for _, id := range s.others {
		if left.spent() {
			return flows, true, nil
		}
		gone, err := dropFlow(ctx, tx, id, left)
		if err != nil {
			return flows, true, err
		}
		if !gone {
			return flows, true, nil
		}
		flows++
	}
	return flows, more, nil
}

// Allowance is what a transaction may still delete of bodies and messages, about.
type Allowance struct {
	Bytes int64
	Rows  int
}

// Rows is how many rows one transaction deletes, so that those who write wait some
// milliseconds for it and no longer.
const Rows = 1024

func (a *Allowance) spent() bool { return a.Bytes <= 0 || a.Rows <= 0 }

// dropFlow deletes a removed flow and what it has: all rows of it in the file, but
// for the connections, which other flows share. It stops when the allowance is
// spent; gone is false then, and a later call goes on. From its first deletion on
// the flow cannot be brought back.
func dropFlow(ctx context.Context, tx *sql.Tx, id uint64, left *Allowance) (gone bool, err error) {
	head, err := tx.ExecContext(ctx, "DELETE FROM head WHERE id = ?", int64(id))
	if err != nil {
		return false, err
	}
	first, err := head.RowsAffected()
	if err == nil && first > 0 {
		err = freeBodies(ctx, tx, id)
	}
	if err != nil {
		return false, err
	}
	for _, statement := range []string{"DELETE FROM note WHERE flow = ?", "DELETE FROM origin WHERE flow = ?"} {
		if _, err := tx.ExecContext(ctx, statement, int64(id)); err != nil {
			return false, err
		}
	}
	for _, drop := range []func() (whole bool, err error){
		func() (bool, error) {
			return dropFreed(ctx, tx, rowid.Piece(id, 0, 0), rowid.Piece(id+1, 0, 0)-1, left)
		},
		func() (bool, error) {
			return dropRange(ctx, tx, "message", "length(content)", rowid.Message(id, 0), rowid.Message(id+1, 0)-1, left)
		},
	} {
		whole, err := drop()
		if err != nil {
			return false, err
		}
		if !whole {
			_, err := tx.ExecContext(ctx, "UPDATE removed SET at = ? WHERE id = ?", Never, int64(id))
			return false, err
		}
	}
	_, err = tx.ExecContext(ctx, "DELETE FROM removed WHERE id = ?", int64(id))
	return err == nil, err
}

// dropRange deletes rows of a table, in order, as far as the allowance goes; whole
// means that none is left. size is the SQL for a row's bytes.
func dropRange(ctx context.Context, tx *sql.Tx, table, size string, from, to int64, left *Allowance) (whole bool, err error) {
	last, n, err := reach(ctx, tx, "SELECT id, "+size+" FROM "+table+" WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?", from, to, left)
	if err != nil || n == 0 {
		return err == nil && !left.spent(), err
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE id BETWEEN ? AND ?", from, last); err != nil {
		return false, err
	}
	return !left.spent(), nil
}

// reach walks rows (id, size) until the allowance is spent and returns the last one.
func reach(ctx context.Context, tx *sql.Tx, query string, from, to int64, left *Allowance) (last int64, n int, err error) {
	if left.spent() {
		return 0, 0, nil
	}
	rows, err := tx.QueryContext(ctx, query, from, to, left.Rows)
	if err != nil {
		return 0, 0, err
	}
	defer rows.Close()
	for !left.spent() && rows.Next() {
		var size int64
		if err := rows.Scan(&last, &size); err != nil {
			return 0, 0, err
		}
		left.Bytes -= size
		left.Rows--
		n++
	}
	return last, n, rows.Err()
}
