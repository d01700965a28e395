package store

import (
	"context"
	"fmt"
	"sync"
	"time"

	flowpb "weir/proto"
	"weir/store/idlist"
)

// View is the flows of a session that a query selects, in its order: a window on
// a list of ids that is built in the background and then follows the session, so
// that flows which arrive or change enter, leave and move. A million flows take 4
// to 12 MB, however large they are.
//
// It is safe for concurrent use. A goroutine of its own changes it; Close, or the
// end of the context it was made with, ends that.
type View struct {
	session *Session
	sel     *selection
	query   Query
	tune    tuning

	cancel context.CancelFunc
	done   chan struct{} // closed when the goroutine has ended

	base *base // what a view before it knows, until it is built

	mu      sync.Mutex
	list    idlist.List // only the view's goroutine changes it
	status  Status
	stepped time.Time     // when a build last showed what it had
	changed chan struct{} // closed at the next version
}

// Status is a view's state at one version.
type Status struct {
	Version  uint64 // grows with every change, of a row's content too; above 0
	Len      int    // flows in the view so far
	Total    int    // flows in the session
	Building bool   // more flows may still be found, or put in their exact place, by the first build
	Progress int    // per cent of the build, 0–100
	How      string // "columns", "heads", "bodies": what the build has to read
	Err      error  // why the view stands still, if it does
	Revision uint64 // the view shows the session as of this revision, or later
}

// maxRefresh is how often a view changes, at most: often enough to look live,
// seldom enough that a fast capture costs its viewers little.
const maxRefresh = time.Second / 12

// View starts to build the flows that q selects and returns at once; see
// [View.Wait]. The caller closes it.
func (s *Session) View(ctx context.Context, q Query) (*View, error) {
	return s.view(ctx, q, usual())
}

func (s *Session) view(ctx context.Context, q Query, tune tuning) (*View, error) {
	sel, err := s.selection(q)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	v := &View{
		session: s, sel: sel, query: q, tune: tune, cancel: cancel,
		done: make(chan struct{}), changed: make(chan struct{}),
		status: Status{Building: true, How: sel.plan.Needs.String()},
		base:   s.views.like(sel),
	}
	s.views.add(v)
	// Owned by the view: Close ends it and waits for it.
	go func() {
		defer close(v.done)
		defer s.views.remove(v)
		defer cancel()
		v.end(v.run(ctx))
	}()
	return v, nil
}

// Close ends the view. It can still be read, as it then stands.
func (v *View) Close() error {
	v.cancel()
	<-v.done
	return nil
}

// end makes a view stand still, and says why.
func (v *View) end(err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.status.Building = false
	v.status.Err = err
	v.bump()
}

// bump makes a new version of what was changed. v.mu is held.
func (v *View) bump() {
	v.status.Version++
	v.status.Len = v.len()
	close(v.changed)
	v.changed = make(chan struct{})
}

// len is the number of flows to show. v.mu is held.
func (v *View) len() int {
	if n := v.list.Len(); v.query.Limit <= 0 || n < v.query.Limit {
		return n
	}
	return v.query.Limit
}

// Wait blocks until the view's version is no longer seen, and returns its status.
// It returns early with ctx's error. The last version of a view that has ended has
// the reason in Status.Err; who has seen that gets [ErrClosed].
func (v *View) Wait(ctx context.Context, seen uint64) (Status, error) {
	for {
		v.mu.Lock()
		status, changed := v.status, v.changed
		v.mu.Unlock()
		if status.Version != seen {
			return status, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return status, ctx.Err()
		case <-v.done:
			if v.ended(seen) {
				return status, fmt.Errorf("wait for view: %w", ErrClosed)
			}
		}
	}
}

// ended reports whether a version is the last one of a view that has ended.
func (v *View) ended(seen uint64) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.status.Version == seen
}

// IDs returns up to n flows from position first (0-based) on. Positions past the
// end are left out.
func (v *View) IDs(first, n int) []uint64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	total := v.len()
	if first < 0 || first >= total || n <= 0 {
		return nil
	}
	ids := make([]uint64, min(n, total-first))
	for i := range ids {
		ids[i] = uint64(v.list.At(v.position(first + i)))
	}
	return ids
}

// position turns a position that is shown into one of the list, which ascends,
// and back. v.mu is held.
func (v *View) position(i int) int {
	if v.query.Reverse {
		return v.list.Len() - 1 - i
	}
	return i
}

// Rows returns up to n rows from position first (0-based) on, read for this call:
// its cost does not depend on the number of flows. Positions past the end, and
// flows that were deleted since, are left out.
func (v *View) Rows(ctx context.Context, first, n int) ([]flowpb.Row, error) {
	ids := v.IDs(first, n)
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := v.session.Rows(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("read rows %d to %d: %w", first, first+len(ids)-1, err)
	}
	return rows, nil
}

// Find returns where a flow stands. If it is not in the view found is false, and
// pos is where its nearest neighbour in order stands: 0 if there is none.
func (v *View) Find(ctx context.Context, id uint64) (pos int, found bool, err error) {
	v.mu.Lock()
	list := v.list
	v.mu.Unlock()
	at, found := -1, false
	if id <= maxID {
		at = list.Index(uint32(id))
		found = at >= 0
	}
	if !found {
		if at, err = v.neighbour(ctx, list, uint32(min(id, maxID))); err != nil {
			return 0, false, err
		}
	}
	if v.query.Reverse {
		if at = list.Len() - 1 - at; !found {
			at++ // the neighbour that it would push up
		}
	}
	total := list.Len()
	if v.query.Limit > 0 {
		total = min(total, v.query.Limit)
	}
	if at >= total {
		return max(total-1, 0), false, nil
	}
	return max(at, 0), found, nil
}

// neighbour returns where in a list a flow would stand that is not in it, or where
// it stood before it was removed.
func (v *View) neighbour(ctx context.Context, l idlist.List, id uint32) (int, error) {
	entry, err := v.entry(ctx, id)
	if err != nil {
		return 0, err
	}
	at, err := v.sel.places(ctx, v.session.read, l, []keyed{entry})
	if err != nil {
		return 0, err
	}
	return at[0], nil
}
