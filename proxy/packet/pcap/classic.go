package pcap

import (
	"encoding/binary"
	"fmt"
)

// Magic numbers of classic files, as their writer's byte order has them.
const (
	magicMicro    = 0xa1b2c3d4
	magicNano     = 0xa1b23c4d
	magicModified = 0xa1b2cd34 // Kuznetzov's: eight more bytes a packet
)

// classic is what a classic file's header says.
type classic struct {
	nano  int64 // nanoseconds a tick
	extra int   // bytes of a packet's header beyond the usual 16
	link  LinkType
}

func classicFormat(head []byte) (binary.ByteOrder, classic, bool) {
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		switch order.Uint32(head) {
		case magicMicro:
			return order, classic{nano: 1000}, true
		case magicNano:
			return order, classic{nano: 1}, true
		case magicModified:
			return order, classic{nano: 1000, extra: 8}, true
		}
	}
	return nil, classic{}, false
}

func (p *Reader) classicHeader() error {
	h, err := p.take(24, "the file header", false)
	if err != nil {
		return err
	}
	// The six upper bits speak of a frame check sequence behind each packet.
	p.classic.link = LinkType(p.order.Uint32(h[20:]) & 0x03ffffff)
	return nil
}

func (p *Reader) classicPacket() (Packet, error) {
	at := p.offset
	h, err := p.take(16+p.classic.extra, "a packet's header", true)
	if err != nil {
		return Packet{}, err
	}
	seconds, ticks := int64(p.order.Uint32(h)), int64(p.order.Uint32(h[4:]))
	captured, length := p.order.Uint32(h[8:]), p.order.Uint32(h[12:])
	if captured > MaxPacket {
		return Packet{}, &Error{at, fmt.Sprintf("a packet of %d bytes, the limit is %d", captured, MaxPacket), nil}
	}
	data, err := p.take(int(captured), "a packet", false)
	if err != nil {
		return Packet{}, err
	}
	return Packet{
		AtNs: seconds*1e9 + ticks*p.classic.nano, Link: p.classic.link, Data: data,
		Length: int(max(captured, min(length, MaxPacket))), Offset: at,
	}, nil
}
