package proxy

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"

	flowpb "weir/proto"
	"weir/proxy/h1"
)

// hop is where a connection for r is opened to: an upstream proxy, or r itself.
func (s *Server) hop(r route) (hop route, proxied bool) {
	if s.opts.Mode.Kind != Upstream {
		return r, false
	}
	return s.opts.Mode.target, true
}

// toUpstream is what changes in a request that an upstream proxy is sent in
// absolute form: our login to it, where there is one, is not the client's.
func (s *Server) toUpstream() h1.Rewrite {
	m := s.opts.Mode
	var rw h1.Rewrite
	if m.login || s.opts.Auth != nil {
		rw.Drop = []string{"Proxy-Authorization"}
	}
	if m.login {
		rw.Add = basicField("Proxy-Authorization", m.user, m.password)
	}
	return rw
}

// throughProxy makes the connection to an upstream proxy one to the server:
// over TLS where the proxy speaks that, and by CONNECT unless requests are for
// the proxy itself to send on.
func (up *upstream) throughProxy(ctx context.Context, proxy route) error {
	up.rec.Via = &flowpb.Address{Host: []byte(proxy.host), Port: uint32(proxy.port)}
	_ = up.raw.SetDeadline(deadline(up.s.opts.Timeouts.Handshake))
	defer func() { _ = up.raw.SetDeadline(time.Time{}) }()
	if proxy.scheme == "https" {
		v := up.s.verifier(proxy.host)
		conn := tls.Client(up.raw, v.config("", nil))
		if err := conn.HandshakeContext(ctx); err != nil {
			f := serverTLSFailure(proxy, err, v.wanted)
			f.message = "the upstream proxy: " + f.message
			return f
		}
		up.conn = conn
	}
	if up.route.direct {
		return nil
	}
	return up.askProxy(proxy)
}

// askProxy sends CONNECT and takes the answer.
func (up *upstream) askProxy(proxy route) error {
	target := up.route.hostPort()
	m := up.s.opts.Mode
	head := fmt.Appendf(nil, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n", target, target)
	if m.login {
		head = append(head, basicField("Proxy-Authorization", m.user, m.password)...)
	}
	if _, err := up.conn.Write(append(head, "\r\n"...)); err != nil {
		return upstreamProxyFailure(proxy, serverFailure(proxy, err))
	}
	reader := h1.NewReader(h1.Response, up.s.opts.Limits)
	reader.ForRequest([]byte("CONNECT"))
	buf := make([]byte, 4<<10)
	for {
		n, err := up.conn.Read(buf)
		rest := buf[:n]
		for len(rest) > 0 {
			took, ev, perr := reader.Feed(rest)
			rest = rest[took:]
			switch {
			case perr != nil:
				return upstreamProxyFailure(proxy, serverFailure(proxy, perr))
			case ev.Kind == h1.MessageHead && !ev.Head.Informational():
				return up.proxyAnswered(proxy, ev.Head, rest)
			}
		}
		if err != nil {
			return upstreamProxyFailure(proxy, serverFailure(proxy, err))
		}
	}
}

// proxyAnswered judges the final response to CONNECT. rest is what came behind it.
func (up *upstream) proxyAnswered(proxy route, head *h1.Head, rest []byte) error {
	if head.Framing == h1.FramingTunnel {
		if len(rest) > 0 {
			up.conn = &prefixed{Conn: up.conn, prefix: bytes.Clone(rest), over: true}
		}
		return nil
	}
	f := &flowError{
		code: flowpb.CodeConnect, side: flowpb.SideResponse,
		message: fmt.Sprintf("the upstream proxy %s does not connect to %s: %d %s", proxy.hostPort(), up.route.hostPort(), head.Status, head.Reason),
	}
	if head.Status == 407 {
		f.code, f.hint = flowpb.CodeRefused, "give it a user and a password: --upstream-auth USER:PASSWORD"
	}
	return f
}

// upstreamProxyFailure says that it was the proxy that failed.
func upstreamProxyFailure(proxy route, err error) error {
	f := *asFailure(err)
	f.message = "the upstream proxy: " + f.message
	return &f
}

// CloseWrite half-closes the connection underneath, where that can be.
func (p *prefixed) CloseWrite() error {
	if half, ok := p.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return net.ErrClosed
}
