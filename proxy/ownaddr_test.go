package proxy

import (
	"net"
	"net/netip"
	"strings"
	"testing"
)

func TestOwnAddress(t *testing.T) {
	for _, tt := range []struct {
		listen, host string
		port         int
		want         bool
	}{
		{"127.0.0.1", "127.0.0.1", 8080, true},
		{"127.0.0.1", "127.0.0.1", 8081, false},
		{"127.0.0.1", "127.9.9.9", 8080, true},
		{"127.0.0.1", "::1", 8080, true},
		{"127.0.0.1", "::ffff:7f00:1", 8080, true},
		{"127.0.0.1", "0.0.0.0", 8080, true},
		{"127.0.0.1", "localhost", 8080, true},
		{"127.0.0.1", "LocalHost.", 8080, true},
		{"127.0.0.1", "a.localhost", 8080, true},
		{"127.0.0.1", "localhost.example.com", 8080, false},
		{"127.0.0.1", "192.0.2.1", 8080, false},
		{"192.0.2.1", "192.0.2.1", 8080, true},
		{"192.0.2.1", "127.0.0.1", 8080, false},
		{"192.0.2.1", "localhost", 8080, false},
		{"0.0.0.0", "127.0.0.1", 8080, true},
		{"0.0.0.0", "localhost", 8080, true},
		{"::", "::1", 8080, true},
		{"::", "192.0.2.1", 8080, false},
	} {
		own := newOwnAddress(&net.TCPAddr{IP: net.ParseIP(tt.listen), Port: 8080})
		if got := own.isName(tt.host, tt.port); got != tt.want {
			t.Errorf("listening on %s, %s:%d: got %v, want %v", tt.listen, tt.host, tt.port, got, tt.want)
		}
	}
}

// TestOwnInterfaces asks for each address of this machine on a wildcard listener.
func TestOwnInterfaces(t *testing.T) {
	addrs, err := net.InterfaceAddrs()
	if err != nil || len(addrs) == 0 {
		t.Skipf("no interface addresses: %v", err)
	}
	own := newOwnAddress(&net.TCPAddr{Port: 8080})
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil && !own.isIP(p.Addr(), 8080) {
			t.Errorf("%s is not taken for ours", p.Addr())
		}
	}
}

func TestListenWarnsOffLoopback(t *testing.T) {
	var notices []Notice
	listen := func(addr string) {
		s, err := Listen(t.Context(), Options{Listen: addr, Sink: newMemory(), Notify: func(n Notice) { notices = append(notices, n) }})
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
	}
	if listen("127.0.0.1:0"); len(notices) != 0 {
		t.Errorf("on loopback: got %v", notices)
	}
	if listen(":0"); len(notices) != 1 || !strings.Contains(notices[0].Text, "whoever reaches this address") {
		t.Errorf("on all addresses: got %v", notices)
	}
}

// TestListenFamily listens on every address of one family and of both.
func TestListenFamily(t *testing.T) {
	for listen, want := range map[string]string{"0.0.0.0:0": "0.0.0.0", "127.0.0.1:0": "127.0.0.1", ":0": "::"} {
		s, err := Listen(t.Context(), Options{Listen: listen, Sink: newMemory()})
		if err != nil {
			t.Fatal(err)
		}
		got, _, _ := net.SplitHostPort(s.Addr().String())
		if s.Close(); got != want {
			t.Errorf("listening on %s: announced as %s, want %s", listen, got, want)
		}
	}
}
