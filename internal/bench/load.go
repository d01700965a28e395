package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// ioTimeout ends what hangs.
const ioTimeout = 2 * time.Minute

// client is a user of one proxy: it opens tunnels to one target and speaks
// HTTP/1.1 in them, without any library that would cost more than what is
// measured.
type client struct {
	proxy  string // address
	target string // host:port
	tls    *tls.Config
}

func newClient(proxy, target string, roots *x509.CertPool) *client {
	host, _, _ := net.SplitHostPort(target)
	return &client{proxy: proxy, target: target, tls: &tls.Config{RootCAs: roots, ServerName: host, NextProtos: []string{"http/1.1"}}}
}

// tunnel is one connection through the proxy, with TLS inside.
type tunnel struct {
	conn net.Conn
	r    *bufio.Reader
	// buf holds a chunk of a body.
	buf []byte
}

func (c *client) dial(ctx context.Context) (*tunnel, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", c.proxy)
	if err != nil {
		return nil, fmt.Errorf("connect to proxy: %w", err)
	}
	conn.SetDeadline(time.Now().Add(ioTimeout))
	if err := connect(conn, c.target); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	inner := tls.Client(conn, c.tls)
	if err := inner.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("TLS through the proxy: %w", err), conn.Close())
	}
	return &tunnel{conn: inner, r: bufio.NewReaderSize(inner, 64<<10), buf: make([]byte, 64<<10)}, nil
}

// connect asks for a tunnel. It reads byte by byte, as the next byte may be
// part of the TLS handshake already.
func connect(conn net.Conn, target string) error {
	if _, err := fmt.Fprintf(conn, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", target, target); err != nil {
		return fmt.Errorf("ask for tunnel: %w", err)
	}
	head := make([]byte, 0, 256)
	for !bytes.HasSuffix(head, []byte("\r\n\r\n")) {
		if len(head) == 16<<10 {
			return errors.New("ask for tunnel: endless answer")
		}
		head = append(head, 0)
		if _, err := io.ReadFull(conn, head[len(head)-1:]); err != nil {
			return fmt.Errorf("ask for tunnel: %w", err)
		}
	}
	if status := statusOf(head); status != 200 {
		return fmt.Errorf("ask for tunnel: status %d: %q", status, head)
	}
	return nil
}

// get requests a path and writes the body of the answer to body, which must be
// a 200.
func (t *tunnel) get(request []byte, body io.Writer) error {
	if _, err := t.conn.Write(request); err != nil {
		return fmt.Errorf("send request: %w", err)
	}
	line, err := t.r.ReadSlice('\n')
	if err != nil {
		return fmt.Errorf("read status: %w", err)
	}
	if status := statusOf(line); status != 200 {
		return fmt.Errorf("answer with status %d", status)
	}
	length, err := t.fields()
	if err != nil {
		return fmt.Errorf("read header: %w", err)
	}
	if length >= 0 {
		return t.copy(body, length)
	}
	for {
		size, err := t.chunk(body)
		if err != nil || size == 0 {
			return err
		}
	}
}

// fields reads a header and returns the body's length, or -1 when it comes in
// chunks.
func (t *tunnel) fields() (int64, error) {
	var length int64
	for {
		line, err := t.r.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		name, value, _ := bytes.Cut(bytes.TrimRight(line, "\r\n"), []byte(":"))
		switch {
		case len(name) == 0:
			return length, nil
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.ParseInt(string(bytes.TrimSpace(value)), 10, 64); err != nil {
				return 0, err
			}
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			length = -1
		}
	}
}

// chunk copies one chunk of a body, or reads the empty one at its end.
func (t *tunnel) chunk(body io.Writer) (int64, error) {
	line, err := t.r.ReadSlice('\n')
	if err != nil {
		return 0, fmt.Errorf("read chunk: %w", err)
	}
	size, err := strconv.ParseInt(string(bytes.TrimSpace(line)), 16, 64)
	if err != nil {
		return 0, fmt.Errorf("read chunk: %w", err)
	}
	if err := t.copy(body, size); err != nil {
		return 0, err
	}
	if _, err := t.r.ReadSlice('\n'); err != nil {
		return 0, fmt.Errorf("read chunk: %w", err)
	}
	return size, nil
}

func (t *tunnel) copy(body io.Writer, n int64) error {
	for n > 0 {
		m, err := t.r.Read(t.buf[:min(n, int64(len(t.buf)))])
		if _, werr := body.Write(t.buf[:m]); werr != nil {
			return werr
		}
		if n -= int64(m); n > 0 && err != nil {
			return fmt.Errorf("read body: %w", err)
		}
		t.conn.SetDeadline(time.Now().Add(ioTimeout))
	}
	return nil
}

// close does not wait for the proxy's goodbye, and nothing is lost if it fails.
func (t *tunnel) close() { _ = t.conn.Close() }

// request is the bytes of a GET, with the header fields of a small API client.
func (c *client) request(path string) []byte {
	return fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: weir-bench/1\r\nAccept: application/json\r\n\r\n", path, c.target)
}

func statusOf(line []byte) int {
	_, rest, _ := bytes.Cut(line, []byte(" "))
	if len(rest) < 3 {
		return 0
	}
	n, _ := strconv.Atoi(string(rest[:3]))
	return n
}

// loadResult is what one run of a load generator did.
type loadResult struct {
	requests int64
	elapsed  time.Duration
}

func (r loadResult) rate() float64 { return float64(r.requests) / r.elapsed.Seconds() }

// load keeps conns connections busy for the duration, with one request after
// the other on each, checks every body, and calls begin once all connections
// stand. All answers are read to their end, so a proxy that records has seen
// exactly that many requests.
func (c *client) load(ctx context.Context, conns int, duration time.Duration, begin func() error) (loadResult, error) {
	tunnels := make([]*tunnel, 0, conns)
	defer func() {
		for _, t := range tunnels {
			t.close()
		}
	}()
	for range conns {
		t, err := c.dial(ctx)
		if err != nil {
			return loadResult{}, err
		}
		tunnels = append(tunnels, t)
	}
	if err := begin(); err != nil {
		return loadResult{}, err
	}
	request, want := c.request(smallPath), smallBody()
	var total atomic.Int64
	var g errgroup.Group
	began := time.Now()
	for _, t := range tunnels {
		g.Go(func() error {
			n, err := t.repeat(ctx, request, want, began.Add(duration))
			total.Add(n)
			return err
		})
	}
	err := g.Wait()
	return loadResult{requests: total.Load(), elapsed: time.Since(began)}, err
}

// repeat sends the request until the deadline and returns how often.
func (t *tunnel) repeat(ctx context.Context, request, want []byte, deadline time.Time) (n int64, err error) {
	var body bytes.Buffer
	for time.Now().Before(deadline) && ctx.Err() == nil {
		body.Reset()
		if err := t.get(request, &body); err != nil {
			return n, fmt.Errorf("request %d of a connection: %w", n+1, err)
		}
		if !bytes.Equal(body.Bytes(), want) {
			return n, fmt.Errorf("request %d of a connection: body differs: %.200q", n+1, body.Bytes())
		}
		n++
	}
	return n, ctx.Err()
}
