package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"

	flowpb "weir/proto"
	"weir/proxy/contain"
)

// pair is one client and one server.
type pair struct {
	d      *datagrams
	from   net.Addr // the client
	to     recorder
	route  route
	answer func([]byte) error
	in     chan []byte // from the client

	refused bool   // it is QUIC
	refusal []byte // what the client is told then

	client, server flowpb.Conn
	conn           net.Conn
	rec            passRecord
	dns            *dnsRecord // rec, where it is DNS

	mu   sync.Mutex
	last time.Time // when something passed
}

func (d *datagrams) newPair(client net.Addr, to route, answer func([]byte) error) *pair {
	q := &pair{d: d, from: client, to: recorder{d.s.opts.Sink}, route: to, answer: answer, in: make(chan []byte, maxQueued)}
	q.client.Side, q.client.Transport, q.client.Mode = flowpb.SideRequest, flowpb.TransportUDP, d.s.opts.Mode.String()
	q.client.Peer, q.client.Local = addressOf(client), addressOf(d.local)
	q.server.Side, q.server.Transport = flowpb.SideResponse, flowpb.TransportUDP
	q.server.Target = &flowpb.Address{Host: []byte(to.host), Port: uint32(to.port)}
	q.last = time.Now()
	q.client.StartedNs = q.last.UnixNano()
	return q
}

// run carries datagrams until the pair has nothing more to say.
func (q *pair) run(ctx context.Context, key pairKey) {
	s := q.d.s
	err := s.guard(func() error { return q.open(ctx) })
	if err == nil {
		err = s.guard(func() error { return q.carry(ctx, key) })
	}
	q.d.leave(key, q, true)
	q.close(ctx, err)
}

// open connects to the server and begins to record.
func (q *pair) open(ctx context.Context) error {
	if err := q.to.conn(ctx, &q.client); err != nil {
		return err
	}
	conn, err := q.connect(ctx)
	if err != nil {
		q.server.EndedNs, q.server.Error = nowNs(), asFailure(err).record()
	} else {
		q.conn = conn
		q.server.ConnectedNs = nowNs()
		q.server.Peer, q.server.Local = addressOf(conn.RemoteAddr()), addressOf(conn.LocalAddr())
	}
	if rerr := q.to.conn(ctx, &q.server); rerr != nil {
		return rerr
	}
	if rerr := q.begin(ctx); rerr != nil {
		return rerr
	}
	for err != nil && len(q.in) > 0 { // what could not be sent is what the flow is about
		if _, rerr := q.rec.add(ctx, flowpb.SideRequest, <-q.in); rerr != nil {
			return rerr
		}
	}
	return err
}

// connect opens the socket to the server, unless what the client wants there is
// refused.
func (q *pair) connect(ctx context.Context) (net.Conn, error) {
	q.server.StartedNs = nowNs()
	if q.refused {
		if q.refusal != nil {
			_ = q.answer(q.refusal) // the client may have left
		}
		return nil, errHTTP3(q.route)
	}
	conn, err := q.d.s.dial(ctx, "udp", q.route, &q.server)
	if err != nil {
		return nil, dialFailure(q.route, err)
	}
	return conn, nil
}

// begin makes the record.
func (q *pair) begin(ctx context.Context) error {
	if q.route.scheme == "dns" || q.route.port == dnsPort {
		q.dns = &dnsRecord{to: q.to, server: q.route.hostPort(), identify: q.identify, withoutHTTPS: q.d.s.opts.StripAltSvc}
		q.rec = q.dns
		if r := q.d.s.resolver; r != nil {
			q.askInTurn(ctx, r)
		}
		return nil
	}
	flow, stream := q.newStream()
	r := newStreamRecord(q.to, flow, stream)
	q.rec = r
	return r.open(ctx)
}

// newStream returns a UDP flow of the pair.
func (q *pair) newStream() (*flowpb.Flow, *flowpb.Stream) {
	stream := &flowpb.Stream{}
	flow := &flowpb.Flow{CreatedNs: nowNs(), Protocol: &flowpb.Flow_Udp{Udp: stream}}
	q.identify(flow)
	return flow, stream
}

// recordFailure records that the pair ended with f, where it has no other flow for that.
func (q *pair) recordFailure(ctx context.Context, f *flowError) {
	flow, stream := q.newStream()
	stream.EndedNs = nowNs()
	flow.State, flow.Error = flowpb.StateError, f.record()
	if err := q.to.flow(ctx, flow); err != nil {
		q.d.s.opts.Notify(Notice{Text: err.Error()})
	}
}

func (q *pair) identify(f *flowpb.Flow) {
	f.ClientConn, f.ServerConn = q.client.Id, q.server.Id
	f.Client = fmt.Appendf(nil, "%s", net.JoinHostPort(string(q.client.Peer.Host), fmt.Sprint(q.client.Peer.Port)))
	f.Server = []byte(q.route.hostPort())
}

// carry passes datagrams both ways until the pair is idle.
func (q *pair) carry(ctx context.Context, key pairKey) error {
	s, received := q.d.s, make(chan error, 1)
	var other sync.WaitGroup
	contain.Go(&other, func() { received <- s.guard(func() error { return q.receive(ctx) }) }, s.mistaken)
	err := s.guard(func() error { return q.forward(ctx, key, received) })
	_ = q.conn.Close()
	other.Wait()
	if rerr := <-received; err == nil && !errors.Is(rerr, net.ErrClosed) {
		err = rerr
	}
	return err
}

// forward passes on what the client sends. It ends when the pair is idle, or
// when receive, which tells received, does.
func (q *pair) forward(ctx context.Context, key pairKey, received chan error) error {
	idle := time.NewTimer(q.patience())
	defer idle.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-q.d.over:
			return ctx.Err()
		case err := <-received:
			received <- err
			return nil
		case p := <-q.in:
			q.touch()
			p, err := q.rec.add(ctx, flowpb.SideRequest, p)
			if err != nil {
				return err
			}
			if _, err := q.conn.Write(p); err != nil && !errors.Is(err, syscall.EMSGSIZE) {
				return q.failure(err)
			}
			if q.dns != nil { // a question waits for less long than the pair may be silent
				idle.Reset(q.patience())
			}
		case <-idle.C:
			left := q.patience()
			if left <= 0 && q.d.leave(key, q, false) {
				return nil
			}
			idle.Reset(max(left, time.Millisecond))
		}
	}
}

// receive passes on what the server sends.
func (q *pair) receive(ctx context.Context) error {
	buf := make([]byte, maxDatagram)
	for {
		n, err := q.conn.Read(buf)
		if err != nil {
			return q.failure(err)
		}
		q.touch()
		out, err := q.rec.add(ctx, flowpb.SideResponse, buf[:n])
		if err != nil {
			return err
		}
		if err := q.answer(out); err != nil {
			return clientFailure(err)
		}
	}
}

func (q *pair) touch() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.last = time.Now()
}

// patience is how long the pair may stay silent from now on.
func (q *pair) patience() time.Duration {
	t := q.d.s.opts.Timeouts.Datagrams
	switch {
	case q.dns != nil && q.dns.waiting():
		t = q.dns.longest()
	case q.dns != nil:
		t = dnsLinger
	case t < 0:
		t = time.Hour // UDP has no end that could be seen
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return t - time.Since(q.last)
}

// failure explains an error of the socket to the server.
func (q *pair) failure(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return err
	}
	f := &flowError{code: flowpb.CodeServerGone, side: flowpb.SideResponse, cause: err}
	f.message = fmt.Sprintf("datagrams to %s: %v", q.route.hostPort(), err)
	if errors.Is(err, syscall.ECONNREFUSED) {
		f.code, f.message, f.hint = flowpb.CodeConnect, q.route.hostPort()+" takes no datagrams", "is the server running, and on this port?"
	}
	return f
}

// close records the end of the pair. Where we are asked as the resolver a
// client is not left to wait for what will not come.
func (q *pair) close(ctx context.Context, err error) {
	if q.conn != nil {
		_ = q.conn.Close() // no other word for it, unless carry had it
	}
	if q.rec != nil {
		if err != nil {
			q.rec.failed(err)
		}
		if err != nil && ctx.Err() == nil && q.dns != nil && q.dns.onFailure == nil && q.route.scheme == "dns" {
			q.giveUp(ctx)
		}
		if rerr := q.d.s.endRecord(ctx, q.rec); rerr != nil {
			err = rerr
		}
	}
	if isMistake(err) && (q.rec == nil || q.dns != nil) { // which may have been about no question
		q.recordFailure(ctx, asFailure(err))
	}
	q.client.EndedNs, q.server.EndedNs = nowNs(), nowNs()
	if f := asFailure(stopFailure(ctx, err)); f != nil && q.server.Error == nil && f.side == flowpb.SideResponse {
		q.server.Error = f.record()
	}
	for _, c := range []*flowpb.Conn{&q.client, &q.server} {
		if c.Id == 0 {
			continue
		}
		if err := q.to.conn(ctx, c); err != nil {
			q.d.s.opts.Notify(Notice{Text: err.Error()})
		}
	}
}
