package synth

import (
	"container/list"

	flowpb "weir/proto"
	"weir/proxy/packet/link"
	"weir/proxy/packet/pcap"
)

// talk is one synthetic connection. Its sequence numbers and records are made when it
// is written, which is in the order of time.
type talk struct {
	id     identity
	shared bool // several flows may be on it
	place  *list.Element
	ends   int64 // when the real one ended; 0: not known
	latest int64 // of what was said
	h2     *connection2

	addr   ends
	plain  bool    // datagrams
	secure *secure // nil: in clear
	next   [2]uint32
	at     int64 // of the packet written last
	buf    []byte
}

// write makes the packets of one thing that happens.
func (t *talk) write(out *pcap.Writer, s *said) error {
	t.at = max(t.at, s.at)
	switch s.kind {
	case syn:
		return t.open(out)
	case keys:
		return t.secure.begin(t, out)
	case lost:
		t.next[side(s.from)] += uint32(s.missing)
		return nil
	case fin:
		return t.close(out, s.from)
	}
	return t.data(out, s)
}

func side(s flowpb.Side) int {
	if s == flowpb.SideResponse {
		return 1
	}
	return 0
}

func (t *talk) data(out *pcap.Writer, s *said) error {
	switch {
	case t.plain:
		return t.datagram(out, s)
	case t.secure == nil:
		return t.send(out, side(s.from), s.p, s.comment)
	}
	return t.send(out, side(s.from), t.secure.seal(side(s.from), recordData, s.p), s.comment)
}

// open writes the three segments that begin a connection.
func (t *talk) open(out *pcap.Writer) error {
	size := uint16(t.segment())
	options := []byte{2, 4, byte(size >> 8), byte(size)} // the largest segment
	for i, step := range []struct {
		from    int
		flags   uint8
		options []byte
	}{{0, link.SYN, options}, {1, link.SYN | link.ACK, options}, {0, link.ACK, nil}} {
		if err := t.packet(out, step.from, step.flags, step.options, nil, ""); err != nil {
			return err
		}
		if i < 2 {
			t.next[step.from]++
		}
	}
	return nil
}

// segment is the most that one segment carries, in bytes.
func (t *talk) segment() int {
	if t.addr.client.Addr().Is6() {
		return mtu - ip6Header - tcpHeader
	}
	return mtu - ip4Header - tcpHeader
}

// send writes bytes in segments, and what acknowledges them. They must be less than
// the window.
func (t *talk) send(out *pcap.Writer, from int, p []byte, comment string) error {
	if len(p) == 0 {
		return nil
	}
	for len(p) > 0 {
		n := min(len(p), t.segment())
		flags := uint8(link.ACK)
		if n == len(p) {
			flags |= link.PSH
		}
		if err := t.packet(out, from, flags, nil, p[:n], comment); err != nil {
			return err
		}
		t.next[from] += uint32(n)
		p, comment = p[n:], ""
	}
	return t.packet(out, 1-from, link.ACK, nil, nil, "")
}

// close writes the segments by which both sides end, the one that is named first.
func (t *talk) close(out *pcap.Writer, first flowpb.Side) error {
	for _, from := range []int{side(first), 1 - side(first)} {
		if t.secure != nil {
			if err := t.send(out, from, t.secure.seal(from, recordAlert, closeNotify), ""); err != nil {
				return err
			}
		}
		if err := t.packet(out, from, link.FIN|link.ACK, nil, nil, ""); err != nil {
			return err
		}
		t.next[from]++
	}
	return t.packet(out, side(first), link.ACK, nil, nil, "")
}

// packet writes one segment.
func (t *talk) packet(out *pcap.Writer, from int, flags uint8, options, p []byte, comment string) error {
	src, dst := t.addr.client, t.addr.server
	if from == 1 {
		src, dst = dst, src
	}
	ack := t.next[1-from]
	if flags&link.ACK == 0 {
		ack = 0
	}
	t.buf = appendTCP(t.buf[:0], src, dst, t.next[from], ack, flags, options, p)
	return out.Packet(t.at, t.buf, comment)
}
