package unseal

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// piece is bytes that one side said.
type piece struct {
	from int
	p    []byte
}

// recording is a connection as a capture sees it, with its key log.
type recording struct {
	said []piece
	keys bytes.Buffer
}

// tap is one end of a connection; what it writes is kept.
type tap struct {
	net.Conn
	from int
	mu   *sync.Mutex
	rec  *recording
}

// Write implements net.Conn.
func (c tap) Write(p []byte) (int, error) {
	c.mu.Lock()
	c.rec.said = append(c.rec.said, piece{c.from, bytes.Clone(p)})
	c.mu.Unlock()
	return c.Conn.Write(p)
}

// certificates returns one of each kind that suites ask for.
var certificates = sync.OnceValue(func() []tls.Certificate {
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"x.test"}, NotAfter: time.Now().Add(time.Hour)}
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	e, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	rsaDER, err := x509.CreateCertificate(rand.Reader, template, template, r.Public(), r)
	if err != nil {
		panic(err)
	}
	ecDER, err := x509.CreateCertificate(rand.Reader, template, template, e.Public(), e)
	if err != nil {
		panic(err)
	}
	return []tls.Certificate{{Certificate: [][]byte{rsaDER}, PrivateKey: r}, {Certificate: [][]byte{ecDER}, PrivateKey: e}}
})

// converse lets crypto/tls say lines in turn over rec: the client first, the server
// the same in capitals.
func converse(t *testing.T, rec *recording, client, server *tls.Config, lines ...string) {
	t.Helper()
	client.KeyLogWriter, client.InsecureSkipVerify, client.ServerName = &rec.keys, true, "x.test"
	server.Certificates = certificates()
	var mu sync.Mutex
	near, far := loopback(t)
	done := make(chan error, 1)
	go func() {
		s := tls.Server(tap{far, 1, &mu, rec}, server)
		done <- answer(s, lines)
	}()
	c := tls.Client(tap{near, 0, &mu, rec}, client)
	for _, line := range lines {
		if _, err := io.WriteString(c, line); err != nil {
			t.Fatalf("say %q: %v", line, err)
		}
		if _, err := io.ReadFull(c, make([]byte, len(line))); err != nil {
			t.Fatalf("hear the answer to %q: %v", line, err)
		}
	}
	_ = near.Close()
	if err := <-done; err != nil {
		t.Fatalf("server: %v", err)
	}
}

// loopback returns both ends of a connection that holds what is not read yet.
func loopback(t *testing.T) (near, far net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if near, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if far, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = near.Close(), far.Close() })
	return near, far
}

func answer(s *tls.Conn, lines []string) error {
	for _, line := range lines {
		p := make([]byte, len(line))
		if _, err := io.ReadFull(s, p); err != nil {
			return fmt.Errorf("hear %q: %w", line, err)
		}
		if _, err := s.Write(bytes.ToUpper(p)); err != nil {
			return fmt.Errorf("answer %q: %w", line, err)
		}
	}
	return nil
}

// listener tells what a Conn gives, a line an event; data that goes on is joined.
type listener struct {
	b    strings.Builder
	last int
}

func (l *listener) take(e Event) error {
	if e.Kind == Data {
		if l.last != e.Side+1 {
			fmt.Fprintf(&l.b, "\n%c ", "><"[e.Side])
		}
		l.b.Write(e.Data)
		l.last = e.Side + 1
		return nil
	}
	l.last = 0
	fmt.Fprintf(&l.b, "\n%c ", "><"[e.Side])
	switch e.Kind {
	case Gap:
		fmt.Fprintf(&l.b, "[%d missing]", e.Length)
	case Lost:
		fmt.Fprintf(&l.b, "lost: %s", e.Reason)
	case Sealed:
		l.b.WriteString("sealed")
	case SealedGap:
		fmt.Fprintf(&l.b, "[%d sealed missing]", e.Length)
	}
	return nil
}

func (l *listener) String() string { return strings.TrimPrefix(l.b.String(), "\n") }

// conn returns a Conn that has the secrets of a key log.
func conn(keys string) *Conn {
	var log Log
	log.Add([]byte(keys))
	return New(log.Find, &Shared{})
}

// hear feeds a recording to a Conn and tells what it gives.
func hear(t testing.TB, c *Conn, said []piece) string {
	t.Helper()
	var l listener
	for i, s := range said {
		if err := c.Feed(s.from, s.p, int64(i), l.take); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Close(int64(len(said)), l.take); err != nil {
		t.Fatal(err)
	}
	return l.String()
}
