package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"weir/store/extsort"
	"weir/store/idlist"
)

// sort makes the list in the order of keys. What a filter selects is found on the
// way, where SQL decides that, else before: for most of the work.
func (b *builder) sort(ctx context.Context, r span) (idlist.List, error) {
	s := &sorting{builder: b, preview: preview{sel: b.sel, limit: b.tune.first}, whole: r.len()}
	switch {
	case b.base != nil:
		s.members = idlist.SetOfAll(b.base.All())
		if err := s.showSome(ctx, newestOf(*b.base, b.tune.first)); err != nil {
			return idlist.List{}, err
		}
	case b.sel.plan.Exact:
		if err := s.showNewest(ctx, r); err != nil {
			return idlist.List{}, err
		}
	default:
		if err := s.findMembers(ctx, r); err != nil {
			return idlist.List{}, err
		}
	}
	return s.run(ctx, r)
}

// sorting is one sort under way.
type sorting struct {
	*builder
	keyer   keyer
	members *idlist.Set // the flows to sort; nil: those that SQL selects
	whole   int         // flows to go through
	scanned atomic.Int64

	mu      sync.Mutex // of the preview and what shows it
	preview preview
}

// newestOf is n of the newest flows of a list, or the last of it: those that are
// at hand.
func newestOf(l idlist.List, n int) []uint32 {
	var ids []uint32
	for i := max(l.Len()-n, 0); i < l.Len(); i++ {
		ids = append(ids, l.At(i))
	}
	return ids
}

// showNewest shows the newest of the flows.
func (s *sorting) showNewest(ctx context.Context, r span) error {
	newest := span{r.high - uint32(min(s.tune.first, r.len())) + 1, r.high}
	ids, err := s.sel.collect(ctx, s.sel.session.read, newest.condition(true))
	if err != nil {
		return err
	}
	return s.showSome(ctx, ids)
}

// showSome shows what was found, unless enough is shown.
func (s *sorting) showSome(ctx context.Context, ids []uint32) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.preview.add(ctx, ids); err != nil {
		return err
	}
	s.show(s.preview.list, s.progress(0))
	return nil
}

// progress counts going through the flows for two thirds, sorting for the rest.
func (s *sorting) progress(sorted int) int {
	return (2*percent(int(s.scanned.Load()), s.whole) + percent(sorted, s.whole)) / 3
}

// findMembers finds the flows to sort where SQL alone does not decide.
func (s *sorting) findMembers(ctx context.Context, r span) error {
	s.members = &idlist.Set{}
	return s.find(ctx, r, func(ids []uint32, progress int) error {
		for _, id := range ids {
			s.members.Add(id)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if err := s.preview.add(ctx, ids); err != nil {
			return err
		}
		s.show(s.preview.list, progress)
		return nil
	})
}

// run reads all keys and sorts them.
func (s *sorting) run(ctx context.Context, r span) (list idlist.List, err error) {
	if s.keyer, err = s.sel.keyer(ctx, s.tune.ranks); err != nil {
		return list, err
	}
	o := s.tune.sort
	o.Shards, o.Expect = 2, max(o.Expect, 1)*s.whole
	if s.members != nil {
		o.Expect = max(s.tune.sort.Expect, 1) * s.members.Len()
	}
	sample, err := s.keyer.sample(ctx, s.sel, r, min(sampleFlows, o.Expect/16))
	if err != nil {
		return list, err
	}
	sorter := extsort.New(sample, o)
	defer func() { err = errors.Join(err, sorter.Close()) }()
	if err := s.scan(ctx, r, sorter); err != nil {
		return list, err
	}
	var made idlist.Builder
	err = sorter.Sort(ctx, func(ids []uint32) error {
		made.Append(ids...)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.show(s.preview.list, s.progress(made.Len()))
		return nil
	})
	return made.List(), err
}

// scanPart is how many flows one statement of a sort goes through: a reader that
// stays long keeps the -wal file from being folded in.
const scanPart = 256 << 10

// scan adds the flows to a sorter, half of them on each of two connections.
func (s *sorting) scan(ctx context.Context, r span, sorter *extsort.Sorter) error {
	group, ctx := errgroup.WithContext(ctx)
	for i, half := range r.halves() {
		a := &adder{keyer: s.keyer, sorter: sorter, shard: sorter.Shard(i)}
		// Ended by Wait, below.
		group.Go(func() error {
			for low := int(half.low); low <= int(half.high); low += scanPart {
				part := span{uint32(low), uint32(min(low+scanPart-1, int(half.high)))}
				if err := s.add(ctx, part, a); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// add adds the flows of a part.
func (s *sorting) add(ctx context.Context, part span, a *adder) error {
	on := part.condition(s.members == nil)
	if s.members != nil {
		ids := s.members.Between(part.low, part.len())
		if len(ids) < part.len()/16 {
			on = idsCondition(ids, false) // they are few among those between them
		}
	}
	var some []uint32 // to show
	err := s.sel.each(ctx, s.sel.session.read, on, a.columns(), func(row []driver.Value) error {
		id, err := flowID(row[0])
		if err != nil || s.members != nil && !s.members.Has(id) {
			return err
		}
		if err := a.add(id, row[1:]); err != nil {
			return err
		}
		if s.members == nil && len(some) < s.tune.first {
			some = append(some, id)
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.scanned.Add(int64(part.len()))
	return s.showSome(ctx, some)
}

// preview is the first flows that were found, in their order: something to look at
// while the rest is being read.
type preview struct {
	sel     *selection
	limit   int
	entries []keyed
	has     idlist.Set
	list    idlist.List
}

// add takes flows in, up to the limit.
func (p *preview) add(ctx context.Context, ids []uint32) error {
	ids = slices.DeleteFunc(slices.Clone(ids), p.has.Has)
	ids = ids[max(len(ids)-(p.limit-len(p.entries)), 0):] // the newest
	if len(ids) == 0 {
		return nil
	}
	more, err := p.sel.keysOf(ctx, p.sel.session.read, idsCondition(ids, false))
	if err != nil {
		return err
	}
	for _, id := range ids {
		p.has.Add(id)
	}
	p.entries = append(p.entries, more...)
	slices.SortFunc(p.entries, keyed.compare)
	p.list = idlist.Of(idsOf(p.entries)...)
	return nil
}
