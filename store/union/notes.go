package union

import (
	"context"
	"fmt"

	flowpb "weir/proto"
	"weir/store"
)

// Annotate changes the notes of flows, in one transaction a session, and returns
// them as they now are, in the order of ids. Where it fails, the sessions before have
// their changes.
func (s *Set) Annotate(ctx context.Context, ids []uint64, change store.NoteChange) ([]flowpb.Note, error) {
	known := make(map[uint64]flowpb.Note, len(ids))
	for i, numbers := range s.numbers(ids) {
		if len(numbers) == 0 {
			continue
		}
		notes, err := s.Sessions()[i].Annotate(ctx, numbers, change)
		if err != nil {
			return nil, fmt.Errorf("session %q: %w", s.Sessions()[i].Name(), err)
		}
		for j, n := range notes {
			known[flowpb.Place(i+1, numbers[j])] = n
		}
	}
	out := make([]flowpb.Note, len(ids))
	for i, id := range ids {
		out[i] = known[id]
	}
	return out, nil
}

// Unmark takes the marks off all flows and returns how many had one.
func (s *Set) Unmark(ctx context.Context) (int, error) {
	return s.sum(func(one *store.Session) (int, error) { return one.Unmark(ctx) })
}

// sum adds up what is done in each session; it stops at the first error.
func (s *Set) sum(do func(*store.Session) (int, error)) (total int, err error) {
	for _, one := range s.Sessions() {
		n, err := do(one)
		total += n
		if err != nil {
			return total, fmt.Errorf("session %q: %w", one.Name(), err)
		}
	}
	return total, nil
}

// Remove removes flows, RemoveAll all, and RemoveOthers those that q does not select,
// whatever its order. Each returns how many there were, also where it fails on the way.
func (s *Set) Remove(ctx context.Context, ids []uint64) (int, error) {
	numbers := s.numbers(ids)
	return s.remove(func(i int) (int, error) {
		if len(numbers[i]) == 0 {
			return 0, nil
		}
		return s.Sessions()[i].Remove(ctx, numbers[i])
	})
}

// RemoveAll removes all flows; see [Set.Remove].
func (s *Set) RemoveAll(ctx context.Context) (int, error) {
	return s.remove(func(i int) (int, error) { return s.Sessions()[i].RemoveAll(ctx) })
}

// RemoveOthers removes the flows that q does not select; see [Set.Remove].
func (s *Set) RemoveOthers(ctx context.Context, q store.Query) (int, error) {
	return s.remove(func(i int) (int, error) { return s.Sessions()[i].RemoveOthers(ctx, q) })
}

// remove removes from each session, and notes where there is something to undo.
func (s *Set) remove(from func(i int) (int, error)) (total int, err error) {
	var touched []*store.Session
	for i, one := range s.Sessions() {
		n, e := from(i)
		if n > 0 {
			touched = append(touched, one)
			total += n
		}
		if e != nil {
			err = fmt.Errorf("session %q: %w", one.Name(), e)
			break
		}
	}
	if len(touched) > 0 {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.removals = append(s.removals, touched)
	}
	return total, err
}

// Undo brings back the flows of the last removal by this set that was not undone yet,
// and returns how many there were; 0: there is none. What was removed elsewhere
// the session it was removed from brings back.
func (s *Set) Undo(ctx context.Context) (total int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.removals) == 0 {
		return 0, nil
	}
	last := s.removals[len(s.removals)-1]
	for len(last) > 0 {
		n, err := last[0].Undo(ctx)
		if err != nil {
			return total, fmt.Errorf("session %q: %w", last[0].Name(), err)
		}
		total += n
		last = last[1:]
		s.removals[len(s.removals)-1] = last
	}
	s.removals = s.removals[:len(s.removals)-1]
	return total, nil
}
