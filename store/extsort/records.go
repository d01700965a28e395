package extsort

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
)

// A record is the length of a key, 2 bytes, the id, 4 bytes, and the key.
const recordHead = 2 + 4

// MaxKey is the length of the longest key, in bytes; of longer ones the rest is
// left out.
const MaxKey = 1<<16 - 1

// entry is a record while it is sorted.
type entry struct {
	word uint64 // the next bytes of the key
	at   uint32 // of the record
	id   uint32
}

// entryBytes is the memory of an entry.
const entryBytes = 16

// room is memory for one sort after the other.
type room struct {
	data    []byte // records
	entries []entry
	other   []entry
}

// roomFor is how much memory sorting so many records of so many bytes takes.
func roomFor(size, n int) int { return size + 2*entryBytes*n }

// sort returns the ids of the records in r.data, in the order of their keys, and
// of their ids where keys are equal. ordered says that the records ascend by id.
func (r *room) sort(n int, ordered bool) []uint32 {
	r.entries = slices.Grow(r.entries[:0], n)
	for at := 0; at < len(r.data); {
		size := int(binary.LittleEndian.Uint16(r.data[at:]))
		r.entries = append(r.entries, entry{at: uint32(at), id: binary.LittleEndian.Uint32(r.data[at+2:])})
		at += recordHead + size
	}
	if !ordered {
		slices.SortFunc(r.entries, func(a, b entry) int { return cmp.Compare(a.id, b.id) })
	}
	r.other = slices.Grow(r.other[:0], len(r.entries))[:len(r.entries)]
	r.sortFrom(r.entries, r.other, 0)
	ids := make([]uint32, len(r.entries))
	for i, e := range r.entries {
		ids[i] = e.id
	}
	return ids
}

// key is what of an entry's key lies behind depth bytes.
func (r *room) key(e entry, depth int) []byte {
	size := int(binary.LittleEndian.Uint16(r.data[e.at:]))
	start := int(e.at) + recordHead
	return r.data[start+min(depth, size) : start+size]
}

// fewEntries are sorted by comparing them.
const fewEntries = 24

// sortFrom sorts entries, whose keys have depth bytes in common and which ascend by
// id where keys are equal: eight bytes at a time, then what these leave together.
func (r *room) sortFrom(entries, other []entry, depth int) {
	for len(entries) > fewEntries {
		for i := range entries {
			entries[i].word = word(r.key(entries[i], depth))
		}
		sortByWord(entries, other)
		if entries[0].word != entries[len(entries)-1].word {
			r.sortRuns(entries, other, depth)
			return
		}
		// All go on alike: a loop, so that long common beginnings do not nest.
		short := r.partition(entries, other, depth)
		entries, other = entries[short:], other[short:]
		depth += wordBytes
	}
	r.insertionSort(entries, depth)
}

// sortRuns sorts the runs of entries with equal words.
func (r *room) sortRuns(entries, other []entry, depth int) {
	for from := 0; from < len(entries); {
		to := from + 1
		for to < len(entries) && entries[to].word == entries[from].word {
			to++
		}
		if to-from > 1 {
			run, room := entries[from:to], other[from:to]
			short := r.partition(run, room, depth)
			r.sortFrom(run[short:], room[short:], depth+wordBytes)
		}
		from = to
	}
}

// partition brings the entries, whose words are equal, whose keys end within the
// word to the front, shorter ones first, and returns how many these are. Filled up
// with zeros they look like the others.
func (r *room) partition(entries, other []entry, depth int) (short int) {
	var counts [wordBytes + 1]int
	for _, e := range entries {
		counts[min(len(r.key(e, depth)), wordBytes)]++
	}
	if counts[wordBytes] == len(entries) {
		return 0
	}
	at := 0
	for size, n := range counts {
		counts[size] = at
		at += n
	}
	short = counts[wordBytes]
	for _, e := range entries {
		size := min(len(r.key(e, depth)), wordBytes)
		other[counts[size]] = e
		counts[size]++
	}
	copy(entries, other)
	return short
}

func (r *room) insertionSort(entries []entry, depth int) {
	for i := 1; i < len(entries); i++ {
		e := entries[i]
		key := r.key(e, depth)
		at := i
		for at > 0 && bytes.Compare(r.key(entries[at-1], depth), key) > 0 {
			entries[at] = entries[at-1]
			at--
		}
		entries[at] = e
	}
}
