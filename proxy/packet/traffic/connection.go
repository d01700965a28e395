package traffic

import (
	"encoding/binary"
	"net/netip"
)

// The flags of TCP.
const (
	fin = 1 << iota
	syn
	_
	psh
	ack
)

// segmentSize is what a segment carries at most: Ethernet with the time stamp option.
const segmentSize = 1448

// connection is one TCP connection.
type connection struct {
	ends  [2]netip.AddrPort // the client's, the server's
	seq   [2]uint32         // of the next byte of each
	host  string
	left  int // requests to come
	asked bool
	over  bool
	queue []segment
}

// segment is what one end sends.
type segment struct {
	from     int
	flags    uint8
	seq, ack uint32
	p        []byte
}

// connect begins a connection between two of the hosts there are.
func (m *maker) connect() *connection {
	n := m.made.Connections
	site := m.random.IntN(len(hosts))
	c := &connection{
		ends: [2]netip.AddrPort{
			netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(n >> 8), byte(n)}), uint16(32768+n%28000)),
			netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(1 + site)}), 80),
		},
		seq:  [2]uint32{m.random.Uint32(), m.random.Uint32()},
		host: hosts[site], left: m.between(leastRequests, mostRequests),
	}
	c.say(0, syn, nil)
	c.seq[0]++
	c.say(1, syn|ack, nil)
	c.seq[1]++
	c.say(0, ack, nil)
	return c
}

// say queues a segment.
func (c *connection) say(from int, flags uint8, p []byte) {
	s := segment{from: from, flags: flags, seq: c.seq[from], p: p}
	if flags&ack != 0 {
		s.ack = c.seq[1-from]
	}
	c.seq[from] += uint32(len(p))
	c.queue = append(c.queue, s)
}

// finish ends the connection in good order.
func (c *connection) finish() {
	for from := range 2 {
		c.say(from, fin|ack, nil)
		c.seq[from]++
	}
	c.say(0, ack, nil)
}

// speak queues a message in segments, each second one acknowledged.
func (c *connection) speak(from int, message []byte) {
	for i := 0; len(message) > 0; i++ {
		n := min(len(message), segmentSize)
		flags := uint8(ack)
		if n == len(message) {
			flags |= psh
		}
		c.say(from, flags, message[:n])
		if message = message[n:]; i%2 == 1 || len(message) == 0 {
			c.say(1-from, ack, nil)
		}
	}
}

// disturb lets some of what is queued be overtaken, and some be sent again.
func (m *maker) disturb(c *connection) {
	for i, n := 0, len(c.queue)-1; i < n; i++ {
		if len(c.queue[i].p) == 0 {
			continue
		}
		if m.random.IntN(repeatEvery) == 0 {
			c.queue = append(c.queue, c.queue[i])
		}
		if m.random.IntN(reorderEvery) == 0 {
			c.queue[i], c.queue[i+1] = c.queue[i+1], c.queue[i]
			i++ // it is overtaken once
		}
	}
}

// frame appends a segment in IPv4 in Ethernet. Checksums are left to the network card,
// as captures on the sender's side show them.
func (c *connection) frame(dst []byte, s segment) []byte {
	const options = "\x01\x01\x08\x0a\x00\x00\x00\x01\x00\x00\x00\x01"
	be := binary.BigEndian
	src, to := c.ends[s.from], c.ends[1-s.from]
	dst = append(dst, "\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02\x08\x00"...)
	dst = append(dst, 0x45, 0)
	dst = be.AppendUint16(dst, uint16(40+len(options)+len(s.p)))
	dst = append(dst, 0, 0, 0x40, 0, 64, 6, 0, 0)
	dst = append(dst, src.Addr().AsSlice()...)
	dst = append(dst, to.Addr().AsSlice()...)
	dst = be.AppendUint16(dst, src.Port())
	dst = be.AppendUint16(dst, to.Port())
	dst = be.AppendUint32(dst, s.seq)
	dst = be.AppendUint32(dst, s.ack)
	dst = append(dst, (5+uint8(len(options)/4))<<4, s.flags, 0xff, 0xff, 0, 0, 0, 0)
	dst = append(dst, options...)
	return append(dst, s.p...)
}
