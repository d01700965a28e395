package main

import (
	"context"

	flowpb "weir/proto"
	"weir/store"
)

// follower tells of flows as they end, by the session's change log, so that it
// works beside any capture and never holds one up.
type follower struct {
	session *store.Session
	start   position
	told    idSet
	since   uint64
}

// position is how far a session had come at some moment: what came later is a
// flow with a higher id.
type position struct {
	revision uint64 // of its change log
	flow     uint64 // the highest id
}

// positionOf is how far the session has come now.
func positionOf(ctx context.Context, s *store.Session) (p position, err error) {
	if p.revision, err = s.Revision(ctx); err != nil {
		return p, err
	}
	err = s.Select(ctx, store.Query{Reverse: true, Limit: 1}, func(id uint64) bool {
		p.flow = id
		return true
	})
	return p, err
}

// eachFinished calls do with the flows that came after start and ended, each flow
// once, a commit's worth at a time, in the order in which they were written. When ctx ends it
// catches up with what was committed by then, and returns ctx's error.
func eachFinished(ctx context.Context, s *store.Session, start position, do func(context.Context, []flowpb.Row) error) error {
	f := &follower{session: s, start: start, since: start.revision}
	work := context.WithoutCancel(ctx) // the last catching up must not be cut short
	for {
		_, waitErr := s.Wait(ctx, f.since)
		if waitErr != nil && ctx.Err() == nil {
			return waitErr
		}
		if err := f.catchUp(work, do); err != nil {
			return err
		}
		if waitErr != nil {
			return waitErr
		}
	}
}

// catchUp reads the change log to its end. Where the log was trimmed before it
// could be read, every flow is looked at instead.
func (f *follower) catchUp(ctx context.Context, do func(context.Context, []flowpb.Row) error) error {
	ids, upto, truncated, err := f.session.Changes(ctx, f.since)
	if err != nil {
		return err
	}
	f.since = upto
	if !truncated {
		return f.tell(ctx, ids, do)
	}
	var failed error
	page := make([]uint64, 0, pageSize)
	err = f.session.Select(ctx, store.Query{}, func(id uint64) bool {
		if page = append(page, id); len(page) == pageSize {
			failed = f.tell(ctx, page, do)
			page = page[:0]
		}
		return failed == nil
	})
	if failed == nil {
		failed = err
	}
	if failed != nil {
		return failed
	}
	return f.tell(ctx, page, do)
}

// tell calls do with those of ids that have ended and were not told of before.
func (f *follower) tell(ctx context.Context, ids []uint64, do func(context.Context, []flowpb.Row) error) error {
	for len(ids) > 0 {
		n := min(len(ids), pageSize)
		rows, err := f.session.Rows(ctx, ids[:n])
		if err != nil {
			return err
		}
		ids = ids[n:]
		done := rows[:0]
		for _, r := range rows {
			if (r.State == flowpb.StateComplete || r.State == flowpb.StateError) && r.ID > f.start.flow && f.told.add(r.ID) {
				done = append(done, r)
			}
		}
		if len(done) == 0 {
			continue
		}
		if err := do(ctx, done); err != nil {
			return err
		}
	}
	return nil
}

// idSet is a set of flow ids, one bit each.
type idSet []uint64

// add puts id into the set and reports whether it was not there.
func (s *idSet) add(id uint64) bool {
	word, bit := id/64, uint64(1)<<(id%64)
	for uint64(len(*s)) <= word {
		*s = append(*s, 0)
	}
	if (*s)[word]&bit != 0 {
		return false
	}
	(*s)[word] |= bit
	return true
}
