package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"slices"

	"weir/filter"
	"weir/store/idlist"
)

// Select calls yield for the flows that q selects, in its order, until that
// returns false. In order of arrival flows are yielded while more are looked for;
// in another order all are found first, at 4 bytes each. Flows recorded meanwhile
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
	b := builder{sel: sel, tune: usual(), newest: q.Reverse, show: func(idlist.List, int) {}}
	if sel.keyed() {
		list, err := b.build(ctx, r)
		if err == nil {
			out.list(list)
		}
		return err
	}
	err = b.find(ctx, r, func(ids []uint32, _ int) error {
		if !out.put(ids) {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// errEnough ends a search of which no more is wanted.
var errEnough = errors.New("enough")

// outlet yields what a selection found.
type outlet struct {
	left    int // how many more are wanted
	reverse bool
	yield   func(id uint64) bool
}

// list yields all of a list.
func (o *outlet) list(l idlist.List) {
	for i := range l.Len() {
		at := i
		if o.reverse {
			at = l.Len() - 1 - i
		}
		if o.left <= 0 || !o.yield(uint64(l.At(at))) {
			return
		}
		o.left--
	}
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
	err = sel.each(ctx, s.read, r.condition(true), columns{}, func([]driver.Value) error {
		n++
		return nil
	})
	return n, err
}
