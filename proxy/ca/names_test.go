package ca

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var compareAddr = cmp.Comparer(func(a, b netip.Addr) bool { return a == b })

func TestNamesFor(t *testing.T) {
	ips := func(texts ...string) (out []netip.Addr) {
		for _, s := range texts {
			out = append(out, netip.MustParseAddr(s))
		}
		return out
	}
	upstream := func(cn, org string, dns []string, addrs ...string) *x509.Certificate {
		c := &x509.Certificate{Subject: pkix.Name{CommonName: cn}, DNSNames: dns}
		if org != "" {
			c.Subject.Organization = []string{org}
		}
		for _, a := range addrs {
			c.IPAddresses = append(c.IPAddresses, net.ParseIP(a))
		}
		return c
	}
	tests := []struct {
		name      string
		sni, host string
		upstream  *x509.Certificate
		want      Names
	}{
		{"nothing", "", "", nil, Names{}},
		{"host", "", "www.test", nil, Names{Common: "www.test", DNS: []string{"www.test"}}},
		{"sni before host", "a.test", "b.test", nil, Names{Common: "a.test", DNS: []string{"a.test", "b.test"}}},
		{"the same twice", "A.test.", "a.test", nil, Names{Common: "a.test", DNS: []string{"a.test"}}},
		{"IPv4 host", "", "192.0.2.1", nil, Names{Common: "192.0.2.1", IPs: ips("192.0.2.1")}},
		{"IPv6 host in brackets", "", "[2001:db8::1]", nil, Names{Common: "2001:db8::1", IPs: ips("2001:db8::1")}},
		{"zone", "", "fe80::1%eth0", nil, Names{Common: "fe80::1", IPs: ips("fe80::1")}},
		{"mapped IPv4", "", "::ffff:192.0.2.1", nil, Names{Common: "192.0.2.1", IPs: ips("192.0.2.1")}},
		{"international", "", "Bücher.test", nil, Names{Common: "xn--bcher-kva.test", DNS: []string{"xn--bcher-kva.test"}}},
		{"underscore", "", "my_host.test", nil, Names{Common: "my_host.test", DNS: []string{"my_host.test"}}},
		{
			"upstream first", "sni.test", "192.0.2.1",
			upstream("Up.test", "Up Inc.", []string{"up.test", "*.up.test"}, "192.0.2.1", "2001:db8::1"),
			Names{Common: "Up.test", Organization: "Up Inc.", DNS: []string{"up.test", "*.up.test", "sni.test"}, IPs: ips("192.0.2.1", "2001:db8::1")},
		},
		{
			"upstream name is a title", "sni.test", "", upstream("Corporate Root 3", "", nil),
			Names{Common: "Corporate Root 3", DNS: []string{"sni.test"}},
		},
		{
			"upstream name is an address", "", "", upstream("192.0.2.1", "", nil),
			Names{Common: "192.0.2.1", IPs: ips("192.0.2.1")},
		},
		{
			"hostile upstream", "sni.test", "",
			upstream("\x1b[2J", "a\x00b", []string{"", ".", "a..b", "-a.test", "a-.test", "a b.test", "*", "*.", "*.test", "a.*.test", "ok.test", "a\x00.test", strings.Repeat("x", 64) + ".test", strings.Repeat("abc.", 64) + "test"}),
			Names{Common: "ok.test", DNS: []string{"ok.test", "sni.test"}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := NamesFor(tt.sni, tt.host, tt.upstream)
			if diff := cmp.Diff(tt.want, got, compareAddr); diff != "" {
				t.Errorf("names (-want +got):\n%s", diff)
			}
		})
	}
}

// A certificate with thousands of names is cut, and the client's own names are
// still there.
func TestNamesForBound(t *testing.T) {
	upstream := &x509.Certificate{}
	for i := range 5000 {
		upstream.DNSNames = append(upstream.DNSNames, fmt.Sprintf("h%d.test", i))
		upstream.IPAddresses = append(upstream.IPAddresses, net.IPv4(10, 0, byte(i>>8), byte(i)))
	}
	n := NamesFor("sni.test", "host.test", upstream)
	if got := n.count(); got != maxNames {
		t.Errorf("names: got %d, want %d", got, maxNames)
	}
	a := mustLoad(t, t.TempDir())
	leaf := mustLeaf(t, a, n)
	verify(t, a, leaf, "sni.test")
	verify(t, a, leaf, "host.test")
}

// Whatever the client and the server claim, the names either make a valid
// certificate or there are none.
func TestNamesForProperty(t *testing.T) {
	a := mustLoad(t, t.TempDir())
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[*a-zA-Z0-9._-]{0,70}`), rapid.StringMatching(`[0-9a-f.:%\[\]]{0,20}`))
		upstream := &x509.Certificate{
			Subject:  pkix.Name{CommonName: text.Draw(t, "cn"), Organization: rapid.SliceOfN(text, 0, 2).Draw(t, "org")},
			DNSNames: rapid.SliceOfN(text, 0, 5).Draw(t, "dns"),
		}
		for _, raw := range rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 16), 0, 3).Draw(t, "ips") {
			upstream.IPAddresses = append(upstream.IPAddresses, raw)
		}
		n := NamesFor(text.Draw(t, "sni"), text.Draw(t, "host"), upstream)
		leaf, err := a.Leaf(n)
		if n.count() == 0 {
			if err == nil {
				t.Fatal("got a certificate for nobody")
			}
			return
		}
		if err != nil {
			t.Fatalf("%+v: %v", n, err)
		}
		for _, name := range n.DNS {
			if strings.HasPrefix(name, "*") || strings.Contains(name, "_") {
				continue // Not names a client could ask for.
			}
			if err := leaf.Leaf.VerifyHostname(name); err != nil {
				t.Fatal(err)
			}
		}
	})
}
