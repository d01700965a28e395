package live

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"weir/proxy/packet/pcap"
)

// Link types (tcpdump.org/linktypes.html) of what a socket gives.
const (
	linkEthernet pcap.LinkType = 1
	linkWiFi     pcap.LinkType = 105
	linkPrism    pcap.LinkType = 119
	linkRadiotap pcap.LinkType = 127
	linkCooked2  pcap.LinkType = 276
)

// macs is how long the two addresses are that an Ethernet frame begins with, and tag
// the length of a VLAN tag (IEEE 802.1Q).
const (
	macs   = 12
	tag    = 4
	cooked = 20 // the header of Linux cooked packets, version 2
)

// packet is the next packet of a socket. The kernel leaves room in front of it, where
// the tag that it took out is put back, or the cooked header is written: never so much
// as to reach the address of the sender.
func (k *socket) packet() pcap.Packet {
	r := k.ring
	begin := r.packet + int(r.u16(packetMac))
	n := int(r.u32(packetSnap))
	p := pcap.Packet{AtNs: r.at(), Link: k.link, Length: int(r.u32(packetLen))}
	tci, tpid, tagged := r.vlan()
	switch {
	case k.link == linkCooked2:
		p.Data = r.cook(begin, n, tci, tpid, tagged)
	case tagged && k.link == linkEthernet && n >= macs:
		copy(r.mem[begin-tag:], r.mem[begin:begin+macs])
		binary.BigEndian.PutUint16(r.mem[begin-tag+macs:], tpid)
		binary.BigEndian.PutUint16(r.mem[begin-tag+macs+2:], tci)
		p.Data = r.mem[begin-tag : begin+n]
	default:
		p.Data = r.mem[begin : begin+n]
	}
	p.Length += len(p.Data) - n
	return p
}

// vlan is the tag that was taken out of the packet, if one was.
func (r *ring) vlan() (tci, tpid uint16, tagged bool) {
	status := r.u32(packetStatus)
	tci, tpid = uint16(r.u32(packetTCI)), r.u16(packetTPID)
	if status&unix.TP_STATUS_VLAN_TPID_VALID == 0 {
		tpid = unix.ETH_P_8021Q
	}
	return tci, tpid, status&unix.TP_STATUS_VLAN_VALID != 0
}

// cook writes the header of a cooked packet in front of it, and the tag between them.
func (r *ring) cook(begin, n int, tci, tpid uint16, tagged bool) []byte {
	kind := binary.BigEndian.Uint16(r.mem[r.packet+senderProto:])
	h := begin - cooked
	if tagged {
		h -= tag
		binary.BigEndian.PutUint16(r.mem[begin-tag:], tci)
		binary.BigEndian.PutUint16(r.mem[begin-tag+2:], kind)
		kind = tpid
	}
	index, hatype, pkttype := r.u32(senderIndex), r.u16(senderHatype), r.mem[r.packet+senderPkttype]
	address := r.mem[r.packet+senderPkttype+1 : r.packet+senderPkttype+10] // with its length before it
	head := r.mem[h : h+cooked]
	binary.BigEndian.PutUint16(head, kind)
	binary.BigEndian.PutUint16(head[2:], 0)
	binary.BigEndian.PutUint32(head[4:], index)
	binary.BigEndian.PutUint16(head[8:], hatype)
	head[10] = pkttype
	copy(head[11:], address)
	return r.mem[h : begin+n]
}
