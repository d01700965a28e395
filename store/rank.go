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
	root   *fork    // finds the place among the cuts
}

// The layout of a key, from the top: the number of a gap or cut, the next bytes
// of the text, how many of these there are.
const (
	keyLengthBits = 3
	keyBytes      = 5
	keyMore       = keyBytes + 1 // as length: more than fit
	keyRankShift  = keyBytes*8 + keyLengthBits
)

// newCoder makes a coder out of a sample of at most a million texts, which it sorts
// and keeps. Any sample will do; one drawn evenly from the session gives the best
// keys.
func newCoder(sample []string) *coder {
	slices.Sort(sample)
	c := &coder{cuts: slices.Compact(sample)}
	c.shared = make([]int, len(c.cuts)+1)
	for i := 1; i < len(c.cuts); i++ {
		c.shared[i] = commonPrefix(c.cuts[i-1], c.cuts[i])
	}
	c.root = newFork(c.cuts, 0)
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
	i, cut := c.search(text)
	if cut {
		return uint64(2*i+1) << keyRankShift, ""
	}
	rest := text[c.shared[i]:]
	next := word(rest) >> (8 * (wordBytes - keyBytes))
	key = uint64(2*i)<<keyRankShift | next<<keyLengthBits | uint64(min(len(rest), keyMore))
	return key, rest[min(len(rest), keyBytes):]
}

// isWhole reports whether all texts with this key are equal.
func isWhole(key uint64) bool { return key&(1<<keyLengthBits-1) != keyMore }

// fork is a node of the tree over the cuts: eight bytes at a time decide the way.
// Searching in integers is several times as fast as comparing texts, most of which
// begin alike.
type fork struct {
	depth int      // the cuts below have so many first bytes in common
	skip  string   // those of them that the forks above have not looked at
	words []uint64 // the distinct next eight bytes of the cuts, ascending
	first []int32  // of the cuts below, that with which each word begins; and their number
	next  []*fork  // by word; nil where few cuts are left, which are compared whole
}

const (
	wordBytes = 8
	fewCuts   = 12
)

// newFork makes the tree over cuts, which have depth bytes in common; nil for few.
func newFork(cuts []string, depth int) *fork {
	if len(cuts) <= fewCuts || len(cuts[0]) < depth {
		return nil // a text that ends cannot be told from one that goes on with zeros
	}
	f := &fork{depth: commonPrefix(cuts[0], cuts[len(cuts)-1])}
	f.skip = cuts[0][depth:f.depth]
	for from := 0; from < len(cuts); {
		w := word(cuts[from][f.depth:])
		to := from + 1
		for to < len(cuts) && word(cuts[to][f.depth:]) == w {
			to++
		}
		f.words = append(f.words, w)
		f.first = append(f.first, int32(from))
		f.next = append(f.next, newFork(cuts[from:to], f.depth+wordBytes))
		from = to
	}
	f.first = append(f.first, int32(len(cuts)))
	return f
}

// word is the first eight bytes of a text as a number, zeros behind a short one.
func word(text string) (w uint64) {
	if len(text) >= wordBytes {
		return uint64(text[7]) | uint64(text[6])<<8 | uint64(text[5])<<16 | uint64(text[4])<<24 |
			uint64(text[3])<<32 | uint64(text[2])<<40 | uint64(text[1])<<48 | uint64(text[0])<<56
	}
	for i := range len(text) {
		w |= uint64(text[i]) << (56 - 8*i)
	}
	return w
}

// search returns the number of the first cut that is not below text, and whether
// it equals it.
func (c *coder) search(text string) (int, bool) {
	low, high, depth := 0, len(c.cuts), 0
	for f := c.root; f != nil; {
		if !strings.HasPrefix(text[depth:], f.skip) {
			if text[depth:] > f.skip {
				low = high
			}
			return low, false
		}
		w := word(text[f.depth:])
		i, is := slices.BinarySearch(f.words, w)
		if !is {
			return low + int(f.first[i]), false
		}
		low, high = low+int(f.first[i]), low+int(f.first[i+1])
		depth, f = f.depth+wordBytes, f.next[i]
		if f != nil && len(text) < depth {
			return low, false // it ends where the cuts go on, with zeros
		}
	}
	i, is := slices.BinarySearchFunc(c.cuts[low:high], text, strings.Compare)
	return low + i, is
}
