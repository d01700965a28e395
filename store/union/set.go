package union

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

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
	sessions []*store.Session // by place, from 1 on

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
	set := &Set{}
	for i, s := range opened {
		if s != nil {
			set.sessions = append(set.sessions, s)
		}
		if failed[i] != nil {
			troubles = append(troubles, Trouble{paths[i], failed[i]})
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, errors.Join(err, set.Close())
	}
	if len(set.sessions) == 0 {
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

// Sessions are those of the set, in their order.
func (s *Set) Sessions() []*store.Session { return s.sessions }

// Close closes all sessions. Views are to be closed before.
func (s *Set) Close() error {
	var err error
	for _, one := range s.sessions {
		err = errors.Join(err, one.Close())
	}
	return err
}

// ReadOnly reports whether none of the sessions can be written.
func (s *Set) ReadOnly() bool {
	for _, one := range s.sessions {
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
	if place < 1 || place > len(s.sessions) {
		return nil, 0, fmt.Errorf("flow %d of session %d: %w", number, place, store.ErrNotFound)
	}
	return s.sessions[place-1], number, nil
}

// Each calls do for the flows of each session, by their numbers there, in the order of
// sessions. It stops at the first error.
func (s *Set) Each(ids []uint64, do func(in *store.Session, numbers []uint64) error) error {
	for i, numbers := range s.numbers(ids) {
		if len(numbers) == 0 {
			continue
		}
		if err := do(s.sessions[i], numbers); err != nil {
			return fmt.Errorf("session %q: %w", s.sessions[i].Name(), err)
		}
	}
	return nil
}

// numbers sorts ids by sessions; those of no session are left out.
func (s *Set) numbers(ids []uint64) [][]uint64 {
	out := make([][]uint64, len(s.sessions))
	for _, id := range ids {
		if place, number := flowpb.Placed(id); place >= 1 && place <= len(out) {
			out[place-1] = append(out[place-1], number)
		}
	}
	return out
}

// Count is the number of flows in all sessions.
func (s *Set) Count(ctx context.Context) (total uint64, err error) {
	for _, one := range s.sessions {
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
		rows, err := s.sessions[i].Rows(ctx, numbers)
		if err != nil {
			return nil, fmt.Errorf("session %q: %w", s.sessions[i].Name(), err)
		}
		for j := range rows {
			row := &rows[j]
			if row.Origin == (flowpb.Origin{}) {
				row.Origin = flowpb.Origin{Session: s.sessions[i].UUID(), Sequence: row.ID}
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
