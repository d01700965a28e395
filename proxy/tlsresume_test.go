package proxy

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// TestServerSessions has the second connection to a server go on where the first
// was, with all that is known of its certificate, unless it is shown one of ours.
func TestServerSessions(t *testing.T) {
	addr, roots := secureOrigin(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") })
	a, trust := authority(t)
	for _, c := range []struct {
		name   string
		shown  []HostCertificate
		resume bool
	}{
		{"none of ours", nil, true},
		{"one of ours", []HostCertificate{{Certificate: *selfSigned(t, a)}}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, sink := start(t, Options{Authority: a, UpstreamCAs: roots, TLS: TLSOptions{ClientCertificates: c.shown}})
			for i := range uint64(2) {
				conn := tls.Client(tunnel(t, s, addr).Conn, &tls.Config{RootCAs: trust, ServerName: "127.0.0.1"})
				if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"); err != nil {
					t.Fatal(err)
				}
				_, _ = io.ReadAll(conn)
				if got := conn.ConnectionState().CurveID; got != tls.X25519 {
					t.Errorf("key exchange with a client on this machine: got %v, want X25519", got)
				}
				server := sink.conn(sink.finished(t, i+1).ServerConn).Tls
				if got, want := server.Resumed, c.resume && i > 0; got != want {
					t.Errorf("connection %d: resumed %t, want %t", i+1, got, want)
				}
				if !server.Verified || len(server.Certificates) == 0 || server.Version != "TLSv1.3" {
					t.Errorf("connection %d: got %v", i+1, server)
				}
			}
		})
	}
}

// TestVerdicts asks once for each name and chain, and again when the answer may be
// another.
func TestVerdicts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var v verdicts
		asked := 0
		bad := errors.New("not trusted")
		ask := func(name string, err error, chain ...*x509.Certificate) {
			t.Helper()
			if got := v.of(name, chain, func() error { asked++; return err }); !errors.Is(got, err) {
				t.Errorf("%s: got %v, want %v", name, got, err)
			}
		}
		now := time.Now()
		short := &x509.Certificate{Raw: []byte("short"), NotAfter: now.Add(time.Minute)}
		long := &x509.Certificate{Raw: []byte("long"), NotAfter: now.Add(time.Hour)}
		expect := func(want int) {
			t.Helper()
			if asked != want {
				t.Errorf("got %d questions, want %d", asked, want)
			}
		}
		for range 3 {
			ask("a.test", nil, long)
			ask("a.test", nil, short, long)
			ask("b.test", bad, long)
		}
		expect(3)
		time.Sleep(time.Minute + time.Second)
		ask("a.test", bad, short, long) // expired
		ask("a.test", nil, long)
		expect(4)
		time.Sleep(verdictExpiry)
		ask("a.test", nil, long)
		expect(5)
		for i := range maxVerdicts + 10 {
			ask(fmt.Sprint(i), nil, long)
		}
		if n := len(v.known); n > maxVerdicts {
			t.Errorf("got %d verdicts kept, want at most %d", n, maxVerdicts)
		}
	})
}
