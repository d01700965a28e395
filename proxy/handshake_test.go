package proxy

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	flowpb "weir/proto"
	"weir/proxy/ca"
)

// rawTLSOrigin speaks TLS with the given protocols; serve gets the connection.
func rawTLSOrigin(t *testing.T, a *ca.Authority, protocols []string, serve func(*tls.Conn)) string {
	t.Helper()
	leaf := selfSigned(t, a)
	return origin(t, func(p *peer) {
		conn := tls.Server(p.Conn, &tls.Config{Certificates: []tls.Certificate{*leaf}, NextProtos: protocols})
		if conn.HandshakeContext(t.Context()) == nil {
			serve(conn)
		}
		conn.Close()
	})
}

func TestOtherProtocolsInTLS(t *testing.T) {
	a, trust := authority(t)
	opts := Options{Authority: a, UpstreamCAs: trust, Timeouts: Timeouts{Peek: 20 * time.Millisecond}}
	for _, tt := range []struct {
		name      string
		protocols []string
		first     string // what the server says before it is asked
	}{
		{"named by ALPN", []string{"custom"}, ""},
		{"unnamed", nil, ""},
		{"the server speaks first", nil, "* OK ready\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			addr := rawTLSOrigin(t, a, tt.protocols, func(c *tls.Conn) {
				_, _ = io.WriteString(c, tt.first)
				got := make([]byte, 4)
				_, _ = io.ReadFull(c, got)
				_, _ = c.Write(got)
			})
			s, sink := start(t, opts)
			conn := tls.Client(tunnel(t, s, addr).Conn, &tls.Config{RootCAs: trust, ServerName: "bench.test", NextProtos: tt.protocols})
			got := make([]byte, len(tt.first))
			if _, err := io.ReadFull(conn, got); err != nil || string(got) != tt.first {
				t.Errorf("first: got %q, %v", got, err)
			}
			_, _ = io.WriteString(conn, "\x00\x01\x02\x03")
			if b, err := io.ReadAll(conn); err != nil || string(b) != "\x00\x01\x02\x03" {
				t.Errorf("echo: got %q, %v", b, err)
			}
			conn.Close()
			f := sink.finished(t, 1)
			if f.GetTcp() == nil || f.Error != nil || f.GetTcp().ClientBytes != 4 || f.GetTcp().ServerBytes != uint64(4+len(tt.first)) {
				t.Errorf("got %v", f)
			}
			if got := string(sink.conn(f.ClientConn).Tls.Alpn); got != strings.Join(tt.protocols, "") {
				t.Errorf("client protocol: got %q, want %q", got, tt.protocols)
			}
		})
	}
}

// recording keeps what a client writes first.
type recording struct {
	net.Conn
	hello []byte
}

func (r *recording) Write(p []byte) (int, error) {
	r.hello = append(r.hello, p...)
	return r.Conn.Write(p)
}

// TestAlertInTheClear refuses the certificate as OpenSSL does in TLS 1.3: with
// an alert that is not encrypted.
func TestAlertInTheClear(t *testing.T) {
	addr, pool := secureOrigin(t, nil)
	a, _ := authority(t)
	s, sink := start(t, Options{Authority: a, UpstreamCAs: pool})
	ours, theirs := net.Pipe()
	rec := &recording{Conn: ours}
	go func() { _, _ = io.ReadAtLeast(theirs, make([]byte, 4096), 100); theirs.Close() }()
	_ = tls.Client(rec, &tls.Config{ServerName: "example.com"}).HandshakeContext(t.Context())
	c := tunnel(t, s, addr)
	c.send(string(rec.hello))
	if b, err := c.r.Peek(5); err != nil || b[0] != 0x16 {
		t.Fatalf("ServerHello: got %x, %v", b, err)
	}
	c.send("\x15\x03\x03\x00\x02\x02\x30")
	f := sink.finished(t, 1)
	if want := "does not trust weir's certificate for example.com (unknown certificate authority)"; !strings.Contains(f.Error.GetMessage(), want) {
		t.Errorf("got %v, want %q", f.Error, want)
	}
}

// TestServerWithoutTLS and the others that fail on the server's side: the client
// is let in, and told.
func TestServerTLSFailures(t *testing.T) {
	a, trust := authority(t)
	leaf := selfSigned(t, a)
	for _, tt := range []struct {
		name  string
		serve func(*peer)
		want  string
		code  flowpb.ErrorCode
		hint  string
	}{
		{"no TLS", func(p *peer) { p.send("HTTP/1.1 400 Bad Request\r\n\r\n"); _, _ = p.r.ReadByte() }, "does not speak TLS", flowpb.CodeTLS, "is this an http:// address?"},
		{"closes", func(p *peer) { _, _ = p.r.ReadByte() }, "during the TLS handshake", flowpb.CodeTLS, ""},
		{"old version", func(p *peer) {
			_ = tls.Server(p.Conn, &tls.Config{Certificates: []tls.Certificate{*leaf}, MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}).HandshakeContext(context.Background())
		}, "protocol version", flowpb.CodeTLS, ""},
		{"wants a certificate", func(p *peer) {
			c := tls.Server(p.Conn, &tls.Config{Certificates: []tls.Certificate{*leaf}, ClientAuth: tls.RequireAnyClientCert})
			_ = c.HandshakeContext(context.Background())
			_, _ = io.Copy(io.Discard, p.r)
		}, "certificate required", flowpb.CodeTLS, noClientCertificate},
		{"wants a certificate in TLS 1.2", func(p *peer) {
			c := tls.Server(p.Conn, &tls.Config{Certificates: []tls.Certificate{*leaf}, ClientAuth: tls.RequireAnyClientCert, MaxVersion: tls.VersionTLS12})
			_ = c.HandshakeContext(context.Background())
			_, _ = io.Copy(io.Discard, p.r)
		}, "handshake failure", flowpb.CodeTLS, noClientCertificate},
		{"another name", func(p *peer) {
			c := tls.Server(p.Conn, &tls.Config{Certificates: []tls.Certificate{*leaf}})
			_ = c.HandshakeContext(context.Background())
		}, "valid for bench.test, not wrong.test", flowpb.CodeTLS, "--upstream-ca FILE trusts another authority, --insecure accepts any certificate"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			name := "bench.test"
			if tt.name == "another name" {
				name = "wrong.test"
			}
			s, sink := start(t, Options{Authority: a, UpstreamCAs: trust})
			conn := tls.Client(tunnel(t, s, origin(t, tt.serve)).Conn, &tls.Config{RootCAs: trust, ServerName: name})
			_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			page, err := io.ReadAll(conn)
			if err != nil || !strings.HasPrefix(string(page), "HTTP/1.1 502 ") || !strings.Contains(string(page), tt.want) {
				t.Errorf("page: got %q, %v, want %q", page, err, tt.want)
			}
			if f := sink.finished(t, 1); f.Error.GetCode() != tt.code || f.Error.Hint != tt.hint || f.ServerConn == 0 {
				t.Errorf("got %v, want code %v and hint %q", f, tt.code, tt.hint)
			}
		})
	}
}

// TestHandshakeFailureHint tells a server that refuses the missing certificate
// with the alert of many reasons from one that asked for none.
func TestHandshakeFailureHint(t *testing.T) {
	const handshakeFailure = 40
	for wanted, hint := range map[bool]string{true: noClientCertificate, false: ""} {
		f := serverTLSFailure(route{host: "x", port: 443}, remoteAlert(tls.AlertError(handshakeFailure)), wanted)
		if f.hint != hint || !strings.Contains(f.message, "handshake failure") {
			t.Errorf("wanted %v: got %q with hint %q, want hint %q", wanted, f.message, f.hint, hint)
		}
	}
}
