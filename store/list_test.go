package store

import (
	"cmp"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// entry of the model that lists are compared with.
type modelEntry struct {
	key uint64
	id  uint32
}

func (a modelEntry) compare(b modelEntry) int {
	return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.id, b.id))
}

// drawPortion makes entries up that are not in the model, and adds them to it.
func drawPortion(t *rapid.T, model map[uint32]uint64, keyed bool) portion {
	var fresh []modelEntry
	for _, id := range rapid.SliceOfNDistinct(rapid.Uint32Range(1, 60), 0, 12, rapid.ID[uint32]).Draw(t, "ids") {
		if _, there := model[id]; !there {
			e := modelEntry{id: id}
			if keyed {
				e.key = rapid.Uint64Range(0, 5).Draw(t, "key")
			}
			model[id] = e.key
			fresh = append(fresh, e)
		}
	}
	slices.SortFunc(fresh, modelEntry.compare)
	var p portion
	for _, e := range fresh {
		p.ids = append(p.ids, e.id)
		if keyed {
			p.keys = append(p.keys, e.key)
		}
	}
	return p
}

func TestListIsASortedMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		model := map[uint32]uint64{}
		l := &list{keyed: rapid.Bool().Draw(t, "keyed")}
		if !l.keyed && rapid.Bool().Draw(t, "dense") {
			l.dense, l.first, l.n = true, rapid.Uint32Range(1, 30).Draw(t, "first"), rapid.IntRange(0, 20).Draw(t, "n")
			for i := range l.n {
				model[l.first+uint32(i)] = 0
			}
		}
		for range rapid.IntRange(1, 6).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "removal") {
				gone := rapid.SliceOf(rapid.Uint32Range(1, 60)).Draw(t, "gone")
				l.remove(newIDSet(gone))
				for _, id := range gone {
					delete(model, id)
				}
			} else if p := drawPortion(t, model, l.keyed); !l.extend(p, newIDSet(nil)) {
				l.merge(p)
			}
			checkList(t, l, model)
		}
	})
}

func checkList(t *rapid.T, l *list, model map[uint32]uint64) {
	want := make([]modelEntry, 0, len(model))
	for id, key := range maps.All(model) {
		want = append(want, modelEntry{key, id})
	}
	slices.SortFunc(want, modelEntry.compare)
	if l.len() != len(want) {
		t.Fatalf("length: got %d, want %d", l.len(), len(want))
	}
	for i, e := range want {
		if l.id(i) != e.id || l.keyed && l.keys[i] != e.key {
			t.Fatalf("entry %d: got flow %d, want %+v", i, l.id(i), e)
		}
		if at, found := l.search(e.key, e.id); at != i || !found {
			t.Fatalf("search of %+v: got %d, %v, want %d", e, at, found, i)
		}
		if at := l.indexOf(e.id); at != i {
			t.Fatalf("index of flow %d: got %d, want %d", e.id, at, i)
		}
	}
	if at := l.indexOf(61); at >= 0 {
		t.Fatalf("index of a flow that is not there: got %d", at)
	}
}

func TestIDSetIsASet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.OneOf(rapid.Uint32Range(0, 200), rapid.Uint32Range(4090, 4100), rapid.Uint32())
		added := rapid.SliceOf(id).Draw(t, "added")
		s := newIDSet(added)
		removed := rapid.SliceOf(id).Draw(t, "removed")
		want := slices.Clone(added)
		for _, id := range removed {
			s.remove(id)
			want = slices.DeleteFunc(want, func(other uint32) bool { return other == id })
		}
		slices.Sort(want)
		want = slices.Compact(want)
		if got := s.ids(); !slices.Equal(got, want) || s.n != len(want) {
			t.Fatalf("got %v (%d), want %v", got, s.n, want)
		}
		for _, id := range append(removed, added...) {
			if _, there := slices.BinarySearch(want, id); s.has(id) != there {
				t.Fatalf("has %d: got %v, want %v", id, s.has(id), there)
			}
		}
	})
}

func TestArenaHoldsEachTextOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := newArena()
		codes := map[string]uint32{}
		for range rapid.IntRange(0, 400).Draw(t, "texts") {
			text := rapid.StringN(0, 3, 6).Draw(t, "text")
			code := a.code(text)
			if known, ok := codes[text]; ok && known != code {
				t.Fatalf("code of %q: got %d, before it was %d", text, code, known)
			}
			codes[text] = code
		}
		for text, code := range codes {
			if got := string(a.text(code)); got != text {
				t.Fatalf("text of %d: got %q, want %q", code, got, text)
			}
		}
		if a.n != len(codes) {
			t.Fatalf("texts held: got %d, want %d", a.n, len(codes))
		}
	})
}
