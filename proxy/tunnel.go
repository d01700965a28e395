package proxy

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	flowpb "weir/proto"
)

// streamRecord is the flow of bytes that no parser knows: a TCP stream, or what
// follows an upgrade. Two goroutines add to it, one a direction.
type streamRecord struct {
	to      recorder
	flow    *flowpb.Flow
	client  *uint64 // bytes from the client
	server  *uint64 // bytes from the server
	count   *uint64 // messages; nil where the flow does not count them
	endedNs *int64

	mu    sync.Mutex
	saved time.Time
	err   error // the first that ended a direction
}

// open records the flow as open.
func (r *streamRecord) open(ctx context.Context) error {
	r.flow.State = flowpb.StateOpen
	r.saved = time.Now()
	return r.to.flow(ctx, r.flow)
}

// message records p, and about every second the counts beside it.
func (r *streamRecord) message(ctx context.Context, side flowpb.Side, p []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.client
	if side == flowpb.SideResponse {
		n = r.server
	}
	*n += uint64(len(p))
	if r.count != nil {
		*r.count++
	}
	now := time.Now()
	m := &flowpb.Message{Flow: r.flow.Id, Side: side, Type: flowpb.MessageData, AtNs: now.UnixNano(), Content: p}
	if err := r.to.message(ctx, m); err != nil {
		return err
	}
	if now.Sub(r.saved) < time.Second {
		return nil
	}
	r.saved = now
	return r.to.flow(ctx, r.flow)
}

// failed notes why a direction ended, if it is the first.
func (r *streamRecord) failed(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = err
	}
}

// end records the flow as over and returns the error it ended with.
func (r *streamRecord) end(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.flow.State = flowpb.StateComplete
	*r.endedNs = nowNs()
	err := stopFailure(ctx, r.err)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	if err != nil {
		r.flow.State, r.flow.Error = flowpb.StateError, asFailure(err).record()
	}
	if rerr := r.to.flow(ctx, r.flow); rerr != nil {
		return rerr
	}
	return err
}

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
	r := &streamRecord{
		to: c.to, flow: flow, endedNs: &stream.EndedNs,
		client: &stream.ClientBytes, server: &stream.ServerBytes, count: &stream.Messages,
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
	if err := r.message(ctx, side, p); err != nil {
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

// upgrade passes the connection on as raw bytes once the server switched
// protocols, each read recorded as a message.
func (x *exchange) upgrade(ctx context.Context) error {
	protocol, _ := x.response.Get("Upgrade")
	u := &flowpb.Upgrade{Protocol: protocol}
	x.rec.http.Upgrade = u
	r := &streamRecord{
		to: x.rec.to, flow: &x.rec.flow,
		client: &u.ClientBytes, server: &u.ServerBytes, endedNs: &u.EndedNs,
	}
	x.rec.response.EndedNs = nowNs()
	err := r.open(ctx)
	if err == nil {
		err = x.c.pipe(ctx, x.up, x.leftover, r)
	}
	x.c.drop(ctx, x.up, err)
	return err
}
