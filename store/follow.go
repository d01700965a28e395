package store

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// run builds the view and keeps it up to date until ctx ends.
//
//	build ──► follow ──► refresh ──┐
//	  ▲          ▲                 │
//	  │          └─────────────────┤ more changes
//	  └────────────────────────────┘ the log was trimmed, or the keys have grown coarse
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

// refreshFlows is how many changed flows are looked at together.
const refreshFlows = 8 << 10

// refresh applies the changes since a revision.
func (v *View) refresh(ctx context.Context, since uint64) (upto uint64, again bool, err error) {
	changed, upto, truncated, err := v.session.Changes(ctx, since)
	if err != nil || truncated {
		return 0, true, err
	}
	ids, err := listIDs(changed)
	if err != nil {
		return 0, false, err
	}
	for some := range slices.Chunk(ids, refreshFlows) {
		if err := v.apply(ctx, some, upto); err != nil {
			return 0, false, err
		}
	}
	total, err := v.session.Count(ctx)
	if err != nil {
		return 0, false, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.status.Total, v.status.Revision = int(total), upto
	v.bump()
	return upto, v.coarse(), nil
}

// coarse reports whether so many texts came since the keys were made that these
// say too little of them.
func (v *View) coarse() bool {
	return v.list.coder != nil && v.list.len() > 2*v.built+v.tune.slack
}

// apply brings the entries of flows that changed up to a revision up to date. All
// of them leave and enter in one pass; readers see the list before or after it.
func (v *View) apply(ctx context.Context, changed []uint32, upto uint64) error {
	found, err := v.sel.collect(ctx, idsCondition(changed, true), v.list.coder, nil)
	if err != nil {
		return err
	}
	gone, moved := v.list.difference(changed, found)
	anchors, err := v.anchors(ctx, moved, gone, upto)
	if err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.list.extend(moved, gone) {
		v.list.remove(gone)
		v.list.insert(moved, v.list.places(moved, anchors))
	}
	return nil
}

// difference says what has to leave the list and what to enter it, when of the
// changed flows these were found and no others.
func (l *list) difference(changed []uint32, found portion) (gone *idSet, moved portion) {
	gone = newIDSet(changed)
	for i, id := range found.ids {
		key := uint64(0)
		if l.keyed {
			key = found.keys[i]
		}
		if _, stays := l.search(key, id); stays && (!l.keyed || l.exact(key)) {
			gone.remove(id)
			continue
		}
		moved.ids = append(moved.ids, id)
		if l.keyed {
			moved.keys = append(moved.keys, key)
		}
	}
	if !l.keyed {
		for _, id := range changed {
			if _, there := l.search(0, id); !there {
				gone.remove(id)
			}
		}
	}
	return gone, moved
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
