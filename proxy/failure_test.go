package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	flowpb "weir/proto"
)

// TestFailuresAreFlowsAndPages lets exchanges fail in every way that a server
// or a request can fail in.
func TestFailuresAreFlowsAndPages(t *testing.T) {
	broken := origin(t, func(p *peer) {
		switch head := p.head(); {
		case strings.HasPrefix(head, "GET /closes"):
		case strings.HasPrefix(head, "GET /short"):
			p.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
		case strings.HasPrefix(head, "GET /odd"):
			p.send("SSH-2.0-x\r\n\r\n")
		case strings.HasPrefix(head, "GET /smuggle"):
			p.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
		case strings.HasPrefix(head, "GET /cuthead"):
			p.send("HTTP/1.1 200 OK\r\nContent-")
		}
	})
	dialing := func(_ context.Context, network, address string) (net.Conn, error) {
		switch host, _, _ := net.SplitHostPort(address); host {
		case "nowhere.test":
			return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
		case "broken.test":
			return net.Dial(network, broken)
		case "slow.test":
			return nil, context.DeadlineExceeded
		}
		return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	}
	for _, tt := range []struct {
		name, request string
		code          flowpb.ErrorCode
		status        string // of the page; "" for none
		want          string // in message and page
	}{
		{"dns", "GET http://nowhere.test/ HTTP/1.1\r\n\r\n", flowpb.CodeDNS, "502", "nowhere.test does not resolve"},
		{"refused", "GET http://refused.test/ HTTP/1.1\r\n\r\n", flowpb.CodeConnect, "502", "refused.test:80 refused"},
		{"timeout", "GET http://slow.test/ HTTP/1.1\r\n\r\n", flowpb.CodeTimeout, "502", "slow.test:80 timed out"},
		{"no response", "GET http://broken.test/closes HTTP/1.1\r\n\r\n", flowpb.CodeServerGone, "502", "without a response"},
		{"half a head", "GET http://broken.test/cuthead HTTP/1.1\r\n\r\n", flowpb.CodeServerGone, "502", "inside the head"},
		{"short body", "GET http://broken.test/short HTTP/1.1\r\n\r\n", flowpb.CodeServerGone, "", "7 of 10 bytes missing"},
		{"not HTTP", "GET http://broken.test/odd HTTP/1.1\r\n\r\n", flowpb.CodeProtocol, "502", "no HTTP version"},
		{"two framings", "GET http://broken.test/smuggle HTTP/1.1\r\n\r\n", flowpb.CodeProtocol, "502", "both Transfer-Encoding and Content-Length"},
		{"malformed", "GET http://broken.test/ HTTP/1.1\r\nContent-Length: x\r\n\r\n", flowpb.CodeProtocol, "400", "Content-Length"},
		{"no method", "\x01\x02\r\n\r\n", flowpb.CodeProtocol, "400", "no HTTP method"},
		{"long line", "GET /" + strings.Repeat("a", 70000) + " HTTP/1.1\r\n\r\n", flowpb.CodeLimit, "414", "limit of 65536"},
		{"many fields", "GET / HTTP/1.1\r\n" + strings.Repeat("a: b\r\n", 3000) + "\r\n", flowpb.CodeLimit, "431", "limit of 2000"},
		{"origin form", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", flowpb.CodeProtocol, "400", "this is a proxy"},
		{"other scheme", "GET ftp://x/ HTTP/1.1\r\n\r\n", flowpb.CodeProtocol, "400", "neither http nor https"},
		{"connect without port", "CONNECT x HTTP/1.1\r\n\r\n", flowpb.CodeProtocol, "400", "no port"},
		{"escaped", "GET <b>://x/ HTTP/1.1\r\nAccept: text/html\r\n\r\n", flowpb.CodeProtocol, "400", "neither"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, sink := start(t, Options{Dial: dialing})
			c := dial(t, s)
			c.send(tt.request)
			var page string
			if tt.status != "" {
				page = c.rest()
			}
			if tt.status != "" && (!strings.HasPrefix(page, "HTTP/1.1 "+tt.status+" ") || !strings.Contains(page, tt.want) || strings.Contains(page, "<b>")) {
				t.Errorf("page: got %q, want %s with %q", page, tt.status, tt.want)
			}
			f := sink.finished(t, 1)
			if method, _, ok := strings.Cut(tt.request, " "); ok && string(f.GetHttp().Request.Method) != method {
				t.Errorf("method: got %q, want %q", f.GetHttp().Request.Method, method)
			}
			if f.Error.GetCode() != tt.code || !strings.Contains(f.Error.GetMessage(), tt.want) {
				t.Errorf("error: got %v, want %v with %q", f.Error, tt.code, tt.want)
			}
		})
	}
}

func TestOwnAddressIsRefused(t *testing.T) {
	s, sink := start(t, Options{})
	_, port, _ := net.SplitHostPort(s.Addr().String())
	for i, host := range []string{"127.0.0.1", "localhost", "LOCALHOST.", "127.1.2.3", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "x.localhost"} {
		for j, request := range []string{"GET http://" + host + ":" + port + "/ HTTP/1.1\r\n\r\n", "CONNECT " + host + ":" + port + " HTTP/1.1\r\n\r\n"} {
			c := dial(t, s)
			c.send(request)
			if page := c.rest(); !strings.HasPrefix(page, "HTTP/1.1 502 ") || !strings.Contains(page, "this proxy itself") {
				t.Errorf("%s: got %q", host, page)
			}
			if f := sink.finished(t, uint64(2*i+j+1)); f.Error.GetCode() != flowpb.CodeOwnAddress {
				t.Errorf("%s: got %v", host, f.Error)
			}
		}
	}
}

func TestWhatIsNotRecordedIsNotPassedOn(t *testing.T) {
	addr := origin(t, func(p *peer) { t.Errorf("the request reached the origin: %q", p.head()) })
	sink := newMemory()
	notices := make(chan Notice, 10)
	s, _ := start(t, Options{Sink: sink, Notify: func(n Notice) { notices <- n }})
	c := dial(t, s)
	sink.await(t, "the connection", func() bool { return len(sink.conns) == 1 })
	sink.mu.Lock()
	sink.fail = errors.New("disk full")
	sink.mu.Unlock()
	c.send(get(addr))
	if page := c.rest(); !strings.HasPrefix(page, "HTTP/1.1 502 ") || !strings.Contains(page, "disk full") {
		t.Errorf("got %q", page)
	}
	if n := <-notices; !strings.Contains(n.Text, "disk full") {
		t.Errorf("notice: got %v", n)
	}
}

// TestServerResets tells a server that resets from one that closes.
func TestServerResets(t *testing.T) {
	for name, tt := range map[string]struct{ answer, want string }{
		"with half a body":   {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "reset the connection too early: the connection ended with 5 of 9 bytes missing"},
		"without a response": {"", "reset the connection without a response"},
	} {
		t.Run(name, func(t *testing.T) {
			seen := make(chan struct{})
			addr := origin(t, func(p *peer) { p.head(); p.send(tt.answer); <-seen; abort(p.Conn) })
			s, sink := start(t, Options{})
			p := dial(t, s)
			p.send(get(addr))
			if tt.answer != "" {
				p.expect(tt.answer) // or the reset would overtake it
			}
			close(seen)
			_, _ = io.Copy(io.Discard, p.r)
			if f := sink.finished(t, 1); !strings.HasSuffix(f.Error.GetMessage(), tt.want) {
				t.Errorf("got %v, want %q", f.Error, tt.want)
			}
		})
	}
}

// TestClientLeavesSlowServer has a client leave while its server says nothing to a
// handshake: that is what the flow tells, and no refusal of our certificate.
func TestClientLeavesSlowServer(t *testing.T) {
	asked := make(chan struct{})
	addr := origin(t, func(p *peer) { _, _ = p.r.ReadByte(); close(asked); _, _ = io.Copy(io.Discard, p.r) })
	a, trust := authority(t)
	s, sink := start(t, Options{Authority: a, Timeouts: Timeouts{Handshake: 100 * time.Millisecond}, Dial: dialTo(addr)})
	p := tunnel(t, s, "slow.test:443")
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = tls.Client(p.Conn, &tls.Config{ServerName: "slow.test", RootCAs: trust}).Handshake()
	}()
	<-asked
	p.Close()
	<-done
	f := sink.finished(t, 1)
	if want := "the TLS handshake with slow.test:443 timed out, and the client left before it could be told"; f.Error.GetMessage() != want {
		t.Errorf("got %v, want %q", f.Error, want)
	}
	s.pins.mu.Lock()
	defer s.pins.mu.Unlock()
	if len(s.pins.seen) > 0 {
		t.Errorf("it is taken for a refusal of our certificate: %v", s.pins.seen)
	}
}
