package link

import "encoding/binary"

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

// radiotap passes over a radiotap header (radiotap.org), whose second field says whether
// the one behind it is padded.
func (d *Decoder) radiotap(p []byte, depth int) (Segment, bool) {
	const (
		extended  = 1 << 31 // more words that say what is there follow
		hasClock  = 1 << 0
		hasFlags  = 1 << 1
		isPadded  = 0x20
		firstWord = 4
	)
	if len(p) < 8 {
		return Segment{}, false
	}
	le := binary.LittleEndian
	n, present, at := int(le.Uint16(p[2:])), le.Uint32(p[firstWord:]), 8
	for word := present; word&extended != 0 && at+4 <= len(p); at += 4 {
		word = le.Uint32(p[at:])
	}
	if present&hasClock != 0 {
		at = (at+7)&^7 + 8
	}
	padded := present&hasFlags != 0 && at < min(n, len(p)) && p[at]&isPadded != 0
	return d.wifi(after(p, n), padded, depth)
}

// wifi reads a data frame of IEEE 802.11 that is not encrypted.
// padded says that its header is filled up to whole words. Of frames that several
// packets share the first is read.
func (d *Decoder) wifi(p []byte, padded bool, depth int) (Segment, bool) {
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
	several := false
	if subtype&8 != 0 { // QoS
		several = len(p) > n && p[n]&0x80 != 0 // an A-MSDU
		n += 2
		if flags&0x80 != 0 { // HT control
			n += 4
		}
	}
	if padded {
		n = (n + 3) &^ 3
	}
	if several {
		n += 14
	}
	return d.llc(after(p, n), depth)
}
