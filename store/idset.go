package store

import (
	"maps"
	"math/bits"
	"slices"
)

// idSet is a set of flow ids: a bit a flow in pages of 4096, so that a file with
// strange ids costs no more than one with many flows.
type idSet struct {
	pages map[uint32]*idPage
	low   uint32 // of all that were ever added
	high  uint32
	n     int
}

type idPage struct{ words [64]uint64 }

func newIDSet(ids []uint32) *idSet {
	s := &idSet{pages: make(map[uint32]*idPage), low: maxID}
	for _, id := range ids {
		s.add(id)
	}
	return s
}

func (s *idSet) add(id uint32) {
	page := s.pages[id>>12]
	if page == nil {
		page = new(idPage)
		s.pages[id>>12] = page
	}
	word, bit := &page.words[id>>6&63], uint64(1)<<(id&63)
	if *word&bit == 0 {
		*word |= bit
		s.n++
	}
	s.low, s.high = min(s.low, id), max(s.high, id)
}

func (s *idSet) remove(id uint32) {
	if s.has(id) {
		s.pages[id>>12].words[id>>6&63] &^= 1 << (id & 63)
		s.n--
	}
}

func (s *idSet) has(id uint32) bool {
	if id < s.low || id > s.high {
		return false
	}
	page := s.pages[id>>12]
	return page != nil && page.words[id>>6&63]>>(id&63)&1 != 0
}

// ids returns the ids in the set, ascending.
func (s *idSet) ids() []uint32 {
	all := make([]uint32, 0, s.n)
	for _, key := range slices.Sorted(maps.Keys(s.pages)) {
		for i, word := range s.pages[key].words {
			for ; word != 0; word &= word - 1 {
				all = append(all, key<<12|uint32(i)<<6|uint32(bits.TrailingZeros64(word)))
			}
		}
	}
	return all
}
