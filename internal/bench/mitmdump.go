package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// mitmdumpBar is how much faster than mitmdump weir has to be, both recording.
const mitmdumpBar = 15

// benchMitmdump compares with mitmdump -w, where that is installed: small requests
// on connections that stay, and a connection for each.
func benchMitmdump(ctx context.Context, b *bench) error {
	if _, err := exec.LookPath("mitmdump"); err != nil {
		b.progress("mitmdump is not installed: left out")
		return nil
	}
	for _, c := range []comparison{
		{name: "mitm-small", what: "against mitmdump -w: HTTPS 1 KB keep-alive", speak: func(c *client) generator { return c }},
		{name: "mitm-short", what: "against mitmdump -w: a TLS connection a request", speak: func(c *client) generator { return shortClient{c} }},
	} {
		c.bar, c.baseline = mitmdumpBar, b.startMitmdump
		if err := b.compare(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// startMitmdump runs mitmdump, which writes what passes to a file.
func (b *bench) startMitmdump(ctx context.Context, origin *origin, name string) (*side, error) {
	dir := filepath.Join(b.dir, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("find a port: %w", err)
	}
	addr := listener.Addr().(*net.TCPAddr)
	if err := listener.Close(); err != nil {
		return nil, err
	}
	p, err := start(ctx, "mitmdump", []string{
		"--quiet", "--listen-host", "127.0.0.1", "--listen-port", fmt.Sprint(addr.Port), "--set", "confdir=" + dir,
		"--set", "ssl_verify_upstream_trusted_ca=" + origin.caFile, "--save-stream-file", filepath.Join(dir, "flows"),
	})
	if err != nil {
		return nil, err
	}
	if err := awaitListener(ctx, addr.String()); err != nil {
		return nil, errors.Join(err, p.kill())
	}
	roots, err := readRoots(filepath.Join(dir, "mitmproxy-ca-cert.pem"))
	if err != nil {
		return nil, errors.Join(err, p.kill())
	}
	return &side{process: p, client: newClient(addr.String(), origin.target(), roots)}, nil
}

// awaitListener waits until somebody listens on addr.
func awaitListener(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	var dialer net.Dialer
	for {
		conn, err := dialer.DialContext(ctx, "tcp", addr)
		if err == nil {
			return conn.Close()
		}
		if perr := pause(ctx, 100*time.Millisecond); perr != nil {
			return fmt.Errorf("wait for %s: %w", addr, err)
		}
	}
}
