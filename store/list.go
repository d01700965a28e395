package store

import (
	"slices"
	"sort"
)

// list is the flows of a view in ascending order: 4 bytes a flow, and 8 more for
// the sort key where that is not the id. While it is nothing but one unbroken
// range of ids it is not even that.
//
// All changes come in batches, and a batch costs one pass of block moves over
// what lies behind its first entry, so that many small ones at the end of a long
// list are cheap.
type list struct {
	keyed bool   // there are keys: the order is another than that of ids
	coder *coder // what made the keys of a text order; nil for numbers
	dense bool   // the flows are first, first+1 … first+n-1, and ids is nil
	first uint32
	n     int // entries of a dense list
	ids   []uint32
	keys  []uint64 // ascending; nil unless keyed
}

// portion is entries to be merged into a list, ascending by key and then by id.
// keys is nil where the list has none.
type portion struct {
	ids  []uint32
	keys []uint64
}

func (l *list) len() int {
	if l.dense {
		return l.n
	}
	return len(l.ids)
}

// id is the flow at position i, which must be there.
func (l *list) id(i int) uint32 {
	if l.dense {
		return l.first + uint32(i)
	}
	return l.ids[i]
}

// search returns the position of (key, id), or where it would stand. In a list
// without keys only the id counts. It is only right within a run of equal keys if
// that is in order of ids.
func (l *list) search(key uint64, id uint32) (int, bool) {
	n := l.len()
	at := sort.Search(n, func(i int) bool {
		if l.keyed && l.keys[i] != key {
			return l.keys[i] > key
		}
		return l.id(i) >= id
	})
	return at, at < n && l.id(at) == id && (!l.keyed || l.keys[at] == key)
}

// exact reports whether flows with this key stand in order of ids.
func (l *list) exact(key uint64) bool { return l.coder == nil || isWhole(key) }

// run returns the positions [from, to) that have this key.
func (l *list) run(key uint64) (from, to int) {
	from, _ = slices.BinarySearch(l.keys, key)
	to = from + sort.Search(len(l.keys)-from, func(i int) bool { return l.keys[from+i] > key })
	return from, to
}

// indexOf finds a flow by looking at each. It takes about 0.3 ms a million.
func (l *list) indexOf(id uint32) int {
	if l.dense {
		if id >= l.first && uint64(id) < uint64(l.first)+uint64(l.n) {
			return int(id - l.first)
		}
		return -1
	}
	return slices.Index(l.ids, id)
}

// materialise gives up the dense form.
func (l *list) materialise() {
	if !l.dense {
		return
	}
	l.ids = make([]uint32, l.n, l.n+l.n/8+64)
	for i := range l.ids {
		l.ids[i] = l.first + uint32(i)
	}
	l.dense = false
}

// extend adds a portion to the end of a dense list, and reports whether it could:
// nothing is to leave and no id is left out.
func (l *list) extend(p portion, gone *idSet) bool {
	if !l.dense || gone.n > 0 {
		return false
	}
	first, n := l.first, l.n
	for _, id := range p.ids {
		if n == 0 {
			first = id
		}
		if uint64(id) != uint64(first)+uint64(n) {
			return false
		}
		n++
	}
	l.first, l.n = first, n
	return true
}

// remove takes the entries of all flows in gone out.
func (l *list) remove(gone *idSet) {
	if gone.n == 0 {
		return
	}
	l.materialise()
	kept := 0
	if !l.keyed {
		kept, _ = l.search(0, gone.low)
	}
	for i := kept; i < len(l.ids); i++ {
		if gone.has(l.ids[i]) {
			continue
		}
		l.ids[kept] = l.ids[i]
		if l.keyed {
			l.keys[kept] = l.keys[i]
		}
		kept++
	}
	l.ids = l.ids[:kept]
	if l.keyed {
		l.keys = l.keys[:kept]
	}
}

// merge adds a batch, each entry where (key, id) says.
func (l *list) merge(b portion) {
	if len(b.ids) == 0 {
		return
	}
	l.materialise()
	at := make([]uint32, len(b.ids))
	pos := 0
	for i, id := range b.ids {
		if l.keyed {
			key := b.keys[i]
			pos += gallop(len(l.ids)-pos, func(j int) bool {
				k := l.keys[pos+j]
				return k > key || k == key && l.ids[pos+j] > id
			})
		} else {
			pos += gallop(len(l.ids)-pos, func(j int) bool { return l.ids[pos+j] > id })
		}
		at[i] = uint32(pos)
	}
	l.insert(b, at)
}

// gallop is sort.Search for an answer that is likely near the start.
func gallop(n int, is func(int) bool) int {
	low, step := 0, 1
	for low+step <= n && !is(low+step-1) {
		low += step
		step *= 2
	}
	return low + sort.Search(min(step, n-low), func(i int) bool { return is(low + i) })
}

// insert adds a batch, entry i before what is now at position at[i]. The
// positions ascend; entries with the same one keep their order.
func (l *list) insert(b portion, at []uint32) {
	if len(b.ids) == 0 {
		return
	}
	l.materialise()
	l.ids = insertBlocks(l.ids, b.ids, at)
	if l.keyed {
		l.keys = insertBlocks(l.keys, b.keys, at)
	}
}

// insertBlocks opens the gaps from the end, so that each old entry moves once.
func insertBlocks[E any](s, add []E, at []uint32) []E {
	end := len(s)
	s = slices.Grow(s, len(add))[:end+len(add)]
	for i := len(add) - 1; i >= 0; i-- {
		gap := int(at[i])
		copy(s[gap+i+1:], s[gap:end])
		s[gap+i] = add[i]
		end = gap
	}
	return s
}
