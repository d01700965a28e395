package union

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	flowpb "weir/proto"
	"weir/store"
)

// MaxSessions is how many sessions a set holds at most: each has files open, and
// a little memory.
const MaxSessions = 256

// ErrMany means that there were more sessions than [MaxSessions].
var ErrMany = errors.New("too many sessions for one list")

// Set is several open sessions. Use [Open].
type Set struct {
	sessions atomic.Pointer[[]*store.Session] // by place, from 1 on; replaced by a longer one

	growing sync.Mutex // of sessions and views
	views   map[*View]struct{}

	mu       sync.Mutex
	removals [][]*store.Session // of whom each removal was that can be undone
}

// Trouble is a session that is not in a set, and why.
type Trouble struct {
	Path string
	Err  error
}

// Open opens sessions as one. Those that cannot be opened are named in troubles, and
// left out; it fails if none is left. A file that is named twice is there once.
func Open(ctx context.Context, paths []string, o store.Options) (*Set, []Trouble, error) {
	var troubles []Trouble
	if over := len(paths) - MaxSessions; over > 0 {
		for _, path := range paths[MaxSessions:] {
			troubles = append(troubles, Trouble{path, fmt.Errorf("open session %q: %w: %d are open", path, ErrMany, MaxSessions)})
		}
		paths = paths[:MaxSessions]
	}
	o.Beside = len(paths) - 1
	opened := make([]*store.Session, len(paths))
	failed := make([]error, len(paths))
	var group errgroup.Group
	group.SetLimit(opening)
	for i, path := range distinct(paths) {
		if path == "" {
			continue
		}
		// Ended by Wait, below.
		group.Go(func() error {
			opened[i], failed[i] = store.Open(ctx, path, o)
			return nil
		})
	}
	_ = group.Wait() // the errors are in failed
	set := newSet()
	for i, s := range opened {
		if s != nil {
			set.put(s)
		}
		if failed[i] != nil {
			troubles = append(troubles, Trouble{paths[i], failed[i]})
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, errors.Join(err, set.Close())
	}
	if len(set.Sessions()) == 0 {
		return nil, troubles, fmt.Errorf("none of %d sessions can be opened: %w", len(paths), errors.Join(failed...))
	}
	return set, troubles, nil
}

// opening is how many sessions are opened at a time.
const opening = 4

// distinct returns the paths, "" in place of those that mean the same file as one before.
func distinct(paths []string) []string {
	out := make([]string, len(paths))
	var seen []os.FileInfo
next:
	for i, path := range paths {
		if info, err := os.Stat(path); err == nil {
			for _, other := range seen {
				if os.SameFile(info, other) {
					continue next
				}
			}
			seen = append(seen, info)
		}
		out[i] = path
	}
	return out
}

func newSet() *Set {
	s := &Set{views: map[*View]struct{}{}}
	s.sessions.Store(new([]*store.Session))
	return s
}

// put puts a session behind the others.
func (s *Set) put(one *store.Session) {
	all := append(slices.Clip(s.Sessions()), one)
	s.sessions.Store(&all)
}

// Sessions are those of the set, in their order.
func (s *Set) Sessions() []*store.Session { return *s.sessions.Load() }

// Add opens one more session, whose flows enter the views that are open. A file that is
// there already is left alone.
func (s *Set) Add(ctx context.Context, path string, o store.Options) error {
	s.growing.Lock()
	defer s.growing.Unlock()
	there := s.Sessions()
	if len(there) >= MaxSessions {
		return fmt.Errorf("open session %q: %w: %d are open", path, ErrMany, MaxSessions)
	}
	for _, one := range there {
		if sameFile(path, one.Path()) {
			return nil
		}
	}
	o.Beside = len(there)
	one, err := store.Open(ctx, path, o)
	if err != nil {
		return err
	}
	s.put(one)
	for v := range s.views {
		if err := v.grow(one); err != nil {
			return err
		}
	}
	return nil
}

func sameFile(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}

// Close closes all sessions. Views are to be closed before.
func (s *Set) Close() error {
	var err error
	for _, one := range s.Sessions() {
		err = errors.Join(err, one.Close())
	}
	return err
}

// ReadOnly reports whether none of the sessions can be written.
func (s *Set) ReadOnly() bool {
	for _, one := range s.Sessions() {
		if !one.ReadOnly() {
			return false
		}
	}
	return true
}

// At returns the session that has a flow, and the flow's number there;
// [store.ErrNotFound] where there is no such session.
func (s *Set) At(id uint64) (*store.Session, uint64, error) {
	place, number := flowpb.Placed(id)
	if place < 1 || place > len(s.Sessions()) {
		return nil, 0, fmt.Errorf("flow %d of session %d: %w", number, place, store.ErrNotFound)
	}
	return s.Sessions()[place-1], number, nil
}

// Each calls do for the flows of each session, by their numbers there, in the order of
// sessions. It stops at the first error.
func (s *Set) Each(ids []uint64, do func(in *store.Session, numbers []uint64) error) error {
	for i, numbers := range s.numbers(ids) {
		if len(numbers) == 0 {
			continue
		}
		if err := do(s.Sessions()[i], numbers); err != nil {
			return fmt.Errorf("session %q: %w", s.Sessions()[i].Name(), err)
		}
	}
	return nil
}

// numbers sorts ids by sessions; those of no session are left out.
func (s *Set) numbers(ids []uint64) [][]uint64 {
	out := make([][]uint64, len(s.Sessions()))
	for _, id := range ids {
		if place, number := flowpb.Placed(id); place >= 1 && place <= len(out) {
			out[place-1] = append(out[place-1], number)
		}
	}
	return out
}

// Count is the number of flows in all sessions.
func (s *Set) Count(ctx context.Context) (total uint64, err error) {
	for _, one := range s.Sessions() {
		n, err := one.Count(ctx)
		if err != nil {
			return 0, fmt.Errorf("session %q: %w", one.Name(), err)
		}
		total += n
	}
	return total, nil
}

// Rows returns the list rows of flows in the order of ids; those that do not exist
// are left out. Each says by its Origin who the flow is in every file.
func (s *Set) Rows(ctx context.Context, ids []uint64) ([]flowpb.Row, error) {
	known := make(map[uint64]*flowpb.Row, len(ids))
	for i, numbers := range s.numbers(ids) {
		if len(numbers) == 0 {
			continue
		}
		rows, err := s.Sessions()[i].Rows(ctx, numbers)
		if err != nil {
			return nil, &brokenError{i, fmt.Errorf("session %q: %w", s.Sessions()[i].Name(), err)}
		}
		for j := range rows {
			row := &rows[j]
			if row.Origin == (flowpb.Origin{}) {
				row.Origin = flowpb.Origin{Session: s.Sessions()[i].UUID(), Sequence: row.ID}
			}
			row.ID = flowpb.Place(i+1, row.ID)
			known[row.ID] = row
		}
	}
	out := make([]flowpb.Row, 0, len(ids))
	for _, id := range ids {
		if row := known[id]; row != nil {
			out = append(out, *row)
		}
	}
	return out, nil
}
