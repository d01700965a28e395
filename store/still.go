package store

import (
	"context"
	"slices"

	"weir/store/idlist"
)

// Still is the list of a view as it stood at some version, ascending, for who puts
// the views of several sessions in one order: flows compare by the keys of the view's order,
// which mean the same in every session. A view that is to be taken apart
// has an order other than [OrderID], and neither Reverse nor Limit.
//
// Keys are read when they are asked for, as they are then. They come in order but
// where a flow changed since, and the view has not caught up.
type Still struct {
	view *View
	list idlist.List
}

// Still returns the view's list as it stands, and its status then.
func (v *View) Still() (Still, Status) {
	v.mu.Lock()
	defer v.mu.Unlock()
	status := v.status
	status.Len = v.list.Len()
	return Still{view: v, list: v.list}, status
}

// Len is the number of flows.
func (s Still) Len() int { return s.list.Len() }

// ID is the flow at a position, which must be there.
func (s Still) ID(at int) uint64 { return uint64(s.list.At(at)) }

// Keys returns the keys of the flows at positions that ascend. A flow that is no
// longer there has the key of the one before it.
func (s Still) Keys(ctx context.Context, at []int) ([]string, error) {
	ids := make([]uint32, len(at))
	for i, p := range at {
		ids[i] = s.list.At(p)
	}
	found, err := s.view.sel.keysOf(ctx, s.view.session.read, idsCondition(ids, false))
	if err != nil {
		return nil, err
	}
	known := make(map[uint32]string, len(found))
	for _, k := range found {
		known[k.id] = k.key
	}
	keys := make([]string, len(ids))
	for i, id := range ids {
		if key, there := known[id]; there || i == 0 {
			keys[i] = key
		} else {
			keys[i] = keys[i-1]
		}
	}
	return keys, nil
}

// Rank returns how many flows of the list are before a key: with equal, those that
// have just this key among them.
func (s Still) Rank(ctx context.Context, key string, equal bool) (int, error) {
	entry := keyed{key: key}
	if equal {
		entry.id = maxID
	}
	at, err := s.view.sel.places(ctx, s.view.session.read, s.list, []keyed{entry})
	if err != nil {
		return 0, err
	}
	return at[0], nil
}

// Find returns where a flow stands, and its key. If it is not in the list found is
// false, and at is how many flows would be before it, or were before it was removed.
func (s Still) Find(ctx context.Context, id uint64) (at int, found bool, key string, err error) {
	short := uint32(min(id, maxID))
	entry, err := s.view.entry(ctx, short)
	if err != nil {
		return 0, false, "", err
	}
	if id == uint64(short) {
		if at = s.list.Index(short); at >= 0 {
			return at, true, entry.key, nil
		}
	}
	places, err := s.view.sel.places(ctx, s.view.session.read, s.list, []keyed{entry})
	if err != nil {
		return 0, false, "", err
	}
	return places[0], false, entry.key, nil
}

// entry is a flow with its key, also that of a flow that was removed.
func (v *View) entry(ctx context.Context, id uint32) (keyed, error) {
	if !v.sel.keyed() {
		return keyed{id: id}, nil
	}
	on := idsCondition([]uint32{id}, false)
	known, err := v.sel.keysOf(ctx, v.session.read, on)
	if err == nil && len(known) == 0 {
		on.removed = true
		known, err = v.sel.keysOf(ctx, v.session.read, on)
	}
	if err != nil {
		return keyed{}, err
	}
	return slices.Concat(known, []keyed{{id: id}})[0], nil
}
