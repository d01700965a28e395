package proxy

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"time"

	flowpb "weir/proto"
	"weir/proxy/contain"
	"weir/proxy/h1"
)

// client is one connection from a client, and everything that belongs to it.
// One goroutine runs it from accept to close; during an exchange a second one
// may read from the client (see exchange.pump), and in a tunnel a second one
// copies the other direction.
type client struct {
	s    *Server
	to   recorder
	raw  net.Conn // the accepted connection
	conn net.Conn // where its HTTP is read from: raw, or TLS over it
	rec  flowpb.Conn
	name []byte // its address, as flows keep it

	in     inbox
	reader *h1.Reader
	out    []byte // scratch for a rewritten head with the body bytes that came with it

	user    string  // who logged in to the proxy, "" for nobody
	logins  *logins // what was good for further requests
	trusted bool    // a login was good for all of the connection

	tunnel  route       // where all requests go inside a tunnel; zero outside
	passing string      // why the tunnel is passed through unopened, "" where it is not
	leafFor Pin         // whom a leaf was shown to that nothing was heard of yet
	refusal *flowError  // answers every request, where the tunnel's server cannot be reached
	pool    *pool       // of connections to its servers
	stream  *streamConn // conn, where that is a stream of HTTP/2; else nil
	unclean bool        // close without a TLS goodbye, so that the client sees the truncation
	reset   bool        // close with a TCP reset, for the same reason
}

// serveConn runs one client connection to its end.
func (s *Server) serveConn(ctx context.Context, raw net.Conn) {
	defer s.release(raw)
	c := &client{
		s: s, to: recorder{s.opts.Sink}, raw: raw, conn: raw,
		in: newInbox(&s.buffers), reader: h1.NewReader(h1.Request, s.opts.Limits),
		name: []byte(raw.RemoteAddr().String()), pool: s.newPool(), logins: &logins{},
	}
	c.describe()
	defer func() { c.pool.release() }() // of what is left where closing panics
	err := c.to.conn(ctx, &c.rec)
	if err == nil {
		err = c.guarded(ctx, c.serve)
	}
	c.close(ctx, err)
}

// guarded calls serve. A panic that no flow was told of is a flow of its own.
func (c *client) guarded(ctx context.Context, serve func(context.Context) error) error {
	return contain.Call(func() error { return serve(ctx) }, func(p *contain.PanicError) error {
		return c.recordStreamFailure(ctx, c.s.mistake(p))
	})
}

// serve finds out by the server's mode where the client wants to go.
func (c *client) serve(ctx context.Context) error {
	if f := c.s.refuseAddress(c.raw.RemoteAddr()); f != nil {
		return f
	}
	switch c.s.opts.Mode.Kind {
	case Reverse, DNS:
		return c.serveReverse(ctx)
	case SOCKS5:
		return c.serveSOCKS(ctx)
	case Transparent:
		return c.serveTransparent(ctx)
	}
	return c.serveProxy(ctx)
}

// serveProxy serves a client that has us set as its HTTP proxy.
func (c *client) serveProxy(ctx context.Context) error {
	if !c.firstBytes() {
		return nil
	}
	if isTLS(c.in.unread()) {
		if err := c.secure(ctx); err != nil {
			return err
		}
	}
	if c.speaksHTTP2() {
		return c.serveStreams(ctx, nil)
	}
	return c.serveHTTP(ctx)
}

// firstBytes waits for the client to speak. It reports false where it came and
// went: a port check, a preconnect.
func (c *client) firstBytes() bool {
	_ = c.raw.SetReadDeadline(deadline(c.s.opts.Timeouts.KeepAlive))
	_, err := c.in.fill(c.conn)
	resume(c.raw)
	return err == nil
}

// serveHTTP carries one request after the other.
func (c *client) serveHTTP(ctx context.Context) error {
	for {
		head, startedNs, err := c.readHead()
		if err != nil {
			return c.badHead(ctx, err, startedNs)
		}
		c.trustsLeaf()
		if c.mustLogin(head) {
			return c.askLogin(ctx, head, startedNs)
		}
		if c.wantsHome(head) {
			c.home(head)
			return nil
		}
		if !c.inTunnel() && string(head.Method) == "CONNECT" {
			return c.connect(ctx, head, startedNs)
		}
		again, err := newExchange(c, head, startedNs).run(ctx)
		if err != nil || !again {
			return err
		}
	}
}

func (c *client) inTunnel() bool { return c.tunnel.host != "" }

// readHead waits for the head of the next request. startedNs is when its first
// byte was here, 0 where none came.
func (c *client) readHead() (head *h1.Head, startedNs int64, err error) {
	until := deadline(c.s.opts.Timeouts.KeepAlive)
	for {
		if p := c.in.unread(); len(p) > 0 {
			if startedNs == 0 {
				startedNs = nowNs()
				until = deadline(c.s.opts.Timeouts.Head)
			}
			n, ev, err := c.reader.Feed(p)
			c.in.advance(n)
			if err != nil || ev.Kind == h1.MessageHead {
				return ev.Head, startedNs, err
			}
		}
		c.in.rest()
		_ = c.raw.SetReadDeadline(until)
		if _, err := c.in.fill(c.conn); err != nil {
			if errors.Is(err, io.EOF) && !c.reader.Idle() {
				_, err = c.reader.End()
			}
			return nil, startedNs, err
		}
	}
}

// badHead ends a connection whose next request cannot be read: silently where
// there was none, else with a flow that shows as much as was read.
func (c *client) badHead(ctx context.Context, err error, startedNs int64) error {
	if isRemoteAlert(err) {
		// In TLS 1.3 a client may find our certificate wanting after the handshake.
		return c.refusedLate(ctx, err)
	}
	if _, parsed := errors.AsType[*h1.Error](err); startedNs == 0 || c.reader.Idle() && !parsed {
		return nil
	}
	head := c.reader.Partial()
	if head == nil {
		head = &h1.Head{Role: h1.Request}
	}
	return newExchange(c, head, startedNs).fail(ctx, clientFailure(err))
}

// identify fills what every flow of this connection has in common.
func (c *client) identify(f *flowpb.Flow, to route) {
	f.ClientConn = c.rec.Id
	f.Client = c.name
	if to.host != "" && to.port != 0 {
		f.Server = []byte(to.hostPort())
	}
}

// answer sends the error page for f, then waits for the client to stop sending:
// closing with unread bytes would reset the connection and lose the page.
func (c *client) answer(f *flowError, accept []byte, head bool) {
	if _, err := c.conn.Write(errorPage(f, accept, head)); err != nil {
		return
	}
	c.linger()
}

// linger half-closes and discards what the client still sends, for a moment.
func (c *client) linger() {
	const patience, most = time.Second, 1 << 20
	if !closeWrite(c.conn) {
		return
	}
	_ = c.raw.SetReadDeadline(time.Now().Add(patience))
	for n := 0; n < most; {
		m, err := c.conn.Read(c.in.buf)
		if err != nil {
			return
		}
		n += m
	}
}

// close ends the connection with everything it holds.
func (c *client) close(ctx context.Context, err error) {
	c.in.advance(len(c.in.unread()))
	c.in.rest()
	c.pool.close(ctx)
	switch {
	case c.reset:
		abort(c.raw)
	case c.unclean:
		_ = c.raw.Close()
	default:
		_ = c.conn.Close() // with TLS's goodbye, which has a deadline of its own
	}
	c.rec.EndedNs = nowNs()
	if f := asFailure(stopFailure(ctx, err)); f != nil && f.side != flowpb.SideResponse {
		c.rec.Error = f.record()
	}
	if err := c.to.conn(ctx, &c.rec); err != nil {
		c.s.opts.Notify(Notice{Text: err.Error()})
	}
}

// abort closes a connection with a reset.
func abort(raw net.Conn) {
	switch conn := raw.(type) {
	case *net.TCPConn:
		_ = conn.SetLinger(0)
	case interface{ abort() }: // a stream of HTTP/2
		conn.abort()
	}
	_ = raw.Close()
}

// closeWrite tells the other end that nothing more will come. It reports false
// where the connection cannot be half-closed.
func closeWrite(conn net.Conn) bool {
	half, ok := conn.(interface{ CloseWrite() error })
	return ok && half.CloseWrite() == nil
}

// interrupt ends a blocked read of conn. resume allows reading again.
func interrupt(conn net.Conn) { _ = conn.SetReadDeadline(time.Unix(1, 0)) }

func resume(conn net.Conn) { _ = conn.SetReadDeadline(time.Time{}) }

func wasInterrupted(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

// addressOf returns a as connections keep it.
func addressOf(a net.Addr) *flowpb.Address {
	switch a := a.(type) {
	case *net.TCPAddr:
		return &flowpb.Address{Host: []byte(a.IP.String()), Port: uint32(a.Port)}
	case *net.UDPAddr:
		return &flowpb.Address{Host: []byte(a.IP.String()), Port: uint32(a.Port)}
	}
	return &flowpb.Address{Host: []byte(a.String())}
}
