package proxy

import (
	"crypto/tls"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// fetchTLS makes a TLS request through the proxy and returns the answer, or the error.
func fetchTLS(t *testing.T, s *Server, addr string, cfg *tls.Config) (string, error) {
	t.Helper()
	c := tunnel(t, s, addr)
	conn := tls.Client(c.Conn, cfg)
	defer conn.Close()
	if err := conn.Handshake(); err != nil {
		return "", err
	}
	p := newPeer(t, conn)
	p.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	return p.reply(), nil
}

func TestPassThroughByPattern(t *testing.T) {
	addr, pool := secureOrigin(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "inside") })
	a, trust := authority(t)
	for _, tt := range []struct {
		name         string
		ignore, only string
		pass         bool
	}{
		{"by name", `^EXAMPLE\.com:`, "", true},
		{"by address", `127\.0\.0\.1`, "", true},
		{"another", `other`, "", false},
		{"only this", "", `example\.com:\d+$`, false},
		{"only another", "", "other", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			opts := Options{Authority: a, UpstreamCAs: pool}
			if tt.ignore != "" {
				opts.Ignore = []HostPattern{regexp.MustCompile("(?i)" + tt.ignore)}
			}
			if tt.only != "" {
				opts.Only = []HostPattern{regexp.MustCompile("(?i)" + tt.only)}
			}
			s, sink := start(t, opts)
			roots := trust
			if tt.pass {
				roots = pool // it sees the origin's own certificate
			}
			got, err := fetchTLS(t, s, addr, &tls.Config{RootCAs: roots, ServerName: "example.com"})
			if got != "inside" {
				t.Errorf("got %q, %v", got, err)
			}
			f := sink.finished(t, 1)
			if (f.GetTcp() != nil) != tt.pass || (metaOf(f, "passed through") != "") != tt.pass {
				t.Fatalf("recorded %v", f)
			}
			if tt.pass && (f.GetTcp().ServerBytes == 0 || len(sink.messages) != 0 || sink.conn(f.ClientConn).Tls.GetHello() == nil) {
				t.Errorf("recorded %v with %d messages, want counts and no bytes", f, len(sink.messages))
			}
		})
	}
}

// What is not TLS in a tunnel passes by its address.
func TestPassThroughPlain(t *testing.T) {
	addr := echoHost(t)
	s, sink := start(t, Options{Ignore: []HostPattern{regexp.MustCompile(addr)}})
	c := tunnel(t, s, addr)
	c.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	if got := c.reply(); got != "GET / HTTP/1.1|h" {
		t.Errorf("got %q", got)
	}
	c.Close()
	if f := sink.finished(t, 1); f.GetTcp() == nil || len(sink.messages) != 0 {
		t.Errorf("recorded %v", f)
	}
}

// A client that refuses our certificate twice for a host gets through the third
// time, and is told of; other clients and hosts are not touched.
func TestPinnedClients(t *testing.T) {
	addr, pool := secureOrigin(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "inside") })
	a, trust := authority(t)
	var mu sync.Mutex
	var notices []Notice
	notify := func(n Notice) { mu.Lock(); defer mu.Unlock(); notices = append(notices, n) }
	for _, never := range []bool{false, true} {
		t.Run(map[bool]string{false: "default", true: "never"}[never], func(t *testing.T) {
			notices = nil
			s, sink := start(t, Options{Authority: a, UpstreamCAs: pool, Notify: notify, NoAutoIgnore: never})
			pinned := &tls.Config{RootCAs: pool, ServerName: "example.com"} // it knows the origin's own
			for id := range uint64(2) {
				if _, err := fetchTLS(t, s, addr, pinned); err == nil {
					t.Fatal("the certificate was accepted")
				}
				sink.finished(t, id+1)
			}
			got, err := fetchTLS(t, s, addr, pinned)
			if (got == "inside") == never {
				t.Errorf("third time: got %q, %v", got, err)
			}
			f := sink.finished(t, 3)
			if never {
				if f.GetTls() == nil || len(notices) != 0 {
					t.Errorf("recorded %v, told %v", f, notices)
				}
				return
			}
			if f.GetTcp() == nil || metaOf(f, "passed through") == "" {
				t.Errorf("recorded %v", f)
			}
			if len(notices) != 1 || !strings.Contains(notices[0].Text, "example.com twice") {
				t.Errorf("told %v", notices)
			}
			if _, err := fetchTLS(t, s, addr, &tls.Config{RootCAs: trust, ServerName: "127.0.0.1"}); err != nil {
				t.Errorf("another host is not opened: %v", err)
			}
			if pins := s.pins.list(); len(pins) != 1 || pins[0].Host != "example.com" || pins[0].Client.String() != "127.0.0.1" {
				t.Errorf("pins: got %v", pins)
			}
			if n := s.pins.forget("Example.COM"); n != 1 {
				t.Errorf("opened again for %d clients, want 1", n)
			}
			if _, err := fetchTLS(t, s, addr, &tls.Config{RootCAs: trust, ServerName: "example.com"}); err != nil {
				t.Errorf("not opened again: %v", err)
			}
		})
	}
}

// A client that comes to trust us starts from nothing.
func TestTrustForgetsRefusals(t *testing.T) {
	addr, pool := secureOrigin(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "inside") })
	a, trust := authority(t)
	s, sink := start(t, Options{Authority: a, UpstreamCAs: pool})
	for i, roots := range []*tls.Config{{RootCAs: pool}, {RootCAs: trust}, {RootCAs: pool}, {RootCAs: trust}} {
		roots.ServerName = "example.com"
		if _, err := fetchTLS(t, s, addr, roots); (err == nil) != (i%2 == 1) {
			t.Errorf("%d: got %v", i, err)
		}
		sink.finished(t, uint64(i)+1)
	}
}

func TestPinningIsBounded(t *testing.T) {
	var l pinning
	for i := range 2 * maxPins {
		l.refused(Pin{Host: strings.Repeat("x", i)})
	}
	if got := len(l.seen); got > maxPins {
		t.Errorf("%d are remembered, want at most %d", got, maxPins)
	}
}

func TestHostFits(t *testing.T) {
	for _, tt := range []struct {
		pattern, host string
		want          bool
	}{
		{"", "a", true},
		{"*", "a", true},
		{"a.b", "A.b.", true},
		{"a.b", "x.a.b", false},
		{"*.a.b", "x.a.b", true},
		{"*.a.b", "X.y.A.B", true},
		{"*.a.b", "a.b", false},
		{"*.a.b", "xa.b", false},
		{"*.a.b", ".a.b", false},
	} {
		if got := hostFits(tt.pattern, tt.host); got != tt.want {
			t.Errorf("%q for %q: got %v, want %v", tt.pattern, tt.host, got, tt.want)
		}
	}
}
