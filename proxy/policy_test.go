package proxy

import (
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	flowpb "weir/proto"
)

func TestIsPublic(t *testing.T) {
	for addr, want := range map[string]bool{
		"127.0.0.1": false, "::1": false, "10.1.2.3": false, "192.168.0.1": false, "172.16.0.1": false,
		"169.254.1.1": false, "fe80::1": false, "fd00::1": false, "100.64.0.1": false, "::ffff:10.0.0.1": false,
		"8.8.8.8": true, "172.32.0.1": true, "2001:db8::1": true, "::ffff:8.8.8.8": true, "100.128.0.1": true,
	} {
		if got := isPublic(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: got %v, want %v", addr, got, want)
		}
	}
}

// far is a connection from far away.
type far struct{ net.Conn }

func (far) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(198, 51, 100, 7), Port: 1} }

func TestPublicClientsAreRefused(t *testing.T) {
	var notices []Notice
	opts := Options{Notify: func(n Notice) { notices = append(notices, n) }}
	client, accepted := net.Pipe()
	sink := serveInMemory(t, opts, far{accepted}, nil)
	if b, _ := io.ReadAll(client); len(b) != 0 {
		t.Errorf("got %q, want nothing", b)
	}
	sink.await(t, "the end of the connection", func() bool { return len(sink.conns) == 1 && sink.conns[0].EndedNs != 0 })
	if got := sink.conn(1).Error.GetCode(); got != flowpb.CodeRefused {
		t.Errorf("recorded %v, want %v", got, flowpb.CodeRefused)
	}
	if len(notices) != 1 || !strings.Contains(notices[0].Text, "198.51.100.7") || !strings.Contains(notices[0].Hint, "--allow-public") {
		t.Errorf("told %v", notices)
	}
}

func TestThrottle(t *testing.T) {
	var th throttle
	now := time.Unix(1000, 0)
	for i, tt := range []struct {
		after   time.Duration
		tell    bool
		skipped int
	}{{0, true, 0}, {time.Second, false, 0}, {2 * time.Second, false, 0}, {time.Minute, true, 2}, {2 * time.Minute, true, 0}} {
		skipped, tell := th.tell(now.Add(tt.after))
		if tell != tt.tell || skipped != tt.skipped {
			t.Errorf("%d: got %v and %d, want %v and %d", i, tell, skipped, tt.tell, tt.skipped)
		}
	}
}
