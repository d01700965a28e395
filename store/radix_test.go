package store

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestSortPortionIsStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOf(rapid.OneOf(rapid.Uint64(), rapid.Uint64Range(0, 3))).Draw(t, "keys")
		p := portion{keys: slices.Clone(keys), ids: make([]uint32, len(keys))}
		want := make([]uint32, len(keys))
		for i := range keys {
			p.ids[i], want[i] = uint32(i), uint32(i)
		}
		slices.SortStableFunc(want, func(a, b uint32) int {
			switch {
			case keys[a] < keys[b]:
				return -1
			case keys[a] > keys[b]:
				return 1
			}
			return 0
		})
		sortPortion(p)
		if !slices.Equal(p.ids, want) || !slices.IsSorted(p.keys) {
			t.Fatalf("sort of %x: got %v, want %v", keys, p.ids, want)
		}
	})
}
