package proxy

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	flowpb "weir/proto"
	"weir/proxy/ca"
)

// authority returns a fresh CA and the pool that trusts it.
func authority(t testing.TB) (*ca.Authority, *x509.CertPool) {
	t.Helper()
	a, err := ca.Load(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(a.Certificate())
	return a, pool
}

// secureOrigin is an HTTPS server and the pool that trusts it.
func secureOrigin(t *testing.T, h http.HandlerFunc) (addr string, pool *x509.CertPool) {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.TLS = &tls.Config{NextProtos: []string{"http/1.1"}}
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	pool = x509.NewCertPool()
	pool.AddCert(srv.Certificate())
	return srv.Listener.Addr().String(), pool
}

// tunnel sends CONNECT and takes the answer.
func tunnel(t testing.TB, s *Server, addr string) *peer {
	t.Helper()
	c := dial(t, s)
	c.send("CONNECT " + addr + " HTTP/1.1\r\nHost: " + addr + "\r\n\r\n")
	c.expect(connectOK)
	return c
}

func TestInterceptHTTPS(t *testing.T) {
	addr, pool := secureOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Proto+" "+r.Host)
	})
	a, trust := authority(t)
	s, sink := start(t, Options{Authority: a, UpstreamCAs: pool})
	c := tunnel(t, s, addr)
	conn := tls.Client(c.Conn, &tls.Config{RootCAs: trust, ServerName: "example.com", NextProtos: []string{"h2", "http/1.1"}})
	if err := conn.Handshake(); err != nil {
		t.Fatal(err)
	}
	cs := conn.ConnectionState()
	if got, want := cs.NegotiatedProtocol, "http/1.1"; got != want {
		t.Errorf("protocol: got %q, want %q", got, want)
	}
	if err := cs.PeerCertificates[0].VerifyHostname("127.0.0.1"); err != nil {
		t.Errorf("names of the origin's certificate are not mirrored: %v", err)
	}
	if _, err := io.WriteString(conn, "GET /x HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil || !strings.HasSuffix(string(answer), "HTTP/1.1 example.com") {
		t.Errorf("got %q, %v", answer, err)
	}
	f := sink.finished(t, 1)
	q := f.GetHttp().Request
	if got, want := string(q.Scheme)+"://"+string(q.Host)+string(q.Path), "https://127.0.0.1/x"; got != want {
		t.Errorf("url: got %q, want %q", got, want)
	}
	up := sink.conn(f.ServerConn)
	if !up.Tls.Verified || up.Tls.Version != "TLSv1.3" || len(up.Tls.Certificates) == 0 || string(up.Tls.Sni) != "example.com" || string(up.Tls.Alpn) != "http/1.1" {
		t.Errorf("server TLS: got %v", up.Tls)
	}
	down := sink.conn(f.ClientConn)
	if down.Tls == nil || len(down.Tls.Presented.GetDer()) == 0 || len(down.Tls.AlpnOffers) != 2 || down.TlsNs == 0 {
		t.Errorf("client TLS: got %v", down.Tls)
	}
}

// Servers that know http/1.1 refuse a lone http/1.0, which they could serve.
func TestClientOfHTTP10(t *testing.T) {
	addr, pool := secureOrigin(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) })
	a, trust := authority(t)
	s, _ := start(t, Options{Authority: a, UpstreamCAs: pool})
	conn := tls.Client(tunnel(t, s, addr).Conn, &tls.Config{RootCAs: trust, ServerName: "example.com", NextProtos: []string{"http/1.0"}})
	_, _ = io.WriteString(conn, "GET /x HTTP/1.0\r\nHost: example.com\r\n\r\n")
	if res, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || res.StatusCode != 204 {
		t.Fatalf("got %v, %v", res, err)
	}
	if got := conn.ConnectionState().NegotiatedProtocol; got != "" {
		t.Errorf("the client was told %q, which it did not offer", got)
	}
}

func TestUnverifiedServerIsRefusedWithAPage(t *testing.T) {
	addr, _ := secureOrigin(t, func(http.ResponseWriter, *http.Request) { t.Error("the request reached the origin") })
	a, trust := authority(t)
	s, sink := start(t, Options{Authority: a})
	conn := tls.Client(tunnel(t, s, addr).Conn, &tls.Config{RootCAs: trust, ServerName: "example.com"})
	_, _ = io.WriteString(conn, "GET /x HTTP/1.1\r\nHost: example.com\r\nAccept: text/html\r\n\r\n")
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	page, _ := io.ReadAll(res.Body)
	if res.StatusCode != 502 || !strings.Contains(string(page), "unknown authority") || !strings.Contains(string(page), "--insecure") {
		t.Errorf("got %d %s", res.StatusCode, page)
	}
	f := sink.finished(t, 1)
	if f.Error.GetCode() != flowpb.CodeTLS || f.GetHttp().Response != nil {
		t.Errorf("got %v", f)
	}
	if up := sink.conn(f.ServerConn); up.Tls.Verified || up.Tls.VerifyError == "" || len(up.Tls.Certificates) == 0 || up.Error == nil {
		t.Errorf("server connection: got %v", up)
	}
}

func TestInsecureRecordsWhatDidNotVerify(t *testing.T) {
	addr, _ := secureOrigin(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) })
	a, trust := authority(t)
	s, sink := start(t, Options{Authority: a, Insecure: true})
	conn := tls.Client(tunnel(t, s, addr).Conn, &tls.Config{RootCAs: trust, ServerName: "example.com"})
	_, _ = io.WriteString(conn, "GET /x HTTP/1.1\r\nHost: example.com\r\n\r\n")
	if res, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || res.StatusCode != 204 {
		t.Fatalf("got %v, %v", res, err)
	}
	f := sink.finished(t, 1)
	if up := sink.conn(f.ServerConn); up.Tls.Verified || up.Tls.VerifyError == "" {
		t.Errorf("server TLS: got %v", up.Tls)
	}
}

func TestClientThatDoesNotTrustUsIsAFlow(t *testing.T) {
	addr, pool := secureOrigin(t, func(http.ResponseWriter, *http.Request) {})
	a, _ := authority(t)
	for _, tt := range []struct {
		name string
		cfg  *tls.Config
		want string
	}{
		{"untrusted", &tls.Config{ServerName: "example.com"}, "does not trust weir's certificate for example.com"},
		{"only h3", &tls.Config{ServerName: "example.com", NextProtos: []string{"h3"}}, "no application protocol"},
		{"old", &tls.Config{ServerName: "example.com", MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, "speaks only TLS versions that weir does not"},
		{"no cipher", &tls.Config{ServerName: "example.com", MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}}, "no cipher suite in common"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, sink := start(t, Options{Authority: a, UpstreamCAs: pool})
			conn := tls.Client(tunnel(t, s, addr).Conn, tt.cfg)
			if err := conn.Handshake(); err == nil {
				t.Fatal("the handshake worked")
			}
			f := sink.finished(t, 1)
			if f.GetTls() == nil || f.Error.GetCode() != flowpb.CodeTLS || !strings.Contains(f.Error.Message, tt.want) || string(f.GetTls().Sni) != "example.com" {
				t.Errorf("got %v, want a TLS failure with %q", f, tt.want)
			}
		})
	}
	t.Run("hangs up", func(t *testing.T) {
		s, sink := start(t, Options{Authority: a, UpstreamCAs: pool})
		c := tunnel(t, s, addr)
		c.send("\x16\x03\x01\x00\x05")
		c.Close()
		if f := sink.finished(t, 1); !strings.Contains(f.Error.GetMessage(), "left during the TLS handshake") || f.Error.Hint == "" {
			t.Errorf("got %v", f)
		}
	})
}

// selfSigned returns a server certificate that the authority's pool trusts.
func selfSigned(t testing.TB, a *ca.Authority) *tls.Certificate {
	t.Helper()
	leaf, err := a.Leaf(ca.Names{DNS: []string{"bench.test"}})
	if err != nil {
		t.Fatal(err)
	}
	return leaf
}
