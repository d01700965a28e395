package ws

import (
	"encoding/binary"
	"fmt"
)

// Opcode says what a frame carries (RFC 6455 §5.2). Values without a name are
// reserved, and kept as they came.
type Opcode uint8

// The opcodes that have a meaning.
const (
	Continuation Opcode = 0
	Text         Opcode = 1
	Binary       Opcode = 2
	Close        Opcode = 8
	Ping         Opcode = 9
	Pong         Opcode = 10
)

// Control reports whether o is one of the control frames, the reserved ones
// among them, which are not fragmented and may come between fragments.
func (o Opcode) Control() bool { return o&8 != 0 }

func (o Opcode) known() bool { return o <= Binary || o >= Close && o <= Pong }

// String returns the opcode's name in RFC 6455, or its number.
func (o Opcode) String() string {
	switch o {
	case Continuation:
		return "continuation"
	case Text:
		return "text"
	case Binary:
		return "binary"
	case Close:
		return "close"
	case Ping:
		return "ping"
	case Pong:
		return "pong"
	}
	return fmt.Sprintf("opcode %d", uint8(o))
}

// Frame is the head of one frame.
type Frame struct {
	Fin    bool
	RSV    uint8 // the reserved bits: 4 is RSV1, 2 is RSV2, 1 is RSV3
	Opcode Opcode
	Masked bool
	Key    [4]byte
	Length uint64 // of the payload, below 2^63
	// Long is whether the length was written in more bytes than it needs.
	Long bool
}

// rsv1 marks the first frame of a compressed message (RFC 7692 §6).
const rsv1 = 4

// maxHead is the size of the longest frame head.
const maxHead = 14

// headSize is how many bytes the head that begins with p has; more than len(p)
// where p does not tell yet, or does not hold it all.
func headSize(p []byte) int {
	if len(p) < 2 {
		return 2
	}
	n := 2
	switch p[1] & 0x7f {
	case 126:
		n += 2
	case 127:
		n += 8
	}
	if p[1]&0x80 != 0 {
		n += 4
	}
	return n
}

// parseHead reads a whole head. It reports false where the length has its
// topmost bit set.
func parseHead(p []byte) (f Frame, ok bool) {
	f.Fin, f.RSV, f.Opcode = p[0]&0x80 != 0, p[0]>>4&7, Opcode(p[0]&0xf)
	f.Masked = p[1]&0x80 != 0
	f.Length = uint64(p[1] & 0x7f)
	p = p[2:]
	switch f.Length {
	case 126:
		f.Length = uint64(binary.BigEndian.Uint16(p))
		f.Long = f.Length < 126
		p = p[2:]
	case 127:
		f.Length = binary.BigEndian.Uint64(p)
		f.Long = f.Length < 1<<16
		p = p[8:]
	}
	if f.Masked {
		f.Key = [4]byte(p)
	}
	return f, f.Length>>63 == 0
}

// unmask sets dst to src without the mask, whose first pos bytes were used up,
// modulo 4. The slices are of one length.
func unmask(dst, src []byte, key [4]byte, pos int) {
	k := uint64(binary.LittleEndian.Uint32([]byte{key[pos&3], key[(pos+1)&3], key[(pos+2)&3], key[(pos+3)&3]}))
	k |= k << 32
	i := 0
	for ; i+8 <= len(src); i += 8 {
		binary.LittleEndian.PutUint64(dst[i:], binary.LittleEndian.Uint64(src[i:])^k)
	}
	for ; i < len(src); i++ {
		dst[i] = src[i] ^ key[(pos+i)&3]
	}
}
