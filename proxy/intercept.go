package proxy

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"slices"
	"time"

	flowpb "weir/proto"
	"weir/proxy/ca"
)

// interception is one TLS handshake with a client, during which the server is
// asked first: its certificate's names and its choice of protocol are what the
// client gets to see.
type interception struct {
	c     *client
	sni   string    // the name the client asked for
	route route     // to the server
	up    *upstream // to the server; nil where that failed
	err   error     // why it failed
	hello *tls.ClientHelloInfo
	leaf  *tls.Certificate
}

// intercept takes TLS off the tunnel. up is a plain connection to the server
// where one was opened already.
func (c *client) intercept(ctx context.Context, up *upstream) error {
	i := &interception{c: c, route: c.tunnel, up: up}
	wire := &prefixed{Conn: c.conn, prefix: bytes.Clone(c.in.unread())}
	conn := tls.Server(wire, &tls.Config{
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) { return i.answer(ctx, hello) },
	})
	c.in.advance(len(c.in.unread()))
	_ = c.raw.SetDeadline(deadline(c.s.opts.Timeouts.Handshake))
	err := conn.HandshakeContext(ctx)
	_ = c.raw.SetDeadline(time.Time{})
	c.tunnel = i.route
	i.record(conn.ConnectionState())
	if err != nil {
		if alert, ok := wire.alert(); ok {
			err = remoteAlert(alert)
		}
		return i.failed(ctx, err)
	}
	wire.over = true
	c.conn = conn
	c.rec.TlsNs = nowNs()
	if err := c.to.conn(ctx, &c.rec); err != nil {
		i.closeUpstream(ctx)
		return err
	}
	if i.err != nil {
		c.refusal = asFailure(i.err)
	}
	switch conn.ConnectionState().NegotiatedProtocol {
	case "h2":
		return c.serveHTTP2(ctx, i.up)
	case "http/1.1":
		return c.serveTunnel(ctx, i.up)
	}
	return c.afterHandshake(ctx, i.up)
}

// answer is called with the ClientHello and returns how to go on.
func (i *interception) answer(ctx context.Context, hello *tls.ClientHelloInfo) (*tls.Config, error) {
	i.hello = hello
	i.sni = hello.ServerName
	if i.c.s.opts.Mode.Kind != Reverse || i.c.s.opts.KeepHost {
		i.route.sni = i.sni
	}
	offers := slices.DeleteFunc(slices.Clone(hello.SupportedProtos), notIntercepted)
	choice := []string{"http/1.1"} // of a client that has only HTTP/3: it will refuse
	if len(offers) > 0 || len(hello.SupportedProtos) == 0 {
		choice = i.ask(ctx, offers)
	}
	var server *x509.Certificate
	if i.up != nil {
		if conn, ok := i.up.conn.(*tls.Conn); ok {
			server = conn.ConnectionState().PeerCertificates[0]
		}
	}
	leaf, err := i.c.s.opts.Authority.Leaf(i.names(server))
	if err != nil {
		return nil, err
	}
	i.leaf = leaf
	_ = i.c.raw.SetDeadline(deadline(i.c.s.opts.Timeouts.Handshake))
	return &tls.Config{Certificates: []tls.Certificate{*leaf}, NextProtos: choice, SessionTicketsDisabled: true}, nil
}

// names says whom the leaf is for. Clients of a reverse proxy may know it by its
// address alone.
func (i *interception) names(server *x509.Certificate) ca.Names {
	asked := i.sni
	if asked == "" && i.c.s.opts.Mode.Kind == Reverse {
		asked, _, _ = net.SplitHostPort(i.c.raw.LocalAddr().String())
	}
	return ca.NamesFor(asked, i.route.host, server)
}

// notIntercepted reports whether an application protocol has no business in TLS
// over TCP, so that it must not be negotiated.
func notIntercepted(protocol string) bool { return protocol == "h2c" || protocol == "h3" }

// ask connects to the server and returns the protocols to choose from for the
// client: the server's choice. Where the server cannot be reached the client is
// let in all the same, to be told why.
func (i *interception) ask(ctx context.Context, offers []string) []string {
	if i.route.scheme != "https" || isHome(i.route.host) { // a reverse proxy for a server without TLS; our own page
		return slices.DeleteFunc(slices.Clone(offers), func(p string) bool { return p != "http/1.1" })
	}
	if i.up == nil {
		i.up, i.err = i.c.s.connect(ctx, i.route)
	}
	if i.err == nil && i.up.conn != i.up.raw && i.c.s.opts.Mode.Kind == Reverse {
		return nil // TLS was opened already, for a server that might have spoken first
	}
	if i.err == nil {
		i.up.route = i.route
		i.err = i.up.handshake(ctx, serverOffers(offers))
		if err := i.up.record(ctx); err != nil {
			i.err = err
		}
		if i.err != nil {
			f := asFailure(i.err)
			f.conn = i.up.rec.Id
			i.err = f
			i.up.close(ctx, i.err)
			i.up = nil
		}
	}
	switch {
	case i.err != nil && slices.Contains(offers, "http/1.1"):
		return []string{"http/1.1"}
	case i.err != nil && slices.Contains(offers, "h2"):
		return []string{"h2"}
	case i.err != nil || !slices.Contains(offers, i.up.protocol()):
		return nil
	}
	return []string{i.up.protocol()}
}

// serverOffers are the protocols to offer a server for a client that offers
// these. A client that knows only HTTP/1.0 gets HTTP/1.1 offered beside it: its
// requests are good for both, and some servers refuse the older name.
func serverOffers(client []string) []string {
	if slices.Contains(client, "http/1.0") && !slices.Contains(client, "http/1.1") {
		return append(slices.Clone(client), "http/1.1")
	}
	return client
}

// record notes the client's handshake in its connection.
func (i *interception) record(cs tls.ConnectionState) {
	t := tlsRecord(cs, i.sni, nil)
	if i.hello != nil {
		for _, p := range i.hello.SupportedProtos {
			t.AlpnOffers = append(t.AlpnOffers, []byte(p))
		}
	}
	if i.leaf != nil {
		t.Presented = certificate(i.leaf.Certificate[0])
	}
	i.c.rec.Tls = t
}

// failed ends the connection after a handshake that did not come to be.
func (i *interception) failed(ctx context.Context, err error) error {
	i.closeUpstream(ctx)
	f := asFailure(stopFailure(ctx, clientTLSFailure(i.route.serverName(), err)))
	return i.c.recordTLSFailure(ctx, i.route, f)
}

func (i *interception) closeUpstream(ctx context.Context) {
	if i.up != nil {
		i.up.close(ctx, nil)
		i.up = nil
	}
}

// recordTLSFailure records a failed handshake with the client as a flow.
func (c *client) recordTLSFailure(ctx context.Context, to route, f *flowError) error {
	now := nowNs()
	flow := &flowpb.Flow{
		State: flowpb.StateError, CreatedNs: c.rec.StartedNs, Error: f.record(),
		Protocol: &flowpb.Flow_Tls{Tls: &flowpb.TlsFailure{
			Side: f.side, Sni: []byte(to.sni), Host: []byte(to.host), Port: uint32(to.port), EndedNs: now,
		}},
	}
	c.identify(flow, to)
	if err := c.to.flow(ctx, flow); err != nil {
		return err
	}
	return f
}
