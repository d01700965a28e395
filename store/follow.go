package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"weir/store/idlist"
	"weir/store/rowid"
)

// run builds the view and keeps it up to date until ctx ends.
//
//	build ──► follow ──► refresh ──┐
//	  ▲          ▲                 │
//	  │          └─────────────────┤ more changes
//	  └────────────────────────────┘ the log was trimmed, or too much changed
//
// A build reads while the session is being written, and so may miss changes made
// meanwhile: it notes the revision before it begins, and following starts there.
func (v *View) run(ctx context.Context) error {
	for {
		since, err := v.build(ctx)
		if err != nil {
			return err
		}
		if err := v.follow(ctx, since); err != nil {
			return err
		}
	}
}

// follow refreshes the view whenever the session has changed. It returns nil when
// the view has to be built again.
func (v *View) follow(ctx context.Context, since uint64) error {
	for {
		if _, err := v.session.Wait(ctx, since); err != nil {
			return err
		}
		begun := time.Now()
		next, again, err := v.refresh(ctx, since)
		if err != nil || again {
			return err
		}
		since = next
		if err := rest(ctx, v.tune.pace-time.Since(begun)); err != nil {
			return err
		}
	}
}

// rest waits, unless ctx ends first.
func rest(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// How many flows a sorted view moves one by one: so many at a time, and before that
// is dearer than building it again, one of so many in the list if that is more.
const (
	maxMoves   = 16 << 10
	movesShare = 128
)

// refresh applies the changes since a revision: all the flows that changed leave
// the list, and those that are still selected enter it where they now belong.
//
// It compares with keys as they are in one snapshot of the session, of which it knows
// all the changes. So the flows that stay are in order there, and readers see the list
// before or after the refresh.
func (v *View) refresh(ctx context.Context, since uint64) (upto uint64, again bool, err error) {
	tx, err := v.session.read.BeginTx(ctx, nil)
	if err != nil {
		return 0, false, fmt.Errorf("follow changes: %w", classify(err))
	}
	defer tx.Rollback() // it only reads
	changed, upto, truncated, err := changes(ctx, tx, since)
	if err != nil || truncated || v.sel.keyed() && len(changed) > max(v.tune.moves, v.list.Len()/movesShare) {
		return 0, true, err
	}
	ids, err := listIDs(changed)
	if err != nil {
		return 0, false, err
	}
	list, entered, err := v.move(ctx, tx, ids)
	if err != nil {
		return 0, false, err
	}
	total, err := count(ctx, tx)
	if err != nil {
		return 0, false, err
	}
	_ = tx.Rollback() // what follows may read much, and wants a connection
	if list, err = v.judge(ctx, list, entered); err != nil {
		return 0, false, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.list = list
	v.status.Total, v.status.Revision = int(total), upto
	v.bump()
	return upto, false, nil
}

// move returns the list with flows taken out that changed, and put back where they
// belong if SQL selects them. Those are entered.
func (v *View) move(ctx context.Context, db rowid.Querier, changed []uint32) (list idlist.List, entered []uint32, err error) {
	list = v.list.Without(idlist.SetOf(changed...))
	for some := range slices.Chunk(changed, maxMoves) {
		entries, err := v.sel.keysOf(ctx, db, idsCondition(some, true))
		if err != nil {
			return list, nil, err
		}
		slices.SortFunc(entries, keyed.compare)
		at, err := v.sel.places(ctx, db, list, entries)
		if err != nil {
			return list, nil, err
		}
		ids := idsOf(entries)
		list = list.Insert(ids, at)
		entered = append(entered, ids...)
	}
	return list, entered, nil
}

// judge returns the list without those that entered and do not pass what of the
// filter SQL cannot decide. It sees them as they are now: one that changed meanwhile
// is judged again.
func (v *View) judge(ctx context.Context, list idlist.List, entered []uint32) (idlist.List, error) {
	if v.sel.plan.Exact || len(entered) == 0 {
		return list, nil
	}
	slices.Sort(entered)
	passed, err := v.sel.residual(ctx, entered)
	if err != nil {
		return list, err
	}
	failed := idlist.SetOf(entered...)
	for _, id := range passed {
		failed.Remove(id)
	}
	return list.Without(failed), nil
}

// listIDs are ids as lists hold them.
func listIDs(ids []uint64) ([]uint32, error) {
	out := make([]uint32, len(ids))
	for i, id := range ids {
		if id < 1 || id > maxID {
			return nil, fmt.Errorf("flow id %d: %w", id, ErrLimit)
		}
		out[i] = uint32(id)
	}
	return out, nil
}
