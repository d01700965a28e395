package store

import (
	"cmp"
	"context"
	"database/sql/driver"
	"slices"
	"strings"

	"weir/store/idlist"
	"weir/store/rowid"
)

// keyed is a flow with its sort key. Lists hold no keys: where a flow belongs is
// found by reading those of a few others.
type keyed struct {
	id  uint32
	key string
}

func (a keyed) compare(b keyed) int {
	return cmp.Or(strings.Compare(a.key, b.key), cmp.Compare(a.id, b.id))
}

// keysOf reads the keys of flows, in order of arrival as a rule. Where the order is
// that of ids, keys are empty.
func (sel *selection) keysOf(ctx context.Context, db rowid.Querier, on condition) ([]keyed, error) {
	var found []keyed
	err := sel.each(ctx, db, on, columns{first: orders[sel.order].columns}, func(row []driver.Value) error {
		id, err := flowID(row[0])
		e := keyed{id: id}
		if sel.keyed() {
			e.key = strings.Clone(sel.order.key(row[1:]))
		}
		found = append(found, e)
		return err
	})
	return found, err
}

// pivots is how many keys one step of a search reads, or as many as there are
// flows to place.
const pivots = 64

// places returns where in a list, which is in order, the entries belong, which are
// too. All are searched for side by side, so that each step is one statement.
func (sel *selection) places(ctx context.Context, db rowid.Querier, l idlist.List, entries []keyed) ([]int, error) {
	at := make([]int, len(entries))
	if !sel.keyed() {
		for i, e := range entries {
			at[i] = l.Search(func(id uint32) bool { return id >= e.id })
		}
		return at, nil
	}
	s := search{sel: sel, list: l, entries: entries, low: at, high: make([]int, len(entries))}
	s.fan = max(pivots/max(len(entries), 1), 1)
	for i := range entries {
		s.high[i] = l.Len()
	}
	for {
		asked := s.ask()
		if len(asked) == 0 {
			return at, nil
		}
		keys, err := sel.keysOf(ctx, db, idsCondition(asked, false))
		if err != nil {
			return nil, err
		}
		s.narrow(keys)
	}
}

// search looks for the places of entries: entry i belongs between low[i] and high[i].
type search struct {
	sel       *selection
	list      idlist.List
	entries   []keyed
	low, high []int
	fan       int // positions that each entry asks for in a step
}

// pivot is a position to compare entry i with.
func (s *search) pivot(i, n int) int { return s.low[i] + (s.high[i]-s.low[i])*(n+1)/(s.fan+1) }

// ask returns the flows whose keys the next step needs; none if all is known.
func (s *search) ask() []uint32 {
	var asked []uint32
	last := -1 // entries ascend, and so do the positions they ask for, mostly
	for i := range s.entries {
		for n := range s.fan {
			if p := s.pivot(i, n); p < s.high[i] && p != last {
				asked = append(asked, s.list.At(p))
				last = p
			}
		}
	}
	slices.Sort(asked)
	return slices.Compact(asked)
}

// narrow takes the keys that were asked for. A flow without a row, which only a
// damaged file has, counts as the first of all.
func (s *search) narrow(keys []keyed) {
	known := make(map[uint32]string, len(keys))
	for _, k := range keys {
		known[k.id] = k.key
	}
	for i, e := range s.entries {
		low, high := s.low[i], s.high[i]
		for n := range s.fan {
			p := s.pivot(i, n)
			if p >= high {
				continue
			}
			id := s.list.At(p)
			if e.compare(keyed{id, known[id]}) <= 0 {
				high = p
				break
			}
			low = p + 1
		}
		s.low[i], s.high[i] = low, max(high, low)
	}
}

func idsOf(entries []keyed) []uint32 {
	ids := make([]uint32, len(entries))
	for i, e := range entries {
		ids[i] = e.id
	}
	return ids
}
