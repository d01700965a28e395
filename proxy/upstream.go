package proxy

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"

	flowpb "weir/proto"
	"weir/proxy/h1"
)

// upstream is one connection to a server. It belongs to one client connection
// and to the goroutine that runs it, so that what happened on the one side can
// be told from the other.
type upstream struct {
	s      *Server
	to     recorder
	owner  *pool
	route  route
	raw    net.Conn
	conn   net.Conn // raw, or TLS over it
	rec    flowpb.Conn
	reader *h1.Reader
	idle   time.Time // since when it waits for another request; zero for a fresh one
	wanted bool      // the server asked for a client certificate

	http2   bool        // HTTP/2 is spoken on it
	greeted bool        // the preface of HTTP/2 was sent
	spoken  []byte      // what the server said to that
	settled bool        // its settings were recorded, see settle
	stream  *streamConn // conn, where exchanges of HTTP/1 go over HTTP/2; else nil
}

// dial resolves and dials r. A failed attempt is recorded as a connection too.
func (c *client) dial(ctx context.Context, r route) (*upstream, error) {
	s := c.s
	up := &upstream{s: s, to: recorder{s.opts.Sink}, route: r, reader: h1.NewReader(h1.Response, s.opts.Limits)}
	up.rec.Side, up.rec.Transport = flowpb.SideResponse, flowpb.TransportTCP
	up.rec.Target = &flowpb.Address{Host: []byte(r.host), Port: uint32(r.port)}
	up.rec.StartedNs = nowNs()
	if err := up.reach(ctx); err != nil {
		f := asFailure(stopFailure(ctx, err))
		up.rec.EndedNs, up.rec.Error = nowNs(), f.record()
		if err := up.to.conn(ctx, &up.rec); err != nil {
			return nil, err
		}
		f.conn = up.rec.Id
		return nil, f
	}
	c.pool.own(up)
	return up, nil
}

// reach opens the connection, through another proxy where the mode says so.
func (up *upstream) reach(ctx context.Context) error {
	s := up.s
	if s.own.isName(up.route.host, up.route.port) {
		return ownAddressFailure(up.route)
	}
	hop, proxied := s.hop(up.route)
	raw, err := s.dial(ctx, "tcp", hop, &up.rec)
	if err == nil && !s.track(raw) {
		err = net.ErrClosed
	}
	if err != nil {
		f := dialFailure(hop, err)
		if proxied {
			f.message = "the upstream proxy: " + f.message
		}
		return f
	}
	up.raw, up.conn = raw, raw
	up.rec.ConnectedNs = nowNs()
	up.rec.Peer, up.rec.Local = addressOf(raw.RemoteAddr()), addressOf(raw.LocalAddr())
	if !proxied {
		return nil
	}
	if err := up.throughProxy(ctx, hop); err != nil {
		s.release(raw)
		return err
	}
	return nil
}

// dial opens a connection, of network "tcp" or "udp", that does not lead to ourselves.
func (s *Server) dial(ctx context.Context, network string, r route, rec *flowpb.Conn) (net.Conn, error) {
	if s.own.isName(r.host, r.port) {
		return nil, errOwnAddress
	}
	if t := s.opts.Timeouts.Dial; t > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, t)
		defer cancel()
	}
	if s.opts.Dial != nil {
		return s.whileFull(ctx, r, func() (net.Conn, error) { return s.opts.Dial(ctx, network, r.hostPort()) })
	}
	// The dialer calls back once it knows the addresses, possibly from two
	// goroutines that race for IPv4 and IPv6.
	var resolved atomic.Int64
	d := net.Dialer{KeepAliveConfig: probes(), ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
		resolved.CompareAndSwap(0, nowNs())
		if ap, err := netip.ParseAddrPort(address); err == nil && s.own.isIP(ap.Addr(), int(ap.Port())) {
			return errOwnAddress
		}
		return nil
	}}
	conn, err := s.whileFull(ctx, r, func() (net.Conn, error) { return d.DialContext(ctx, network, r.hostPort()) })
	rec.ResolvedNs = resolved.Load()
	return conn, err
}

// handshake speaks TLS on up, offering the given application protocols, and
// records the connection, verified or not.
func (up *upstream) handshake(ctx context.Context, protocols []string) error {
	_ = up.raw.SetDeadline(deadline(up.s.opts.Timeouts.Handshake))
	v := up.s.verifier(up.route.serverName())
	cfg := v.config(up.route.sni, protocols)
	up.s.handshakes.resume(cfg, v.opts, v.name)
	if up.s.opts.Mode.Kind != Upstream { // where the wire does not end at the other end of the connection
		cfg.CurvePreferences = exchangesOn(up.raw)
	}
	conn := tls.Client(up.conn, cfg)
	err := up.s.apart(ctx, conn)
	_ = up.raw.SetDeadline(time.Time{})
	up.rec.Tls = tlsRecord(conn.ConnectionState(), cfg.ServerName, protocols)
	v.fill(up.rec.Tls)
	up.wanted = v.wanted
	if err != nil {
		return asFailure(stopFailure(ctx, serverTLSFailure(up.route, err, v.wanted)))
	}
	up.conn = conn
	up.http2 = conn.ConnectionState().NegotiatedProtocol == "h2"
	up.rec.TlsNs = nowNs()
	return nil
}

// failure explains an error while reading from or writing to the server.
func (up *upstream) failure(err error) error {
	f := asFailure(serverFailure(up.route, err))
	if up.wanted && isRemoteAlert(err) { // TLS 1.3 tells this late that a client certificate is missing
		f.hint = noClientCertificate
	}
	return f
}

// protocol is what was negotiated by ALPN, "" without.
func (up *upstream) protocol() string {
	if conn, ok := up.conn.(*tls.Conn); ok {
		return conn.ConnectionState().NegotiatedProtocol
	}
	return ""
}

// record hands the connection to the sink for the first time or again.
func (up *upstream) record(ctx context.Context) error { return up.to.conn(ctx, &up.rec) }

// close ends the connection and records that. err is why, nil in good order.
func (up *upstream) close(ctx context.Context, err error) {
	_ = up.conn.Close() // with TLS's goodbye, which has a deadline of its own
	up.s.release(up.raw)
	up.owner.disown(up)
	up.rec.EndedNs = nowNs()
	if f := asFailure(err); f != nil && f.side != flowpb.SideRequest {
		up.rec.Error = f.record()
	}
	if err := up.record(ctx); err != nil {
		up.s.opts.Notify(Notice{Text: err.Error()})
	}
}

// alive reports whether an idle connection can take another request. A server
// closes idle connections when it likes; having looked a moment before spares
// the request from failing. Only one that idled for a while is looked at, since
// the look costs a millisecond.
func (up *upstream) alive() bool {
	const recent, look = time.Second, time.Millisecond
	if time.Since(up.idle) < recent {
		return true
	}
	_ = up.raw.SetReadDeadline(time.Now().Add(look))
	n, err := up.conn.Read(make([]byte, 1))
	_ = up.raw.SetReadDeadline(time.Time{})
	return n == 0 && isTimeout(err) // bytes without a request are no response to the next
}
