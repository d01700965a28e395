package union

import (
	"context"
	"slices"

	flowpb "weir/proto"
)

// ids returns the n flows from position first on, in order.
func (f *frozen) ids(ctx context.Context, first, n int) ([]uint64, error) {
	from, err := f.cut(ctx, first)
	if err != nil {
		return nil, err
	}
	to, err := f.cut(ctx, first+n)
	if err != nil {
		return nil, err
	}
	var page []probe
	for i, still := range f.stills {
		var at []int
		for p := from.at[i]; p < to.at[i]; p++ {
			at = append(at, p)
		}
		found, err := f.keys(ctx, still, i, at)
		if err != nil {
			return nil, err
		}
		page = append(page, found...)
	}
	slices.SortFunc(page, probe.compare)
	ids := make([]uint64, len(page))
	for i, p := range page {
		ids[i] = flowpb.Place(p.session+1, f.stills[p.session].ID(p.at))
	}
	return ids, nil
}

// find returns where a flow stands, or where it would.
func (f *frozen) find(ctx context.Context, id uint64) (at int, found bool, err error) {
	place, number := flowpb.Placed(id)
	if place < 1 || place > len(f.stills) || f.stills[place-1].Len() == 0 {
		return 0, false, nil
	}
	at, found, key, err := f.stills[place-1].Find(ctx, number)
	if err != nil {
		return 0, false, &brokenError{place - 1, err}
	}
	for i, still := range f.stills {
		if i == place-1 || still.Len() == 0 {
			continue
		}
		before, err := still.Rank(ctx, key, i < place-1)
		if err != nil {
			return 0, false, &brokenError{i, err}
		}
		at += before
	}
	return at, found, nil
}
