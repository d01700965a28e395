package link

import (
	"encoding/binary"
	"net/netip"
)

// Flags of a TCP segment (RFC 9293, section 3.1).
const (
	FIN = 1 << iota
	SYN
	RST
	PSH
	ACK
)

// Segment is a TCP segment or a UDP datagram.
type Segment struct {
	Src, Dst netip.AddrPort
	UDP      bool
	Seq, Ack uint32 // of TCP
	Flags    uint8  // of TCP
	Payload  []byte // points into the packet, or into a reassembled one, until the next call
	Missing  int    // bytes of the payload, at its end, that were not captured
}

// Protocol numbers of IP (iana.org/assignments/protocol-numbers).
const (
	protoHopByHop = 0
	protoIPv4     = 4
	protoTCP      = 6
	protoUDP      = 17
	protoIPv6     = 41
	protoRouting  = 43
	protoFragment = 44
	protoGRE      = 47
	protoAH       = 51
	protoOptions  = 60
	protoEtherIP  = 97
	protoMobility = 135
	protoMPLS     = 137
	protoHIP      = 139
	protoShim6    = 140
	protoEthernet = 143
)

// transport reads what an IP packet carries. missing is how many bytes at its end were not captured.
func (d *Decoder) transport(proto uint8, src, dst netip.Addr, p []byte, missing, depth int) (Segment, bool) {
	switch proto {
	case protoTCP:
		return tcp(src, dst, p, missing)
	case protoUDP:
		return d.udp(src, dst, p, missing, depth)
	case protoGRE:
		return d.gre(p, depth)
	case protoIPv4, protoIPv6:
		return d.ip(p, depth+1)
	case protoEthernet: // RFC 8986, section 4.9
		return d.ethernet(p, depth+1)
	case protoEtherIP: // RFC 3378
		return d.ethernet(after(p, 2), depth+1)
	case protoMPLS: // RFC 4023
		return d.mpls(p, depth+1)
	}
	return Segment{}, false
}

func tcp(src, dst netip.Addr, p []byte, missing int) (Segment, bool) {
	if len(p) < 20 {
		return Segment{}, false
	}
	header := int(p[12]>>4) * 4
	if header < 20 {
		return Segment{}, false
	}
	s := Segment{
		Src: netip.AddrPortFrom(src, binary.BigEndian.Uint16(p)), Dst: netip.AddrPortFrom(dst, binary.BigEndian.Uint16(p[2:])),
		Seq: binary.BigEndian.Uint32(p[4:]), Ack: binary.BigEndian.Uint32(p[8:]), Flags: p[13], Missing: missing,
	}
	if header <= len(p) {
		s.Payload = p[header:]
	} else { // the options were cut off
		s.Missing = max(0, missing-(header-len(p)))
	}
	return s, true
}

func (d *Decoder) udp(src, dst netip.Addr, p []byte, missing, depth int) (Segment, bool) {
	if len(p) < 8 {
		return Segment{}, false
	}
	s := Segment{
		Src: netip.AddrPortFrom(src, binary.BigEndian.Uint16(p)), Dst: netip.AddrPortFrom(dst, binary.BigEndian.Uint16(p[2:])),
		UDP: true, Payload: p[8:], Missing: missing,
	}
	if n := int(binary.BigEndian.Uint16(p[4:])); n >= 8 && n-8 < len(s.Payload) {
		s.Payload, s.Missing = s.Payload[:n-8], 0
	}
	if inner, ok := d.tunnel(s.Src.Port(), s.Dst.Port(), s.Payload, depth); ok {
		return inner, true
	}
	return s, true
}

// gre reads what a GRE packet carries (RFC 2784, RFC 2890, RFC 2637; ERSPAN).
func (d *Decoder) gre(p []byte, depth int) (Segment, bool) {
	if len(p) < 4 {
		return Segment{}, false
	}
	flags, kind := binary.BigEndian.Uint16(p), binary.BigEndian.Uint16(p[2:])
	n := 4
	for _, bit := range []uint16{0x8000, 0x2000, 0x1000} { // checksum, key, sequence
		if flags&bit != 0 {
			n += 4
		}
	}
	if flags&7 == 1 && flags&0x0080 != 0 { // PPTP's acknowledgement
		n += 4
	}
	if n > len(p) {
		return Segment{}, false
	}
	switch p = p[n:]; kind {
	case 0x88be: // ERSPAN type II, or I, which has no header and no sequence
		if flags&0x1000 == 0 {
			return d.ethernet(p, depth+1)
		}
		return d.ethernet(after(p, 8), depth+1)
	case 0x22eb: // ERSPAN type III
		if len(p) > 11 && p[11]&1 != 0 {
			return d.ethernet(after(p, 20), depth+1)
		}
		return d.ethernet(after(p, 12), depth+1)
	case 0x883e: // WCCP; its second version puts a header before the packet
		if len(p) > 0 && p[0]>>4 != 4 {
			p = after(p, 4)
		}
		return d.ip(p, depth+1)
	}
	return d.etherType(kind, p, depth+1)
}

// after is p without its first n bytes, nil where it has not so many.
func after(p []byte, n int) []byte {
	if len(p) < n {
		return nil
	}
	return p[n:]
}
