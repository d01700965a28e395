package pcapfilter

import "golang.org/x/net/bpf"

// Link is how the packets of a socket begin.
type Link uint8

// The links.
const (
	Ethernet Link = iota // with their Ethernet header (SOCK_RAW)
	Cooked               // with their network header (SOCK_DGRAM)
)

// Program compiles the filter for a packet socket of Linux, whose kernel says what is
// not in the packet: a VLAN tag that was taken out of it, or its Ethernet type. The
// program keeps up to snap bytes of the packets that are wanted.
func (f *Filter) Program(l Link, snap uint32) ([]bpf.Instruction, error) {
	if f == nil {
		return []bpf.Instruction{bpf.RetConstant{Val: snap}}, nil
	}
	var b builder
	b.learn(l)
	var yes, no label
	f.tree.emit(&b, &yes, &no)
	b.bind(&yes)
	b.add(bpf.RetConstant{Val: snap})
	b.bind(&no)
	b.add(bpf.RetConstant{Val: 0})
	return b.finish()
}

// learn fills the slots with what there is to know of a packet. The kernel refuses
// programs that load a slot which some way to it leaves empty, so all are filled.
func (b *builder) learn(l Link) {
	var network, end label
	b.add(bpf.LoadConstant{Dst: bpf.RegA, Val: 0})
	for _, slot := range []int{slotType, slotNet, slotPorts, slotPorted} {
		b.store(slot)
	}
	b.add(bpf.LoadConstant{Dst: bpf.RegA, Val: anyTag}) // which is noProto, too
	for _, slot := range []int{slotProto, slotTag, slotOuterTag} {
		b.store(slot)
	}
	b.kernelTag()
	b.skipTo(0)
	if l == Ethernet {
		b.need(14, &end)
		b.at(12, 2)
		b.skipTo(14)
	} else {
		b.add(bpf.LoadExtension{Num: bpf.ExtProto})
	}
	b.store(slotType)
	for range 2 {
		b.tag(&network)
	}
	b.bind(&network)
	b.add(bpf.StoreScratch{Src: bpf.RegX, N: slotNet})
	b.internet(&end)
	b.bind(&end)
}

// skipTo sets X, and leaves A as it is.
func (b *builder) skipTo(n uint32) { b.add(bpf.LoadConstant{Dst: bpf.RegX, Val: n}) }

// kernelTag asks for the tag that the kernel took out of the packet.
func (b *builder) kernelTag() {
	var none label
	b.add(bpf.LoadExtension{Num: bpf.ExtVLANTagPresent})
	b.when(bpf.JumpEqual, 0, &none)
	b.add(bpf.LoadExtension{Num: bpf.ExtVLANTag})
	b.and(0xfff)
	b.store(slotTag)
	b.bind(&none)
}

// tag passes one VLAN tag in the packet (IEEE 802.1Q), or goes to done.
func (b *builder) tag(done *label) {
	var found label
	b.load(slotType)
	for _, kind := range []uint32{etherVLAN, etherQinQ, etherQOld} {
		b.when(bpf.JumpEqual, kind, &found)
	}
	b.jump(done)
	b.bind(&found)
	b.need(4, done)
	b.load(slotTag)
	b.store(slotOuterTag)
	b.at(0, 2)
	b.and(0xfff)
	b.store(slotTag)
	b.at(2, 2)
	b.store(slotType)
	b.skip(4)
}

// internet reads the IP header and the ports behind it.
func (b *builder) internet(end *label) {
	var v4, v6, transport label
	b.load(slotType)
	b.when(bpf.JumpEqual, etherIPv4, &v4)
	b.when(bpf.JumpEqual, etherIPv6, &v6)
	b.jump(end)
	b.bind(&v4)
	b.ipv4(end)
	b.jump(&transport)
	b.bind(&v6)
	b.ipv6(&transport, end)
	b.bind(&transport)
	b.ports(end)
}

// ipv4 moves X behind the header (RFC 791), unless what follows is no beginning.
func (b *builder) ipv4(end *label) {
	b.need(20, end)
	b.at(9, 1)
	b.store(slotProto)
	b.at(6, 2)
	b.and(0x1fff) // the place of a fragment
	b.unless(bpf.JumpEqual, 0, end)
	b.at(0, 1)
	b.and(0xf)
	b.add(bpf.ALUOpConstant{Op: bpf.ALUOpShiftLeft, Val: 2})
	b.unless(bpf.JumpGreaterOrEqual, 20, end)
	b.skipA(end)
}

// maxExtensions is how many extension headers of IPv6 are passed.
const maxExtensions = 4

// ipv6 moves X behind the header and its extensions (RFC 8200, section 4).
func (b *builder) ipv6(transport, end *label) {
	b.need(40, end)
	b.at(6, 1)
	b.store(slotProto)
	b.skip(40)
	for range maxExtensions {
		var options, fragment, authentication, next label
		b.load(slotProto)
		for _, proto := range []uint32{protoHopByHop, protoRouting, protoOptions} {
			b.when(bpf.JumpEqual, proto, &options)
		}
		b.when(bpf.JumpEqual, protoFragment, &fragment)
		b.when(bpf.JumpEqual, protoAH, &authentication)
		b.jump(transport)
		b.bind(&options)
		b.extension(1, 3, end)
		b.jump(&next)
		b.bind(&authentication)
		b.extension(2, 2, end)
		b.jump(&next)
		b.bind(&fragment)
		b.need(8, end)
		b.at(0, 1)
		b.store(slotProto)
		b.at(2, 2)
		b.and(0xfff8)
		b.unless(bpf.JumpEqual, 0, end)
		b.skip(8)
		b.bind(&next)
	}
}

// extension passes a header whose length is told in units of 1<<shift bytes, less so many.
func (b *builder) extension(less, shift uint32, end *label) {
	b.need(8, end)
	b.at(0, 1)
	b.store(slotProto)
	b.at(1, 1)
	b.add(bpf.ALUOpConstant{Op: bpf.ALUOpAdd, Val: less}, bpf.ALUOpConstant{Op: bpf.ALUOpShiftLeft, Val: shift})
	b.skipA(end)
}

// ports reads the first bytes of TCP, UDP and SCTP.
func (b *builder) ports(end *label) {
	var found label
	b.load(slotProto)
	for _, proto := range []uint32{protoTCP, protoUDP, protoSCTP} {
		b.when(bpf.JumpEqual, proto, &found)
	}
	b.jump(end)
	b.bind(&found)
	b.need(4, end)
	b.at(0, 4)
	b.store(slotPorts)
	b.add(bpf.LoadConstant{Dst: bpf.RegA, Val: 1})
	b.store(slotPorted)
}
