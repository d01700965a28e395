package h2

import (
	"errors"

	"golang.org/x/net/http2/hpack"
)

// decodeHeard decodes a header block, one representation after the other, so that one
// that refers to what was never heard costs nothing but itself. Such a field has no
// name, and no value either where that is referred to as well.
func (c *Conn) decodeHeard(p []byte) error {
	for len(p) > 0 {
		r, ok := parseRepresentation(p)
		if !ok {
			return hpack.DecodingError{Err: errors.New("truncated headers")}
		}
		if err := c.decodeOne(p[:r.length], r); err != nil {
			return err
		}
		p = p[r.length:]
	}
	return nil
}

func (c *Conn) decodeOne(p []byte, r representation) error {
	if r.kind == tableSize { // Go's decoder takes no two of them
		c.dec.SetMaxDynamicTableSize(uint32(min(r.number, heardTable)))
		return nil
	}
	_, err := c.dec.Write(p)
	failed, is := errors.AsType[hpack.DecodingError](err)
	if !is || !c.unsure {
		return err
	}
	if _, is := errors.AsType[hpack.InvalidIndexError](failed.Err); !is || r.number == 0 {
		return err
	}
	if r.kind == indexed {
		c.emit(Field{})
		return nil
	}
	// The same with an empty name of its own takes the place that it has in the table.
	literal := append([]byte{p[0] & (1<<6 | 1<<4), 0}, r.value...)
	if r.kind == indexing {
		literal[0] = 1 << 6
	}
	_, err = c.dec.Write(literal)
	return err
}

// representation is one step of a header block (RFC 7541 §6).
type representation struct {
	kind   representationKind
	number uint64 // an index, or the size of the table
	value  []byte // a literal's, with its length
	length int    // of all of it
}

type representationKind uint8

const (
	indexed   representationKind = iota
	indexing                     // a literal that enters the table
	literal                      // one that does not, or never
	tableSize                    // an update of the table's size
)

// parseRepresentation finds the end of the first representation in p, which is not
// empty. It is not ok where it lies behind p.
func parseRepresentation(p []byte) (r representation, ok bool) {
	prefix := 4
	r.kind = literal
	switch b := p[0]; {
	case b&0x80 != 0:
		r.kind, prefix = indexed, 7
	case b&0x40 != 0:
		r.kind, prefix = indexing, 6
	case b&0x20 != 0:
		r.kind, prefix = tableSize, 5
	}
	r.number, r.length, ok = parseInteger(p, prefix)
	if !ok || r.kind == indexed || r.kind == tableSize {
		return r, ok
	}
	if r.number == 0 { // its name follows
		n, ok := stringLength(p[r.length:])
		if !ok {
			return r, false
		}
		r.length += n
	}
	n, ok := stringLength(p[r.length:])
	if !ok {
		return r, false
	}
	r.value = p[r.length:][:n]
	r.length += n
	return r, true
}

// stringLength is how many bytes the string literal at the front of p takes (§5.2).
func stringLength(p []byte) (int, bool) {
	if len(p) == 0 {
		return 0, false
	}
	size, n, ok := parseInteger(p, 7)
	if !ok || size > uint64(len(p)-n) {
		return 0, false
	}
	return n + int(size), true
}

// parseInteger reads a number whose first byte gives it so many bits (§5.1), and
// returns how many bytes it takes. Numbers of more than 32 bits are not read.
func parseInteger(p []byte, bits int) (v uint64, n int, ok bool) {
	most := uint64(1)<<bits - 1
	if v = uint64(p[0]) & most; v < most {
		return v, 1, true
	}
	for shift := 0; shift < 32; shift += 7 {
		n++
		if n == len(p) {
			return 0, 0, false
		}
		v += uint64(p[n]&0x7f) << shift
		if p[n]&0x80 == 0 {
			return v, n + 1, true
		}
	}
	return 0, 0, false
}
