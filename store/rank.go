package store

import (
	"slices"
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
	tree   tree     // finds the place among the cuts
	root   *stem    // of all texts
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
	c.root = c.stem("", 1)
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
func (c *coder) key(text string) (key uint64, tail string) { return c.root.key(text) }

// isWhole reports whether all texts with this key are equal.
func isWhole(key uint64) bool { return key&(1<<keyLengthBits-1) != keyMore }
