package proxy

import (
	"context"

	flowpb "weir/proto"
	"weir/proxy/h1"
)

// serveReverse carries a connection to the one server that the mode names. The
// client may speak TLS or not, whichever the server speaks.
func (c *client) serveReverse(ctx context.Context) error {
	to := c.s.opts.Mode.target
	if c.s.resolver != nil {
		to = c.s.resolver.server()
	}
	c.tunnel = to
	switch to.scheme {
	case "udp":
		return nil // the port is only taken, so that nobody else gets it
	case "tcp", "dns":
		err := c.rawTunnel(ctx, nil, nil)
		if f := asFailure(err); f != nil && f.side == flowpb.SideResponse && c.s.resolver != nil {
			c.s.resolver.gaveUp(to) // the client may ask again
		}
		return err
	case "h2c":
		c.tunnel.scheme, c.tunnel.http2 = "http", true
	case "tls":
		c.tunnel.scheme = "https"
		return c.throughTunnel(ctx, nil)
	}
	// HTTP clients speak first: nobody else is waited for.
	if !c.firstBytes() {
		return nil
	}
	return c.throughTunnel(ctx, nil)
}

// rewrite is what changes in the head of a request in a tunnel: clients of a
// reverse proxy name it in Host, where the server expects its own name.
func (c *client) rewrite() h1.Rewrite {
	var rw h1.Rewrite
	if c.s.opts.Mode.Kind == Reverse && !c.s.opts.KeepHost {
		rw.Host = []byte(c.s.opts.Mode.target.authority())
	}
	if c.s.opts.Auth != nil && !c.trusted {
		rw.Drop = []string{c.s.login().request}
	}
	return rw
}
