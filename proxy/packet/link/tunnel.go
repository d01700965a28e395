package link

import "encoding/binary"

// Ports of tunnels over UDP.
const (
	portVXLAN    = 4789
	portVXLANOld = 8472 // which Linux and what is built on it still use
	portVXLANGPE = 4790
	portGTPU     = 2152
	portGeneve   = 6081
	portTeredo   = 3544
	portL2TP     = 1701
)

// tunnel looks for a segment inside a datagram from one port to another.
func (d *Decoder) tunnel(from, port uint16, p []byte, depth int) (Segment, bool) {
	switch {
	case port == portVXLANOld && len(p) > 8 && binary.BigEndian.Uint32(p) == 0x08000000 && p[7] == 0:
		return d.ethernet(p[8:], depth+1)
	case port == portVXLAN && len(p) > 8 && p[0]&0x08 != 0: // RFC 7348, section 5
		return d.ethernet(p[8:], depth+1)
	case port == portVXLANGPE && len(p) > 8 && p[0]&0x08 != 0: // draft-ietf-nvo3-vxlan-gpe
		if next := p[3]; p[0]&0x04 != 0 && (next == 1 || next == 2) {
			return d.ip(p[8:], depth+1)
		}
		return d.ethernet(p[8:], depth+1)
	case port == portGTPU && len(p) > 8 && p[0]>>5 == 1 && p[0]&0x10 != 0 && p[1] == 0xff: // 3GPP TS 29.281
		return d.ip(gtpPayload(p), depth+1)
	case port == portGeneve && len(p) > 8 && p[0]>>6 == 0: // RFC 8926, section 3.4
		return d.etherType(binary.BigEndian.Uint16(p[2:]), after(p, 8+int(p[0]&0x3f)*4), depth+1)
	case from == portTeredo || port == portTeredo:
		return d.teredo(p, depth+1)
	case from == portL2TP || port == portL2TP:
		return d.l2tp(p, depth+1)
	}
	return Segment{}, false
}

// gtpPayload passes over a GTP-U header with its extensions.
func gtpPayload(p []byte) []byte {
	if p[0]&0x07 == 0 {
		return p[8:]
	}
	if len(p) < 12 {
		return nil
	}
	next, rest := p[11], p[12:]
	if p[0]&0x04 == 0 {
		next = 0
	}
	for range maxDepth {
		if next == 0 {
			return rest
		}
		if len(rest) == 0 {
			return nil
		}
		n := int(rest[0]) * 4
		if n == 0 || n > len(rest) {
			return nil
		}
		next, rest = rest[n-1], rest[n:]
	}
	return nil
}

// teredo reads IPv6 behind what Teredo may put before it (RFC 4380, section 5.1.1).
func (d *Decoder) teredo(p []byte, depth int) (Segment, bool) {
	if len(p) > 4 && p[0] == 0 && p[1] == 1 { // an authentication header
		p = after(p, 13+int(p[2])+int(p[3]))
	}
	if len(p) > 8 && p[0] == 0 && p[1] == 0 { // where it came from
		p = p[8:]
	}
	if len(p) == 0 || p[0]>>4 != 6 {
		return Segment{}, false
	}
	return d.ip(p, depth)
}

// l2tp reads a data message of L2TP (RFC 2661, section 3.1).
func (d *Decoder) l2tp(p []byte, depth int) (Segment, bool) {
	if len(p) < 6 || p[0]&0x80 != 0 || p[1]&0x0f != 2 {
		return Segment{}, false
	}
	n := 6
	if p[0]&0x40 != 0 { // a length
		n += 2
	}
	if p[0]&0x08 != 0 { // sequence numbers
		n += 4
	}
	if p[0]&0x02 != 0 { // an offset, behind its own field
		if len(p) < n+2 {
			return Segment{}, false
		}
		n += 2 + int(binary.BigEndian.Uint16(p[n:]))
	}
	return d.ppp(after(p, n), depth)
}
