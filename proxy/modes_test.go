package proxy

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	flowpb "weir/proto"
)

// mode returns options with a mode to try.
func mode(t testing.TB, spec string) Options {
	t.Helper()
	m, err := ParseMode(spec, "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	return Options{Mode: m}
}

// echoHost answers every request with the Host that it was sent, and where.
func echoHost(t *testing.T) string {
	return origin(t, func(p *peer) {
		for {
			head := p.head()
			if head == "" {
				return
			}
			line, _, _ := strings.Cut(head, "\r\n")
			_, host, _ := strings.Cut(head, "Host: ")
			host, _, _ = strings.Cut(host, "\r\n")
			body := line + "|" + host
			p.send(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
		}
	})
}

// reply reads one response and returns its body.
func (p *peer) reply() string {
	p.t.Helper()
	head := p.head()
	var n int
	_, rest, _ := strings.Cut(head, "Content-Length: ")
	_, _ = fmt.Sscanf(rest, "%d", &n)
	body := make([]byte, n)
	_, _ = io.ReadFull(p.r, body)
	return string(body)
}

func TestReverse(t *testing.T) {
	addr := echoHost(t)
	for _, keep := range []bool{false, true} {
		opts := mode(t, "reverse:http://"+addr)
		opts.KeepHost = keep
		s, sink := start(t, opts)
		c := dial(t, s)
		want := addr
		if keep {
			want = "weir.example"
		}
		for range 2 { // keep-alive
			c.send("GET /a HTTP/1.1\r\nHost: weir.example\r\n\r\n")
			if got := c.reply(); got != "GET /a HTTP/1.1|"+want {
				t.Errorf("keep %v: the origin got %q, want Host %s", keep, got, want)
			}
		}
		f := sink.finished(t, 2)
		q := f.GetHttp().Request
		if got := string(q.Headers[0].Value); got != want {
			t.Errorf("recorded Host: got %q, want %q, as it was sent on", got, want)
		}
		if got := string(q.Authority); got != "weir.example" {
			t.Errorf("recorded authority: got %q, want the client's own", got)
		}
		if got := string(f.Server); got != addr {
			t.Errorf("server: got %q, want %q", got, addr)
		}
		if got, want := sink.conn(f.ClientConn).Mode, "reverse:http://"+addr; got != want {
			t.Errorf("mode: got %q, want %q", got, want)
		}
	}
}

// A reverse proxy for HTTPS takes clients with and without TLS, asks the server
// for itself, and shows a certificate that fits the address it is reached at.
func TestReverseHTTPS(t *testing.T) {
	addr, pool := secureOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.TLS.ServerName+"|"+r.Host)
	})
	a, trust := authority(t)
	_, port, _ := net.SplitHostPort(addr)
	opts := mode(t, "reverse:https://127.0.0.1:"+port)
	opts.Authority, opts.UpstreamCAs = a, pool
	s, sink := start(t, opts)
	const request = "GET / HTTP/1.1\r\nHost: me\r\n\r\n"

	plain := dial(t, s)
	plain.send(request)
	if got, want := plain.reply(), "|"+addr; got != want {
		t.Errorf("plain: got %q, want %q", got, want)
	}
	conn := tls.Client(dial(t, s).Conn, &tls.Config{RootCAs: trust, ServerName: "127.0.0.1"})
	secure := newPeer(t, conn)
	secure.send(request)
	if got, want := secure.reply(), "|"+addr; got != want {
		t.Errorf("TLS: got %q, want %q", got, want)
	}
	for id := range uint64(2) {
		f := sink.finished(t, id+1)
		if q := f.GetHttp().Request; string(q.Scheme) != "https" || fmt.Sprint(q.Port) != port {
			t.Errorf("recorded %s port %d, want https and %s", q.Scheme, q.Port, port)
		}
	}
}

// For a server without TLS it takes TLS off.
func TestReverseTakesTLSOff(t *testing.T) {
	addr := echoHost(t)
	a, trust := authority(t)
	opts := mode(t, "reverse:http://"+addr)
	opts.Authority = a
	s, _ := start(t, opts)
	conn := tls.Client(dial(t, s).Conn, &tls.Config{RootCAs: trust, ServerName: "shop.test", NextProtos: []string{"h2", "http/1.1"}})
	c := newPeer(t, conn)
	c.send("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n")
	if got, want := c.reply(), "GET / HTTP/1.1|"+addr; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// reverse:tcp passes bytes whoever speaks first; reverse:tls wraps them.
func TestReverseStreams(t *testing.T) {
	greet := func(p *peer) {
		p.send("220 ready\r\n")
		p.expect("HELO\r\n")
		p.send("250 ok\r\n")
	}
	a, pool := authority(t)
	leaf := selfSigned(t, a)
	wrapped := origin(t, func(p *peer) {
		secure := newPeer(t, tls.Server(p.Conn, &tls.Config{Certificates: []tls.Certificate{*leaf}}))
		greet(secure)
		secure.rest() // the goodbye, which unread would reset the connection
	})
	for _, tt := range []struct{ spec, dial string }{
		{"reverse:tcp://" + origin(t, greet), ""},
		{"reverse:tls://" + strings.Replace(wrapped, "127.0.0.1", "bench.test", 1), wrapped},
	} {
		opts := mode(t, tt.spec)
		opts.Authority, opts.UpstreamCAs = a, pool
		opts.Timeouts.Peek = 1 // the server is waited for at once
		if tt.dial != "" {
			opts.Dial = dialTo(tt.dial)
		}
		s, sink := start(t, opts)
		c := dial(t, s)
		c.expect("220 ready\r\n")
		c.send("HELO\r\n")
		c.expect("250 ok\r\n")
		c.Close()
		f := sink.finished(t, 1)
		if f.GetTcp().GetServerBytes() != 19 || f.Error != nil {
			t.Errorf("%s: recorded %v", tt.spec, f)
		}
	}
}

func TestUpstream(t *testing.T) {
	origin := echoHost(t)
	secure, pool := secureOrigin(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "secret "+r.Host) })
	a, trust := authority(t)
	users := single{"u", "p:w"}
	parent, parentSink := start(t, Options{Auth: users, Authority: a, UpstreamCAs: pool})
	for _, scheme := range []string{"http", "https"} {
		opts := mode(t, "upstream:"+scheme+"://u:p%3aw@"+parent.Addr().String())
		both := pool.Clone()
		both.AddCert(a.Certificate())
		opts.Authority, opts.UpstreamCAs = a, both
		s, sink := start(t, opts)
		c := dial(t, s)
		c.send("GET http://" + origin + "/x HTTP/1.1\r\nHost: " + origin + "\r\n\r\n")
		if got, want := c.reply(), "GET /x HTTP/1.1|"+origin; got != want {
			t.Errorf("%s: got %q, want %q", scheme, got, want)
		}
		conn := tls.Client(tunnel(t, s, secure).Conn, &tls.Config{RootCAs: trust, ServerName: "example.com"})
		p := newPeer(t, conn)
		p.send("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n")
		if got, want := p.reply(), "secret example.com"; got != want {
			t.Errorf("%s: through a tunnel: got %q, want %q", scheme, got, want)
		}
		for id := range uint64(2) {
			up := sink.conn(sink.finished(t, id+1).ServerConn)
			if got, want := fmt.Sprintf("%s:%d", up.Via.GetHost(), up.Via.GetPort()), parent.Addr().String(); got != want {
				t.Errorf("%s: via: got %s, want %s", scheme, got, want)
			}
		}
	}
	if f := parentSink.finished(t, 1); metaOf(f, "proxy user") != "u" {
		t.Errorf("the upstream proxy does not say who it was: %v", f.Meta)
	}
}

func metaOf(f *flowpb.Flow, key string) string {
	for _, m := range f.Meta {
		if m.Key == key {
			return m.Value
		}
	}
	return ""
}

func TestUpstreamThatRefuses(t *testing.T) {
	parent, _ := start(t, Options{Auth: single{"u", "p"}})
	s, sink := start(t, mode(t, "upstream:http://"+parent.Addr().String()))
	c := tunnel(t, s, "example.com:80")
	c.send("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n")
	if got := c.rest(); !strings.Contains(got, " 502 ") || !strings.Contains(got, "407") || !strings.Contains(got, "--upstream-auth") {
		t.Errorf("got %q", got)
	}
	if f := sink.finished(t, 1); f.Error.GetCode() != flowpb.CodeRefused {
		t.Errorf("recorded %v", f.Error)
	}
	dead, _ := start(t, mode(t, "upstream:http://127.0.0.1:1"))
	c = dial(t, dead)
	c.send(get("example.com"))
	if got := c.rest(); !strings.Contains(got, "the upstream proxy: 127.0.0.1:1 refused the connection") {
		t.Errorf("got %q", got)
	}
}

// single is one user.
type single struct{ user, password string }

func (s single) Verify(user, password string) bool { return user == s.user && password == s.password }

func TestProxyAuth(t *testing.T) {
	addr := echoHost(t)
	basic := func(s string) string {
		return "Proxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(s)) + "\r\n"
	}
	request := func(fields string) string {
		return "GET http://" + addr + "/ HTTP/1.1\r\nHost: " + addr + "\r\n" + fields + "\r\n"
	}
	for _, tt := range []struct {
		name, fields string
		ok           bool
	}{
		{"none", "", false},
		{"wrong", basic("u:no"), false},
		{"another scheme", "Proxy-Authorization: Digest x\r\n", false},
		{"no Base64", "Proxy-Authorization: Basic !\r\n", false},
		{"right", basic("u:p"), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, sink := start(t, Options{Auth: single{"u", "p"}})
			c := dial(t, s)
			c.send(request(tt.fields))
			head := c.head()
			if tt.ok != strings.HasPrefix(head, "HTTP/1.1 200 ") {
				t.Fatalf("got %q", head)
			}
			if !tt.ok && (!strings.HasPrefix(head, "HTTP/1.1 407 ") || !strings.Contains(head, `Proxy-Authenticate: Basic realm="weir"`)) {
				t.Errorf("got %q", head)
			}
			f := sink.finished(t, 1)
			if got := f.String(); strings.Contains(got, "dTpw") || strings.Contains(got, "dTpubw") {
				t.Errorf("the password is recorded: %s", got)
			}
			if (f.Error.GetCode() == flowpb.CodeRefused) == tt.ok {
				t.Errorf("recorded %v", f.Error)
			}
		})
	}
	t.Run("CONNECT", func(t *testing.T) {
		s, _ := start(t, Options{Auth: single{"u", "p"}})
		c := dial(t, s)
		c.send("CONNECT " + addr + " HTTP/1.1\r\n\r\n")
		if got := c.head(); !strings.HasPrefix(got, "HTTP/1.1 407 ") {
			t.Errorf("got %q", got)
		}
		c = dial(t, s)
		c.send("CONNECT " + addr + " HTTP/1.1\r\n" + basic("u:p") + "\r\n")
		c.expect(connectOK)
		c.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n") // no more login inside
		if got := c.reply(); got != "GET / HTTP/1.1|h" {
			t.Errorf("got %q", got)
		}
	})
	t.Run("reverse", func(t *testing.T) {
		opts := mode(t, "reverse:http://"+addr)
		opts.Auth = single{"u", "p"}
		s, _ := start(t, opts)
		c := dial(t, s)
		c.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		if got := c.head(); !strings.HasPrefix(got, "HTTP/1.1 401 ") || !strings.Contains(got, "WWW-Authenticate: Basic") {
			t.Errorf("got %q", got)
		}
	})
}

// An https:// proxy: TLS with the proxy, and TLS with the server inside it.
func TestSecureProxy(t *testing.T) {
	plain := echoHost(t)
	addr, pool := secureOrigin(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "inside") })
	a, trust := authority(t)
	s, sink := start(t, Options{Authority: a, UpstreamCAs: pool})
	connect := func() *peer {
		return newPeer(t, tls.Client(dial(t, s).Conn, &tls.Config{RootCAs: trust, ServerName: "127.0.0.1", NextProtos: []string{"h2", "http/1.1"}}))
	}
	c := connect()
	c.send(get(plain))
	if got, want := c.reply(), "GET / HTTP/1.1|"+plain; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if f := sink.finished(t, 1); sink.conn(f.ClientConn).Tls.GetVersion() != "TLSv1.3" {
		t.Errorf("client connection: got %v", sink.conn(f.ClientConn))
	}
	c = connect()
	c.send("CONNECT " + addr + " HTTP/1.1\r\n\r\n")
	c.expect(connectOK)
	inner := newPeer(t, tls.Client(c.Conn, &tls.Config{RootCAs: trust, ServerName: "example.com"}))
	inner.send("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n")
	if got := inner.reply(); got != "inside" {
		t.Errorf("got %q", got)
	}
	untrusting := tls.Client(dial(t, s).Conn, &tls.Config{RootCAs: x509.NewCertPool(), ServerName: "127.0.0.1"})
	if err := untrusting.Handshake(); err == nil {
		t.Fatal("the handshake worked")
	}
	if f := sink.finished(t, 3); f.GetTls() == nil || !strings.Contains(f.Error.Message, "TLS with the proxy itself") {
		t.Errorf("recorded %v", f)
	}
}
