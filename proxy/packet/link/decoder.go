package link

import (
	"encoding/binary"
)

// Decoder finds segments in packets. The zero value is ready.
type Decoder struct {
	fragments fragments
}

// Decode returns the segment in a packet of the given link type. at, in
// nanoseconds, is what fragments grow old by.
func (d *Decoder) Decode(kind uint32, p []byte, at int64) (Segment, bool) {
	d.fragments.now = at
	return d.link(kind, p, 0)
}

func (d *Decoder) link(kind uint32, p []byte, depth int) (Segment, bool) {
	if depth > maxDepth {
		return Segment{}, false
	}
	switch kind {
	case typeEthernet:
		return d.ethernet(p, depth)
	case typeLLC:
		return d.llc(p, depth)
	case typeRaw, typeRaw12, typeRaw14, typeIPv4, typeIPv6:
		return d.ip(p, depth)
	case typePPP:
		return d.ppp(p, depth)
	case typePPPHDLC, typeCiscoHDLC:
		return d.hdlc(p, depth)
	case typeCooked:
		return d.typed(p, 14, 16, depth)
	case typeCooked2:
		return d.typed(p, 0, 20, depth)
	case typeFireWire: // RFC 2734
		return d.typed(p, 16, 18, depth)
	case typeFrameRelay:
		return d.frameRelay(p, depth)
	case typePFLog: // its length is less than what it takes
		if len(p) == 0 {
			return Segment{}, false
		}
		return d.ip(after(p, (int(p[0])+3)&^3), depth)
	case typeWiFi:
		return d.wifi(p, false, depth)
	case typeWiFiRadio:
		return d.radiotap(p, depth)
	case typePrism, typeWiFiAVS:
		return d.wifi(prismPayload(p), false, depth)
	case typePKTAP, typePKTAPOld:
		if len(p) < 12 {
			return Segment{}, false
		}
		n := binary.LittleEndian.Uint32(p)
		if uint64(n) > uint64(len(p)) {
			return Segment{}, false
		}
		return d.link(binary.LittleEndian.Uint32(p[8:]), p[n:], depth+1)
	case typePPI:
		if len(p) < 8 {
			return Segment{}, false
		}
		return d.link(binary.LittleEndian.Uint32(p[4:]), after(p, int(binary.LittleEndian.Uint16(p[2:]))), depth+1)
	case typeNFLog:
		return d.nflog(p, depth)
	}
	if h, ok := headers[kind]; ok {
		return d.link(h.inside, after(p, h.bytes), depth+1)
	}
	return Segment{}, false
}

// typed reads what is behind a header that has its type at an offset, as Ethernet does.
func (d *Decoder) typed(p []byte, at, header, depth int) (Segment, bool) {
	if len(p) < header {
		return Segment{}, false
	}
	return d.etherType(binary.BigEndian.Uint16(p[at:]), p[header:], depth)
}

// frameRelay reads a frame with a header of two bytes, of RFC 2427 or of Cisco.
func (d *Decoder) frameRelay(p []byte, depth int) (Segment, bool) {
	if len(p) < 4 {
		return Segment{}, false
	}
	switch binary.BigEndian.Uint16(p[2:]) {
	case 0x03cc, 0x038e: // IPv4, IPv6
		return d.ip(p[4:], depth)
	}
	return d.typed(p, 2, 4, depth)
}

// nflog finds the payload among the attributes of a netfilter log packet.
func (d *Decoder) nflog(p []byte, depth int) (Segment, bool) {
	for p = after(p, 4); len(p) >= 4; {
		n, kind := int(binary.LittleEndian.Uint16(p)), binary.LittleEndian.Uint16(p[2:])
		if n < 4 || n > len(p) {
			return Segment{}, false
		}
		if kind == 9 { // NFULA_PAYLOAD
			return d.ip(p[4:n], depth)
		}
		p = p[min(len(p), (n+3)&^3):]
	}
	return Segment{}, false
}

func (d *Decoder) ethernet(p []byte, depth int) (Segment, bool) {
	if len(p) < 14 {
		return Segment{}, false
	}
	kind := binary.BigEndian.Uint16(p[12:])
	if kind < 0x0600 { // IEEE 802.3: a length, then LLC
		return d.llc(p[14:], depth)
	}
	return d.etherType(kind, p[14:], depth)
}

// etherType reads what a frame of this type carries.
func (d *Decoder) etherType(kind uint16, p []byte, depth int) (Segment, bool) {
	for ; depth <= maxDepth; depth++ {
		switch kind {
		case etherIPv4, etherIPv6:
			return d.ip(p, depth)
		case etherMPLS, etherMPLSMulti:
			return d.mpls(p, depth)
		case etherPPPoE: // RFC 2516
			return d.ppp(after(p, 6), depth)
		case etherPPP:
			return d.ppp(p, depth+1)
		case etherBridge:
			return d.ethernet(p, depth+1)
		case etherBackbone: // IEEE 802.1ah
			return d.ethernet(after(p, 4), depth+1)
		case 4: // Linux's name for 802.2 in cooked captures
			return d.llc(p, depth)
		}
		n, ok := tags[kind]
		if !ok || len(p) < n+2 {
			return Segment{}, false
		}
		kind, p = binary.BigEndian.Uint16(p[n:]), p[n+2:]
	}
	return Segment{}, false
}

// mpls passes the label stack (RFC 3032). What is below is told by its first bits.
func (d *Decoder) mpls(p []byte, depth int) (Segment, bool) {
	for len(p) >= 4 {
		bottom := p[2]&1 != 0
		p = p[4:]
		if !bottom {
			continue
		}
		if len(p) > 0 && (p[0]>>4 == 4 || p[0]>>4 == 6) {
			return d.ip(p, depth)
		}
		if depth >= maxDepth {
			return Segment{}, false
		}
		if len(p) > 4 && p[0]>>4 == 0 { // a pseudowire's control word (RFC 4385)
			return d.ethernet(p[4:], depth+1)
		}
		return d.ethernet(p, depth+1)
	}
	return Segment{}, false
}

// llc reads IEEE 802.2 with SNAP (RFC 1042).
func (d *Decoder) llc(p []byte, depth int) (Segment, bool) {
	if len(p) < 8 || p[0]&0xfe != 0xaa || p[1]&0xfe != 0xaa {
		return Segment{}, false
	}
	return d.etherType(binary.BigEndian.Uint16(p[6:]), p[8:], depth+1)
}

// ppp reads PPP with or without its address and control bytes (RFC 1661, RFC 1662).
func (d *Decoder) ppp(p []byte, depth int) (Segment, bool) {
	if len(p) >= 2 && p[0] == 0xff && p[1] == 0x03 {
		p = p[2:]
	}
	if len(p) < 2 {
		return Segment{}, false
	}
	proto, n := uint16(p[0]), 1
	if p[0]&1 == 0 { // not compressed
		proto, n = binary.BigEndian.Uint16(p), 2
	}
	switch proto {
	case 0x0021, 0x0057:
		return d.ip(p[n:], depth)
	case 0x0281, 0x0283:
		return d.mpls(p[n:], depth)
	}
	return Segment{}, false
}

// hdlc reads PPP in HDLC framing, or Cisco's HDLC.
func (d *Decoder) hdlc(p []byte, depth int) (Segment, bool) {
	if len(p) >= 4 && (p[0] == 0x0f || p[0] == 0x8f) {
		return d.etherType(binary.BigEndian.Uint16(p[2:]), p[4:], depth)
	}
	return d.ppp(p, depth)
}
