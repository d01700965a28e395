package idlist

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestSetsAreSets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.OneOf(rapid.Uint32Range(0, 200), rapid.Uint32Range(4090, 4100), rapid.Uint32Range(0, 1<<22))
		added := rapid.SliceOf(id).Draw(t, "added")
		s := SetOf(added...)
		removed := rapid.SliceOf(id).Draw(t, "removed")
		want := slices.Clone(added)
		for _, id := range removed {
			s.Remove(id)
			want = slices.DeleteFunc(want, func(other uint32) bool { return other == id })
		}
		slices.Sort(want)
		want = slices.Compact(want)
		if got := s.IDs(); !slices.Equal(got, want) || s.Len() != len(want) {
			t.Fatalf("got %v (%d), want %v", got, s.Len(), want)
		}
		for _, id := range append(removed, added...) {
			if _, there := slices.BinarySearch(want, id); s.Has(id) != there {
				t.Fatalf("has %d: got %v, want %v", id, s.Has(id), there)
			}
		}
		if low, high := s.Bounds(); len(added) > 0 && (low != slices.Min(added) || high != slices.Max(added)) {
			t.Fatalf("bounds: got %d to %d, want those of %v", low, high, added)
		}
	})
}

func TestTheEmptySet(t *testing.T) {
	var s Set
	if low, high := s.Bounds(); s.Has(0) || s.IDs() != nil || low <= high {
		t.Errorf("got %v, from %d to %d, want nothing", s.IDs(), low, high)
	}
	s.Add(1<<32 - 1)
	if got := s.IDs(); len(got) != 1 || !s.Has(1<<32-1) {
		t.Errorf("with the highest id: got %v", got)
	}
}
