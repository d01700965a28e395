package store

import (
	"context"
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	flowpb "weir/proto"
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

	mu      sync.Mutex
	list    list
	status  Status
	built   int           // flows in the list when it was last built
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

// tuning is what tests turn to see with few flows what happens with many.
type tuning struct {
	pace   time.Duration // at least, between two refreshes
	first  int           // flows in the first range of a build that SQL decides alone
	sample int           // flows in the sample for a coder
	slack  int           // flows that may come before a coder is judged by their number
	tails  int           // bytes for the tails of texts
}

func usual() tuning {
	return tuning{pace: maxRefresh, first: firstRange, sample: sampleFlows, slack: refreshFlows, tails: maxTails}
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
	}
	// Owned by the view: Close ends it and waits for it.
	go func() {
		defer close(v.done)
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
	if n := v.list.len(); v.query.Limit <= 0 || n < v.query.Limit {
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
		ids[i] = uint64(v.list.id(v.position(first + i)))
	}
	return ids
}

// position turns a position that is shown into one of the list, which ascends,
// and back. v.mu is held.
func (v *View) position(i int) int {
	if v.query.Reverse {
		return v.list.len() - 1 - i
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
	if id > maxID {
		id = maxID
	}
	key, err := v.keyOf(ctx, uint32(id))
	if err != nil {
		return 0, false, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	at, found := v.find(uint32(id), key)
	at = v.position(at)
	if !found && v.query.Reverse {
		at++ // the neighbour that it would push up
	}
	if total := v.len(); at >= total {
		return max(total-1, 0), false, nil
	}
	return max(at, 0), found, nil
}

// find looks for a flow where its key says, and everywhere if it is not there:
// the view may not have heard of its last change. v.mu is held.
func (v *View) find(id uint32, key func(*coder) (uint64, bool)) (int, bool) {
	l := &v.list
	if !l.keyed {
		return l.search(0, id)
	}
	k, known := key(l.coder)
	at, found := l.search(k, id)
	if known && !found && !l.exact(k) {
		from, to := l.run(k)
		if i := slices.Index(l.ids[from:to], id); i >= 0 {
			return from + i, true
		}
	}
	if known && found {
		return at, true
	}
	if i := l.indexOf(id); i >= 0 {
		return i, true
	}
	return at, false
}

// keyOf reads what decides where a flow stands, or stood before it was removed. It
// is not known of a flow that does not exist.
func (v *View) keyOf(ctx context.Context, id uint32) (key func(*coder) (uint64, bool), err error) {
	unknown := func(*coder) (uint64, bool) { return 0, false }
	if !v.sel.keyed() {
		return unknown, nil
	}
	on := idsCondition([]uint32{id}, false)
	if err = v.readKey(ctx, on, &key); err == nil && key == nil {
		on.removed = true
		err = v.readKey(ctx, on, &key)
	}
	if key == nil {
		key = unknown
	}
	return key, err
}

// readKey reads what decides where the flow stands that meets a condition, if one does.
func (v *View) readKey(ctx context.Context, on condition, key *func(*coder) (uint64, bool)) error {
	return v.sel.each(ctx, v.session.read, on, orders[v.sel.order].columns, func(row []driver.Value) error {
		if v.sel.order.isText() {
			text := strings.Clone(v.sel.order.text(row[1:]))
			*key = func(c *coder) (uint64, bool) {
				k, _ := c.key(text)
				return k, true
			}
			return nil
		}
		number := numberKey(row[1])
		*key = func(*coder) (uint64, bool) { return number, true }
		return nil
	})
}
