package proxy

import (
	"bytes"
	"context"
	"errors"
	"sync"

	flowpb "weir/proto"
	"weir/proxy/contain"
	"weir/proxy/h1"
	"weir/proxy/h2"
)

// serveStreams carries a client's HTTP/2 connection whose servers speak HTTP/1:
// each stream is a client of its own that sends one request. up is a connection
// to the tunnel's server, nil where there is none yet; outside a tunnel each
// request names its server.
func (c *client) serveStreams(ctx context.Context, up *upstream) error {
	before := c.pool
	c.pool = c.s.newStreamPool()
	if up != nil {
		c.stow(ctx, up)
	}
	before.close(ctx)
	var streams sync.WaitGroup
	e := newEndpoint(c.s, c.http2End())
	e.proxying = !c.inTunnel()
	begun := false
	e.open = func(st *streamConn) error {
		c.trustsLeaf()
		if !begun {
			begun = true
			if err := c.to.conn(ctx, &c.rec); err != nil {
				return err
			}
		}
		contain.Go(&streams, func() { c.serveStream(ctx, st) }, c.s.mistaken) // serveStreams waits for it
		return nil
	}
	c.s.enroll(e)
	defer c.s.dismiss(e)
	first := bytes.Clone(c.in.unread())
	c.in.advance(len(first))
	err := e.read(first)
	_ = e.flush(&e.mu) // one that is gone hears nothing
	streams.Wait()
	if e.lone && isMistake(err) {
		return c.recordStreamFailure(ctx, err)
	}
	if errors.Is(err, errIdle) || isGone(err) {
		return nil
	}
	c.linger() // it is to see our last words, and not a reset
	return err
}

// serveStream carries the one request of a stream.
func (c *client) serveStream(ctx context.Context, st *streamConn) {
	defer st.abort() // where the rest of this panics
	sub := c.onStream(st)
	if refused := st.refusal(); refused != nil {
		_ = sub.recordRefused(ctx, st.sent, refused) // an error of the sink is told by those who read
		_ = st.Close()
		return
	}
	if st.sent.Head.Method == "CONNECT" && st.sent.Head.Protocol == "" && !sub.inTunnel() {
		sub.serveOwn(ctx)
		return
	}
	_ = contain.Call(func() error { return sub.serveHTTP(ctx) }, func(p *contain.PanicError) error { // its flow tells
		sub.reset = true
		return sub.recordRefused(ctx, st.sent, asFailure(c.s.mistake(p)))
	})
	sub.leave()
}

// onStream returns the client that a stream of c is. It has the connection of c,
// and shares its connections to servers.
func (c *client) onStream(st *streamConn) *client {
	sub := &client{
		s: c.s, to: c.to, raw: st, conn: st, name: c.name, stream: st,
		in: newInbox(&c.s.buffers), reader: h1.NewReader(h1.Request, c.s.opts.Limits),
		user: c.user, trusted: c.trusted, tunnel: c.tunnel, passing: c.passing, refusal: c.refusal,
		pool: c.pool, logins: c.logins,
	}
	sub.rec.Id = c.rec.Id
	return sub
}

// leave ends the stream.
func (c *client) leave() {
	c.in.advance(len(c.in.unread()))
	c.in.rest()
	if c.reset {
		abort(c.raw)
	}
	_ = c.conn.Close()
}

// serveOwn carries a tunnel through a stream, which is a connection of its own as
// far as the session knows: it may hold TLS and everything else.
func (c *client) serveOwn(ctx context.Context) {
	c.rec.Id = 0
	c.pool = c.s.newPool()
	c.describe()
	defer c.pool.release()
	err := c.to.conn(ctx, &c.rec)
	if err == nil {
		err = c.guarded(ctx, c.serveHTTP)
	}
	c.close(ctx, err)
}

// recordRefused records a request that never became one.
func (c *client) recordRefused(ctx context.Context, ev *h2.Event, f *flowError) error {
	to := c.tunnel
	if !c.inTunnel() {
		if host, port, err := h1.ParseAuthority([]byte(ev.Head.Authority)); err == nil {
			to = route{scheme: ev.Head.Scheme, host: string(host), port: port}
		}
	}
	s := &h2stream{id: ev.Stream}
	s.rec.to = c.to
	s.begin(ev, to)
	c.hideLogin(&s.rec)
	c.identify(&s.rec.flow, to)
	if ev.End {
		s.rec.requestEnd(nil)
	}
	return s.end(ctx, f)
}

// describe fills the record of a connection that begins.
func (c *client) describe() {
	c.rec.Side, c.rec.Transport, c.rec.Mode = flowpb.SideRequest, flowpb.TransportTCP, c.s.opts.Mode.String()
	c.rec.Peer, c.rec.Local = addressOf(c.raw.RemoteAddr()), addressOf(c.raw.LocalAddr())
	c.rec.StartedNs = nowNs()
	c.rec.ConnectedNs = c.rec.StartedNs
}
