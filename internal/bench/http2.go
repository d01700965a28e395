package main

import (
	"context"
	"path/filepath"
)

// http2Bar is how fast weir, recording to disk, must be against a proxy made of
// net/http that records nothing.
const http2Bar = 1.2

// benchHTTP2 is benchHTTPS with HTTP/2 on both sides of both proxies, several
// requests at once on a connection.
func benchHTTP2(ctx context.Context, b *bench) error {
	return b.compare(ctx, comparison{
		name: "http2", what: "HTTP/2 1 KB", bar: http2Bar, baseline: b.startH2Proxy,
		speak: func(c *client) generator {
			c.tls.NextProtos = []string{"h2"}
			return h2Client{c}
		},
	})
}

// startH2Proxy runs this binary as the baseline of HTTP/2.
func (b *bench) startH2Proxy(ctx context.Context, origin *origin, name string) (*side, error) {
	dir := filepath.Join(b.dir, name)
	return b.startSelf(ctx, origin, dir, cmdH2Proxy, dir)
}
