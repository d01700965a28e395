package link

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var (
	src4, dst4 = netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
	src6, dst6 = netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2")
)

// bytesOf reads hexadecimal with spaces.
func bytesOf(text string) []byte {
	p, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		panic(err)
	}
	return p
}

func be16(v int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(v)) }

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// segmentTo is a TCP segment from port 4000 with the payload "data".
func segmentTo(port int) []byte {
	return join(be16(4000), be16(port), bytesOf("00000007 00000009 50 18 ffff 0000 0000"), []byte("data"))
}

func datagramTo(port int, p []byte) []byte {
	return join(be16(4000), be16(port), be16(8+len(p)), be16(0), p)
}

// v4 is an IPv4 packet; fragment is its flags and offset.
func v4(proto byte, fragment int, p []byte) []byte {
	return join(bytesOf("4500"), be16(20+len(p)), bytesOf("abcd"), be16(fragment), []byte{64, proto}, be16(0), src4.AsSlice(), dst4.AsSlice(), p)
}

func v6(next byte, p []byte) []byte {
	return join(bytesOf("60000000"), be16(len(p)), []byte{next, 64}, src6.AsSlice(), dst6.AsSlice(), p)
}

func ether(kind int, p []byte) []byte { return join(make([]byte, 12), be16(kind), p) }

var snap = bytesOf("aaaa03 000000")

func TestLayers(t *testing.T) {
	ip := v4(protoTCP, 0, segmentTo(80))
	frame := ether(etherIPv4, ip)
	llc := join(snap, be16(etherIPv4), ip)
	want := Segment{
		Src: netip.AddrPortFrom(src4, 4000), Dst: netip.AddrPortFrom(dst4, 80), Seq: 7, Ack: 9, Flags: PSH | ACK, Payload: []byte("data"),
	}
	want6 := want
	want6.Src, want6.Dst = netip.AddrPortFrom(src6, 4000), netip.AddrPortFrom(dst6, 80)
	options := func(next byte, p []byte) []byte { return join([]byte{next, 1}, make([]byte, 14), p) }
	for _, c := range []struct {
		name string
		kind uint32
		p    []byte
		want Segment
	}{
		{"Ethernet", typeEthernet, frame, want},
		{"Ethernet with padding", typeEthernet, join(frame, make([]byte, 6)), want},
		{"VLAN", typeEthernet, ether(etherVLAN, join(be16(5), be16(etherIPv4), ip)), want},
		{"QinQ", typeEthernet, ether(0x88a8, join(be16(5), be16(etherVLAN), be16(6), be16(etherIPv4), ip)), want},
		{"802.3 with SNAP", typeEthernet, ether(len(llc), llc), want},
		{"MPLS", typeEthernet, ether(etherMPLS, join(bytesOf("00001040 00002140"), ip)), want},
		{"MPLS pseudowire", typeEthernet, ether(etherMPLS, join(bytesOf("00001140 00000000"), frame)), want},
		{"PPPoE", typeEthernet, ether(etherPPPoE, join(bytesOf("11000001 0000 0021"), ip)), want},
		{"PPP", typePPP, join(bytesOf("ff03 0021"), ip), want},
		{"PPP compressed", typePPP, join(bytesOf("21"), ip), want},
		{"PPP in HDLC", typePPPHDLC, join(bytesOf("ff03 0021"), ip), want},
		{"Cisco HDLC", typeCiscoHDLC, join(bytesOf("0f00 0800"), ip), want},
		{"cooked", typeCooked, join(make([]byte, 14), be16(etherIPv4), ip), want},
		{"cooked 2", typeCooked2, join(be16(etherIPv4), make([]byte, 18), ip), want},
		{"loopback", typeNull, join(bytesOf("02000000"), ip), want},
		{"OpenBSD loopback", typeLoop, join(bytesOf("00000018"), v6(protoTCP, segmentTo(80))), want6},
		{"raw", typeRaw, ip, want},
		{"raw IPv6", typeIPv6, v6(protoTCP, segmentTo(80)), want6},
		{"Wi-Fi", typeWiFi, join(bytesOf("0801"), make([]byte, 22), llc), want},
		{"Wi-Fi with QoS and four addresses", typeWiFi, join(bytesOf("8803"), make([]byte, 30), llc), want},
		{"Wi-Fi with radiotap", typeWiFiRadio, join(bytesOf("0000 0c00 00000000 00000000"), bytesOf("0801"), make([]byte, 22), llc), want},
		{"Wi-Fi with AVS", typeWiFiAVS, join(bytesOf("80211001 00000040"), make([]byte, 56), bytesOf("0801"), make([]byte, 22), llc), want},
		{"Wi-Fi with several packets in a frame", typeWiFi, join(bytesOf("8801"), make([]byte, 22), bytesOf("8000"), make([]byte, 12), be16(len(llc)), llc), want},
		{"Wi-Fi with a padded header", typeWiFiRadio, join(bytesOf("0000 1100 03000000 0000000000000000 20"), bytesOf("8801"), make([]byte, 26), llc), want},
		{"LLC", typeLLC, llc, want},
		{"FDDI", 10, join(make([]byte, 13), llc), want},
		{"PPPoE alone", 51, join(bytesOf("11000001 0000 0021"), ip), want},
		{"PPP with a direction", 204, join(bytesOf("00 ff03 0021"), ip), want},
		{"frame relay", typeFrameRelay, join(bytesOf("1841 03cc"), ip), want},
		{"frame relay of Cisco", typeFrameRelay, join(bytesOf("1841 0800"), ip), want},
		{"pf log", typePFLog, join(bytesOf("3d020000"), make([]byte, 60), ip), want},
		{"FireWire", typeFireWire, join(make([]byte, 16), be16(etherIPv4), ip), want},
		{"PPI", typePPI, join(bytesOf("0000 0c00 01000000 00000000"), frame), want},
		{"VN-tag", typeEthernet, ether(0x8926, join(make([]byte, 4), be16(etherIPv4), ip)), want},
		{"Cisco metadata", typeEthernet, ether(0x8909, join(bytesOf("0101 0001 0064"), be16(etherIPv4), ip)), want},
		{"PPP in Ethernet", typeEthernet, ether(etherPPP, join(bytesOf("0021"), ip)), want},
		{"a backbone's frame", typeEthernet, ether(etherBackbone, join(make([]byte, 4), frame)), want},
		{"WCCP", typeRaw, v4(protoGRE, 0, join(bytesOf("0000 883e 00000000"), ip)), want},
		{"EtherIP", typeRaw, v4(protoEtherIP, 0, join(bytesOf("3000"), frame)), want},
		{"Ethernet in IPv6", typeIPv6, v6(protoEthernet, frame), want},
		{"MPLS in IP", typeRaw, v4(protoMPLS, 0, join(bytesOf("00002140"), ip)), want},
		{"Geneve", typeRaw, v4(protoUDP, 0, datagramTo(portGeneve, join(bytesOf("0000 6558 00000100"), frame))), want},
		{"Geneve with options", typeRaw, v4(protoUDP, 0, datagramTo(portGeneve, join(bytesOf("0240 0800 00000100"), make([]byte, 8), ip))), want},
		{"VXLAN on its old port", typeRaw, v4(protoUDP, 0, datagramTo(portVXLANOld, join(bytesOf("08000000 00000100"), frame))), want},
		{"Teredo", typeRaw, v4(protoUDP, 0, datagramTo(portTeredo, v6(protoTCP, segmentTo(80)))), want6},
		{"Teredo with all its headers", typeRaw, v4(protoUDP, 0, datagramTo(portTeredo, join(bytesOf("0001 0000"), make([]byte, 9), bytesOf("0000"), make([]byte, 6), v6(protoTCP, segmentTo(80))))), want6},
		{"L2TP", typeRaw, v4(protoUDP, 0, datagramTo(portL2TP, join(bytesOf("0002 0001 0001 ff03 0021"), ip))), want},
		{"L2TP with everything", typeRaw, v4(protoUDP, 0, datagramTo(portL2TP, join(bytesOf("4a02 0000 0001 0001 0000 0000 0002 ffff 0021"), ip))), want},
		{"netfilter log", typeNFLog, join(bytesOf("02000000 0800 0100 00000000"), []byte{byte(4 + len(ip)), 0, 9, 0}, ip), want},
		{"PKTAP", typePKTAP, join(bytesOf("10000000 01000000 01000000 00000000"), frame), want},
		{"IPv6 with extensions", typeRaw, v6(protoHopByHop, options(protoRouting, options(protoOptions, options(protoTCP, segmentTo(80))))), want6},
		{"IPv6 with AH", typeRaw, v6(protoAH, join([]byte{protoTCP, 4}, make([]byte, 22), segmentTo(80))), want6},
		{"IP in IP", typeRaw, v4(protoIPv4, 0, ip), want},
		{"IPv6 in IPv4", typeRaw, v4(protoIPv6, 0, v6(protoTCP, segmentTo(80))), want6},
		{"GRE", typeRaw, v4(protoGRE, 0, join(bytesOf("0000 0800"), ip)), want},
		{"GRE with everything", typeRaw, v4(protoGRE, 0, join(bytesOf("b000 0800"), make([]byte, 12), ip)), want},
		{"Ethernet in GRE", typeRaw, v4(protoGRE, 0, join(bytesOf("0000 6558"), frame)), want},
		{"ERSPAN I", typeRaw, v4(protoGRE, 0, join(bytesOf("0000 88be"), frame)), want},
		{"ERSPAN II", typeRaw, v4(protoGRE, 0, join(bytesOf("1000 88be 00000001"), make([]byte, 8), frame)), want},
		{"ERSPAN III", typeRaw, v4(protoGRE, 0, join(bytesOf("1000 22eb 00000001"), make([]byte, 12), frame)), want},
		{"VXLAN", typeRaw, v4(protoUDP, 0, datagramTo(portVXLAN, join(bytesOf("08000000 00000100"), frame))), want},
		{"VXLAN-GPE", typeRaw, v4(protoUDP, 0, datagramTo(portVXLANGPE, join(bytesOf("0c000001 00000100"), ip))), want},
		{"GTP-U", typeRaw, v4(protoUDP, 0, datagramTo(portGTPU, join(bytesOf("30ff 0000 00000001"), ip))), want},
		{"GTP-U with an extension", typeRaw, v4(protoUDP, 0, datagramTo(portGTPU, join(bytesOf("34ff 0000 00000001 00000085 01000000"), ip))), want},
		{"UDP", typeRaw, v4(protoUDP, 0, datagramTo(80, []byte("data"))), Segment{Src: want.Src, Dst: want.Dst, UDP: true, Payload: []byte("data")}},
		{"cut by the snap length", typeRaw, ip[:len(ip)-3], func() Segment { s := want; s.Payload, s.Missing = []byte("d"), 3; return s }()},
		{"cut by the network card later", typeRaw, join(ip[:2], be16(0), ip[4:]), want},
	} {
		t.Run(c.name, func(t *testing.T) {
			var d Decoder
			got, ok := d.Decode(c.kind, c.p, 0)
			if diff := cmp.Diff(c.want, got, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); !ok || diff != "" {
				t.Errorf("found %v (-want +got):\n%s", ok, diff)
			}
			if !Known(c.kind) {
				t.Errorf("link type %d is decoded and not known", c.kind)
			}
			for n := range c.p { // no cut panics
				d.Decode(c.kind, c.p[:n], 0)
			}
		})
	}
}

// TestFragments cuts a packet into fragments, repeats some and mixes their order.
func TestFragments(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		whole := datagramTo(9, bytes.Repeat([]byte("0123456789abcdef"), rapid.IntRange(1, 200).Draw(t, "size")))
		six := rapid.Bool().Draw(t, "IPv6")
		var packets [][]byte
		for at := 0; at < len(whole); {
			n := min(len(whole)-at, 8*rapid.IntRange(1, 60).Draw(t, "length"))
			more := at+n < len(whole)
			if six {
				flag := 0
				if more {
					flag = 1
				}
				packets = append(packets, v6(protoFragment, join([]byte{protoUDP, 0}, be16(at|flag), bytesOf("00000077"), whole[at:at+n])))
			} else {
				flag := 0
				if more {
					flag = 0x2000
				}
				packets = append(packets, v4(protoUDP, at/8|flag, whole[at:at+n]))
			}
			at += n
		}
		var d Decoder
		found := 0
		for _, p := range rapid.Permutation(packets).Draw(t, "order") {
			if s, ok := d.Decode(typeRaw, p, 0); ok {
				found++
				if !bytes.Equal(s.Payload, whole[8:]) || s.Missing != 0 {
					t.Fatalf("got %d bytes, want %d", len(s.Payload), len(whole)-8)
				}
			}
		}
		if found != 1 || d.fragments.bytes != 0 || len(d.fragments.waiting) != 0 {
			t.Fatalf("found %d times, want once; %d bytes wait", found, d.fragments.bytes)
		}
	})
}

// TestFragmentBehindTheLast sees that a fragment behind the end of a packet, which came
// before that end was known, is no part of it.
func TestFragmentBehindTheLast(t *testing.T) {
	whole := datagramTo(9, []byte("0123456789abcdef"))
	var d Decoder
	for _, p := range [][]byte{v4(protoUDP, 0x2000|100, make([]byte, 16)), v4(protoUDP, 0x2000, whole[:16])} {
		if _, ok := d.Decode(typeRaw, p, 0); ok {
			t.Fatal("a fragment is taken for a packet")
		}
	}
	s, ok := d.Decode(typeRaw, v4(protoUDP, 2, whole[16:]), 0)
	if got, want := string(s.Payload), "0123456789abcdef"; !ok || got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestAnyFragments sees that fragments that fit together in no way do no harm: what
// waits is counted, and what comes out was sent.
func TestAnyFragments(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var d Decoder
		for range rapid.IntRange(1, 12).Draw(t, "fragments") {
			at, more := rapid.IntRange(0, 6).Draw(t, "at"), rapid.IntRange(0, 1).Draw(t, "more")
			p := make([]byte, rapid.IntRange(0, 20).Draw(t, "length"))
			s, ok := d.Decode(typeRaw, v4(protoUDP, at|more<<13, p), 0)
			if ok && len(s.Payload) > 6*8+20 {
				t.Fatalf("a packet of %d bytes was never sent", len(s.Payload))
			}
		}
		waiting := 0
		for _, w := range d.fragments.waiting {
			for _, p := range w.parts {
				waiting += len(p.data)
			}
		}
		if waiting != d.fragments.bytes {
			t.Fatalf("%d bytes are counted, %d wait", d.fragments.bytes, waiting)
		}
	})
}

// TestFragmentBounds sees that fragments of packets that never become whole are let go.
func TestFragmentBounds(t *testing.T) {
	var d Decoder
	p := make([]byte, 60000)
	for i := range 5000 {
		packet := v4(protoUDP, 0x2000, p)
		binary.BigEndian.PutUint16(packet[4:], uint16(i))
		if _, ok := d.Decode(typeRaw, packet, int64(i)); ok {
			t.Fatal("a fragment is taken for a packet")
		}
		if len(d.fragments.waiting) > maxFragmented || d.fragments.bytes > maxFragmentBytes+maxDatagram {
			t.Fatalf("%d packets of %d bytes wait", len(d.fragments.waiting), d.fragments.bytes)
		}
	}
}

func FuzzDecoder(f *testing.F) {
	ip := v4(protoTCP, 0, segmentTo(80))
	for _, kind := range []uint16{typeEthernet, typePPP, typeCooked, typeWiFiRadio, typePKTAP, typeRaw} {
		f.Add(kind, slices.Concat(make([]byte, 12), ip))
	}
	f.Fuzz(func(t *testing.T, kind uint16, p []byte) {
		var d Decoder
		s, ok := d.Decode(uint32(kind), p, 0)
		if ok && (len(s.Payload) > len(p) || s.Missing < 0 || !s.Src.IsValid() || !s.Dst.IsValid()) {
			t.Fatalf("got %+v of %d bytes", s, len(p))
		}
	})
}
