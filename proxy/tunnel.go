package proxy

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"

	flowpb "weir/proto"
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
	flow, stream := c.newStream()
	flow.ServerConn = up.rec.Id
	r := newStreamRecord(c.to, flow, stream)
	if c.passing != "" {
		r.split = unkept{}
	}
	err := r.open(ctx)
	if err == nil {
		err = c.pipe(ctx, up, spoken, r)
	}
	up.close(ctx, err)
	return err
}

// openStream connects to the tunnel's server for a TCP stream. A failure is
// recorded as a flow.
func (c *client) openStream(ctx context.Context) (*upstream, error) {
	up, err := c.s.connect(ctx, c.tunnel)
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
		flow.Meta = append(flow.Meta, &flowpb.Meta{Key: "passed through", Value: printable(c.passing)})
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

// pipe copies both directions until both are over, each read recorded before it
// is passed on. One direction may end long before the other.
func (c *client) pipe(ctx context.Context, up *upstream, spoken []byte, r *streamRecord) error {
	resume(c.raw)
	resume(up.raw)
	var other sync.WaitGroup
	other.Go(func() { // pipe waits for it
		first := c.in.unread()
		r.copy(ctx, flowpb.SideRequest, c, up, up.conn, c.conn, first)
	})
	r.copy(ctx, flowpb.SideResponse, c, up, c.conn, up.conn, spoken)
	other.Wait()
	return r.end(ctx)
}

// copy passes one direction on. When it fails both connections are closed, so
// that the other direction ends too.
func (r *streamRecord) copy(ctx context.Context, side flowpb.Side, c *client, up *upstream, dst, src net.Conn, first []byte) {
	buf := c.s.buffer()
	defer c.s.reclaim(buf)
	err := r.pass(ctx, side, dst, first)
	for err == nil {
		var n int
		if n, err = src.Read(*buf); n > 0 {
			if perr := r.pass(ctx, side, dst, (*buf)[:n]); perr != nil {
				err = perr
			}
		}
	}
	if isEndOfStream(err) {
		if closeWrite(dst) {
			return
		}
		err = io.EOF // this connection knows no half-close: both directions are over
	} else {
		err = sideFailure(side, up.route, err)
	}
	r.failed(err)
	_ = c.raw.Close()
	_ = up.raw.Close()
}

// pass records p, then sends it.
func (r *streamRecord) pass(ctx context.Context, side flowpb.Side, dst net.Conn, p []byte) error {
	if len(p) == 0 {
		return nil
	}
	if err := r.add(ctx, side, p); err != nil {
		return err
	}
	_, err := dst.Write(p)
	return err
}

// sideFailure explains why the direction from side broke.
func sideFailure(side flowpb.Side, to route, err error) error {
	if f, ok := errors.AsType[*flowError](err); ok {
		return f
	}
	if side == flowpb.SideRequest {
		return &flowError{code: flowpb.CodeClientGone, side: side, message: "the client broke the connection off", cause: err}
	}
	return &flowError{code: flowpb.CodeServerGone, side: side, message: to.hostPort() + " broke the connection off", cause: err}
}
