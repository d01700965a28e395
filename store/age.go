package store

import (
	"context"
	"database/sql"
	"maps"
	"slices"

	"weir/store/rowid"
)

// ages finds the flows of a table that began before some time, without a scan of the
// table. Ids are in the order in which flows arrived, which is not that of time where
// some were imported or come from several sources; so it knows of each block of ids when
// the earliest flow in it began, and learns from the change log which blocks to look at
// again. It scans the table once, when it is first asked, and takes 8 bytes a block.
// It is used by one goroutine.
type ages struct {
	s        *Session
	rows     string          // the table, and which of its rows are looked at: "flow f WHERE …"
	earliest map[int64]int64 // started of flows, by block; nil: not read yet
	upto     uint64          // revision that earliest is of, or of a later one
}

// blockBits of an id number the flow within its block.
const blockBits = 12

// before returns up to n flows that began before limit (ns), the first to arrive first.
func (a *ages) before(ctx context.Context, limit int64, n int) (ids []uint64, err error) {
	if err := a.refresh(ctx); err != nil {
		return nil, err
	}
	for _, block := range slices.Sorted(maps.Keys(a.earliest)) {
		if a.earliest[block] >= limit {
			continue
		}
		query := "SELECT id FROM " + a.rows + " AND id BETWEEN ? AND ? AND started < ? ORDER BY id LIMIT ?"
		first, last := blockOf(block)
		found, err := rowid.Select(ctx, a.s.read, query, first, last, limit, n-len(ids))
		if err == nil && len(found) == 0 {
			err = a.look(ctx, a.earliest, block) // what it had has gone without a word in the log
		}
		if err != nil {
			return nil, err
		}
		if ids = append(ids, found...); len(ids) == n {
			break
		}
	}
	return ids, nil
}

func blockOf(block int64) (first, last int64) {
	return block << blockBits, (block+1)<<blockBits - 1
}

// refresh brings the blocks up to date.
func (a *ages) refresh(ctx context.Context) error {
	if a.earliest == nil {
		return a.read(ctx)
	}
	changed, upto, truncated, err := a.s.Changes(ctx, a.upto)
	if err != nil {
		return err
	}
	if truncated {
		return a.read(ctx)
	}
	last := int64(-1)
	for _, id := range changed { // ascending
		if block := int64(id >> blockBits); block != last && id <= maxID {
			last = block
			if err := a.look(ctx, a.earliest, block); err != nil {
				return err
			}
		}
	}
	a.upto = upto
	return nil
}

// read looks at all blocks that have flows, each in a snapshot of its own.
func (a *ages) read(ctx context.Context) error {
	upto, err := a.s.Revision(ctx)
	if err != nil {
		return err
	}
	earliest := map[int64]int64{}
	for at := int64(0); ; {
		var id sql.NullInt64
		err := a.s.read.QueryRowContext(ctx, "SELECT min(id) FROM "+a.rows+" AND id BETWEEN ? AND ?", at, int64(maxID)).Scan(&id)
		if err != nil {
			return classify(err)
		}
		if !id.Valid {
			break
		}
		block := id.Int64 >> blockBits
		if err := a.look(ctx, earliest, block); err != nil {
			return err
		}
		_, last := blockOf(block)
		at = last + 1
	}
	a.earliest, a.upto = earliest, upto
	return nil
}

// look reads when the earliest flow of a block began.
func (a *ages) look(ctx context.Context, earliest map[int64]int64, block int64) error {
	var started sql.NullInt64
	first, last := blockOf(block)
	err := a.s.read.QueryRowContext(ctx, "SELECT min(started) FROM "+a.rows+" AND id BETWEEN ? AND ?", first, last).Scan(&started)
	if err != nil {
		return classify(err)
	}
	if started.Valid {
		earliest[block] = started.Int64
	} else {
		delete(earliest, block)
	}
	return nil
}
