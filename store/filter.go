package store

import (
	"context"

	"weir/filter"
)

// Filter returns those of ids that match e, in ascending order. Ids that are not
// there do not match. It is for judging flows as they come; a page at a time.
func (s *Session) Filter(ctx context.Context, e filter.Expr, ids []uint64) ([]uint64, error) {
	sel, err := s.selection(Query{Filter: e})
	if err != nil {
		return nil, err
	}
	short, err := listIDs(ids)
	if err != nil {
		return nil, err
	}
	found, err := sel.collect(ctx, s.read, idsCondition(short, true))
	if err != nil {
		return nil, err
	}
	out := make([]uint64, len(found))
	for i, id := range found {
		out[i] = uint64(id)
	}
	return out, nil
}
