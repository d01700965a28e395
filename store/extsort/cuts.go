package extsort

import (
	"slices"
	"strings"
)

// cuts divide all keys into buckets: bucket 2i is what lies between the cuts i-1
// and i, bucket 2i+1 is cut i itself. They never change.
type cuts struct {
	keys   []string // ascending, each once
	shared []int    // shared[i] bytes begin every key between keys[i-1] and keys[i]
	tree   tree     // finds the place among the keys
	root   Stem     // of all keys
}

// Stem is the keys that begin with a certain prefix, and their place among the
// cuts: [low, high) begin with it too. URLs have few different beginnings, so that
// finding these once and looking only at the paths saves much of the search.
type Stem struct {
	prefix    string
	low, high int
	fork      int32 // of the tree, for these cuts; noFork if they are compared one by one
}

// newCuts takes at most n cuts out of a sample, at even distances.
func newCuts(sample []string, n int) *cuts {
	sample = slices.Sorted(slices.Values(sample))
	c := &cuts{}
	for i := range n {
		if at := (i + 1) * len(sample) / (n + 1); at < len(sample) {
			c.keys = append(c.keys, sample[at])
		}
	}
	c.keys = slices.Compact(c.keys)
	c.shared = make([]int, len(c.keys)+1)
	for i := 1; i < len(c.keys); i++ {
		c.shared[i] = commonPrefix(c.keys[i-1], c.keys[i])
	}
	c.root = c.stem("")
	c.root.fork = c.tree.grow(c.keys, 0, len(c.keys), 0, fewCuts)
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

// buckets is how many buckets there are.
func (c *cuts) buckets() int { return 2*len(c.keys) + 1 }

// stem makes the stem of a prefix.
func (c *cuts) stem(prefix string) Stem {
	s := Stem{prefix: prefix, fork: noFork}
	s.low, _ = slices.BinarySearch(c.keys, prefix)
	s.high, _ = slices.BinarySearchFunc(c.keys[s.low:], prefix, func(key, prefix string) int {
		if strings.HasPrefix(key, prefix) {
			return -1
		}
		return 1
	})
	s.high += s.low
	return s
}

// bucket returns where the key that a stem and the rest make belongs.
func (c *cuts) bucket(s *Stem, rest string) int {
	i, is := c.search(s, rest)
	if is {
		return 2*i + 1
	}
	return 2 * i
}

// search returns the number of the first cut that is not below the prefix and
// rest, and whether it equals them.
func (c *cuts) search(s *Stem, rest string) (int, bool) {
	// The key begins like the cuts from low to high: they have common bytes in
	// common for certain, and depth if those that are missing count as zeros.
	skipped, t := len(s.prefix), &c.tree
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
	i, is := slices.BinarySearchFunc(c.keys[low:high], rest[common-skipped:], func(key, rest string) int {
		return strings.Compare(key[common:], rest)
	})
	return low + i, is
}
