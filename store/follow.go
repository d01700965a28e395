package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"weir/store/idlist"
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

// maxMoves is how many flows a sorted view moves in one refresh. To find their
// places takes some hundred milliseconds; if more changed it is built again.
const maxMoves = 16 << 10

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
	if err != nil || truncated || v.sel.keyed() && len(changed) > v.tune.moves {
		return 0, true, err
	}
	ids, err := listIDs(changed)
	if err != nil {
		return 0, false, err
	}
	list := v.list.Without(idlist.SetOf(ids...))
	entries, at, err := v.sel.moves(ctx, tx, list, ids)
	if err != nil {
		return 0, false, err
	}
	total, err := count(ctx, tx)
	if err != nil {
		return 0, false, err
	}
	_ = tx.Rollback() // what follows may read much, and wants a connection
	moved, at, err := v.judge(ctx, entries, at)
	if err != nil {
		return 0, false, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.list = list.Insert(moved, at)
	v.status.Total, v.status.Revision = int(total), upto
	v.bump()
	return upto, false, nil
}

// judge leaves those entries out that do not pass what of the filter SQL cannot
// decide. It sees them as they are now: one that changed meanwhile is judged again.
func (v *View) judge(ctx context.Context, entries []keyed, at []int) (ids []uint32, places []int, err error) {
	ids = idsOf(entries)
	if v.sel.plan.Exact {
		return ids, at, nil
	}
	passed, err := v.sel.residual(ctx, slices.Sorted(slices.Values(ids)))
	if err != nil {
		return nil, nil, err
	}
	pass := idlist.SetOf(passed...)
	kept := ids[:0]
	for i, id := range ids {
		if pass.Has(id) {
			kept = append(kept, id)
			places = append(places, at[i])
		}
	}
	return kept, places, nil
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
