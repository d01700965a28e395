package union

import (
	"context"

	"weir/filter"
	"weir/store"
)

// selectPage is how many flows are put in order at a time.
const selectPage = 1024

// Select calls yield for the flows that q selects, in its order, until that returns
// false. All are found first, at 4 bytes each.
func (s *Set) Select(ctx context.Context, q store.Query, yield func(id uint64) bool) error {
	v, err := s.view(ctx, q, tuning{fan: usualFan}) // nobody looks while it is built
	if err != nil {
		return err
	}
	defer v.Close() // nothing follows that could still go wrong
	if err := v.whole(ctx); err != nil {
		return err
	}
	for first := 0; ; first += selectPage {
		ids, err := v.IDs(ctx, first, selectPage)
		if err != nil || len(ids) == 0 {
			return err
		}
		for _, id := range ids {
			if !yield(id) {
				return nil
			}
		}
	}
}

// whole waits until all is found, and keeps the view as it then is.
func (v *View) whole(ctx context.Context) error {
	for seen := uint64(0); ; {
		status, err := v.Wait(ctx, seen)
		switch {
		case err != nil:
			return err
		case status.Err != nil:
			return status.Err
		case !status.Building:
			v.stop()
			return nil
		}
		seen = status.Version
	}
}

// CountMatching returns how many flows match e.
func (s *Set) CountMatching(ctx context.Context, e filter.Expr) (total int, err error) {
	for _, one := range s.Sessions() {
		n, err := one.CountMatching(ctx, e)
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}
