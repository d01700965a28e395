package store

import (
	"encoding/binary"
	"hash/maphash"
)

// arena holds texts, each distinct one once, in one piece of memory: a few bytes
// more than the texts themselves. A text is known by its code, above 0.
type arena struct {
	data  []byte   // length and bytes of each text
	table []uint32 // codes by hash, open addressing; 0 is free
	n     int
	seed  maphash.Seed
}

func newArena() arena { return arena{seed: maphash.MakeSeed(), table: make([]uint32, 256)} }

// code returns the code of a text, which is copied if it is new.
func (a *arena) code(text string) uint32 {
	if 2*a.n >= len(a.table) {
		a.grow()
	}
	i := a.slot(text)
	if a.table[i] == 0 {
		a.table[i] = uint32(len(a.data)) + 1
		a.data = append(binary.AppendUvarint(a.data, uint64(len(text))), text...)
		a.n++
	}
	return a.table[i]
}

// slot finds where in the table a text is, or would be.
func (a *arena) slot(text string) int {
	mask := len(a.table) - 1
	i := int(maphash.String(a.seed, text)) & mask
	for a.table[i] != 0 && string(a.text(a.table[i])) != text {
		i = (i + 1) & mask
	}
	return i
}

func (a *arena) grow() {
	old := a.table
	a.table = make([]uint32, 2*len(old))
	for _, code := range old {
		if code != 0 {
			a.table[a.slot(string(a.text(code)))] = code
		}
	}
}

// text is that of a code.
func (a *arena) text(code uint32) []byte {
	length, n := binary.Uvarint(a.data[code-1:])
	start := int(code) - 1 + n
	return a.data[start : start+int(length)]
}

// size is the memory that the arena holds, in bytes.
func (a *arena) size() int { return cap(a.data) + 4*len(a.table) }
