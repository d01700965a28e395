package store

import "slices"

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
