package pcapfilter

import (
	"fmt"

	"golang.org/x/net/bpf"
)

// builder puts a program together. Conditional jumps of the machine reach 255
// instructions far; here they only step over an unconditional one, which reaches
// anywhere.
type builder struct {
	code  []bpf.Instruction
	jumps []jump
}

// label is a place in the program, known once it is bound.
type label struct{ at int }

type jump struct {
	at int
	to *label
}

func (b *builder) add(ins ...bpf.Instruction) { b.code = append(b.code, ins...) }

func (b *builder) bind(l *label) { l.at = len(b.code) }

func (b *builder) jump(l *label) {
	b.jumps = append(b.jumps, jump{len(b.code), l})
	b.add(bpf.Jump{})
}

// when goes to l where register A compares so.
func (b *builder) when(cond bpf.JumpTest, v uint32, l *label) {
	b.add(bpf.JumpIf{Cond: cond, Val: v, SkipFalse: 1})
	b.jump(l)
}

// unless goes to l where register A does not compare so.
func (b *builder) unless(cond bpf.JumpTest, v uint32, l *label) {
	b.add(bpf.JumpIf{Cond: cond, Val: v, SkipTrue: 1})
	b.jump(l)
}

// The slots of the machine's memory.
const (
	slotType  = iota // of Ethernet, behind the tags; 0 where the packet is too short
	slotNet          // where the network header begins
	slotProto        // of IP; noProto where there is no whole IP header
	slotPorts        // source and destination, 16 bits each
	slotPorted
	slotTag // the innermost tags, anyTag for none
	slotOuterTag
)

// noProto is no protocol number, which has 8 bits.
const noProto = 0xffff

func (b *builder) load(slot int)  { b.add(bpf.LoadScratch{Dst: bpf.RegA, N: slot}) }
func (b *builder) store(slot int) { b.add(bpf.StoreScratch{Src: bpf.RegA, N: slot}) }

// at loads size bytes from so far behind X.
func (b *builder) at(off uint32, size int) { b.add(bpf.LoadIndirect{Off: off, Size: size}) }

// need goes to short where the packet has no n bytes behind X, which is in it. A load
// past the end would end the program.
func (b *builder) need(n uint32, short *label) {
	b.add(bpf.LoadExtension{Num: bpf.ExtLen}, bpf.ALUOpX{Op: bpf.ALUOpSub})
	b.unless(bpf.JumpGreaterOrEqual, n, short)
}

// skip moves X on by n.
func (b *builder) skip(n uint32) {
	b.add(bpf.TXA{}, bpf.ALUOpConstant{Op: bpf.ALUOpAdd, Val: n}, bpf.TAX{})
}

// skipA moves X on by A, or goes to short where the packet has not so much.
func (b *builder) skipA(short *label) {
	b.add(bpf.ALUOpX{Op: bpf.ALUOpAdd}, bpf.TAX{}, bpf.LoadExtension{Num: bpf.ExtLen},
		bpf.JumpIfX{Cond: bpf.JumpGreaterOrEqual, SkipTrue: 1})
	b.jump(short)
}

func (b *builder) and(mask uint32) { b.add(bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: mask}) }

// maxInstructions is what the kernel takes (BPF_MAXINSNS).
const maxInstructions = 4096

// finish fills in the jumps.
func (b *builder) finish() ([]bpf.Instruction, error) {
	if len(b.code) > maxInstructions {
		return nil, fmt.Errorf("the capture filter takes %d instructions, the system allows %d", len(b.code), maxInstructions)
	}
	for _, j := range b.jumps {
		b.code[j.at] = bpf.Jump{Skip: uint32(j.to.at - j.at - 1)}
	}
	return b.code, nil
}
