package proxy

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"

	flowpb "weir/proto"
)

// socksTo is the request that asks for addr, given as "v4", "v6" or "name".
func socksTo(kind, addr string) string {
	host, port, _ := net.SplitHostPort(addr)
	n, _ := strconv.Atoi(port)
	end := string([]byte{byte(n >> 8), byte(n)})
	switch kind {
	case "v4":
		return "\x05\x01\x00\x01" + string(net.ParseIP(host).To4()) + end
	case "v6":
		return "\x05\x01\x00\x04" + string(net.ParseIP(host).To16()) + end
	}
	return "\x05\x01\x00\x03" + string([]byte{byte(len(host))}) + host + end
}

// socksReply takes a reply with an IPv4 address and returns its code.
func (p *peer) socksReply() byte {
	p.t.Helper()
	b := make([]byte, 10)
	if _, err := io.ReadFull(p.r, b); err != nil || b[0] != 5 {
		p.t.Errorf("reply: got %x, %v", b, err)
	}
	return b[1]
}

func TestSOCKS5(t *testing.T) {
	addr := echoHost(t)
	_, port, _ := net.SplitHostPort(addr)
	for _, tt := range []struct{ name, kind, addr string }{
		{"IPv4", "v4", addr},
		{"mapped IPv4", "v6", "[::ffff:127.0.0.1]:" + port},
		{"name", "name", "localhost:" + port},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, sink := start(t, mode(t, "socks5@0"))
			c := dial(t, s)
			// Clients may send all of it at once.
			c.send("\x05\x02\x02\x00" + socksTo(tt.kind, tt.addr) + "GET /s HTTP/1.1\r\nHost: h\r\n\r\n")
			c.expect("\x05\x00")
			if got := c.socksReply(); got != 0 {
				t.Fatalf("reply: got code %d, want 0", got)
			}
			if got, want := c.reply(), "GET /s HTTP/1.1|h"; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			f := sink.finished(t, 1)
			if got := sink.conn(f.ClientConn).Mode; got != "socks5" {
				t.Errorf("mode: got %q", got)
			}
		})
	}
}

func TestSOCKS5Intercepts(t *testing.T) {
	addr, pool := secureOrigin(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "inside") })
	a, trust := authority(t)
	opts := mode(t, "socks5@0")
	opts.Authority, opts.UpstreamCAs = a, pool
	s, sink := start(t, opts)
	c := dial(t, s)
	c.send("\x05\x01\x00" + socksTo("v4", addr))
	c.expect("\x05\x00")
	c.socksReply()
	p := newPeer(t, tls.Client(c.Conn, &tls.Config{RootCAs: trust, ServerName: "example.com"}))
	p.send("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n")
	if got := p.reply(); got != "inside" {
		t.Errorf("got %q", got)
	}
	if f := sink.finished(t, 1); string(f.GetHttp().Request.Scheme) != "https" {
		t.Errorf("recorded %v", f)
	}
}

func TestSOCKS5Login(t *testing.T) {
	addr := echoHost(t)
	opts := mode(t, "socks5@0")
	opts.Auth = single{"user", "secret"}
	s, sink := start(t, opts)
	c := dial(t, s)
	c.send("\x05\x02\x00\x02")
	c.expect("\x05\x02")
	c.send("\x01\x04user\x06secret" + socksTo("v4", addr))
	c.expect("\x01\x00")
	c.socksReply()
	c.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	c.reply()
	if f := sink.finished(t, 1); metaOf(f, "proxy user") != "user" {
		t.Errorf("recorded %v", f.Meta)
	}
	for i, tt := range []struct{ send, want, message string }{
		{"\x05\x01\x02\x01\x04user\x05wrong", "\x05\x02\x01\x01", "password for the proxy is wrong"},
		{"\x05\x01\x00", "\x05\xff", "no way of logging in"},
	} {
		c := dial(t, s)
		c.send(tt.send)
		if got := c.rest(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
		f := sink.finished(t, uint64(i)+2)
		if f.Error.GetCode() != flowpb.CodeRefused || !strings.Contains(f.Error.Message, tt.message) || strings.Contains(f.String(), "wrong\x00") {
			t.Errorf("recorded %v", f)
		}
	}
}

func TestSOCKS5Refusals(t *testing.T) {
	s, sink := start(t, mode(t, "socks5@0"))
	own := s.Addr().String()
	for i, tt := range []struct {
		name, send string
		code       byte // of the reply
		message    string
	}{
		{"closed port", socksTo("v4", "127.0.0.1:1"), 5, "refused the connection"},
		{"unknown name", socksTo("name", "nothing.invalid:80"), 4, "nothing.invalid"},
		{"ourselves", socksTo("v4", own), 2, "this proxy itself"},
		{"BIND", "\x05\x02\x00\x01\x7f\x00\x00\x01\x00\x01", 7, "SOCKS command"},
		{"unknown kind of address", "\x05\x01\x00\x09", 8, "unknown kind"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := dial(t, s)
			c.send("\x05\x01\x00" + tt.send)
			c.expect("\x05\x00")
			if got := c.socksReply(); got != tt.code {
				t.Errorf("reply: got code %d, want %d", got, tt.code)
			}
			if f := sink.finished(t, uint64(i)+1); !strings.Contains(f.Error.GetMessage(), tt.message) {
				t.Errorf("recorded %v, want %q", f.Error, tt.message)
			}
		})
	}
}

func TestNotSOCKS5(t *testing.T) {
	for _, tt := range []struct{ name, send, answer, message, hint string }{
		{"HTTP", "GET http://h/ HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request", "the client speaks HTTP", "--mode regular"},
		{"SOCKS 4", "\x04\x01\x00\x50\x7f\x00\x00\x01\x00", "\x00\x5b", "SOCKS 4", "socks5h://"},
		{"TLS", "\x16\x03\x01\x00\x05hello", "", "the client speaks TLS", "socks5h://"},
		{"noise", "\x00\x01\x02", "", "byte 0x00", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, sink := start(t, mode(t, "socks5@0"))
			c := dial(t, s)
			c.send(tt.send)
			b, _ := io.ReadAll(c.r)
			if got := string(b); !strings.HasPrefix(got, tt.answer) {
				t.Errorf("got %q, want %q", got, tt.answer)
			}
			f := sink.finished(t, 1)
			if !strings.Contains(f.Error.Message, tt.message) || !strings.Contains(f.Error.Hint, tt.hint) {
				t.Errorf("recorded %v", f.Error)
			}
		})
	}
	t.Run("nothing", func(t *testing.T) {
		s, sink := start(t, mode(t, "socks5@0"))
		dial(t, s).Close()
		sink.await(t, "the end of the connection", func() bool { return len(sink.conns) == 1 && sink.conns[0].EndedNs != 0 })
		if len(sink.flows) != 0 {
			t.Errorf("a port check is a flow: %v", sink.flows)
		}
	})
}
