package store

import (
	"slices"
	"strings"
)

// coder turns texts into 64-bit keys that sort as the texts do, so that a view
// sorts a million URLs by eight bytes each instead of holding them.
//
// It knows some texts of the session, the cuts, in order. Whatever lies between
// two neighbouring cuts begins with what the two have in common, so a key is the
// number of the gap between cuts and the five bytes that follow the common part.
// That tells nearly all texts of a session apart, however long their common
// prefixes are. Texts that are frequent are likely among the cuts, and a cut has
// a number of its own.
//
// Equal keys mean equal texts only where the key is whole; the others are told
// apart by reading the texts again: see builder.refine. A coder never changes.
type coder struct {
	cuts   []string // ascending, each once
	shared []int    // shared[i] bytes begin every text between cuts[i-1] and cuts[i]
}

// The layout of a key, from the top: the number of a gap or cut, the next bytes
// of the text, how many of these there are.
const (
	keyLengthBits = 3
	keyBytes      = 5
	keyMore       = keyBytes + 1 // as length: more than fit
	keyRankShift  = keyBytes*8 + keyLengthBits
	maxCuts       = 1<<(64-keyRankShift-1) - 1
)

// newCoder makes a coder out of a sample of texts, which it sorts and keeps. Any
// sample will do; one drawn evenly from the session gives the best keys.
func newCoder(sample []string) *coder {
	slices.Sort(sample)
	if step := (len(sample) + maxCuts - 1) / maxCuts; step > 1 {
		for i := range len(sample) / step {
			sample[i] = sample[i*step]
		}
		sample = sample[:len(sample)/step]
	}
	c := &coder{cuts: slices.Compact(sample)}
	c.shared = make([]int, len(c.cuts)+1)
	for i := 1; i < len(c.cuts); i++ {
		c.shared[i] = commonPrefix(c.cuts[i-1], c.cuts[i])
	}
	return c
}

func commonPrefix(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// key returns the key of a text, and what of the text it says nothing of: "" if it
// is whole.
func (c *coder) key(text string) (key uint64, tail string) {
	i, cut := slices.BinarySearchFunc(c.cuts, text, strings.Compare)
	if cut {
		return uint64(2*i+1) << keyRankShift, ""
	}
	rest := text[c.shared[i]:]
	n := min(len(rest), keyBytes)
	for _, b := range []byte(rest[:n]) {
		key = key<<8 | uint64(b)
	}
	key = uint64(2*i)<<keyRankShift | key<<(8*(keyBytes-n))<<keyLengthBits | uint64(min(len(rest), keyMore))
	return key, rest[n:]
}

// whole reports whether all texts with this key are equal.
func whole(key uint64) bool { return key&(1<<keyLengthBits-1) != keyMore }

// sortPortion sorts a batch whose ids ascend by key, keeping the order of ids where
// keys are equal. It is a radix sort that skips the bytes all keys have in common.
func sortPortion(b portion) {
	if slices.IsSorted(b.keys) {
		return
	}
	var counts [8][256]int
	for _, k := range b.keys {
		for d := range counts {
			counts[d][byte(k>>(8*d))]++
		}
	}
	from := b
	to := portion{ids: make([]uint32, len(b.ids)), keys: make([]uint64, len(b.keys))}
	for d := range counts {
		if counts[d][byte(b.keys[0]>>(8*d))] == len(b.keys) {
			continue
		}
		scatter(to, from, 8*d, &counts[d])
		from, to = to, from
	}
	if &from.ids[0] != &b.ids[0] {
		copy(b.ids, from.ids)
		copy(b.keys, from.keys)
	}
}

// scatter does one pass: a stable sort by one byte of the keys. It uses counts up.
func scatter(to, from portion, shift int, counts *[256]int) {
	at := 0
	for i, n := range counts {
		counts[i] = at
		at += n
	}
	for i, k := range from.keys {
		digit := byte(k >> shift)
		at := counts[digit]
		counts[digit]++
		to.keys[at] = k
		to.ids[at] = from.ids[i]
	}
}
