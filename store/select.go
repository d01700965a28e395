package store

import (
	"context"
	"database/sql/driver"
	"slices"
	"sync"

	"weir/filter"
)

// Select calls yield for the flows that q selects, in its order, until that
// returns false. In order of arrival flows are yielded while more are looked for;
// in another order all are found first, at 12 bytes each. Flows recorded meanwhile
// may or may not be among them.
func (s *Session) Select(ctx context.Context, q Query, yield func(id uint64) bool) error {
	sel, err := s.selection(q)
	if err != nil {
		return err
	}
	r, _, err := extent(ctx, s.read)
	if err != nil {
		return err
	}
	out := outlet{left: q.Limit, reverse: q.Reverse, yield: yield}
	if out.left <= 0 {
		out.left = r.len()
	}
	b := builder{sel: sel, tune: usual(), newest: q.Reverse, mu: &sync.Mutex{}, list: &list{}, step: func(int) {}}
	if sel.keyed() {
		if err := b.build(ctx, r); err != nil {
			return err
		}
		out.put(b.list.ids)
		return nil
	}
	for part := range b.parts(r) {
		found, err := sel.scan(ctx, part, nil, nil)
		if err != nil {
			return err
		}
		if !out.put(append(found[0].ids, found[1].ids...)) {
			return nil
		}
	}
	return nil
}

// outlet yields what a selection found.
type outlet struct {
	left    int // how many more are wanted
	reverse bool
	yield   func(id uint64) bool
}

// put yields ids, which ascend in order, and reports whether more are wanted.
func (o *outlet) put(ids []uint32) bool {
	if o.reverse {
		slices.Reverse(ids)
	}
	for _, id := range ids {
		if o.left <= 0 || !o.yield(uint64(id)) {
			return false
		}
		o.left--
	}
	return o.left > 0
}

// CountMatching returns how many flows match e.
func (s *Session) CountMatching(ctx context.Context, e filter.Expr) (n int, err error) {
	q := Query{Filter: e}
	sel, err := s.selection(q)
	if err != nil {
		return 0, err
	}
	if !sel.plan.Exact {
		err = s.Select(ctx, q, func(uint64) bool {
			n++
			return true
		})
		return n, err
	}
	r, _, err := extent(ctx, s.read)
	if err != nil {
		return 0, err
	}
	err = sel.each(ctx, s.read, r.condition(true), "", func([]driver.Value) error {
		n++
		return nil
	})
	return n, err
}
