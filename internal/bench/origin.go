package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"path/filepath"
	"strconv"
	"sync"

	"weir/proxy/ca"
)

const (
	// smallPath is answered with smallBody, downloadPath and a number with
	// that many bytes of download.
	smallPath    = "/small"
	downloadPath = "/download/"
	smallSize    = 1024
)

// origin is the server behind the proxies: it answers over TLS as fast as can
// be, and is no general HTTP server. It has a goroutine for accepting and one a
// connection; close ends and waits for all of them.
type origin struct {
	listener net.Listener
	caFile   string // what proxies must trust
	small    []byte

	wg    sync.WaitGroup
	mu    sync.Mutex
	conns map[net.Conn]bool
}

// startOrigin listens on a port of all addresses. The certificate is for localhost,
// or for the address that was asked, by an authority made for the occasion.
func startOrigin(dir string) (*origin, error) {
	authority, err := ca.Load(filepath.Join(dir, "origin-ca"))
	if err != nil {
		return nil, err
	}
	leaf, err := authority.Leaf(ca.NamesFor("localhost", "127.0.0.1", nil))
	if err != nil {
		return nil, err
	}
	config := &tls.Config{
		MinVersion: tls.VersionTLS13, NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			if hello.ServerName != "" {
				return leaf, nil
			}
			host, _, _ := net.SplitHostPort(hello.Conn.LocalAddr().String())
			return authority.Leaf(ca.NamesFor("", host, nil))
		},
	}
	listener, err := tls.Listen("tcp4", ":0", config) // all of 127.0.0.0/8 are hosts
	if err != nil {
		return nil, fmt.Errorf("start origin: %w", err)
	}
	head := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", smallSize)
	o := &origin{listener: listener, caFile: authority.CertFile(), small: append(head, smallBody()...), conns: make(map[net.Conn]bool)}
	o.wg.Go(o.accept)
	return o, nil
}

// target is the origin's host and port, by name, so that there is an SNI.
func (o *origin) target() string {
	return net.JoinHostPort("localhost", strconv.Itoa(o.listener.Addr().(*net.TCPAddr).Port))
}

func (o *origin) accept() {
	for {
		conn, err := o.listener.Accept()
		if err != nil {
			return
		}
		o.mu.Lock()
		o.conns[conn] = true
		o.mu.Unlock()
		o.wg.Go(func() {
			_ = o.serve(conn) // It always ends in an error; what matters shows at the client.
			o.mu.Lock()
			delete(o.conns, conn)
			o.mu.Unlock()
			_ = conn.Close()
		})
	}
}

func (o *origin) close() error {
	err := o.listener.Close()
	o.mu.Lock()
	for conn := range o.conns {
		_ = conn.Close()
	}
	o.mu.Unlock()
	o.wg.Wait()
	return err
}

// serve answers requests without a body, one after the other, until the
// connection fails or is closed.
func (o *origin) serve(conn net.Conn) error {
	if t, ok := conn.(*tls.Conn); ok {
		ctx, cancel := context.WithTimeout(context.Background(), ioTimeout)
		defer cancel()
		if err := t.HandshakeContext(ctx); err != nil {
			return err
		}
		if t.ConnectionState().NegotiatedProtocol == "h2" {
			return o.serveHTTP2(conn)
		}
	}
	r := bufio.NewReader(conn)
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		_, rest, _ := bytes.Cut(line, []byte(" "))
		target, _, _ := bytes.Cut(rest, []byte(" "))
		digits, download := bytes.CutPrefix(target, []byte(downloadPath))
		size, _ := strconv.ParseInt(string(digits), 10, 64)
		if err := skipFields(r); err != nil {
			return err
		}
		if !download {
			if _, err := conn.Write(o.small); err != nil {
				return err
			}
			continue
		}
		if _, err := fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n", size); err != nil {
			return err
		}
		if _, err := io.CopyBuffer(struct{ io.Writer }{conn}, downloadBody(size), make([]byte, 64<<10)); err != nil {
			return err
		}
	}
}

// skipFields reads to the end of a head.
func skipFields(r *bufio.Reader) error {
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(bytes.TrimRight(line, "\r\n")) == 0 {
			return nil
		}
	}
}

// smallBody is JSON of smallSize bytes.
func smallBody() []byte {
	var b bytes.Buffer
	b.WriteString(`{"items":[`)
	for i := 0; b.Len() < smallSize-40; i++ {
		fmt.Fprintf(&b, `{"id":%d,"ok":true},`, i)
	}
	b.WriteString(`"end"]}`)
	b.Write(bytes.Repeat([]byte(" "), smallSize-b.Len()))
	return b.Bytes()
}

// downloadBody is size bytes that do not compress or repeat, the same each time.
func downloadBody(size int64) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte([]byte("the same bytes on every download"))), size)
}
