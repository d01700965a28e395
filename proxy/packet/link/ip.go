package link

import (
	"encoding/binary"
	"net/netip"
)

// ip reads an IP packet of either version.
func (d *Decoder) ip(p []byte, depth int) (Segment, bool) {
	if len(p) == 0 || depth > maxDepth {
		return Segment{}, false
	}
	switch p[0] >> 4 {
	case 4:
		return d.ipv4(p, depth)
	case 6:
		return d.ipv6(p, depth)
	}
	return Segment{}, false
}

func (d *Decoder) ipv4(p []byte, depth int) (Segment, bool) {
	header := int(p[0]&0x0f) * 4
	if header < 20 || len(p) < header {
		return Segment{}, false
	}
	total := int(binary.BigEndian.Uint16(p[2:]))
	if total == 0 { // the network card was to cut this one up
		total = len(p)
	}
	if total < header {
		return Segment{}, false
	}
	payload, missing := p[header:min(total, len(p))], max(0, total-len(p))
	src, dst := netip.AddrFrom4([4]byte(p[12:])), netip.AddrFrom4([4]byte(p[16:]))
	proto, fragment := p[9], binary.BigEndian.Uint16(p[6:])
	if fragment&0x3fff != 0 {
		key := fragmentKey{src, dst, uint32(binary.BigEndian.Uint16(p[4:])), proto}
		whole := d.fragments.add(key, fragmentPart{
			offset: int(fragment&0x1fff) * 8, more: fragment&0x2000 != 0, data: payload, missing: missing,
		})
		if whole == nil {
			return Segment{}, false
		}
		payload, missing = whole, 0
	}
	return d.transport(proto, src, dst, payload, missing, depth)
}

func (d *Decoder) ipv6(p []byte, depth int) (Segment, bool) {
	if len(p) < 40 {
		return Segment{}, false
	}
	src, dst := netip.AddrFrom16([16]byte(p[8:])), netip.AddrFrom16([16]byte(p[24:]))
	next, total := p[6], int(binary.BigEndian.Uint16(p[4:]))
	payload := p[40:]
	if total == 0 { // a jumbogram, or cut up by the network card
		total = len(payload)
	}
	missing := max(0, total-len(payload))
	payload = payload[:min(total, len(payload))]
	for range maxDepth {
		var n int
		switch next {
		case protoHopByHop, protoRouting, protoOptions, protoMobility, protoHIP, protoShim6: // RFC 8200, section 4
			if len(payload) < 8 {
				return Segment{}, false
			}
			n = int(payload[1])*8 + 8
		case protoAH: // RFC 4302
			if len(payload) < 8 {
				return Segment{}, false
			}
			n = int(payload[1])*4 + 8
		case protoFragment:
			if len(payload) < 8 {
				return Segment{}, false
			}
			if where := binary.BigEndian.Uint16(payload[2:]); where&0xfff9 != 0 {
				key := fragmentKey{src, dst, binary.BigEndian.Uint32(payload[4:]), payload[0]}
				whole := d.fragments.add(key, fragmentPart{
					offset: int(where &^ 7), more: where&1 != 0, data: payload[8:], missing: missing,
				})
				if whole == nil {
					return Segment{}, false
				}
				return d.transport(payload[0], src, dst, whole, 0, depth)
			}
			n = 8
		default:
			return d.transport(next, src, dst, payload, missing, depth)
		}
		if n > len(payload) {
			return Segment{}, false
		}
		next, payload = payload[0], payload[n:]
	}
	return Segment{}, false
}
