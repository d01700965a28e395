package store

import (
	"bytes"
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
)

// tie is a run of entries of a list, [from, to), whose keys are equal and do not
// say whether the texts are.
type tie struct{ from, to int }

// ties returns the ties among keys, which ascend.
func ties(keys []uint64) []tie {
	var found []tie
	for from := 0; from < len(keys); {
		to := from + 1
		for to < len(keys) && keys[to] == keys[from] {
			to++
		}
		if to-from > 1 && !isWhole(keys[from]) {
			found = append(found, tie{from, to})
		}
		from = to
	}
	return found
}

// tails are what a coder's keys leave out of the texts of some flows. Equal keys
// leave out equally much, so that the tails decide between them. There are two of
// each, for the two connections that read side by side.
type tails [2]tailSet

type tailSet struct {
	codes map[uint32]*[tailPage]uint32 // by id / tailPage; 0: none
	arena arena
	limit int // bytes; 0: no limit
	full  bool
}

const (
	tailPage = 4096
	// maxTails bounds the tails that are held at a time, in bytes, except that
	// those of one tie always are.
	maxTails = 16 << 20
)

var errTooMuchText = errors.New("too much text at once")

func newTails(limit int) *tails {
	t := &tails{}
	for i := range t {
		t[i] = tailSet{codes: make(map[uint32]*[tailPage]uint32), arena: newArena(), limit: (limit + 1) / len(t)}
	}
	return t
}

// set is one of the two, nil if there are none.
func (t *tails) set(i int) *tailSet {
	if t == nil {
		return nil
	}
	return &t[i]
}

// full reports whether there were too many tails, so that some are missing.
func (t *tails) full() bool { return t[0].full || t[1].full }

// put remembers the tail of a flow, until that gets too much.
func (t *tailSet) put(id uint32, tail string) error {
	if t.full {
		return errTooMuchText
	}
	page := t.codes[id/tailPage]
	if page == nil {
		page = new([tailPage]uint32)
		t.codes[id/tailPage] = page
	}
	page[id%tailPage] = t.arena.code(tail)
	if t.limit > 0 && 4*tailPage*len(t.codes)+t.arena.size() > t.limit {
		*t = tailSet{full: true}
		return errTooMuchText
	}
	return nil
}

// tailOf is the tail of one flow: a code that is unique to its text within a set.
type tailOf struct {
	id   uint32
	set  int
	code uint32
}

// of finds the tail of a flow. One that was not read, because it is gone, has code 0.
func (t *tails) of(id uint32) tailOf {
	for i := range t {
		if page := t[i].codes[id/tailPage]; page != nil && page[id%tailPage] != 0 {
			return tailOf{id, i, page[id%tailPage]}
		}
	}
	return tailOf{id: id}
}

func (t *tails) compare(a, b tailOf) int {
	if a.set == b.set && a.code == b.code {
		return cmp.Compare(a.id, b.id)
	}
	return cmp.Or(bytes.Compare(t.text(a), t.text(b)), cmp.Compare(a.id, b.id))
}

func (t *tails) text(a tailOf) []byte {
	if a.code == 0 {
		return nil
	}
	return t[a.set].arena.text(a.code)
}

// refine puts the flows that their keys do not tell apart in the order of their
// texts. If the build could not hold all the tails on its way it reads those that
// matter again, as many at a time as it may hold.
func (b *builder) refine(ctx context.Context, ties []tie) error {
	if len(ties) == 0 {
		return nil
	}
	if b.tails != nil {
		b.resolve(ties, b.tails)
		return nil
	}
	limit := b.tune.tails
	if len(ties) == 1 {
		limit = 0
	}
	tails, err := b.readTails(ctx, ties, limit)
	if errors.Is(err, errTooMuchText) {
		half := len(ties) / 2
		if err := b.refine(ctx, ties[:half]); err != nil {
			return err
		}
		return b.refine(ctx, ties[half:])
	}
	if err == nil {
		b.resolve(ties, tails)
	}
	return err
}

// resolve sorts the flows of each tie by their tails, half of the ties on each of
// two processors.
func (b *builder) resolve(ties []tie, tails *tails) {
	var group sync.WaitGroup
	half := len(ties) / 2
	group.Go(func() { b.resolveEach(ties[:half], tails) })
	b.resolveEach(ties[half:], tails)
	group.Wait()
}

func (b *builder) resolveEach(ties []tie, tails *tails) {
	var run []tailOf
	for _, t := range ties {
		run = run[:0]
		for _, id := range b.list.ids[t.from:t.to] {
			run = append(run, tails.of(id))
		}
		if slices.IsSortedFunc(run, tails.compare) {
			continue
		}
		slices.SortFunc(run, tails.compare)
		b.mu.Lock()
		for i, tail := range run {
			b.list.ids[t.from+i] = tail.id
		}
		b.mu.Unlock()
	}
}

// readTails reads the tails of the ties' flows. Reading flows one by one pays only
// if they are few among those between them.
func (b *builder) readTails(ctx context.Context, ties []tie, limit int) (*tails, error) {
	tied := newIDSet(nil)
	for _, t := range ties {
		for _, id := range b.list.ids[t.from:t.to] {
			tied.add(id)
		}
	}
	r := span{tied.low, tied.high}
	var conditions []condition
	if tied.n < r.len()/16 {
		conditions = append(conditions, idsCondition(tied.ids(), false))
	} else {
		for _, half := range r.halves() {
			conditions = append(conditions, half.condition(false))
		}
	}
	tails := newTails(limit)
	group, ctx := errgroup.WithContext(ctx)
	for i, on := range conditions {
		// Ended by Wait, below.
		group.Go(func() error {
			return b.sel.each(ctx, b.sel.session.read, on, orders[b.sel.order].columns, func(row []driver.Value) error {
				id, err := flowID(row[0])
				if err != nil || !tied.has(id) {
					return err
				}
				_, tail := b.sel.order.key(b.list.coder, row[1:])
				return tails[i].put(id, tail)
			})
		})
	}
	return tails, group.Wait()
}
