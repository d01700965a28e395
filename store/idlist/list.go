// Package idlist holds which flows a view shows and in which order: ids and
// nothing else, 4 bytes a flow, or a few bytes for a whole unbroken range.
//
// A [List] never changes. What changes it makes a new one that shares with the old
// all the chunks that stay as they are, so that readers need no lock, ten million
// ids are never copied because one came, and what one list holds another may hold
// too. A [Builder] puts one together; a [Set] says which ids are meant. It knows
// nothing of keys: who inserts says where.
package idlist

import (
	"iter"
	"slices"
	"sort"
)

// List is flow ids in an order. The zero value is empty.
type List struct {
	chunks []chunk
	ends   []int // ends[i] is the position after the last id of chunks[i]
}

// chunk is some neighbouring ids: a run, first, first+1 … of n, if ids is nil.
type chunk struct {
	ids   []uint32
	first uint32
	n     int
}

// maxChunk is how many ids a chunk holds, runs excepted: few enough that changing
// one is cheap, many enough that a list of millions has some hundreds.
const maxChunk = 8 << 10

func (c chunk) len() int {
	if c.ids == nil {
		return c.n
	}
	return len(c.ids)
}

func (c chunk) at(i int) uint32 {
	if c.ids == nil {
		return c.first + uint32(i)
	}
	return c.ids[i]
}

// part is the ids from position from of the chunk up to to.
func (c chunk) part(from, to int) chunk {
	if c.ids == nil {
		return chunk{first: c.first + uint32(from), n: to - from}
	}
	return chunk{ids: c.ids[from:to:to]}
}

// Run is the list first, first+1 … of n ids.
func Run(first uint32, n int) List {
	var b Builder
	b.add(chunk{first: first, n: n})
	return b.List()
}

// Of is the list of these ids.
func Of(ids ...uint32) List {
	var b Builder
	b.Append(ids...)
	return b.List()
}

// Len is the number of ids.
func (l List) Len() int {
	if len(l.ends) == 0 {
		return 0
	}
	return l.ends[len(l.ends)-1]
}

// At is the id at position i, which must be there.
func (l List) At(i int) uint32 {
	c := l.chunkAt(i)
	return l.chunks[c].at(i - l.start(c))
}

// chunkAt is the number of the chunk with position i.
func (l List) chunkAt(i int) int {
	return sort.Search(len(l.ends), func(c int) bool { return l.ends[c] > i })
}

// start is the position of the first id of a chunk.
func (l List) start(c int) int {
	if c == 0 {
		return 0
	}
	return l.ends[c-1]
}

// All yields the ids in order.
func (l List) All() iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		for _, c := range l.chunks {
			for i := range c.len() {
				if !yield(c.at(i)) {
					return
				}
			}
		}
	}
}

// Index is the position of an id, -1 if it is not there. It looks at each: about
// 0.3 ms a million, nothing where they are a run.
func (l List) Index(id uint32) int {
	for c, chunk := range l.chunks {
		switch {
		case chunk.ids != nil:
			if i := slices.Index(chunk.ids, id); i >= 0 {
				return l.start(c) + i
			}
		case id >= chunk.first && uint64(id) < uint64(chunk.first)+uint64(chunk.n):
			return l.start(c) + int(id-chunk.first)
		}
	}
	return -1
}

// Search is sort.Search over the positions: the first whose id meets the condition,
// which all behind it meet too.
func (l List) Search(is func(id uint32) bool) int {
	return sort.Search(l.Len(), func(i int) bool { return is(l.At(i)) })
}

// Concat is one list after the other.
func Concat(lists ...List) List {
	var b Builder
	for _, l := range lists {
		for _, c := range l.chunks {
			b.add(c)
		}
	}
	return b.List()
}

// Without is the list without the ids in a set.
func (l List) Without(gone *Set) List {
	if gone.Len() == 0 {
		return l
	}
	var b Builder
	for _, c := range l.chunks {
		if c.ids == nil {
			b.runWithout(c, gone)
			continue
		}
		kept := 0 // the ids from here on are not in b yet
		for i, id := range c.ids {
			if gone.Has(id) {
				b.add(c.part(kept, i))
				kept = i + 1
			}
		}
		b.add(c.part(kept, len(c.ids)))
	}
	return b.List()
}

// runWithout adds what of a run is not in a set.
func (b *Builder) runWithout(c chunk, gone *Set) {
	for _, id := range gone.Between(c.first, c.n) {
		before := int(id - c.first)
		b.add(c.part(0, before))
		c = c.part(before+1, c.n)
	}
	b.add(c)
}

// Insert is the list with ids[i] put before what is now at position at[i]. The
// positions ascend; ids with the same one keep their order.
func (l List) Insert(ids []uint32, at []int) List {
	if len(ids) == 0 {
		return l
	}
	var b Builder
	from := 0 // position of the first id that is not in b yet
	for i := 0; i < len(ids); {
		b.slice(l, from, at[i])
		from = at[i]
		for ; i < len(ids) && at[i] == from; i++ {
			b.Append(ids[i])
		}
	}
	b.slice(l, from, l.Len())
	return b.List()
}

// slice adds the ids of a list from one position up to another.
func (b *Builder) slice(l List, from, to int) {
	for c := l.chunkAt(from); from < to; c++ {
		start := l.start(c)
		end := min(l.ends[c], to)
		b.add(l.chunks[c].part(from-start, end-start))
		from = end
	}
}
