package store

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"time"
)

// What one transaction deletes at most, so that the writer gets its turn: flows, and
// about so many bytes of their bodies and messages, or rows of these.
const (
	dropFlows = 512
	dropBytes = 4 << 20
	dropRows  = 1024

	laterThanAll = math.MaxInt64 // any removed.at
)

// Drop deletes flows with all they had: bodies, messages, notes. They do not come
// back. It returns how many there were; ids that are not there are passed over.
// From the first transaction on they are in no list; deleting the rest takes a
// few more, and is gone on with by the next Drop or Purge if this one fails.
func (s *Session) Drop(ctx context.Context, ids []uint64) (int, error) {
	r := removal{session: s, drop: true}
	for some := range slices.Chunk(slices.Compact(slices.Sorted(slices.Values(ids))), moveFlows) {
		if err := r.take(ctx, some); err != nil {
			return r.n, fmt.Errorf("drop %d flows: %w", len(ids), err)
		}
	}
	if r.n == 0 {
		return 0, nil
	}
	_, err := s.purge(ctx, atDropped)
	return r.n, err
}

// Purge deletes for good all flows that were removed, so that [Session.Undo] finds
// nothing more, and returns how many there were. It takes many short transactions
// and rests between them, so that it can run beside a capture; if it fails, those that
// it counted are gone. Space in the file becomes free, the file itself no smaller.
func (s *Session) Purge(ctx context.Context) (int, error) { return s.purge(ctx, laterThanAll) }

// purge deletes what was removed up to a time.
func (s *Session) purge(ctx context.Context, upto int64) (flows int, err error) {
	for {
		begun := time.Now()
		n, more, err := s.purgeSome(ctx, upto)
		flows += n
		if err != nil {
			return flows, fmt.Errorf("drop removed flows: %w", err)
		}
		if !more {
			return flows, nil
		}
		if err := rest(ctx, time.Since(begun)); err != nil {
			return flows, err
		}
	}
}

// purgeSome deletes, in one transaction, some of what was removed up to a time, and
// returns how many flows are gone entirely. more means that there may be others.
func (s *Session) purgeSome(ctx context.Context, upto int64) (flows int, more bool, err error) {
	err = s.update(ctx, func(tx *sql.Tx) error {
		ids, err := queryIDs(ctx, tx, "SELECT id FROM removed WHERE at <= ? ORDER BY at, id LIMIT ?", upto, dropFlows)
		if err != nil {
			return err
		}
		left := allowance{bytes: dropBytes, rows: dropRows}
		if flows, more, err = dropAll(ctx, tx, ids, &left); err != nil {
			return err
		}
		// What flows that are long gone had shared with the last of these.
		whole, err := dropFreed(ctx, tx, 0, math.MaxInt64, &left)
		more = more || !whole || len(ids) == dropFlows
		return err
	})
	return flows, more, err
}

// dropAll deletes removed flows as far as the allowance goes, and returns how many are
// gone entirely; more means that some are not.
func dropAll(ctx context.Context, tx *sql.Tx, ids []uint64, left *allowance) (flows int, more bool, err error) {
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

// allowance is what a transaction may still delete.
type allowance struct {
	bytes int64
	rows  int
}

func (a *allowance) spent() bool { return a.bytes <= 0 || a.rows <= 0 }

// dropFlow deletes a removed flow and what it has: all rows of it in the file, but
// for the connections, which other flows share. It stops when the allowance is
// spent; gone is false then, and a later call goes on. From its first deletion on
// the flow cannot be brought back.
func dropFlow(ctx context.Context, tx *sql.Tx, id uint64, left *allowance) (gone bool, err error) {
	first, err := affected(tx.ExecContext(ctx, "DELETE FROM head WHERE id = ?", int64(id)))
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
			return dropFreed(ctx, tx, bodyKey(id, 0, 0), bodyKey(id+1, 0, 0)-1, left)
		},
		func() (bool, error) {
			return dropRange(ctx, tx, "message", "length(content)", messageKey(id, 0), messageKey(id+1, 0)-1, left)
		},
	} {
		whole, err := drop()
		if err != nil {
			return false, err
		}
		if !whole {
			_, err := tx.ExecContext(ctx, "UPDATE removed SET at = ? WHERE id = ?", atDropped, int64(id))
			return false, err
		}
	}
	_, err = tx.ExecContext(ctx, "DELETE FROM removed WHERE id = ?", int64(id))
	return err == nil, err
}

// dropRange deletes rows of a table, in order, as far as the allowance goes; whole
// means that none is left. size is the SQL for a row's bytes.
func dropRange(ctx context.Context, tx *sql.Tx, table, size string, from, to int64, left *allowance) (whole bool, err error) {
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
func reach(ctx context.Context, tx *sql.Tx, query string, from, to int64, left *allowance) (last int64, n int, err error) {
	if left.spent() {
		return 0, 0, nil
	}
	rows, err := tx.QueryContext(ctx, query, from, to, left.rows)
	if err != nil {
		return 0, 0, err
	}
	defer rows.Close()
	for !left.spent() && rows.Next() {
		var size int64
		if err := rows.Scan(&last, &size); err != nil {
			return 0, 0, err
		}
		left.bytes -= size
		left.rows--
		n++
	}
	return last, n, rows.Err()
}
