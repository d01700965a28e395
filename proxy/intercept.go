package proxy

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
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
	wire  *prefixed
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
	wire := &prefixed{Conn: c.conn, prefix: bytes.Clone(c.in.unread()), held: true}
	i := &interception{c: c, wire: wire, route: c.tunnel, up: up}
	conn := tls.Server(wire, &tls.Config{
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) { return i.answer(ctx, hello) },
	})
	c.in.advance(len(c.in.unread()))
	_ = c.raw.SetDeadline(deadline(c.s.opts.Timeouts.Handshake))
	err := c.s.apart(ctx, conn)
	_ = c.raw.SetDeadline(time.Time{})
	c.tunnel = i.route
	i.record(conn.ConnectionState())
	if errors.Is(err, errPassThrough) {
		c.in = inbox{buf: wire.seen, w: len(wire.seen)}
		if err := c.to.conn(ctx, &c.rec); err != nil {
			return err
		}
		return c.rawTunnel(ctx, up, nil)
	}
	if err != nil {
		if alert, ok := wire.alert(); ok {
			err = remoteAlert(alert)
		}
		return i.failed(ctx, err)
	}
	wire.over = true
	c.conn = conn
	c.leafFor = c.pin(i.route, i.sni)
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
		return c.priorKnowledge(ctx, i.up)
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
	if i.passes() {
		return nil, errPassThrough
	}
	i.wire.release()
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
	leaf, err := i.certificate(server)
	if err != nil {
		return nil, err
	}
	i.leaf = leaf
	_ = i.c.raw.SetDeadline(deadline(i.c.s.opts.Timeouts.Handshake))
	cfg := i.c.s.opts.TLS.towardsClient(&tls.Config{Certificates: []tls.Certificate{*leaf}, NextProtos: choice})
	cfg.CurvePreferences = exchangesOn(i.c.raw)
	return cfg, nil
}

// passes reports whether the connection is none to open, and notes why.
func (i *interception) passes() bool {
	c := i.c
	names := []string{i.route.hostPort()}
	if i.sni != "" {
		named := i.route
		named.host = i.sni
		names = append(names, named.hostPort())
	}
	if c.passing = c.s.passReason(names...); c.passing == "" && c.s.pins.passes(c.pin(i.route, i.sni)) {
		c.passing = "the client refused weir's certificate twice"
	}
	return c.passing != ""
}

// certificate is what the client is shown: one of the user's own for that host,
// or a leaf that resembles the server's.
func (i *interception) certificate(server *x509.Certificate) (*tls.Certificate, error) {
	host := i.sni
	if host == "" {
		host = i.route.host
	}
	if own := certificateFor(i.c.s.opts.TLS.Certificates, host); own != nil {
		return own, nil
	}
	return i.c.s.opts.Authority.Leaf(i.names(server))
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
		return choose(offers, i.route.http2)
	}
	if i.up == nil {
		i.up, i.err = i.c.dial(ctx, i.route)
	}
	if i.err == nil && i.up.conn != i.up.raw && i.c.s.opts.Mode.Kind == Reverse {
		return nil // TLS was opened already, for a server that might have spoken first
	}
	if i.err == nil {
		i.greet(ctx, serverOffers(offers))
	}
	switch {
	case i.err != nil:
		return choose(offers, false)
	case i.up.protocol() != "" && slices.Contains(offers, i.up.protocol()):
		return []string{i.up.protocol()}
	case len(offers) > 0 && !slices.Contains(offers, "http/1.1") || i.up.http2:
		return choose(offers, i.up.http2) // the other version is translated
	}
	return nil
}

// greet speaks TLS to the server, and to one that takes none of the protocols
// once more, with those that can be translated.
func (i *interception) greet(ctx context.Context, offers []string) {
	i.up.route = i.route
	i.err = i.up.handshake(ctx, offers)
	if err := i.up.record(ctx); err != nil {
		i.err = err
	}
	if i.err == nil {
		return
	}
	f := asFailure(i.err)
	f.conn = i.up.rec.Id
	i.up.close(ctx, f)
	i.up, i.err = nil, f
	if noProtocolShared(f) && !slices.Contains(offers, "h2") {
		i.up, i.err = i.c.reachAs(ctx, i.route, []string{"h2", "http/1.1"})
	}
}

// choose returns the version of HTTP to speak with a client that offers these: the
// one that its server speaks, or the other.
func choose(offers []string, http2 bool) []string {
	order := []string{"http/1.1", "h2"}
	if http2 {
		order = []string{"h2", "http/1.1"}
	}
	for _, p := range order {
		if slices.Contains(offers, p) {
			return []string{p}
		}
	}
	return nil
}

// serverOffers are the protocols to offer a server for a client that offers
// these. A client that knows only HTTP/1.0 gets HTTP/1.1 offered beside it: its
// requests are good for both, and some servers refuse the older name. For one
// that knows only HTTP/2 it is there to be translated.
func serverOffers(client []string) []string {
	old := slices.Contains(client, "http/1.0") || slices.Contains(client, "h2")
	if old && !slices.Contains(client, "http/1.1") {
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
		t.Hello = helloRecord(i.hello)
	}
	t.Certificates = certificates(cs.PeerCertificates)
	if i.leaf != nil {
		t.Presented = certificate(i.leaf.Certificate[0])
	}
	i.c.rec.Tls = t
}

// failed ends the connection after a handshake that did not come to be. A client
// that leaves once it has seen the leaf may well have left because of it.
func (i *interception) failed(ctx context.Context, err error) error {
	i.closeUpstream(ctx)
	f := asFailure(stopFailure(ctx, clientTLSFailure(i.route.serverName(), err)))
	if i.err != nil && isGone(err) && f.code != flowpb.CodeStopped { // not because of the leaf
		f = asFailure(i.err)
		f.message += ", and the client left before it could be told"
		return i.c.recordTLSFailure(ctx, i.route, f)
	}
	if f.untrusted || i.leaf != nil && isGone(err) && f.code != flowpb.CodeStopped {
		i.c.refusedUs(i.c.pin(i.route, i.sni))
	}
	return i.c.recordTLSFailure(ctx, i.route, f)
}

// refusedLate ends a connection whose client found our certificate wanting after
// the handshake, as it may in TLS 1.3.
func (c *client) refusedLate(ctx context.Context, err error) error {
	f := clientTLSFailure(c.tunnel.serverName(), err)
	if f.untrusted && c.leafFor.Host != "" {
		c.refusedUs(c.leafFor)
	}
	return c.recordTLSFailure(ctx, c.tunnel, f)
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
	if err := c.to.conn(ctx, &c.rec); err != nil { // with what the client offered
		return err
	}
	if err := c.to.flow(ctx, flow); err != nil {
		return err
	}
	return f
}
