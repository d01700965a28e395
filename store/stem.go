package store

import (
	"slices"
	"strings"
)

// stem is the texts that begin with a certain prefix, and their place among a
// coder's cuts: [low, high) are the cuts that begin with it too. A million URLs
// have few different beginnings, so that finding these once and looking at no more
// than the paths halves what their keys cost.
type stem struct {
	coder     *coder
	prefix    string
	low, high int
	fork      int32 // of the coder's tree, for these cuts; noFork if they are few
}

// stem makes the stem of a prefix; few is how many cuts its tree leaves together.
func (c *coder) stem(prefix string, few int) *stem {
	s := &stem{coder: c, prefix: prefix}
	s.low, _ = slices.BinarySearch(c.cuts, prefix)
	s.high, _ = slices.BinarySearchFunc(c.cuts[s.low:], prefix, func(cut, prefix string) int {
		if strings.HasPrefix(cut, prefix) {
			return -1
		}
		return 1
	})
	s.high += s.low
	s.fork = c.tree.grow(c.cuts, s.low, s.high, len(prefix), few)
	return s
}

// key returns the key of a text, given what follows the prefix: see [coder.key].
func (s *stem) key(rest string) (key uint64, tail string) {
	i, cut := s.search(rest)
	if cut {
		return uint64(2*i+1) << keyRankShift, ""
	}
	if known := s.coder.shared[i]; known < len(s.prefix) {
		rest = s.prefix[known:] + rest
	} else {
		rest = rest[known-len(s.prefix):]
	}
	next := word(rest) >> (8 * (wordBytes - keyBytes))
	key = uint64(2*i)<<keyRankShift | next<<keyLengthBits | uint64(min(len(rest), keyMore))
	return key, rest[min(len(rest), keyBytes):]
}

// search returns the number of the first cut that is not below the prefix and
// rest, and whether it equals them.
func (s *stem) search(rest string) (int, bool) {
	// The text begins like the cuts from low to high: they have common bytes in
	// common for certain, and depth if those that are missing count as zeros.
	skipped, t := len(s.prefix), &s.coder.tree
	low, high, common, depth := s.low, s.high, skipped, skipped
	for at := s.fork; at != noFork; {
		f := &t.forks[at]
		skip, text := t.skips[f.skip:][:int(f.depth)-depth], rest[depth-skipped:]
		if len(text) < len(skip) || text[:len(skip)] != string(skip) {
			if text > string(skip) {
				low = high
			}
			return low, false
		}
		w := word(text[len(skip):])
		i := t.find(f, w)
		if i+1 < f.to {
			high = int(t.branches[i+1].first)
		}
		if i == f.to {
			return high, false
		}
		b := &t.branches[i]
		if low = int(b.first); b.word != w {
			return low, false
		}
		common, depth, at = int(f.depth), int(f.depth)+wordBytes, b.next
		if at != noFork && skipped+len(rest) < depth {
			return low, false // it ends where the cuts go on, with zeros
		}
	}
	i, is := slices.BinarySearchFunc(s.coder.cuts[low:high], rest[common-skipped:], func(cut, rest string) int {
		return strings.Compare(cut[common:], rest)
	})
	return low + i, is
}
