package proxy

import (
	"encoding/hex"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

// TestAppendUDP compares with datagrams whose checksums are right, and has those of
// any content add up to what they have to.
func TestAppendUDP(t *testing.T) {
	for _, c := range []struct{ from, to, data, want string }{
		{"192.0.2.1:53", "198.51.100.7:40000", "abc", "00359c40000bb2c3616263"},
		{"[2001:db8::1]:53", "[2001:db8::2]:1", "", "003500010008a433"},
	} {
		got := appendUDP(nil, []byte(c.data), netip.MustParseAddrPort(c.from), netip.MustParseAddrPort(c.to))
		if hex.EncodeToString(got) != c.want {
			t.Errorf("%s to %s: got %x, want %s", c.from, c.to, got, c.want)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		from := netip.AddrPortFrom(netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(rt, "from"))), rapid.Uint16().Draw(rt, "port"))
		to := netip.AddrPortFrom(netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(rt, "to"))), rapid.Uint16().Draw(rt, "port"))
		p := appendUDP(nil, rapid.SliceOfN(rapid.Byte(), 0, 2000).Draw(rt, "data"), from, to)
		sum := sum16(sum16(sum16(uint32(len(p))+17, from.Addr().AsSlice()), to.Addr().AsSlice()), p)
		for sum > 0xffff {
			sum = sum&0xffff + sum>>16
		}
		if sum != 0xffff || p[6] == 0 && p[7] == 0 {
			rt.Fatalf("checksum %x of %x to %v adds up to %x", p[6:8], p, to, sum)
		}
	})
}

// TestDestinationOf finds the destination among control messages of other kinds, and
// in none.
func TestDestinationOf(t *testing.T) {
	other := unix.PktInfo4(&unix.Inet4Pktinfo{Spec_dst: [4]byte{192, 0, 2, 9}})
	for _, oob := range [][]byte{nil, other, other[:3]} {
		if got := destinationOf(oob); got.IsValid() {
			t.Errorf("%x: got %v, want none", oob, got)
		}
	}
}
