package quic

import (
	"bytes"
	"crypto/tls"
	"slices"

	"golang.org/x/crypto/cryptobyte"

	"weir/proxy/handshake"
)

// Initials reads how one connection begins. Its zero value is ready.
type Initials struct {
	// Halves is what the hellos say, the client's first.
	Halves [2]handshake.Half
	// Version is that of the last packet that was opened; 0: there was none.
	Version uint32

	destination []byte // from which the keys follow
	sides       [2]side
	packets     int // that were looked at
}

// side is one direction.
type side struct {
	expected uint64  // number of the next packet
	next     uint64  // place of the next byte of its CRYPTO frames
	waiting  []chunk // that cannot be read before others
	size     int     // bytes of them
}

// chunk is bytes of a CRYPTO frame.
type chunk struct {
	at uint64
	p  []byte
}

// Bounds of what is looked at for one connection, and of what a side holds.
const (
	maxPackets = 64
	maxChunks  = 64
	maxWaiting = 16 << 10
)

// Done reports whether there is nothing more to learn.
func (i *Initials) Done() bool {
	return i.packets >= maxPackets || i.Halves[0].Client != nil && i.Halves[1].Server != nil || i.Halves[0].Broken
}

// Take takes a datagram that a side sent, 0 being the client. Nothing of it is kept.
func (i *Initials) Take(from int, datagram []byte) {
	for len(datagram) > 0 && !i.Done() {
		p, rest, ok := cut(datagram)
		if !ok {
			return
		}
		datagram = rest
		if !p.initial {
			continue
		}
		i.packets++
		if frames, ok := i.open(from, p); ok {
			i.Version = p.version
			i.frames(from, frames)
		}
	}
}

// open opens an Initial. The first of the client says how, and the first behind a Retry
// does so again (RFC 9001, section 5.2).
func (i *Initials) open(from int, p long) (frames []byte, ok bool) {
	if i.destination != nil {
		if frames, ok = i.try(i.destination, from, p); ok || from != 0 {
			return frames, ok
		}
	}
	if from != 0 {
		return nil, false
	}
	if frames, ok = i.try(p.destination, from, p); ok {
		i.destination = bytes.Clone(p.destination)
	}
	return frames, ok
}

func (i *Initials) try(destination []byte, from int, p long) (frames []byte, ok bool) {
	k, ok := initialKeys(p.version, destination, from)
	if !ok {
		return nil, false
	}
	s := &i.sides[from]
	frames, number, ok := k.open(p, s.expected)
	if ok {
		s.expected = max(s.expected, number+1)
	}
	return frames, ok
}

// The frames of an Initial (RFC 9000, section 19).
const (
	framePadding = 0
	framePing    = 1
	frameACK     = 2
	frameACKECN  = 3
	frameCrypto  = 6
)

// frames takes the CRYPTO frames of a packet, up to a frame that is none of those
// before a handshake.
func (i *Initials) frames(from int, p []byte) {
	s := cryptobyte.String(p)
	for !s.Empty() {
		kind, ok := varint(&s)
		switch {
		case !ok:
			return
		case kind == framePadding || kind == framePing:
			continue
		case kind == frameACK || kind == frameACKECN:
			if !skipACK(&s, kind == frameACKECN) {
				return
			}
		case kind == frameCrypto:
			at, ok1 := varint(&s)
			n, ok2 := varint(&s)
			var data []byte
			if !ok1 || !ok2 || n > uint64(len(s)) || !s.ReadBytes(&data, int(n)) {
				return
			}
			i.crypto(from, at, data)
		default:
			return // the connection is closed
		}
	}
}

// skipACK passes over an ACK frame (RFC 9000, section 19.3).
func skipACK(s *cryptobyte.String, ecn bool) bool {
	left := uint64(4) // the largest, the delay, the count of ranges, the first range
	for field := uint64(0); field < left; field++ {
		n, ok := varint(s)
		if !ok {
			return false
		}
		if field == 2 {
			if n > uint64(len(*s)) {
				return false
			}
			left += 2 * n
			if ecn {
				left += 3
			}
		}
	}
	return true
}

// crypto takes bytes of the handshake and reads as far as there are all.
func (i *Initials) crypto(from int, at uint64, p []byte) {
	s := &i.sides[from]
	if at+uint64(len(p)) <= s.next || len(s.waiting) >= maxChunks || s.size+len(p) > maxWaiting {
		return
	}
	s.waiting = append(s.waiting, chunk{at, bytes.Clone(p)})
	s.size += len(p)
	for {
		k := slices.IndexFunc(s.waiting, func(c chunk) bool { return c.at <= s.next })
		if k < 0 {
			break
		}
		c := s.waiting[k]
		s.waiting = slices.Delete(s.waiting, k, k+1)
		s.size -= len(c.p)
		if end := c.at + uint64(len(c.p)); end > s.next {
			i.Halves[from].Opened(tls.VersionTLS13, handshake.RecordHandshake, c.p[s.next-c.at:])
			s.next = end
		}
	}
	if c := i.Halves[0].Client; c != nil {
		c.QUIC = true
	}
}
