package proxy

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"time"

	flowpb "weir/proto"
	"weir/proxy/ca"
)

// secure takes off the TLS that a client speaks to the proxy itself, which is
// then called an https:// proxy. The certificate is for the name it asked for and
// the address it reached. HTTP/1 is spoken inside.
func (c *client) secure(ctx context.Context) error {
	local, _, _ := net.SplitHostPort(c.raw.LocalAddr().String())
	var to route
	var seen *flowpb.ClientHello
	if c.s.opts.Authority == nil {
		return c.recordTLSFailure(ctx, to, &flowError{
			code: flowpb.CodeTLS, side: flowpb.SideRequest,
			message: "the client speaks TLS to the proxy itself", hint: "set the proxy as http://, not https://",
		})
	}
	wire := &prefixed{Conn: c.raw, prefix: bytes.Clone(c.in.unread())}
	c.in.advance(len(c.in.unread()))
	conn := tls.Server(wire, &tls.Config{
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			to.sni, seen = hello.ServerName, helloRecord(hello)
			return c.ownConfig(hello, local)
		},
	})
	_ = c.raw.SetDeadline(deadline(c.s.opts.Timeouts.Handshake))
	err := c.s.apart(ctx, conn)
	_ = c.raw.SetDeadline(time.Time{})
	c.rec.Tls = tlsRecord(conn.ConnectionState(), to.sni, nil)
	c.rec.Tls.Hello = seen
	if err != nil {
		if alert, ok := wire.alert(); ok {
			err = remoteAlert(alert)
		}
		to.host = local
		f := asFailure(stopFailure(ctx, clientTLSFailure(to.serverName(), err)))
		f.message = "TLS with the proxy itself: " + f.message
		f.hint = "clients have to trust weir's CA for an https:// proxy, too (curl --proxy-cacert), or set it as http://"
		return c.recordTLSFailure(ctx, to, f)
	}
	wire.over = true
	c.conn = conn
	c.rec.TlsNs = nowNs()
	return c.to.conn(ctx, &c.rec)
}

// ownConfig is the configuration for TLS with the proxy itself.
func (c *client) ownConfig(hello *tls.ClientHelloInfo, local string) (*tls.Config, error) {
	leaf, err := c.s.opts.Authority.Leaf(ca.NamesFor(hello.ServerName, local, nil))
	if err != nil {
		return nil, fmt.Errorf("certificate of the proxy: %w", err)
	}
	cfg := c.s.opts.TLS.towardsClient(&tls.Config{Certificates: []tls.Certificate{*leaf}})
	cfg.ClientAuth = tls.NoClientCert
	if slices.Contains(hello.SupportedProtos, "http/1.1") {
		cfg.NextProtos = []string{"http/1.1"}
	}
	return cfg, nil
}
