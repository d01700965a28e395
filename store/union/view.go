package union

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	flowpb "weir/proto"
	"weir/store"
)

// View is the flows of all sessions that a query selects, in its order: what
// [store.View] is of one session. It is safe for concurrent use.
type View struct {
	set     *Set
	reverse bool
	limit   int
	tune    tuning
	// grow adds a session; the set's lock is held.
	grow func(*store.Session) error

	cancel context.CancelFunc
	tasks  sync.WaitGroup
	dirty  chan struct{} // a part has changed

	refreshing sync.Mutex // one at a time, so that the last one knows best

	mu      sync.Mutex
	parts   []*store.View // in the order of the set's sessions
	broken  map[int]error // those of which nothing can be read any more
	frozen  *frozen
	status  store.Status
	changed chan struct{} // closed at the next version
	ended   bool
}

// tuning is what tests turn to see with few flows what happens with many.
type tuning struct {
	pace time.Duration // how long a view that changed is left alone at least
	fan  int           // see frozen
}

func usual() tuning { return tuning{pace: time.Second / 12, fan: usualFan} }

// View starts to build the flows that q selects and returns at once. Flows in the
// order of their arrival are those in the order of their beginnings. The caller closes it.
func (s *Set) View(ctx context.Context, q store.Query) (*View, error) { return s.view(ctx, q, usual()) }

func (s *Set) view(ctx context.Context, q store.Query, tune tuning) (*View, error) {
	v := &View{
		set: s, reverse: q.Reverse, limit: q.Limit, tune: tune,
		dirty: make(chan struct{}, 1), changed: make(chan struct{}), broken: map[int]error{},
	}
	part := store.Query{Filter: q.Filter, Order: q.Order, MarkedOnly: q.MarkedOnly}
	if part.Order == store.OrderID {
		part.Order = store.OrderStarted
	}
	ctx, v.cancel = context.WithCancel(ctx)
	v.grow = func(one *store.Session) error { return v.watch(ctx, one, part) }
	s.growing.Lock()
	defer s.growing.Unlock()
	for _, one := range s.Sessions() {
		if err := v.grow(one); err != nil {
			v.cancel()
			v.tasks.Wait()
			return nil, errors.Join(err, v.closeParts())
		}
	}
	s.views[v] = struct{}{}
	v.refresh()
	// Ended by Close, which waits for it, or by the end of ctx.
	v.tasks.Go(func() { v.run(ctx) })
	return v, nil
}

// Close ends the view. It can still be read, as it then stands.
func (v *View) Close() error {
	v.stop()
	return v.closeParts()
}

// stop leaves the view as it stands: nothing changes it any more.
func (v *View) stop() {
	v.set.growing.Lock()
	delete(v.set.views, v)
	v.set.growing.Unlock() // from here on it does not grow
	v.cancel()
	v.tasks.Wait()
}

func (v *View) closeParts() error {
	var err error
	for _, p := range v.parts {
		err = errors.Join(err, p.Close())
	}
	return err
}

// watch makes a view of one session, and says when that changes.
func (v *View) watch(ctx context.Context, one *store.Session, part store.Query) error {
	p, err := one.View(ctx, part)
	if err != nil {
		return fmt.Errorf("session %q: %w", one.Name(), err)
	}
	v.mu.Lock()
	v.parts = append(v.parts, p)
	v.mu.Unlock()
	// Ended by Close, which waits for it, or by the end of ctx or of the part.
	v.tasks.Go(func() { v.await(ctx, p) })
	return nil
}

// await says when a part changes.
func (v *View) await(ctx context.Context, p *store.View) {
	var seen uint64
	for {
		status, err := p.Wait(ctx, seen)
		if err != nil {
			return
		}
		seen = status.Version
		select {
		case v.dirty <- struct{}{}:
		default: // it is known that something has
		}
	}
}

// run makes a version of what has changed, not too often.
func (v *View) run(ctx context.Context) {
	defer v.end()
	rest := time.NewTimer(0)
	defer rest.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-rest.C:
		}
		select {
		case <-ctx.Done():
			return
		case <-v.dirty:
		}
		v.refresh()
		rest.Reset(v.tune.pace)
	}
}

// refresh takes the parts as they stand.
func (v *View) refresh() {
	v.refreshing.Lock()
	defer v.refreshing.Unlock()
	v.mu.Lock()
	parts, broken := slices.Clip(v.parts), maps.Clone(v.broken)
	v.mu.Unlock()
	stills := make([]store.Still, len(parts))
	var now store.Status
	var work, done int
	for i, p := range parts {
		still, status := p.Still()
		if err := broken[i]; err != nil {
			still, status = store.Still{}, store.Status{How: status.How, Err: err}
		}
		stills[i] = still
		now.Len += status.Len
		now.Total += status.Total
		now.Building = now.Building || status.Building
		work += status.Total
		done += status.Total * status.Progress / 100
		if i == 0 || needs(status.How) > needs(now.How) {
			now.How = status.How
		}
		if status.Err != nil && !errors.Is(status.Err, context.Canceled) {
			now.Err = errors.Join(now.Err, fmt.Errorf("session %q: %w", v.set.Sessions()[i].Name(), status.Err))
		}
	}
	if now.Progress = 100; work > 0 {
		now.Progress = int(int64(done) * 100 / int64(work))
	}
	if v.limit > 0 {
		now.Len = min(now.Len, v.limit)
	}
	f := freeze(stills, v.tune.fan)
	v.mu.Lock()
	defer v.mu.Unlock()
	now.Version = v.status.Version + 1
	v.frozen, v.status = f, now
	close(v.changed)
	v.changed = make(chan struct{})
}

// needs puts what a build has to read in order.
func needs(how string) int {
	switch how {
	case "columns":
		return 1
	case "heads":
		return 2
	case "bodies":
		return 3
	}
	return 0
}

func (v *View) end() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.ended = true
	close(v.changed)
	v.changed = make(chan struct{})
}

// Wait blocks until the view's version is no longer seen, and returns its status:
// Revision means nothing here, and Err is what is wrong with some of the sessions, the
// others going on. It returns early with ctx's error, and with [store.ErrClosed] when
// the view has ended.
func (v *View) Wait(ctx context.Context, seen uint64) (store.Status, error) {
	for {
		v.mu.Lock()
		status, changed, ended := v.status, v.changed, v.ended
		v.mu.Unlock()
		switch {
		case status.Version != seen:
			return status, nil
		case ended:
			return status, fmt.Errorf("wait for view: %w", store.ErrClosed)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return status, ctx.Err()
		}
	}
}

// now is the lists as they stand, and how many flows of them there are to show.
func (v *View) now() (*frozen, int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.frozen, v.status.Len
}

// IDs returns up to n flows from position first (0-based) on. Positions past the end
// are left out.
func (v *View) IDs(ctx context.Context, first, n int) (ids []uint64, err error) {
	err = v.reading(ctx, func(f *frozen, total int) (err error) {
		ids, err = v.page(ctx, f, total, first, n)
		return err
	})
	return ids, err
}

// page is IDs of the lists as they stand.
func (v *View) page(ctx context.Context, f *frozen, total, first, n int) ([]uint64, error) {
	if first < 0 || first >= total || n <= 0 {
		return nil, nil
	}
	n = min(n, total-first)
	at := first
	if v.reverse {
		at = f.total - first - n
	}
	ids, err := f.ids(ctx, at, n)
	if err != nil {
		return nil, fmt.Errorf("read flows %d to %d: %w", first, first+n-1, err)
	}
	if v.reverse {
		slices.Reverse(ids)
	}
	return ids, nil
}

// Rows returns up to n rows from position first (0-based) on. Positions past the end,
// and flows that were deleted since, are left out.
func (v *View) Rows(ctx context.Context, first, n int) (rows []flowpb.Row, err error) {
	err = v.reading(ctx, func(f *frozen, total int) error {
		ids, err := v.page(ctx, f, total, first, n)
		if err == nil {
			rows, err = v.set.Rows(ctx, ids)
		}
		return err
	})
	return rows, err
}

// Find returns where a flow stands. If it is not in the view found is false, and
// pos is where its nearest neighbour in order stands: 0 if there is none.
func (v *View) Find(ctx context.Context, id uint64) (pos int, found bool, err error) {
	err = v.reading(ctx, func(f *frozen, total int) (err error) {
		pos, found, err = v.locate(ctx, f, total, id)
		return err
	})
	return pos, found, err
}

// locate is Find in the lists as they stand.
func (v *View) locate(ctx context.Context, f *frozen, total int, id uint64) (pos int, found bool, err error) {
	at, found, err := f.find(ctx, id)
	if err != nil {
		return 0, false, fmt.Errorf("find a flow: %w", err)
	}
	if v.reverse {
		if at = f.total - 1 - at; !found {
			at++ // the neighbour that it would push up
		}
	}
	if at >= total {
		return max(total-1, 0), false, nil
	}
	return max(at, 0), found, nil
}
