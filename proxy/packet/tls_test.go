package packet

import (
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"sync"
	"testing"

	"pgregory.net/rapid"

	flowpb "weir/proto"
)

// tap is one end of a connection; what it writes is kept for all to see.
type tap struct {
	net.Conn
	from int
	mu   *sync.Mutex
	said *[]segment
}

// Write implements net.Conn.
func (c tap) Write(p []byte) (int, error) {
	c.mu.Lock()
	*c.said = append(*c.said, segment{from: c.from, p: append([]byte(nil), p...)})
	c.mu.Unlock()
	return c.Conn.Write(p)
}

// handshakes returns what crypto/tls says on both sides of a handshake, in order.
func handshakes(t *testing.T, client *tls.Config) []segment {
	t.Helper()
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"x.test"}}
	der, err := x509.CreateCertificate(nil, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var said []segment
	near, far := net.Pipe()
	server := tls.Server(tap{far, 1, &mu, &said}, &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, NextProtos: []string{"http/1.1"}, SessionTicketsDisabled: true,
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Handshake()
		_ = far.Close()
	}()
	_ = tls.Client(tap{near, 0, &mu, &said}, client).Handshake()
	_ = near.Close()
	<-done
	return said
}

func TestTLS(t *testing.T) {
	for name, c := range map[string]struct {
		client              *tls.Config
		kind, version, fail string
		certificates        int
	}{
		"1.3": {&tls.Config{InsecureSkipVerify: true}, "tcp", "TLSv1.3", "", 0},                               //nolint:gosec // nothing is protected
		"1.2": {&tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12}, "tcp", "TLSv1.2", "", 1}, //nolint:gosec // nothing is protected
		"not trusted": {
			&tls.Config{MaxVersion: tls.VersionTLS12, RootCAs: x509.NewCertPool()}, "tls", "TLSv1.2", //nolint:gosec // the alert is in clear
			"the client gave up the TLS handshake: bad certificate", 1,
		},
		"not trusted, encrypted": {
			&tls.Config{RootCAs: x509.NewCertPool()}, "tls", "TLSv1.3", "the client closed the connection during the TLS handshake", 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.client.ServerName, c.client.NextProtos = "x.test", []string{"h2", "http/1.1"}
			said := handshakes(t, c.client)
			rapid.Check(t, func(r *rapid.T) {
				w := newWire(t, Options{}).open()
				for _, s := range said {
					for text := string(s.p); text != ""; {
						n := rapid.IntRange(1, len(text)).Draw(r, "length")
						w.say(s.from, text[:n])
						text = text[n:]
					}
				}
				w.shut()
				f, conn := w.sink.flows[0], w.sink.conns[0]
				if got := flowpb.Summarize(f).Kind.String(); len(w.sink.flows) != 1 || got != c.kind || f.GetError().GetMessage() != c.fail {
					r.Fatalf("got %d flows, kind %s, error %q; want 1, %s, %q", len(w.sink.flows), got, f.GetError().GetMessage(), c.kind, c.fail)
				}
				i := conn.GetTls()
				if string(i.GetSni()) != "x.test" || i.GetVersion() != c.version || i.GetCipher() == "" || len(i.GetHello().GetJa4()) != 36 ||
					len(i.GetAlpnOffers()) != 2 || len(i.GetCertificates()) != c.certificates || (conn.GetTlsNs() != 0) != (c.fail == "") {
					r.Fatalf("got %v", conn)
				}
				if got, want := string(f.GetServer()), "x.test:80"; got != want {
					r.Fatalf("server: got %q, want %q", got, want)
				}
				if got := len(w.sink.messages[1]); got == 0 {
					r.Fatal("got no messages")
				}
			})
		})
	}
}
