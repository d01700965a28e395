package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// The bars of the rows that are compared with goproxy, which records nothing.
const (
	handshakeBar = 0.9
	bodiesBar    = 0.8
	hostBar      = 1.0
)

// bodySize is the size of one body of the row of bodies.
const bodySize = 1 << 20

// newHosts is how many hosts that nobody asked for before one round of the row of
// hosts asks for.
const newHosts = 300

// benchHandshakes has a connection for every request. weir opens one to the server
// for each, since it belongs to the client; a goproxy that does likewise makes as
// many handshakes. One that shares its connections to the server makes half, and
// is there to see what that costs.
func benchHandshakes(ctx context.Context, b *bench) error {
	short := func(c *client) generator { return shortClient{c} }
	err := b.compare(ctx, comparison{
		name: "handshakes", what: "a TLS connection a request", bar: handshakeBar, baseline: b.startGoproxyApart, speak: short,
	})
	if err != nil {
		return err
	}
	return b.compare(ctx, comparison{
		name: "handshakes-shared", what: "the same, the other sharing", baseline: b.startGoproxy, speak: short,
	})
}

// benchBodies has bodies of 1 MiB.
func benchBodies(ctx context.Context, b *bench) error {
	return b.compare(ctx, comparison{
		name: "bodies", what: "HTTPS 1 MiB bodies", bar: bodiesBar, baseline: b.startGoproxy,
		speak: func(c *client) generator { return bodyClient{c} },
	})
}

// benchHosts has a host for every request that needs a new certificate.
func benchHosts(ctx context.Context, b *bench) error {
	return b.compare(ctx, comparison{
		name: "hosts", what: fmt.Sprintf("%d new hosts", newHosts), bar: hostBar, baseline: b.startGoproxy,
		speak: func(c *client) generator { return &hostClient{client: c} },
	})
}

// workers runs conns of them until the deadline, or until one fails, and counts
// what they did.
func workers(ctx context.Context, conns int, work func(ctx context.Context) (bool, error)) (loadResult, error) {
	var total atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	began := time.Now()
	for range conns {
		g.Go(func() error {
			for {
				more, err := work(ctx)
				if err != nil || !more {
					return err
				}
				total.Add(1)
			}
		})
	}
	err := g.Wait()
	return loadResult{requests: total.Load(), elapsed: time.Since(began)}, err
}

// shortClient opens a connection for every request.
type shortClient struct{ *client }

func (c shortClient) load(ctx context.Context, conns int, duration time.Duration, begin func() error) (loadResult, error) {
	if err := begin(); err != nil {
		return loadResult{}, err
	}
	deadline := time.Now().Add(duration)
	return workers(ctx, conns, func(ctx context.Context) (bool, error) {
		if time.Now().After(deadline) {
			return false, ctx.Err()
		}
		return true, c.once(ctx)
	})
}

// once makes one request over a connection of its own.
func (c *client) once(ctx context.Context) error {
	var body bytes.Buffer
	if err := c.fetch(ctx, smallPath, &body); err != nil {
		return err
	}
	if !bytes.Equal(body.Bytes(), smallBody()) {
		return fmt.Errorf("body differs: %.200q", body.Bytes())
	}
	return nil
}

// bodyClient asks for large bodies, on connections that stay.
type bodyClient struct{ *client }

func (c bodyClient) load(ctx context.Context, conns int, duration time.Duration, begin func() error) (loadResult, error) {
	tunnels := make(chan *tunnel, conns)
	for range conns {
		t, err := c.dial(ctx)
		if err != nil {
			return loadResult{}, err
		}
		defer t.close()
		tunnels <- t
	}
	if err := begin(); err != nil {
		return loadResult{}, err
	}
	request := c.request(downloadPath + strconv.Itoa(bodySize))
	deadline := time.Now().Add(duration)
	return workers(ctx, conns, func(ctx context.Context) (bool, error) {
		if time.Now().After(deadline) {
			return false, ctx.Err()
		}
		t := <-tunnels
		defer func() { tunnels <- t }()
		var n counter
		if err := t.get(request, &n); err != nil {
			return false, err
		}
		if n != bodySize {
			return false, fmt.Errorf("got %d bytes of a body of %d", n, bodySize)
		}
		return true, nil
	})
}

// counter counts what is written to it.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

var _ io.Writer = (*counter)(nil)

// hostClient asks hosts that nobody asked for before: the addresses of loopback,
// at all of which the origin answers.
type hostClient struct {
	*client
	next atomic.Uint32
}

func (c *hostClient) load(ctx context.Context, conns int, _ time.Duration, begin func() error) (loadResult, error) {
	if err := begin(); err != nil {
		return loadResult{}, err
	}
	_, port, err := net.SplitHostPort(c.target)
	if err != nil {
		return loadResult{}, fmt.Errorf("origin's address: %w", err)
	}
	var left atomic.Int64
	left.Store(newHosts)
	return workers(ctx, conns, func(ctx context.Context) (bool, error) {
		if left.Add(-1) < 0 {
			return false, ctx.Err()
		}
		n := c.next.Add(1)
		host := net.IPv4(127, byte(1+n>>16), byte(n>>8), byte(n)).String()
		one := newClient(c.proxy, net.JoinHostPort(host, port), c.tls.RootCAs)
		return true, one.once(ctx)
	})
}
