package link

import (
	"encoding/binary"
)

// Link types (tcpdump.org/linktypes.html) that a Decoder knows.
const (
	typeNull       = 0
	typeEthernet   = 1
	typePPP        = 9
	typeRaw12      = 12
	typeRaw14      = 14
	typePPPHDLC    = 50
	typeRaw        = 101
	typeCiscoHDLC  = 104
	typeWiFi       = 105
	typeLoop       = 108
	typeCooked     = 113
	typePrism      = 119
	typeWiFiRadio  = 127
	typeIPv4       = 228
	typeIPv6       = 229
	typeCooked2    = 276
	typeNFLog      = 239
	typePKTAP      = 258
	typeWiFiAVS    = 163
	maxDepth       = 16 // layers inside layers
	etherVLAN      = 0x8100
	etherIPv4      = 0x0800
	etherIPv6      = 0x86dd
	etherPPPoE     = 0x8864
	etherMPLS      = 0x8847
	etherMPLSMulti = 0x8848
	etherBridge    = 0x6558 // Ethernet in GRE
)

// Decoder finds segments in packets. The zero value is ready.
type Decoder struct {
	fragments fragments
}

// Known reports whether packets of a link type are understood.
func Known(kind uint32) bool {
	switch kind {
	case typeNull, typeEthernet, typePPP, typeRaw12, typeRaw14, typePPPHDLC, typeRaw, typeCiscoHDLC, typeWiFi, typeLoop,
		typeCooked, typePrism, typeWiFiRadio, typeIPv4, typeIPv6, typeCooked2, typeNFLog, typePKTAP, typeWiFiAVS:
		return true
	}
	return false
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
	case typeNull, typeLoop:
		return d.ip(after(p, 4), depth) // the version is in the IP header, too
	case typeRaw, typeRaw12, typeRaw14, typeIPv4, typeIPv6:
		return d.ip(p, depth)
	case typePPP:
		return d.ppp(p, depth)
	case typePPPHDLC, typeCiscoHDLC:
		return d.hdlc(p, depth)
	case typeCooked:
		if len(p) < 16 {
			return Segment{}, false
		}
		return d.etherType(binary.BigEndian.Uint16(p[14:]), p[16:], depth)
	case typeCooked2:
		if len(p) < 20 {
			return Segment{}, false
		}
		return d.etherType(binary.BigEndian.Uint16(p), p[20:], depth)
	case typeWiFi:
		return d.wifi(p, depth)
	case typeWiFiRadio: // its length is little-endian
		if len(p) < 4 {
			return Segment{}, false
		}
		return d.wifi(after(p, int(binary.LittleEndian.Uint16(p[2:]))), depth)
	case typePrism, typeWiFiAVS:
		return d.wifi(prismPayload(p), depth)
	case typePKTAP:
		if len(p) < 12 {
			return Segment{}, false
		}
		n := binary.LittleEndian.Uint32(p)
		if uint64(n) > uint64(len(p)) {
			return Segment{}, false
		}
		return d.link(binary.LittleEndian.Uint32(p[8:]), p[n:], depth+1)
	case typeNFLog:
		return d.nflog(p, depth)
	}
	return Segment{}, false
}

// prismPayload passes over a Prism or AVS header, whose second word is its length.
func prismPayload(p []byte) []byte {
	if len(p) < 8 {
		return nil
	}
	if n := binary.BigEndian.Uint32(p[4:]); binary.BigEndian.Uint32(p) == 0x80211001 && uint64(n) <= uint64(len(p)) {
		return p[n:]
	}
	n := binary.LittleEndian.Uint32(p[4:])
	if uint64(n) > uint64(len(p)) {
		return nil
	}
	return p[n:]
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
		case etherVLAN, 0x88a8, 0x9100, 0x9200: // IEEE 802.1Q and QinQ
			if len(p) < 4 {
				return Segment{}, false
			}
			kind, p = binary.BigEndian.Uint16(p[2:]), p[4:]
			continue
		case etherMPLS, etherMPLSMulti:
			return d.mpls(p, depth)
		case etherPPPoE: // RFC 2516
			return d.ppp(after(p, 6), depth)
		case etherBridge:
			return d.ethernet(p, depth+1)
		case 4: // Linux's name for 802.2 in cooked captures
			return d.llc(p, depth)
		}
		return Segment{}, false
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

// wifi reads a data frame of IEEE 802.11 that is not encrypted.
func (d *Decoder) wifi(p []byte, depth int) (Segment, bool) {
	if len(p) < 24 || p[0]>>2&3 != 2 { // data
		return Segment{}, false
	}
	subtype, flags := p[0]>>4, p[1]
	if subtype&4 != 0 || flags&0x40 != 0 { // no data in it, or protected
		return Segment{}, false
	}
	n := 24
	if flags&3 == 3 { // four addresses
		n += 6
	}
	if subtype&8 != 0 { // QoS
		n += 2
		if flags&0x80 != 0 { // HT control
			n += 4
		}
	}
	return d.llc(after(p, n), depth)
}
