package pcapfilter

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/net/bpf"
)

func (n not) emit(b *builder, yes, no *label) { n.arg.emit(b, no, yes) }

func (n joined) emit(b *builder, yes, no *label) {
	var second label
	if n.and {
		n.left.emit(b, &second, no)
	} else {
		n.left.emit(b, yes, &second)
	}
	b.bind(&second)
	n.right.emit(b, yes, no)
}

func (n carries) emit(b *builder, yes, no *label) { b.equal(slotType, uint32(n.kind), yes, no) }

// equal decides by the value of a slot.
func (b *builder) equal(slot int, v uint32, yes, no *label) {
	b.load(slot)
	b.when(bpf.JumpEqual, v, yes)
	b.jump(no)
}

func (n speaks) emit(b *builder, yes, no *label) {
	if n.family != 0 {
		b.load(slotType)
		b.unless(bpf.JumpEqual, uint32(n.family), no)
	}
	b.equal(slotProto, uint32(n.proto), yes, no)
}

func (n tagged) emit(b *builder, yes, no *label) {
	if n.id == anyTag {
		b.equal(slotTag, anyTag, no, yes)
		return
	}
	b.load(slotOuterTag)
	b.when(bpf.JumpEqual, uint32(n.id), yes)
	b.equal(slotTag, uint32(n.id), yes, no)
}

func (n sized) emit(b *builder, yes, no *label) {
	cond := bpf.JumpLessOrEqual
	if n.atLeast {
		cond = bpf.JumpGreaterOrEqual
	}
	b.add(bpf.LoadExtension{Num: bpf.ExtLen})
	b.when(cond, n.n, yes)
	b.jump(no)
}

// sides emits what decides for a direction; one emits it for one side.
func (b *builder) sides(dir direction, yes, no *label, one func(d direction, yes, no *label)) {
	var second label
	switch dir {
	case either:
		one(source, yes, &second)
	case both:
		one(source, &second, no)
	default:
		one(dir, yes, no)
		return
	}
	b.bind(&second)
	one(destination, yes, no)
}

func (n ported) emit(b *builder, yes, no *label) {
	b.load(slotPorted)
	b.when(bpf.JumpEqual, 0, no)
	if n.proto != 0 {
		b.load(slotProto)
		b.unless(bpf.JumpEqual, uint32(n.proto), no)
	}
	b.sides(n.dir, yes, no, func(d direction, yes, no *label) {
		b.load(slotPorts)
		if d == source {
			b.add(bpf.ALUOpConstant{Op: bpf.ALUOpShiftRight, Val: 16})
		} else {
			b.and(0xffff)
		}
		b.unless(bpf.JumpGreaterOrEqual, uint32(n.from), no)
		b.when(bpf.JumpLessOrEqual, uint32(n.to), yes)
		b.jump(no)
	})
}

func (n within) emit(b *builder, yes, no *label) {
	kind, offsets := uint32(etherIPv4), [...]uint32{source: 12, destination: 16}
	if n.net.Addr().Is6() {
		kind, offsets = etherIPv6, [...]uint32{source: 8, destination: 24}
	}
	b.load(slotType)
	b.unless(bpf.JumpEqual, kind, no)
	b.load(slotProto)
	b.when(bpf.JumpEqual, noProto, no)
	b.add(bpf.LoadScratch{Dst: bpf.RegX, N: slotNet})
	want, mask := words(n.net)
	b.sides(n.dir, yes, no, func(d direction, yes, no *label) {
		for i := range want {
			if mask[i] == 0 {
				break
			}
			b.at(offsets[d]+uint32(4*i), 4)
			if mask[i] != 0xffffffff {
				b.and(mask[i])
			}
			b.unless(bpf.JumpEqual, want[i], no)
		}
		b.jump(yes)
	})
}

// words is the address of a network and its mask, 32 bits at a time.
func words(p netip.Prefix) (want, mask []uint32) {
	addr := p.Addr().AsSlice()
	for i := 0; i < len(addr); i += 4 {
		bits := min(32, max(0, p.Bits()-8*i))
		m := uint32(uint64(0xffffffff) << (32 - bits))
		mask = append(mask, m)
		want = append(want, binary.BigEndian.Uint32(addr[i:])&m)
	}
	return want, mask
}
