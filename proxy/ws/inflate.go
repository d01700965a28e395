package ws

import "encoding/binary"

// windowSize is how far back DEFLATE can refer, in bytes.
const windowSize = 32 << 10

// inflater undoes DEFLATE (RFC 1951) as the bytes come: it takes any piece of
// the input and gives what that piece stands for, which no decoder does that
// reads from an io.Reader. A step either has all the bits that it needs, at
// most 48, or leaves them where they are. After a last block the next one
// begins at the next byte and may refer to what came before, since
// permessage-deflate allows a last block within a message (RFC 7692 §7.2.3.4).
type inflater struct {
	in    []byte // input not taken yet, during feed
	hold  uint64 // bits taken and not used, the first one lowest
	bits  uint   // how many
	step  inflateStep
	final bool // the block is the last of its stream

	stored       int        // bytes left of a stored block
	length       int        // left of the string that is being copied
	distance     int        // how far back it is
	farthest     int        // the largest distance so far
	lengths      [320]uint8 // of the codes that are being read
	have         int        // of those
	literals     int        // codes for literals and lengths that the block announces
	distances    int        // and for distances
	meta         int        // and for their lengths
	lit, dist    *huffman   // of the block
	own, fixed   [2]huffman
	fixedIsBuilt bool

	window [windowSize]byte // the last bytes, as a ring
	at     int              // where the next byte goes
	shown  int              // up to where they were returned
	known  int              // how many bytes of the past there are
}

type inflateStep uint8

const (
	atBlock inflateStep = iota
	atStored
	inStored
	atCodes
	inMeta
	inLengths
	inSymbols
)

// damage says why data does not decompress.
type damage string

func (d damage) Error() string { return string(d) }

// reset forgets everything: what follows is a stream of its own.
func (z *inflater) reset() {
	z.hold, z.bits, z.step, z.final = 0, 0, atBlock, false
	z.length, z.known = 0, 0
	z.shown = z.at
}

// feed takes bytes from the front of p. It returns how many, and what can be
// told from them, valid until the next call. There is more to come as long as
// it returns something.
func (z *inflater) feed(p []byte) (n int, out []byte, err error) {
	z.in = p
	for more := true; more && err == nil && z.at < windowSize; {
		z.fill()
		more, err = z.advance()
	}
	n = len(p) - len(z.in)
	z.in = nil
	out = z.window[z.shown:z.at]
	z.known = min(z.known+len(out), windowSize)
	z.at %= windowSize
	z.shown = z.at
	return n, out, err
}

// between reports whether all that was fed is used up, up to the end of a block.
func (z *inflater) between() bool { return z.step == atBlock && z.bits == 0 }

// untaken returns the whole bytes of input that were fed and not used, after an error.
func (z *inflater) untaken() (p []byte) {
	z.take(z.bits % 8)
	for z.bits > 0 {
		p = append(p, byte(z.take(8)))
	}
	return p
}

// fill takes as much input as the hold has room for: 56 bits or more, or all there is.
func (z *inflater) fill() {
	if len(z.in) >= 8 {
		z.hold |= binary.LittleEndian.Uint64(z.in) << z.bits
		n := (63 - z.bits) / 8
		z.in = z.in[n:]
		z.bits += n * 8
		z.hold &= 1<<z.bits - 1
		return
	}
	for len(z.in) > 0 && z.bits < 56 {
		z.hold |= uint64(z.in[0]) << z.bits
		z.in = z.in[1:]
		z.bits += 8
	}
}

// take uses up n bits, which are there.
func (z *inflater) take(n uint) int {
	v := z.hold & (1<<n - 1)
	z.hold >>= n
	z.bits -= n
	return int(v)
}

// advance makes one step. It reports false where it lacks bits.
func (z *inflater) advance() (bool, error) {
	switch z.step {
	case atBlock:
		return z.blockHead()
	case atStored:
		return z.storedHead()
	case inStored:
		return z.storedData(), nil
	case atCodes:
		return z.codesHead()
	case inMeta:
		return z.metaLengths()
	case inLengths:
		return z.codeLengths()
	}
	return z.symbols()
}

func (z *inflater) blockHead() (bool, error) {
	if z.bits < 3 {
		return false, nil
	}
	z.final = z.take(1) == 1
	switch z.take(2) {
	case 0:
		z.take(z.bits % 8)
		z.step = atStored
	case 1:
		z.fixedCodes()
		z.step = inSymbols
	case 2:
		z.step = atCodes
	default:
		return false, damage("a block of a kind that does not exist")
	}
	return true, nil
}

// endBlock goes on to the next block, of the next stream where this was the last of one.
func (z *inflater) endBlock() {
	if z.final {
		z.take(z.bits % 8)
	}
	z.step = atBlock
}

func (z *inflater) storedHead() (bool, error) {
	if z.bits < 32 {
		return false, nil
	}
	n, inverse := z.take(16), z.take(16)
	if n != ^inverse&0xffff {
		return false, damage("the length of a stored block contradicts itself")
	}
	z.stored, z.step = n, inStored
	if n == 0 {
		z.endBlock()
	}
	return true, nil
}

// storedData copies what is here of a stored block, first what the hold has of it.
func (z *inflater) storedData() bool {
	before := z.stored
	for ; z.stored > 0 && z.bits > 0 && z.at < windowSize; z.stored-- {
		z.put(byte(z.take(8)))
	}
	n := copy(z.window[z.at:], z.in[:min(len(z.in), z.stored)])
	z.in = z.in[n:]
	z.at += n
	z.stored -= n
	if z.stored == 0 {
		z.endBlock()
	}
	return z.stored < before
}

func (z *inflater) put(b byte) {
	z.window[z.at] = b
	z.at++
}

// symbols decodes a block's literals and strings.
func (z *inflater) symbols() (bool, error) {
	for z.at < windowSize {
		if z.length > 0 {
			z.copy()
			continue
		}
		if z.bits < 48 {
			z.fill()
		}
		symbol, n := z.lit.decode(z.hold, z.bits)
		switch {
		case n == 0:
			return false, z.lacking(z.bits)
		case symbol < 256:
			z.take(n)
			z.put(byte(symbol))
		case symbol == 256:
			z.take(n)
			z.endBlock()
			return true, nil
		default:
			if ok, err := z.reference(symbol-257, n); !ok {
				return false, err
			}
		}
	}
	return true, nil
}

// lacking is the error where a code was not found: none while there may be
// bits of it to come.
func (z *inflater) lacking(have uint) error {
	if have < longestCode {
		return nil
	}
	return damage("a code that was not announced")
}

// reference decodes a length, whose symbol took n bits, and a distance.
func (z *inflater) reference(symbol int, n uint) (bool, error) {
	if symbol >= len(lengthBase) {
		return false, damage("a length that does not exist")
	}
	extra := uint(lengthExtra[symbol])
	if z.bits < n+extra {
		return false, nil
	}
	length := int(lengthBase[symbol]) + int(z.hold>>n&(1<<extra-1))
	n += extra
	d, m := z.dist.decode(z.hold>>n, z.bits-n)
	switch {
	case m == 0:
		return false, z.lacking(z.bits - n)
	case d >= len(distanceBase):
		return false, damage("a distance that does not exist")
	}
	n += m
	extra = uint(distanceExtra[d])
	if z.bits < n+extra {
		return false, nil
	}
	z.distance = int(distanceBase[d]) + int(z.hold>>n&(1<<extra-1))
	if z.distance > z.known+z.at-z.shown {
		return false, damage("a reference to before the beginning")
	}
	z.take(n + extra)
	z.length = length
	z.farthest = max(z.farthest, z.distance)
	return true, nil
}

// copy repeats a string of the past, up to the end of the ring. A string that
// overlaps its own copy is repeated in pieces that double.
func (z *inflater) copy() {
	from := z.at - z.distance
	n := min(z.length, windowSize-z.at)
	z.length -= n
	for n > 0 {
		src := from & (windowSize - 1)
		m := copy(z.window[z.at:z.at+min(n, z.at-from)], z.window[src:])
		z.at += m
		n -= m
		if src+m == windowSize {
			from += m
		}
	}
}
