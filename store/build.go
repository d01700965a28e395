package store

import (
	"context"
	"iter"
	"time"

	"weir/filter"
	"weir/store/extsort"
	"weir/store/idlist"
)

// builder makes the list of a selection, range by range of ids, and shows what
// there is of it long before it is whole.
type builder struct {
	sel    *selection
	tune   tuning
	newest bool // begin with the newest flows
	// base is the flows that the selection is known to have, nil if they are to be found.
	base *idlist.List
	// show is given what there is so far, and how much of the work is done in per cent.
	show func(l idlist.List, progress int)
}

// build returns the selected flows of a range of ids.
func (b *builder) build(ctx context.Context, r span) (idlist.List, error) {
	if b.sel.keyed() {
		return b.sort(ctx, r)
	}
	if b.base != nil {
		return idlist.SetOfAll(b.base.All()).List(), nil
	}
	var list idlist.List
	err := b.find(ctx, r, func(found []uint32, progress int) error {
		if b.newest {
			list = idlist.Concat(idlist.Of(found...), list)
		} else {
			list = idlist.Concat(list, idlist.Of(found...))
		}
		b.show(list, progress)
		return nil
	})
	return list, err
}

// find calls part with the selected flows of one part of a range after the other.
func (b *builder) find(ctx context.Context, r span, part func(ids []uint32, progress int) error) error {
	done := 0
	for next := range b.parts(r) {
		found, err := b.sel.scan(ctx, next)
		if err != nil {
			return err
		}
		done += next.len()
		if err := part(found, percent(done, r.len())); err != nil {
			return err
		}
	}
	return nil
}

func percent(done, whole int) int { return int(int64(done) * 100 / int64(max(whole, 1))) }

// Sizes of the parts of a range: each is twice the one before; the last size bounds
// how long nothing new is seen.
const (
	firstPart      = 2 << 10
	lastPart       = 1 << 20
	firstHeadsPart = 256
	lastHeadsPart  = 8 << 10

	// Where bodies are read, a part is as large as what is read in such a time.
	firstBodiesPart = 64
	leastBodiesPart = 64
	lastBodiesPart  = 16 << 10
	bodiesPace      = 100 * time.Millisecond
)

// parts cuts a range into the parts of a build.
func (b *builder) parts(r span) iter.Seq[span] {
	size, last := b.tune.first, lastPart
	bodies := !b.sel.plan.Exact && b.sel.plan.Needs == filter.NeedBody
	switch {
	case b.sel.plan.Exact:
	case bodies:
		size, last = firstBodiesPart, lastBodiesPart
	default:
		size, last = firstHeadsPart, lastHeadsPart
	}
	return func(yield func(span) bool) {
		for left := r; left.len() > 0; size = min(2*size, last) {
			part := left
			switch {
			case left.len() <= size:
				yield(part)
				return
			case b.newest:
				part.low = left.high - uint32(size) + 1
				left.high = part.low - 1
			default:
				part.high = left.low + uint32(size) - 1
				left.low = part.high + 1
			}
			begun := time.Now()
			if !yield(part) {
				return
			}
			if bodies && time.Since(begun) > bodiesPace {
				size = max(size/4, leastBodiesPart/2) // which is doubled
			}
		}
	}
}

// tuning is what tests turn to see with few flows what happens with many.
type tuning struct {
	pace  time.Duration   // at least, between two refreshes
	first int             // flows in the first part of a build that SQL decides alone
	moves int             // flows that a refresh moves at most, about: see maxMoves
	ranks int64           // of a small table at most
	sort  extsort.Options // Expect is how many flows count as one, 0: as one
}

func usual() tuning {
	return tuning{pace: maxRefresh, first: firstPart, moves: maxMoves, ranks: maxRanks}
}

// build fills the view's list, in sight of its readers the first time; aside, and
// all at once when it is done, if it is done again.
func (v *View) build(ctx context.Context) (since uint64, err error) {
	base := v.base
	v.base = nil // what it tells is true of its revision only
	if base != nil {
		since = base.revision
	} else if since, err = v.session.Revision(ctx); err != nil {
		return 0, err
	}
	r, total, err := extent(ctx, v.session.read)
	if err != nil {
		return 0, err
	}
	v.mu.Lock()
	v.status.Total = total
	first := v.status.Building
	v.mu.Unlock()
	b := builder{sel: v.sel, tune: v.tune, newest: v.query.Reverse || v.sel.keyed(), show: v.show}
	switch {
	case base != nil && base.order == v.sel.order:
		v.settle(base.list, since)
		return since, nil
	case base != nil:
		b.base = &base.list
	case v.sel.all() && !v.sel.keyed() && total == r.len():
		// Opening a session is this: no flow is read, however many there are.
		v.settle(idlist.Run(r.low, r.len()), since)
		return since, nil
	}
	if !first {
		b.show = func(idlist.List, int) {}
	}
	list, err := b.build(ctx, r)
	if err != nil {
		return 0, err
	}
	v.settle(list, since)
	return since, nil
}

// show publishes what a build has found, now and then.
func (v *View) show(l idlist.List, progress int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.list, v.status.Progress = l, min(progress, 99)
	if now := time.Now(); now.Sub(v.stepped) >= v.tune.pace {
		v.stepped = now
		v.bump()
	}
}

// settle publishes a whole list.
func (v *View) settle(l idlist.List, since uint64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.list = l
	v.status.Building, v.status.Progress, v.status.Revision = false, 100, since
	v.bump()
}
