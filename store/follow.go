package store

import (
	"cmp"
	"context"
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"
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
	return v.list.coder != nil && v.list.len() > 2*v.built+refreshFlows
}

// apply brings the entries of flows that changed up to a revision up to date. All
// of them leave and enter in one pass; readers see the list before or after it.
func (v *View) apply(ctx context.Context, changed []uint32, upto uint64) error {
	found, err := v.sel.collect(ctx, v.session.read, idsCondition(changed, true), v.list.coder)
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
		_, there := l.search(key, id)
		if exact := l.coder == nil || whole(key); there && exact {
			gone.remove(id) // it stays where it is
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

// places says where the entries of a portion belong: where their key and id say,
// or before their anchor.
func (l *list) places(p portion, anchors map[uint32]uint32) []int {
	at := make([]int, len(p.ids))
	for i, id := range p.ids {
		anchor, anchored := anchors[id]
		if !anchored {
			key := uint64(0)
			if l.keyed {
				key = p.keys[i]
			}
			at[i], _ = l.search(key, id)
			continue
		}
		from, to := l.run(p.keys[i])
		at[i] = to
		if before := slices.Index(l.ids[from:to], anchor); before >= 0 {
			at[i] = from + before
		}
	}
	return at
}

// anchors finds, for those entries that their keys do not tell from others, the
// flow each is to stand before, 0 for the end of the run. It brings such entries
// in the order of their texts. Flows in gone do not count: they are about to leave.
//
// It compares with texts as they are now, but the list is as of a revision. So it
// looks at the log afterwards: flows that changed since do not count either.
func (v *View) anchors(ctx context.Context, p portion, gone *idSet, upto uint64) (map[uint32]uint32, error) {
	ties := v.list.tiesWith(p)
	if len(ties) == 0 {
		return nil, nil
	}
	read := textReader{sel: v.sel, known: make(map[uint32]string)}
	skip := newIDSet(nil)
	for {
		anchors := make(map[uint32]uint32)
		for _, t := range ties {
			low, high := v.list.run(p.keys[t.from])
			run := slices.DeleteFunc(slices.Clone(v.list.ids[low:high]), func(id uint32) bool {
				return gone.has(id) || skip.has(id)
			})
			if err := read.place(ctx, run, p.ids[t.from:t.to], anchors); err != nil {
				return nil, err
			}
		}
		stale, _, _, err := v.session.Changes(ctx, upto)
		if err != nil {
			return nil, err
		}
		before := skip.n
		for _, id := range stale {
			if _, used := read.known[uint32(id)]; used && !skip.has(uint32(id)) {
				skip.add(uint32(id))
			}
		}
		if skip.n == before {
			return anchors, nil
		}
	}
}

// tiesWith returns the runs of a portion whose keys do not tell its texts from each
// other, or from those in the list.
func (l *list) tiesWith(p portion) []tie {
	if l.coder == nil {
		return nil
	}
	var found []tie
	for from := 0; from < len(p.keys); {
		to := from + 1
		for to < len(p.keys) && p.keys[to] == p.keys[from] {
			to++
		}
		if low, high := l.run(p.keys[from]); !whole(p.keys[from]) && (high > low || to-from > 1) {
			found = append(found, tie{from, to})
		}
		from = to
	}
	return found
}

// textReader reads texts of flows, each once.
type textReader struct {
	sel   *selection
	known map[uint32]string
}

// place sorts flows by their texts and says before which flow of a run, which is
// sorted likewise, each belongs.
func (r *textReader) place(ctx context.Context, run, ids []uint32, anchors map[uint32]uint32) error {
	if err := r.need(ctx, ids); err != nil {
		return err
	}
	slices.SortFunc(ids, r.compare)
	for _, id := range ids {
		at, err := r.search(ctx, run, id)
		if err != nil {
			return err
		}
		anchors[id] = 0
		if at < len(run) {
			anchors[id] = run[at]
		}
	}
	return nil
}

// need reads those texts that are not known yet.
func (r *textReader) need(ctx context.Context, ids []uint32) error {
	var missing []uint32
	for _, id := range ids {
		if _, ok := r.known[id]; !ok {
			missing = append(missing, id)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return r.sel.each(ctx, r.sel.session.read, idsCondition(missing, false), orders[r.sel.order].columns, func(row []driver.Value) error {
		id, err := flowID(row[0])
		r.known[id] = strings.Clone(r.sel.order.text(row[1:]))
		return err
	})
}

func (r *textReader) compare(a, b uint32) int {
	return cmp.Or(strings.Compare(r.known[a], r.known[b]), cmp.Compare(a, b))
}

// pivots is how many texts one step of a search reads.
const pivots = 64

// search returns where the flow id, whose text is known, belongs in a run of
// flows that is sorted by text and id. It reads few of the run's texts.
func (r *textReader) search(ctx context.Context, run []uint32, id uint32) (int, error) {
	low, high := 0, len(run)
	for high > low {
		stride := (high - low + pivots - 1) / pivots
		var asked []uint32
		for i := low; i < high; i += stride {
			asked = append(asked, run[i])
		}
		if err := r.need(ctx, asked); err != nil {
			return 0, err
		}
		at, _ := slices.BinarySearchFunc(asked, id, r.compare)
		if at == 0 {
			return low, nil // before the very first
		}
		low, high = low+(at-1)*stride+1, min(high, low+at*stride)
	}
	return low, nil
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
