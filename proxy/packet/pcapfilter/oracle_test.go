package pcapfilter

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
)

// What the compiled programs are held against: the same questions asked in Go.

// sample is a packet as a socket gets it: what the kernel took out of it stands beside.
type sample struct {
	link Link
	tag  int // anyTag: none was taken out
	kind uint16
	p    []byte
}

// facts is what the tests below look at.
type facts struct {
	kind     uint16
	tags     []uint16
	proto    int // -1: no whole IP header
	src, dst netip.Addr
	ported   bool
	sport    uint16
	dport    uint16
	length   int
}

var be = binary.BigEndian

func learn(s sample) facts {
	f := facts{kind: s.kind, proto: -1, length: len(s.p)}
	if s.tag != anyTag {
		f.tags = append(f.tags, uint16(s.tag))
	}
	p := s.p
	if s.link == Ethernet {
		if len(p) < 14 {
			f.kind = 0
			return f
		}
		f.kind, p = be.Uint16(p[12:]), p[14:]
	}
	for range 2 {
		if (f.kind == etherVLAN || f.kind == etherQinQ || f.kind == etherQOld) && len(p) >= 4 {
			f.tags = append(f.tags, be.Uint16(p)&0xfff)
			f.kind, p = be.Uint16(p[2:]), p[4:]
		}
	}
	f.tags = f.tags[max(0, len(f.tags)-2):]
	switch f.kind {
	case etherIPv4:
		f.ipv4(p)
	case etherIPv6:
		f.ipv6(p)
	}
	return f
}

func (f *facts) ipv4(p []byte) {
	if len(p) < 20 {
		return
	}
	f.proto = int(p[9])
	f.src, f.dst = netip.AddrFrom4([4]byte(p[12:])), netip.AddrFrom4([4]byte(p[16:]))
	n := int(p[0]&15) * 4
	if be.Uint16(p[6:])&0x1fff == 0 && n >= 20 && n <= len(p) {
		f.ports(p[n:])
	}
}

func (f *facts) ipv6(p []byte) {
	if len(p) < 40 {
		return
	}
	f.proto = int(p[6])
	f.src, f.dst = netip.AddrFrom16([16]byte(p[8:])), netip.AddrFrom16([16]byte(p[24:]))
	p = p[40:]
	for range maxExtensions {
		var n int
		switch f.proto {
		default:
			f.ports(p)
			return
		case protoHopByHop, protoRouting, protoOptions, protoAH, protoFragment:
			if len(p) < 8 {
				return
			}
			n = (int(p[1]) + 1) * 8
			switch f.proto {
			case protoAH:
				n = (int(p[1]) + 2) * 4
			case protoFragment:
				n = 8
			}
			fragment := f.proto == protoFragment && be.Uint16(p[2:])&0xfff8 != 0
			f.proto = int(p[0])
			if fragment || n > len(p) {
				return
			}
			p = p[n:]
		}
	}
	f.ports(p)
}

func (f *facts) ports(p []byte) {
	if (f.proto == protoTCP || f.proto == protoUDP || f.proto == protoSCTP) && len(p) >= 4 {
		f.ported, f.sport, f.dport = true, be.Uint16(p), be.Uint16(p[2:])
	}
}

// matches decides as the program has to.
func (f *facts) matches(n node) bool {
	switch n := n.(type) {
	case not:
		return !f.matches(n.arg)
	case joined:
		if n.and {
			return f.matches(n.left) && f.matches(n.right)
		}
		return f.matches(n.left) || f.matches(n.right)
	case carries:
		return f.kind == n.kind
	case speaks:
		return f.proto == int(n.proto) && (n.family == 0 || n.family == f.kind)
	case within:
		return f.proto >= 0 && sided(n.dir, n.net.Contains(f.src), n.net.Contains(f.dst))
	case ported:
		in := func(p uint16) bool { return p >= n.from && p <= n.to }
		return f.ported && (n.proto == 0 || int(n.proto) == f.proto) && sided(n.dir, in(f.sport), in(f.dport))
	case tagged:
		for _, t := range f.tags {
			if n.id == anyTag || n.id == t {
				return true
			}
		}
		return false
	case sized:
		if n.atLeast {
			return f.length >= int(n.n)
		}
		return f.length <= int(n.n)
	}
	panic("no such node")
}

func sided(d direction, src, dst bool) bool {
	return [...]bool{either: src || dst, source: src, destination: dst, both: src && dst}[d]
}

// write is the tree as an expression that has it again.
func write(n node) string {
	dir := func(d direction) string {
		return [...]string{either: "", source: "src ", destination: "dst ", both: "src and dst "}[d]
	}
	family := func(kind uint16) string {
		return map[uint16]string{etherIPv4: "ip ", etherIPv6: "ip6 "}[kind]
	}
	switch n := n.(type) {
	case not:
		return "not (" + write(n.arg) + ")"
	case joined:
		word := " or "
		if n.and {
			word = " and "
		}
		return "(" + write(n.left) + ")" + word + "(" + write(n.right) + ")"
	case carries:
		return fmt.Sprintf("ether proto %#x", n.kind)
	case speaks:
		return fmt.Sprintf("%sproto %d", family(n.family), n.proto)
	case within:
		if n.net.IsSingleIP() {
			return dir(n.dir) + "host " + n.net.Addr().String()
		}
		return dir(n.dir) + "net " + n.net.String()
	case ported:
		proto := map[uint8]string{protoTCP: "tcp ", protoUDP: "udp ", protoSCTP: "sctp "}[n.proto]
		if n.from == n.to {
			return fmt.Sprintf("%s%sport %d", proto, dir(n.dir), n.from)
		}
		return fmt.Sprintf("%s%sportrange %d-%d", proto, dir(n.dir), n.from, n.to)
	case tagged:
		return strings.TrimSuffix(fmt.Sprintf("vlan %d", n.id), fmt.Sprint(" ", anyTag))
	case sized:
		if n.atLeast {
			return fmt.Sprintf("greater %d", n.n)
		}
		return fmt.Sprintf("less %d", n.n)
	}
	panic("no such node")
}
