package pcapfilter

import "net/netip"

// node is a part of the tree.
type node interface {
	// emit adds the code that decides a packet: to yes or to no.
	emit(b *builder, yes, no *label)
}

type (
	not    struct{ arg node }
	joined struct {
		and         bool
		left, right node
	}
	// carries is true of packets with an Ethernet type.
	carries struct{ kind uint16 }
	// speaks is true of IP packets with a protocol number; family 0 is both.
	speaks struct {
		family uint16
		proto  uint8
	}
	// within is true of packets with an address in a network.
	within struct {
		dir direction
		net netip.Prefix
	}
	// ported is true of TCP, UDP and SCTP packets with a port; proto 0 is all three.
	ported struct {
		dir      direction
		proto    uint8
		from, to uint16
	}
	// tagged is true of packets with a VLAN tag; id anyTag is any.
	tagged struct{ id uint16 }
	// sized is true of packets with so many bytes, or as few.
	sized struct {
		atLeast bool
		n       uint32
	}
)

// direction is which of the two addresses or ports is meant.
type direction uint8

const (
	either direction = iota
	source
	destination
	both
)

// anyTag is no VLAN identifier, which has 12 bits.
const anyTag = 0xffff

// Ethernet types (iana.org/assignments/ieee-802-numbers).
const (
	etherIPv4 = 0x0800
	etherARP  = 0x0806
	etherRARP = 0x8035
	etherIPv6 = 0x86dd
	etherVLAN = 0x8100
	etherQinQ = 0x88a8
	etherQOld = 0x9100
)

// Protocol numbers of IP (iana.org/assignments/protocol-numbers).
const (
	protoHopByHop = 0
	protoICMP     = 1
	protoTCP      = 6
	protoUDP      = 17
	protoRouting  = 43
	protoFragment = 44
	protoAH       = 51
	protoICMP6    = 58
	protoOptions  = 60
	protoSCTP     = 132
)
