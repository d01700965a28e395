package extsort

import (
	"cmp"
	"slices"
)

// radixEntries is where counting bytes begins to pay.
const radixEntries = 512

// sortByWord sorts entries by their words and keeps the order of those with equal
// ones: a radix sort that skips the bytes all words have in common. It needs as much
// room again.
func sortByWord(entries, other []entry) {
	if len(entries) < radixEntries {
		slices.SortFunc(entries, func(a, b entry) int {
			if a.word != b.word {
				return cmp.Compare(a.word, b.word)
			}
			return cmp.Compare(a.id, b.id)
		})
		return
	}
	var counts [wordBytes][256]int
	for _, e := range entries {
		for d := range counts {
			counts[d][byte(e.word>>(8*d))]++
		}
	}
	from, to := entries, other
	for d := range counts {
		if counts[d][byte(entries[0].word>>(8*d))] == len(entries) {
			continue
		}
		at := 0
		for i, n := range counts[d] {
			counts[d][i] = at
			at += n
		}
		for _, e := range from {
			digit := byte(e.word >> (8 * d))
			to[counts[d][digit]] = e
			counts[d][digit]++
		}
		from, to = to, from
	}
	if &from[0] != &entries[0] {
		copy(entries, from)
	}
}
