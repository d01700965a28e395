package pcapfilter

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/net/bpf"
	"pgregory.net/rapid"
)

// names knows two hosts and two services.
type names struct{}

func (names) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	if host == "x.test" {
		return []netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("2001:db8::1")}, nil
	}
	return nil, errors.New("no such host")
}

func (names) LookupPort(_ context.Context, _, service string) (int, error) {
	if port, ok := map[string]int{"http": 80, "domain": 53}[service]; ok {
		return port, nil
	}
	return 0, errors.New("unknown port")
}

func parse(t testing.TB, src string) *Filter {
	t.Helper()
	f, err := Parse(t.Context(), src, names{})
	if err != nil {
		t.Fatalf("parse %q: %v", src, err)
	}
	return f
}

// verdict runs the program as the kernel does: what it is asked stands in the sample.
func verdict(t interface{ Fatalf(string, ...any) }, f *Filter, s sample) bool {
	program, err := f.Program(s.link, 1000)
	if err != nil {
		t.Fatalf("compile %q: %v", f, err)
	}
	answers := map[bpf.Extension]uint32{bpf.ExtProto: uint32(s.kind)}
	if s.tag != anyTag {
		answers[bpf.ExtVLANTagPresent], answers[bpf.ExtVLANTag] = 1, uint32(s.tag)|0xe000
	}
	for i, ins := range program {
		if ext, ok := ins.(bpf.LoadExtension); ok && ext.Num != bpf.ExtLen {
			program[i] = bpf.LoadConstant{Dst: bpf.RegA, Val: answers[ext.Num]}
		}
	}
	vm, err := bpf.NewVM(program)
	if err != nil {
		t.Fatalf("load %q: %v", f, err)
	}
	n, err := vm.Run(s.p)
	if err != nil {
		t.Fatalf("run %q: %v", f, err)
	}
	return n == 1000
}

func ip4(src, dst string, proto byte, p ...byte) []byte {
	h := make([]byte, 20, 20+len(p))
	h[0], h[9] = 0x45, proto
	copy(h[12:], netip.MustParseAddr(src).AsSlice())
	copy(h[16:], netip.MustParseAddr(dst).AsSlice())
	return append(h, p...)
}

func ip6(src, dst string, next byte, p ...byte) []byte {
	h := make([]byte, 40, 40+len(p))
	h[0], h[6] = 0x60, next
	copy(h[8:], netip.MustParseAddr(src).AsSlice())
	copy(h[24:], netip.MustParseAddr(dst).AsSlice())
	return append(h, p...)
}

func frame(kind uint16, p []byte) sample {
	return sample{Ethernet, anyTag, 0, append(be.AppendUint16(make([]byte, 12), kind), p...)}
}

// portPair is the beginning of a segment from port 4000.
func portPair(port uint16) []byte { return be.AppendUint16([]byte{0x0f, 0xa0}, port) }

func TestVerdicts(t *testing.T) {
	web := frame(etherIPv4, ip4("10.0.0.1", "192.168.1.2", protoTCP, portPair(80)...))
	query := frame(etherIPv6, ip6("2001:db8::1", "2001:db8::2", protoUDP, portPair(53)...))
	ping := frame(etherIPv4, ip4("10.0.0.1", "10.0.0.2", protoICMP, 8, 0, 0, 0))
	arp := frame(etherARP, make([]byte, 28))
	inVLAN := frame(etherVLAN, append([]byte{0, 5, 8, 0}, web.p[14:]...))
	taken := web
	taken.tag = 7
	cooked := sample{Cooked, anyTag, etherIPv4, web.p[14:]}
	fragment := frame(etherIPv4, ip4("10.0.0.1", "192.168.1.2", protoTCP, portPair(80)...))
	fragment.p[14+6] = 1
	behind := frame(etherIPv6, ip6("2001:db8::1", "2001:db8::2", protoHopByHop, append([]byte{protoTCP, 0, 0, 0, 0, 0, 0, 0}, portPair(443)...)...))
	runt := sample{Ethernet, anyTag, 0, []byte{1, 2, 3}}
	cut := frame(etherIPv4, ip4("10.0.0.1", "192.168.1.2", protoTCP)[:15])
	packets := map[string]sample{
		"web": web, "query": query, "ping": ping, "arp": arp, "vlan5": inVLAN, "vlan7": taken, "cooked": cooked,
		"fragment": fragment, "behind": behind, "runt": runt, "cut": cut,
	}
	for _, c := range []struct{ src, want string }{
		{"", "arp behind cooked cut fragment ping query runt vlan5 vlan7 web"},
		{"tcp", "behind cooked fragment vlan5 vlan7 web"},
		{"tcp port 80", "cooked vlan5 vlan7 web"},
		{"tcp port http", "cooked vlan5 vlan7 web"},
		{"port 80 or 53", "cooked query vlan5 vlan7 web"},
		{"port (80 or 53)", "cooked query vlan5 vlan7 web"},
		{"portrange 400-500", "behind"},
		{"src port 80", ""},
		{"src or dst port 4000 and udp", "query"},
		{"udp", "query"},
		{"icmp", "ping"},
		{"arp", "arp"},
		{"ip", "cooked cut fragment ping vlan5 vlan7 web"},
		{"ip6", "behind query"},
		{"ether proto 0x806", "arp"},
		{`ether proto \ip6`, "behind query"},
		{"ip6 proto 6", "behind"},
		{"proto icmp", "ping"},
		{"host x.test", "behind cooked fragment ping query vlan5 vlan7 web"},
		{"ip6 host x.test", "behind query"},
		{"dst host 10.0.0.2", "ping"},
		{"src 10.0.0.1 and dst 10.0.0.2", "ping"},
		{"src and dst net 10", "ping"},
		{"10.0.0.2", "ping"},
		{"net 192.168.1.0/24", "cooked fragment vlan5 vlan7 web"},
		{"net 192.168.1.0 mask 255.255.255.0", "cooked fragment vlan5 vlan7 web"},
		{"net 192.168", "cooked fragment vlan5 vlan7 web"},
		{"net 2001:db8::2/127", "behind query"},
		{"vlan", "vlan5 vlan7"},
		{"vlan 5 and tcp port 80", "vlan5"},
		{"not ip and not ip6", "arp runt"},
		{"! (ip || ip6)", "arp runt"},
		{"udp or tcp and port 80", "cooked vlan5 vlan7 web"}, // from the left, as in tcpdump
		{"udp or (tcp and port 80)", "cooked query vlan5 vlan7 web"},
		{"port not 80", "behind query"},
		{"less 20", "runt"},
		{"greater 58 and not ip", "query behind"},
	} {
		f := parse(t, c.src)
		for name, s := range packets {
			want := strings.Contains(" "+c.want+" ", " "+name+" ")
			if c.src == "port not 80" { // is of all packets without that port
				want = name != "web" && name != "vlan5" && name != "vlan7" && name != "cooked"
			}
			if got := verdict(t, f, s); got != want {
				t.Errorf("%q on %s: got %v, want %v", c.src, name, got, want)
			}
		}
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct{ src, want, msg string }{
		{"tcp port", "tcp port^", "something is missing"},
		{"tcp port 80 and", "tcp port 80 and^", "something is missing"},
		{"tcp port nowhere", "tcp port [nowhere]", "no port"},
		{"port 70000", "port [70000]", "no port"},
		{"port 8000-8080", "port [8000-8080]", "no port"},
		{"portrange 80", "portrange [80]", "no range"},
		{"host nowhere.test", "host [nowhere.test]", "no such host"},
		{"host 10.0.0.0/8", "host [10.0.0.0/8]", "no address"},
		{"net 10.0.0.1/8", "net [10.0.0.1/8]", "outside the network"},
		{"net 10.0.0.0/33", "net [10.0.0.0/33]", "no network"},
		{"net 10.0.0.0 mask 255.0.255.0", "net 10.0.0.0 [mask 255.0.255.0]", "no mask"},
		{"icmp port 80", "[icmp port] 80", "do not go together"},
		{"tcp host 10.0.0.1", "[tcp host] 10.0.0.1", "do not go together"},
		{"ip6 host 10.0.0.1", "ip6 host [10.0.0.1]", "no address of ip6"},
		{"(tcp", "[(]tcp", "not closed"},
		{"tcp)", "tcp[)]", "unexpected )"},
		{"tcp udp", "tcp [udp]", "not expected"},
		{"tcp[13] & 2 != 0", "[tcp[13]] & 2 != 0", "comparisons of bytes"},
		{"tcp & udp", "tcp [&] udp", "comparisons of bytes"},
		{"ip multicast", "ip [multicast]", "not expected"},
		{"broadcast", "[broadcast]", "not understood"},
		{"vlan 4096", "vlan [4096]", "expected a VLAN"},
		{"less than", "less [than]", "expected a number"},
		{"ether host 1:2:3:4:5:6", "[ether host] 1:2:3:4:5:6", "do not go together"},
		{"proto frob", "proto [frob]", "no protocol"},
		{"src proto tcp", "[src proto] tcp", "no direction"},
		{strings.Repeat("(", 101) + "tcp", strings.Repeat("(", 100) + "[(]tcp", "nested"},
	} {
		_, err := Parse(t.Context(), c.src, names{})
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%q: got %v, want an error", c.src, err)
			continue
		}
		got := c.src[:e.Pos] + "[" + c.src[e.Pos:e.End] + "]" + c.src[e.End:]
		if e.Pos == e.End {
			got = c.src[:e.Pos] + "^" + c.src[e.Pos:]
		}
		if got != c.want || !strings.Contains(e.Msg, c.msg) {
			t.Errorf("%q: got %s: %s, want %s: …%s…", c.src, got, e.Msg, c.want, c.msg)
		}
	}
}

// TestProgramsDecideAsTheTreeSays compares with the oracle over random trees and packets.
func TestProgramsDecideAsTheTreeSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tree := drawTree(t, 3)
		f, err := Parse(context.Background(), write(tree), names{})
		if err != nil {
			t.Fatalf("parse %q: %v", write(tree), err)
		}
		for range 20 {
			s := drawSample(t)
			facts := learn(s)
			if got, want := verdict(t, f, s), facts.matches(tree); got != want {
				t.Fatalf("%q: got %v, want %v for %+v: %x", f, got, want, facts, s.p)
			}
		}
	})
}

var (
	hosts    = []string{"10.0.0.1", "10.0.0.2", "10.1.0.1", "192.168.1.2"}
	hosts6   = []string{"2001:db8::1", "2001:db8::2", "2001:db8:1::1", "fe80::1"}
	somePort = []uint16{0, 53, 80, 443, 4000, 65535}
	someTags = []int{0, 5, 7, 4095}
	someLen  = []uint32{0, 30, 60, 80, 1 << 31}
)

func drawTree(t *rapid.T, depth int) node {
	dir := rapid.SampledFrom([]direction{either, source, destination, both})
	kinds := 8
	if depth == 0 {
		kinds = 6
	}
	switch rapid.IntRange(0, kinds-1).Draw(t, "node") {
	case 0:
		return carries{rapid.SampledFrom([]uint16{etherIPv4, etherIPv6, etherARP, 0x88cc}).Draw(t, "kind")}
	case 1:
		return speaks{rapid.SampledFrom([]uint16{0, etherIPv4, etherIPv6}).Draw(t, "family"), rapid.SampledFrom([]uint8{protoICMP, protoTCP, protoUDP, protoSCTP, protoHopByHop, 255}).Draw(t, "proto")}
	case 2:
		addr := netip.MustParseAddr(rapid.SampledFrom(append(hosts, hosts6...)).Draw(t, "addr"))
		net, _ := addr.Prefix(rapid.IntRange(0, addr.BitLen()).Draw(t, "bits"))
		return within{dir.Draw(t, "dir"), net}
	case 3:
		from, to := rapid.SampledFrom(somePort).Draw(t, "from"), rapid.SampledFrom(somePort).Draw(t, "to")
		return ported{dir.Draw(t, "dir"), rapid.SampledFrom([]uint8{0, protoTCP, protoUDP, protoSCTP}).Draw(t, "proto"), min(from, to), max(from, to)}
	case 4:
		return tagged{uint16(rapid.SampledFrom(append(someTags, anyTag)).Draw(t, "tag"))}
	case 5:
		return sized{rapid.Bool().Draw(t, "at least"), rapid.SampledFrom(someLen).Draw(t, "n")}
	case 6:
		return not{drawTree(t, depth-1)}
	}
	return joined{rapid.Bool().Draw(t, "and"), drawTree(t, depth-1), drawTree(t, depth-1)}
}

// drawSample makes a packet of the hosts and ports of the trees, whole, cut, or with
// some byte changed.
func drawSample(t *rapid.T) sample {
	ports := append(be.AppendUint16(nil, rapid.SampledFrom(somePort).Draw(t, "src port")), portPair(rapid.SampledFrom(somePort).Draw(t, "dst port"))[2:]...)
	proto := rapid.SampledFrom([]byte{protoICMP, protoTCP, protoUDP, protoSCTP}).Draw(t, "proto")
	kind := rapid.SampledFrom([]uint16{etherIPv4, etherIPv6, etherARP}).Draw(t, "kind")
	var p []byte
	switch kind {
	case etherIPv4:
		p = ip4(rapid.SampledFrom(hosts).Draw(t, "src"), rapid.SampledFrom(hosts).Draw(t, "dst"), proto, ports...)
	case etherIPv6:
		for range rapid.IntRange(0, 5).Draw(t, "extensions") {
			next := proto
			proto = rapid.SampledFrom([]byte{protoHopByHop, protoRouting, protoFragment, protoAH, protoOptions}).Draw(t, "extension")
			size := byte(0)
			if proto != protoFragment {
				size = rapid.SampledFrom([]byte{0, 0, 1, 200}).Draw(t, "size")
			}
			ports = append([]byte{next, size, 0, rapid.SampledFrom([]byte{0, 1, 8}).Draw(t, "fragment"), 0, 0, 0, 0}, ports...)
		}
		p = ip6(rapid.SampledFrom(hosts6).Draw(t, "src"), rapid.SampledFrom(hosts6).Draw(t, "dst"), proto, ports...)
	default:
		p = make([]byte, 28)
	}
	for range rapid.IntRange(0, 3).Draw(t, "tags") {
		tag := uint16(rapid.SampledFrom(someTags).Draw(t, "tag"))
		p = append(be.AppendUint16(be.AppendUint16(nil, tag), kind), p...)
		kind = rapid.SampledFrom([]uint16{etherVLAN, etherQinQ, etherQOld}).Draw(t, "tag type")
	}
	s := sample{link: Cooked, kind: kind, tag: rapid.SampledFrom(append(someTags, anyTag, anyTag, anyTag, anyTag)).Draw(t, "taken"), p: p}
	if rapid.Bool().Draw(t, "Ethernet") {
		f := frame(kind, p)
		s.link, s.p, s.kind = Ethernet, f.p, 0
	}
	switch rapid.IntRange(0, 3).Draw(t, "damage") {
	case 0:
		s.p = s.p[:rapid.IntRange(0, len(s.p)).Draw(t, "cut")]
	case 1:
		s.p[rapid.IntRange(0, len(s.p)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
	}
	return s
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"tcp port 80 and (host 10.0.0.1 or net 192.168/16)", "port not (80 or 443)", "vlan 5 && ! ip6 proto 6", "src and dst net 10 mask 255.0.0.0", `ether proto \ip`, "((", "tcp[0]",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, src string) {
		filter, err := Parse(t.Context(), src, names{})
		var e *Error
		if err != nil {
			if !errors.As(err, &e) || e.Pos < 0 || e.Pos > e.End || e.End > len(src) {
				t.Fatalf("%q: %#v", src, err)
			}
			return
		}
		s := frame(etherIPv4, ip4("10.0.0.1", "192.168.1.2", protoTCP, portPair(80)...))
		if _, err := filter.Program(Ethernet, 1); err == nil {
			verdict(t, filter, s)
		}
	})
}
