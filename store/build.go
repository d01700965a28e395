package store

import (
	"context"
	"iter"
	"slices"
	"sync"
	"time"

	"weir/filter"
)

// builder makes the list of a selection, range by range of ids, so that the first
// page is there long before the last.
type builder struct {
	sel    *selection
	tune   tuning
	newest bool   // begin with the newest flows
	tails  *tails // of the texts read so far; nil if that is too much
	// mu guards list against its readers; only the builder changes it.
	mu   sync.Locker
	list *list
	// step is called, with mu held, whenever a range was added; progress is in per cent.
	step func(progress int)
}

// build adds the selected flows of a range of ids to the list, which is empty.
// What the list holds is in order all the while, but for texts that differ late:
// these stand by id until the end.
func (b *builder) build(ctx context.Context, r span) error {
	if err := b.preview(ctx, r); err != nil {
		return err
	}
	c, err := b.sel.coder(ctx, r, b.tune.sample)
	if err != nil {
		return err
	}
	if c != nil {
		b.tails = newTails(b.tune.tails)
	}
	made := &list{keyed: b.sel.keyed(), coder: c}
	if b.sel.all() {
		made.grow(r.len())
	}
	if b.list.len() == 0 {
		b.mu.Lock()
		*b.list = *made
		b.mu.Unlock()
	}
	if err := b.fill(ctx, r, made); err != nil {
		return err
	}
	if c == nil {
		return nil
	}
	return b.refine(ctx, ties(made.keys))
}

// fill adds all the parts of a range. Each is merged into the list while the next
// is being read, so that no processor waits for another.
func (b *builder) fill(ctx context.Context, r span, made *list) error {
	var merging sync.WaitGroup // one goroutine at a time, which ends by itself
	defer merging.Wait()
	done := 0
	for part := range b.parts(r) {
		found, err := b.sel.scan(ctx, part, made.coder, b.tails)
		if err != nil {
			return err
		}
		if b.tails != nil && b.tails.full() {
			b.tails = nil
		}
		done += part.len()
		progress := int(int64(done) * 100 / int64(r.len()))
		merging.Wait()
		merging.Go(func() {
			b.mu.Lock()
			defer b.mu.Unlock()
			made.merge(found[0])
			made.merge(found[1])
			*b.list = *made
			b.step(progress)
		})
	}
	return nil
}

// preview shows the first range of a text order by keys that were quickly made:
// for good ones a sample of the whole session has to be read first.
func (b *builder) preview(ctx context.Context, r span) error {
	if !b.sel.order.isText() || r.len() <= b.tune.first || !b.sel.plan.Exact {
		return nil
	}
	for part := range b.parts(r) {
		c, err := b.sel.coder(ctx, part, b.tune.first/16+1)
		if err != nil {
			return err
		}
		found, err := b.sel.scan(ctx, part, c, nil)
		if err != nil {
			return err
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		*b.list = list{keyed: true, coder: c}
		b.list.merge(found[0])
		b.list.merge(found[1])
		b.step(0)
		break
	}
	return nil
}

// Sizes of the ranges of a build. Each is twice the one before, so that all the
// merging together moves a list only twice; the last size bounds the memory and,
// where flows have to be read, how long nothing new is seen.
const (
	firstRange      = 8 << 10
	lastRange       = 256 << 10
	firstHeadsRange = 256
	lastHeadsRange  = 8 << 10
	bodiesRange     = 256
)

// parts cuts a range into the parts of a build.
func (b *builder) parts(r span) iter.Seq[span] {
	size, last := b.tune.first, lastRange
	switch {
	case b.sel.plan.Exact:
	case b.sel.plan.Needs == filter.NeedBody:
		size, last = bodiesRange, bodiesRange
	default:
		size, last = firstHeadsRange, lastHeadsRange
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
			if !yield(part) {
				return
			}
		}
	}
}

// maxGrow bounds the room made ahead, for ids say little of a strange file.
const maxGrow = 8 << 20

// grow makes room for n more entries.
func (l *list) grow(n int) {
	n = min(n, maxGrow)
	l.ids = slices.Grow(l.ids, n)
	if l.keyed {
		l.keys = slices.Grow(l.keys, n)
	}
}

// build fills the view's list, in sight of its readers the first time; aside, and
// all at once when it is done, if it is done again.
func (v *View) build(ctx context.Context) (since uint64, err error) {
	if since, err = v.session.Revision(ctx); err != nil {
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
	if v.sel.all() && !v.sel.keyed() && total == r.len() {
		// Opening a session is this: no flow is read, however many there are.
		v.settle(list{dense: true, first: r.low, n: r.len()}, since)
		return since, nil
	}
	b := builder{sel: v.sel, tune: v.tune, newest: v.query.Reverse || v.sel.keyed(), mu: &v.mu, list: &v.list, step: v.step}
	if !first {
		b.list, b.step = new(list), func(int) {}
	}
	if err := b.build(ctx, r); err != nil {
		return 0, err
	}
	v.settle(*b.list, since)
	return since, nil
}

// step publishes what a build has added, now and then. v.mu is held.
func (v *View) step(progress int) {
	v.status.Progress = progress
	if now := time.Now(); now.Sub(v.stepped) >= v.tune.pace {
		v.stepped = now
		v.bump()
	}
}

// settle publishes a whole list.
func (v *View) settle(made list, since uint64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.list, v.built = made, made.len()
	v.status.Building, v.status.Progress, v.status.Revision = false, 100, since
	v.bump()
}
