package store

import (
	"context"
	"slices"

	"weir/store/drop"
	"weir/store/rowid"
)

// absentFlows finds those of some flows that are not in the list of flows, and
// when they were removed; 0 where they were dropped. In a session of which nothing
// was ever removed it looks at none of them.
const absentFlows = `SELECT j.value, coalesce((SELECT at FROM removed WHERE id = j.value), 0)
	FROM json_each(?) j
	WHERE (SELECT value FROM session WHERE key = '` + drop.KeyRemoved + `') > 0
		AND NOT EXISTS (SELECT 1 FROM flow WHERE id = j.value)`

// present returns what of b is to be written: all but what belongs to flows that
// were dropped, with the removed ones named. b itself stays as it is, for if this
// transaction fails it is written again, and by then flows may be back.
func (t *tape) present(ctx context.Context, b *batch) (*batch, error) {
	gone, removed, err := t.findAbsent(ctx, b)
	if err != nil || len(gone)+len(removed) == 0 {
		return b, err
	}
	left := *b
	left.removed = removed
	left.flows = slices.DeleteFunc(slices.Clone(b.flows), func(e *flowEntry) bool { return gone[e.summary.ID] })
	left.bodies = slices.DeleteFunc(slices.Clone(b.bodies), func(a addition) bool { return gone[a.flow] })
	left.messages = slices.DeleteFunc(slices.Clone(b.messages), func(m *messageEntry) bool { return gone[m.flow] })
	return &left, nil
}

// findAbsent returns those flows of a batch that were dropped, and those that were
// removed with the time.
func (t *tape) findAbsent(ctx context.Context, b *batch) (gone map[uint64]bool, removed map[uint64]int64, err error) {
	old := b.old()
	if len(old) == 0 {
		return nil, nil, nil
	}
	rows, err := t.absent.QueryContext(ctx, rowid.List(old))
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	gone, removed = map[uint64]bool{}, map[uint64]int64{}
	for rows.Next() {
		var id uint64
		var at int64
		if err := rows.Scan(&id, &at); err != nil {
			return nil, nil, err
		}
		if at == drop.Never {
			gone[id] = true
		} else {
			removed[id] = at
		}
	}
	return gone, removed, rows.Err()
}

// old returns the flows of the batch that were recorded before it.
func (b *batch) old() []uint64 {
	fresh := map[uint64]bool{}
	for _, e := range b.flows {
		if e.fresh {
			fresh[e.summary.ID] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(b.touched), func(id uint64) bool { return fresh[id] })
}
