package proxy

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"weir/proxy/ca"
)

// The options of TLS reach both sides.
func TestTLSOptions(t *testing.T) {
	a, trust := authority(t)
	asked, err := a.Leaf(ca.NamesFor("me.test", "", nil))
	if err != nil {
		t.Fatal(err)
	}
	var log lockedBuffer
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, tls.VersionName(r.TLS.Version)+" "+r.TLS.PeerCertificates[0].Subject.CommonName)
	}))
	srv.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	pool := x509.NewCertPool()
	pool.AddCert(srv.Certificate())
	own, err := a.Leaf(ca.NamesFor("own.test", "", nil))
	if err != nil {
		t.Fatal(err)
	}
	s, sink := start(t, Options{Authority: a, UpstreamCAs: pool, TLS: TLSOptions{
		Min: tls.VersionTLS13, ServerMax: tls.VersionTLS12, KeyLog: &log, AskClients: true,
		ClientCertificates: []HostCertificate{{"other", *own}, {"example.com", *asked}},
		Certificates:       []HostCertificate{{"*.own.test", *own}, {"own.test", *own}},
	}})
	addr := srv.Listener.Addr().String()
	got, err := fetchTLS(t, s, addr, &tls.Config{RootCAs: trust, ServerName: "example.com", Certificates: []tls.Certificate{*asked}})
	if got != "TLS 1.2 me.test" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	f := sink.finished(t, 1)
	if down := sink.conn(f.ClientConn).Tls; down.Version != "TLSv1.3" || len(down.Certificates) == 0 {
		t.Errorf("client side: got %v", down)
	}
	if up := sink.conn(f.ServerConn).Tls; up.Presented == nil {
		t.Errorf("server side: got %v", up)
	}
	if text := log.String(); strings.Count(text, "CLIENT_RANDOM") != 1 || !strings.Contains(text, "CLIENT_TRAFFIC_SECRET_0") {
		t.Errorf("key log: got %q, want the secrets of both sides", text)
	}
	if _, err := fetchTLS(t, s, addr, &tls.Config{RootCAs: trust, ServerName: "example.com", MaxVersion: tls.VersionTLS12}); err == nil {
		t.Error("TLS 1.2 was spoken with a client")
	}
	conn := tls.Client(tunnel(t, s, addr).Conn, &tls.Config{RootCAs: trust, ServerName: "own.test"})
	if err := conn.Handshake(); err != nil || conn.ConnectionState().PeerCertificates[0].Subject.CommonName != "own.test" {
		t.Errorf("own certificate: %v", err)
	}
	conn.Close()
}

// lockedBuffer is a buffer for many writers.
type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
