package idlist

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// draw makes a list up out of runs and single ids, all different.
func draw(t *rapid.T) List {
	var lists []List
	next := uint32(1)
	for range rapid.IntRange(0, 6).Draw(t, "parts") {
		next += rapid.Uint32Range(0, 5).Draw(t, "gap")
		n := rapid.SampledFrom([]int{0, 1, 2, 7, fewIDs, fewIDs + 1, maxChunk + 1}).Draw(t, "n")
		l := Run(next, n)
		if rapid.Bool().Draw(t, "reversed") {
			ids := slices.Collect(l.All())
			slices.Reverse(ids)
			l = Of(ids...)
		}
		lists = append(lists, l)
		next += uint32(n)
	}
	return Concat(rapid.Permutation(lists).Draw(t, "order")...)
}

// check compares a list with the slice that it should be.
func check(t *rapid.T, what string, l List, want []uint32) {
	t.Helper()
	if got := slices.Collect(l.All()); !slices.Equal(got, want) {
		t.Fatalf("%s: got %d ids, want %d, or in another order", what, len(got), len(want))
	}
	if l.Len() != len(want) {
		t.Fatalf("%s: got length %d, want %d", what, l.Len(), len(want))
	}
	for i := 0; i < len(want); i += 1 + len(want)/50 {
		if got := l.At(i); got != want[i] {
			t.Fatalf("%s, position %d: got %d, want %d", what, i, got, want[i])
		}
		if got := l.Index(want[i]); got != i {
			t.Fatalf("%s, index of %d: got %d, want %d", what, want[i], got, i)
		}
	}
	if got := l.Index(math.MaxUint32); got != -1 {
		t.Fatalf("%s, index of an id that is not there: got %d", what, got)
	}
}

// A list that others were made of is what it was.
func TestListsAreSlicesThatNeverChange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := draw(t)
		for range 4 {
			before := slices.Collect(l.All())
			var next List
			var want []uint32
			if rapid.Bool().Draw(t, "removal") {
				gone := &Set{}
				for _, i := range rapid.SliceOf(rapid.IntRange(0, len(before))).Draw(t, "gone") {
					if i < len(before) {
						gone.Add(before[i])
					}
				}
				next = l.Without(gone)
				want = slices.DeleteFunc(slices.Clone(before), gone.Has)
			} else {
				next, want = insert(t, l, before)
			}
			check(t, "the new list", next, want)
			check(t, "the old list", l, before)
			l = next
		}
	})
}

// insert puts some ids that are not there into a list.
func insert(t *rapid.T, l List, before []uint32) (List, []uint32) {
	top := uint32(1)
	if len(before) > 0 {
		top = slices.Max(before) + 1
	}
	at := rapid.SliceOfN(rapid.IntRange(0, len(before)), 0, 20).Draw(t, "at")
	slices.Sort(at)
	ids := make([]uint32, len(at))
	want := slices.Clone(before)
	for i := range ids {
		ids[i] = top + uint32(i)
	}
	for i := len(at) - 1; i >= 0; i-- {
		want = slices.Insert(want, at[i], ids[i])
	}
	return l.Insert(ids, at), want
}

func TestARunTakesNoMemory(t *testing.T) {
	const n = 10_000_000
	l := Run(1, n).Without(SetOf(50)).Insert([]uint32{n + 1, n + 2}, []int{n - 1, n - 1})
	if got, want := l.Len(), n+1; got != want {
		t.Fatalf("length: got %d, want %d", got, want)
	}
	held := 0
	for _, c := range l.chunks {
		held += cap(c.ids)
	}
	if len(l.chunks) != 2 || held != 0 {
		t.Errorf("got %d chunks with room for %d ids, want two runs", len(l.chunks), held)
	}
	if l.At(49) != 51 || l.At(n) != n+2 {
		t.Errorf("around the hole: got %d, at the end %d, want 51 and %d", l.At(49), l.At(n), n+2)
	}
}

// Inserting one by one must not leave a list of many small chunks.
func TestChunksStayLarge(t *testing.T) {
	var b Builder
	for id := range uint32(20 * maxChunk) {
		b.Append(2 * id)
	}
	l := b.List()
	for i := range 2000 {
		at := i * 7919 % l.Len()
		l = l.Insert([]uint32{uint32(1_000_000 + i)}, []int{at})
	}
	if got, most := len(l.chunks), 20*maxChunk/fewIDs*2; got > most {
		t.Errorf("after 2000 insertions: got %d chunks, want at most %d", got, most)
	}
}

func TestSearchFindsPositions(t *testing.T) {
	l := Concat(Run(10, 5), Of(20, 22, 24))
	for id, want := range map[uint32]int{0: 0, 10: 0, 14: 4, 15: 5, 21: 6, 24: 7, 25: 8} {
		if got := l.Search(func(at uint32) bool { return at >= id }); got != want {
			t.Errorf("search for %d: got %d, want %d", id, got, want)
		}
	}
}
