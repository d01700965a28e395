package proxy

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"

	flowpb "weir/proto"
	"weir/proxy/contain"
	"weir/proxy/record"
)

// rawTunnel passes the tunnel on as a TCP stream. spoken is what the server
// said already.
func (c *client) rawTunnel(ctx context.Context, up *upstream, spoken []byte) error {
	if c.refusal != nil {
		return c.recordStreamFailure(ctx, c.refusal)
	}
	if up == nil {
		var err error
		if up, err = c.openStream(ctx); err != nil {
			return err
		}
	}
	r, err := c.newPassRecord(ctx, up)
	if err == nil {
		err = c.pipe(ctx, up, spoken, r)
	}
	up.close(ctx, err)
	if _, questions := r.(*dnsStream); questions && isMistake(err) { // which may have been about none of them
		return c.recordStreamFailure(ctx, err)
	}
	return err
}

// newPassRecord returns the record of what passes between the client and up: DNS
// messages where that is what it looks like, else a TCP stream.
func (c *client) newPassRecord(ctx context.Context, up *upstream) (passRecord, error) {
	if c.passing == "" && c.speaksDNS() {
		r := &dnsStream{dnsRecord: dnsRecord{to: c.to, server: c.tunnel.hostPort(), withoutHTTPS: c.s.opts.StripAltSvc}}
		r.identify = func(f *flowpb.Flow) {
			c.identify(f, c.tunnel)
			f.ServerConn = up.rec.Id
		}
		return r, nil
	}
	flow, stream := c.newStream()
	flow.ServerConn = up.rec.Id
	r := newStreamRecord(c.to, flow, stream)
	if c.passing != "" {
		r.split = unkept{}
	}
	return r, r.open(ctx)
}

// openStream connects to the tunnel's server for a TCP stream. A failure is
// recorded as a flow.
func (c *client) openStream(ctx context.Context) (*upstream, error) {
	up, err := c.dial(ctx, c.tunnel)
	if err != nil {
		return nil, c.recordStreamFailure(ctx, err)
	}
	if c.s.opts.Mode.Kind == Reverse && c.tunnel.scheme == "https" {
		err = up.handshake(ctx, nil)
	}
	if rerr := up.record(ctx); rerr != nil {
		up.close(ctx, rerr)
		return nil, rerr
	}
	if err != nil {
		up.close(ctx, err)
		f := asFailure(err)
		f.conn = up.rec.Id
		return nil, c.recordStreamFailure(ctx, f)
	}
	return up, nil
}

// newStream returns a TCP flow of this connection.
func (c *client) newStream() (*flowpb.Flow, *flowpb.Stream) {
	stream := &flowpb.Stream{}
	flow := &flowpb.Flow{CreatedNs: nowNs(), Protocol: &flowpb.Flow_Tcp{Tcp: stream}}
	c.identify(flow, c.tunnel)
	if c.passing != "" {
		flow.Meta = append(flow.Meta, &flowpb.Meta{Key: "passed through", Value: record.Printable(c.passing)})
	}
	return flow, stream
}

// recordStreamFailure records a TCP stream whose server cannot be reached.
func (c *client) recordStreamFailure(ctx context.Context, err error) error {
	f := asFailure(stopFailure(ctx, err))
	flow, stream := c.newStream()
	stream.EndedNs = nowNs()
	flow.State, flow.Error, flow.ServerConn = flowpb.StateError, f.record(), f.conn
	if err := c.to.flow(ctx, flow); err != nil {
		return err
	}
	return f
}

// passRecord records what passes both ways on a connection. Two goroutines call it,
// one a direction.
type passRecord interface {
	// add records p, and returns what is passed on then, which is p unless the
	// user asked for something to be left out.
	add(ctx context.Context, side flowpb.Side, p []byte) ([]byte, error)
	// failed notes why a direction ended, if it is the first.
	failed(err error)
	// end records that it is over and returns the error it ended with.
	end(ctx context.Context) error
}

// pipe copies both directions until both are over, each read recorded before it
// is passed on. One direction may end long before the other.
func (c *client) pipe(ctx context.Context, up *upstream, spoken []byte, r passRecord) error {
	resume(c.raw)
	resume(up.raw)
	quiet := &quiet{limit: c.s.opts.Timeouts.Tunnel}
	quiet.moved()
	var other sync.WaitGroup
	contain.Go(&other, func() { // pipe waits for it
		c.copy(ctx, flowpb.SideRequest, up, c.in.unread(), r, quiet)
	}, c.s.mistaken)
	c.copy(ctx, flowpb.SideResponse, up, spoken, r, quiet)
	other.Wait()
	return c.s.endRecord(ctx, r)
}

// endRecord records that r is over.
func (s *Server) endRecord(ctx context.Context, r passRecord) error {
	return s.conclude(nil, func(f *flowError) error {
		if f != nil {
			r.failed(f)
		}
		return r.end(ctx)
	})
}

// copy passes one direction on, first what was read of it already. When it fails
// both connections are closed, so that the other direction ends too.
func (c *client) copy(ctx context.Context, side flowpb.Side, up *upstream, first []byte, r passRecord, q *quiet) {
	src, dst := c.conn, up.conn
	from, to := c.raw, up.raw
	if side == flowpb.SideResponse {
		src, dst, from, to = dst, src, to, from
	}
	err := c.s.guard(func() error {
		return c.copyUntil(ctx, side, quietWriter{dst, to, q}, quietReader{src, from, q}, first, r)
	})
	if isEndOfStream(err) {
		if closeWrite(dst) {
			return
		}
		err = io.EOF // this connection knows no half-close: both directions are over
	} else {
		err = sideFailure(side, up.route, err)
	}
	r.failed(err)
	end := net.Conn.Close
	if wasReset(err) {
		end = func(conn net.Conn) error { abort(conn); return nil }
	}
	_ = end(c.raw)
	_ = end(up.raw)
}

// wasReset reports whether a connection ended so that its peer may have lost something
// of what it was sent, which the other end is to see, too (RFC 9113 §8.5).
func wasReset(err error) bool {
	_, stream := errors.AsType[*flowError](err)
	return errors.Is(err, syscall.ECONNRESET) || stream
}

// copyUntil passes one direction on until that fails.
func (c *client) copyUntil(ctx context.Context, side flowpb.Side, dst io.Writer, src io.Reader, first []byte, r passRecord) error {
	buf := c.s.buffers.get()
	defer c.s.buffers.put(buf)
	if err := pass(ctx, side, dst, first, r); err != nil {
		return err
	}
	for {
		n, err := src.Read(*buf)
		if perr := pass(ctx, side, dst, (*buf)[:n], r); perr != nil {
			return perr
		}
		if err != nil {
			return err
		}
	}
}

// pass records p, then sends it.
func pass(ctx context.Context, side flowpb.Side, dst io.Writer, p []byte, r passRecord) error {
	if len(p) == 0 {
		return nil
	}
	p, err := r.add(ctx, side, p)
	if err == nil && len(p) > 0 {
		_, err = dst.Write(p)
	}
	return err
}

// sideFailure explains why the direction from side broke.
func sideFailure(side flowpb.Side, to route, err error) error {
	if f, ok := errors.AsType[*flowError](err); ok {
		return f
	}
	f := &flowError{code: flowpb.CodeClientGone, side: side, message: "the client", cause: err}
	if side == flowpb.SideResponse {
		f.code, f.message = flowpb.CodeServerGone, to.hostPort()
	}
	if isVanished(err) {
		f.code, f.message = flowpb.CodeTimeout, f.message+" "+vanished
		return f
	}
	f.message += " broke the connection off"
	return f
}
