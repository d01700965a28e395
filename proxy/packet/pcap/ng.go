package pcap

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// Block types of pcapng.
const (
	blockSection   = 0x0a0d0d0a
	blockInterface = 1
	blockOldPacket = 2
	blockSimple    = 3
	blockEnhanced  = 6
	blockSecrets   = 10
)

const (
	orderMagic = 0x1a2b3c4d
	// maxBlock bounds blocks whose content is read.
	maxBlock = MaxPacket + 64<<10
	// maxInterfaces bounds the interfaces of a section.
	maxInterfaces = 1 << 16
	secretsTLS    = 0x544c534b // "TLSK"
)

// iface is one interface of a section.
type iface struct {
	link    LinkType
	snap    uint32
	perSec  uint64 // ticks a second
	shiftNs int64
}

// ngPacket walks blocks up to the next packet.
func (p *Reader) ngPacket() (Packet, error) {
	for {
		at := p.offset
		kind, body, err := p.block()
		if err != nil {
			return Packet{}, err
		}
		pk, ok, reason := Packet{}, false, ""
		switch kind {
		case blockInterface:
			reason = p.describe(body)
		case blockEnhanced:
			pk, ok, reason = p.enhanced(body)
		case blockOldPacket:
			pk, ok, reason = p.oldPacket(body)
		case blockSimple:
			pk, ok, reason = p.simple(body)
		case blockSecrets:
			p.secrets(body)
		}
		if reason != "" {
			return Packet{}, &Error{at, reason, nil}
		}
		if ok {
			pk.Offset = at
			return pk, nil
		}
	}
}

// block reads one block; its body is nil for kinds that are passed over.
func (p *Reader) block() (kind uint32, body []byte, err error) {
	at := p.offset
	h, err := p.take(8, "a block's header", true)
	if err != nil {
		return 0, nil, err
	}
	if binary.BigEndian.Uint32(h) == blockSection {
		return blockSection, nil, p.section(at, [4]byte(h[4:]))
	}
	if p.order == nil {
		return 0, nil, &Error{at, "a block before the first section", nil}
	}
	kind, total := p.order.Uint32(h), p.order.Uint32(h[4:])
	if total < 12 {
		return 0, nil, &Error{at, fmt.Sprintf("a block of %d bytes", total), nil}
	}
	length := (int64(total) + 3) &^ 3 // some writers forget to count the padding
	switch kind {
	case blockInterface, blockOldPacket, blockSimple, blockEnhanced, blockSecrets:
		if length > maxBlock {
			return 0, nil, &Error{at, fmt.Sprintf("a block of %d bytes, the limit is %d", total, maxBlock), nil}
		}
		body, err = p.take(int(length)-8, "a block", false)
		if err != nil {
			return 0, nil, err
		}
		return kind, body[:len(body)-4], nil
	}
	return kind, nil, p.skip(length-8, "a block")
}

// section begins a section: its byte order, and no interfaces.
func (p *Reader) section(at int64, length [4]byte) error {
	m, err := p.take(4, "a section's header", false)
	if err != nil {
		return err
	}
	switch {
	case binary.LittleEndian.Uint32(m) == orderMagic:
		p.order = binary.LittleEndian
	case binary.BigEndian.Uint32(m) == orderMagic:
		p.order = binary.BigEndian
	default:
		return &Error{at, fmt.Sprintf("a section of unknown byte order % x", m), nil}
	}
	total := p.order.Uint32(length[:])
	if total < 28 {
		return &Error{at, fmt.Sprintf("a section header of %d bytes", total), nil}
	}
	p.ifaces = p.ifaces[:0]
	return p.skip((int64(total)+3)&^3-12, "a section's header")
}

// describe adds an interface.
func (p *Reader) describe(body []byte) (reason string) {
	if len(body) < 8 {
		return "an interface description of less than 8 bytes"
	}
	if len(p.ifaces) >= maxInterfaces {
		return fmt.Sprintf("more than %d interfaces", maxInterfaces)
	}
	i := iface{link: LinkType(p.order.Uint16(body)), snap: p.order.Uint32(body[4:]), perSec: 1e6}
	for o := body[8:]; len(o) >= 4; {
		code, n := p.order.Uint16(o), int(p.order.Uint16(o[2:]))
		padded := (n + 3) &^ 3
		if code == 0 || len(o) < 4+n {
			break
		}
		switch {
		case code == 9 && n == 1: // if_tsresol
			if perSec := resolution(o[4]); perSec > 0 {
				i.perSec = perSec
			}
		case code == 14 && n == 8: // if_tsoffset
			i.shiftNs = int64(p.order.Uint64(o[4:])) * 1e9
		}
		o = o[min(len(o), 4+padded):]
	}
	p.ifaces = append(p.ifaces, i)
	return ""
}

// resolution is the ticks a second that if_tsresol asks for, 0 where that is absurd.
func resolution(v byte) uint64 {
	n := v & 0x7f
	if v&0x80 != 0 {
		if n > 63 {
			return 0
		}
		return 1 << n
	}
	if n > 19 {
		return 0
	}
	perSec := uint64(1)
	for range n {
		perSec *= 10
	}
	return perSec
}

// ns is the time of so many ticks.
func (i *iface) ns(ticks uint64) int64 {
	whole, rest := ticks/i.perSec, ticks%i.perSec
	hi, lo := bits.Mul64(rest, 1e9)
	fraction, _ := bits.Div64(hi, lo, i.perSec) // rest < perSec, so that hi is too
	return int64(whole)*1e9 + int64(fraction) + i.shiftNs
}

func (p *Reader) enhanced(b []byte) (Packet, bool, string) {
	if len(b) < 20 {
		return Packet{}, false, "a packet block of less than 20 bytes"
	}
	ticks := uint64(p.order.Uint32(b[4:]))<<32 | uint64(p.order.Uint32(b[8:]))
	return p.packet(p.order.Uint32(b), ticks, p.order.Uint32(b[12:]), p.order.Uint32(b[16:]), b[20:])
}

func (p *Reader) oldPacket(b []byte) (Packet, bool, string) {
	if len(b) < 20 {
		return Packet{}, false, "a packet block of less than 20 bytes"
	}
	ticks := uint64(p.order.Uint32(b[4:]))<<32 | uint64(p.order.Uint32(b[8:]))
	return p.packet(uint32(p.order.Uint16(b)), ticks, p.order.Uint32(b[12:]), p.order.Uint32(b[16:]), b[20:])
}

func (p *Reader) packet(index uint32, ticks uint64, captured, length uint32, data []byte) (Packet, bool, string) {
	if int64(index) >= int64(len(p.ifaces)) {
		return Packet{}, false, fmt.Sprintf("a packet of interface %d, which is not described", index)
	}
	if int64(captured) > int64(len(data)) {
		return Packet{}, false, fmt.Sprintf("a packet of %d bytes in a block of %d", captured, len(data))
	}
	i := &p.ifaces[index]
	p.last = i.ns(ticks)
	return Packet{AtNs: p.last, Link: i.link, Data: data[:captured], Length: int(max(captured, min(length, MaxPacket)))}, true, ""
}

// simple is a packet of the first interface, without a time: it gets the last one's.
func (p *Reader) simple(b []byte) (Packet, bool, string) {
	if len(b) < 4 || len(p.ifaces) == 0 {
		return Packet{}, false, "a simple packet without a length or an interface"
	}
	i, length := &p.ifaces[0], p.order.Uint32(b)
	captured := min(int64(length), int64(len(b)-4))
	if i.snap > 0 {
		captured = min(captured, int64(i.snap))
	}
	return Packet{AtNs: p.last, Link: i.link, Data: b[4 : 4+captured], Length: int(max(captured, min(int64(length), MaxPacket)))}, true, ""
}

func (p *Reader) secrets(b []byte) {
	if p.Secrets == nil || len(b) < 8 || p.order.Uint32(b) != secretsTLS {
		return
	}
	n := min(int64(p.order.Uint32(b[4:])), int64(len(b)-8))
	p.Secrets(b[8 : 8+n])
}
