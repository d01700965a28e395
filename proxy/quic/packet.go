package quic

import (
	"encoding/binary"

	"golang.org/x/crypto/cryptobyte"
)

// The versions that are known.
const (
	Version1 = 1
	Version2 = 0x6b3343cf // RFC 9369
)

// Sizes in bytes (RFC 9000, sections 14.1 and 17.2).
const (
	smallest  = 1200 // datagram with an Initial of the client
	maxID     = 20
	longForm  = 0x80
	sampleAt  = 4 // behind the beginning of the packet number
	sampleLen = 16
)

// long is a packet with a long header (RFC 9000, section 17.2), still protected.
type long struct {
	version     uint32
	destination []byte
	initial     bool
	whole       []byte // the packet without what follows it in the datagram
	number      int    // where in it the packet number begins
}

// cut takes the first packet off a datagram; ok is false where none with a long header
// of a known version is there, whose end is known.
func cut(datagram []byte) (p long, rest []byte, ok bool) {
	if len(datagram) < 7 || datagram[0]&longForm == 0 {
		return p, nil, false
	}
	s := cryptobyte.String(datagram[1:])
	var destination, source, token cryptobyte.String
	if !s.ReadUint32(&p.version) || p.version != Version1 && p.version != Version2 ||
		!s.ReadUint8LengthPrefixed(&destination) || !s.ReadUint8LengthPrefixed(&source) ||
		len(destination) > maxID || len(source) > maxID {
		return p, nil, false
	}
	p.destination = destination
	kind := datagram[0] >> 4 & 3
	if p.version == Version2 {
		kind = (kind + 3) & 3 // its types are the same, one further on
	}
	if kind == 3 { // a Retry has no length; it is all of its datagram
		return p, nil, false
	}
	p.initial = kind == 0
	if p.initial {
		n, ok := varint(&s)
		if !ok || n > uint64(len(s)) || !s.ReadBytes((*[]byte)(&token), int(n)) {
			return p, nil, false
		}
	}
	n, ok := varint(&s)
	if !ok || n > uint64(len(s)) {
		return p, nil, false
	}
	p.number = len(datagram) - len(s)
	p.whole = datagram[:p.number+int(n)]
	return p, datagram[len(p.whole):], true
}

// varint reads a number of variable length (RFC 9000, section 16).
func varint(s *cryptobyte.String) (uint64, bool) {
	if len(*s) == 0 {
		return 0, false
	}
	var p []byte
	if !s.ReadBytes(&p, 1<<((*s)[0]>>6)) {
		return 0, false
	}
	var n [8]byte
	copy(n[8-len(p):], p)
	n[8-len(p)] &= 0x3f
	return binary.BigEndian.Uint64(n[:]), true
}

// Begins reports whether a datagram may be the first of a connection: an Initial of a
// known version, in a datagram of the size that those have.
func Begins(datagram []byte) bool {
	p, _, ok := cut(datagram)
	return ok && p.initial && len(datagram) >= smallest
}
