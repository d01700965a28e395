package idlist

import (
	"iter"
	"math"
	"math/bits"
)

// Set is a set of flow ids, a bit each in pages of 4096: a few bytes for a few
// ids, at most 8 MB and the pages for the strangest ones. The zero value is empty.
type Set struct {
	pages []*page // by id / pageSize
	low   uint32  // of all that were ever added
	high  uint32
	n     int
}

const pageSize = 4096

type page [pageSize / 64]uint64

// SetOf is the set of these ids.
func SetOf(ids ...uint32) *Set {
	s := &Set{}
	for _, id := range ids {
		s.Add(id)
	}
	return s
}

// Len is the number of ids in the set.
func (s *Set) Len() int { return s.n }

// Bounds are the least and the greatest id that were ever added; low is above high
// if there are none.
func (s *Set) Bounds() (low, high uint32) {
	if s.pages == nil {
		return math.MaxUint32, 0
	}
	return s.low, s.high
}

// Add puts an id in.
func (s *Set) Add(id uint32) {
	if s.pages == nil {
		s.low, s.high = id, id
	}
	s.low, s.high = min(s.low, id), max(s.high, id)
	for uint32(len(s.pages)) <= id/pageSize {
		s.pages = append(s.pages, nil)
	}
	p := s.pages[id/pageSize]
	if p == nil {
		p = new(page)
		s.pages[id/pageSize] = p
	}
	word, bit := &p[id%pageSize/64], uint64(1)<<(id%64)
	if *word&bit == 0 {
		*word |= bit
		s.n++
	}
}

// Remove takes an id out.
func (s *Set) Remove(id uint32) {
	if s.Has(id) {
		s.pages[id/pageSize][id%pageSize/64] &^= 1 << (id % 64)
		s.n--
	}
}

// Has reports whether an id is in the set.
func (s *Set) Has(id uint32) bool {
	if id < s.low || id > s.high || s.pages == nil {
		return false
	}
	p := s.pages[id/pageSize]
	return p != nil && p[id%pageSize/64]>>(id%64)&1 != 0
}

// IDs returns the ids in the set, ascending.
func (s *Set) IDs() []uint32 {
	if s.n == 0 {
		return nil
	}
	return s.Between(s.low, int(s.high-s.low)+1)
}

// Between returns those of the n ids from first on that are in the set, ascending.
func (s *Set) Between(first uint32, n int) []uint32 {
	if s.n == 0 || n == 0 {
		return nil
	}
	low := max(first, s.low)
	high := uint32(min(uint64(first)+uint64(n)-1, uint64(s.high)))
	if low > high {
		return nil
	}
	var ids []uint32
	for at := low / pageSize; at <= high/pageSize; at++ {
		if s.pages[at] == nil {
			continue
		}
		for i, word := range s.pages[at] {
			for ; word != 0; word &= word - 1 {
				id := at*pageSize + uint32(i)*64 + uint32(bits.TrailingZeros64(word))
				if id >= low && id <= high {
					ids = append(ids, id)
				}
			}
		}
	}
	return ids
}

// SetOfAll is the set of the ids of a sequence.
func SetOfAll(ids iter.Seq[uint32]) *Set {
	s := &Set{}
	for id := range ids {
		s.Add(id)
	}
	return s
}

// List is the ids in ascending order.
func (s *Set) List() List {
	var b Builder
	low, high := s.Bounds()
	for at := uint64(low); at <= uint64(high); at += maxChunk {
		b.Append(s.Between(uint32(at), maxChunk)...)
	}
	return b.List()
}
