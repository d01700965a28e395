package ws

import "math/bits"

// Bits of the longest code, and of the codes that one look into a table finds.
const (
	longestCode = 15
	shortCode   = 9
)

// huffman is a canonical Huffman code (RFC 1951 §3.2.2).
type huffman struct {
	short  [1 << shortCode]uint16  // by the next bits: symbol<<4 | length; 0 where the code is longer
	count  [longestCode + 1]uint16 // codes of each length
	symbol [288]uint16             // in the order of their codes
}

// build makes the code whose symbols have codes of these lengths, 0 for none.
// It reports false where they are no prefix code, or one with gaps. A code of
// one bit, or none at all, may have gaps, as everybody allows.
func (h *huffman) build(lengths []uint8) bool {
	h.count = [longestCode + 1]uint16{}
	longest := 0
	for _, n := range lengths {
		h.count[n]++
		longest = max(longest, int(n))
	}
	h.count[0] = 0
	left := 1
	var next, at [longestCode + 2]uint16 // next code, and place of the next symbol, of each length
	for n := 1; n <= longestCode; n++ {
		left = left<<1 - int(h.count[n])
		if left < 0 {
			return false
		}
		next[n+1] = (next[n] + h.count[n]) << 1
		at[n+1] = at[n] + h.count[n]
	}
	if left > 0 && longest > 1 {
		return false
	}
	h.short = [1 << shortCode]uint16{}
	for symbol, n := range lengths {
		if n == 0 {
			continue
		}
		h.symbol[at[n]] = uint16(symbol)
		at[n]++
		h.enter(uint16(symbol), next[n], uint(n))
		next[n]++
	}
	return true
}

// enter puts a short code into the table, under every value of the bits behind it.
func (h *huffman) enter(symbol, code uint16, n uint) {
	if n > shortCode {
		return
	}
	for i := int(bits.Reverse16(code) >> (16 - n)); i < len(h.short); i += 1 << n {
		h.short[i] = symbol<<4 | uint16(n)
	}
}

// decode finds the symbol whose code the lowest bits of hold begin with, of
// which have are there, and the code's length: 0 where the bits are too few or,
// out of longestCode or more, begin no code.
func (h *huffman) decode(hold uint64, have uint) (symbol int, n uint) {
	if e := h.short[hold&(1<<shortCode-1)]; e != 0 {
		if n = uint(e & 15); n <= have {
			return int(e >> 4), n
		}
		return 0, 0
	}
	code, first, index := 0, 0, 0
	for n = 1; n <= min(longestCode, have); n++ {
		code |= int(hold>>(n-1)) & 1
		count := int(h.count[n])
		if code < first+count {
			return int(h.symbol[index+code-first]), n
		}
		index += count
		first = (first + count) << 1
		code <<= 1
	}
	return 0, 0
}
