package proxy

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	flowpb "weir/proto"
	"weir/proxy/h2"
	"weir/proxy/translate"
)

// endpoint is an HTTP/2 connection that ends here, because the other side of its
// exchanges speaks HTTP/1: settings, pings and windows are answered by us. Its
// streams are seen as connections of HTTP/1, see streamConn.
//
// One goroutine reads it. Those of the streams write, and are held back by the
// windows of the peer and by the connection itself. What the peer may send unread
// is bounded by the windows that it is given.
type endpoint struct {
	*h2end
	s        *Server
	over     route                   // to the server, where the peer is one
	proxying bool                    // the client names the server in each request
	open     func(*streamConn) error // takes a request of a client, which has begun; nil towards a server

	mu      sync.Mutex
	heard   *sync.Cond // on mu: the first settings came, or the end
	sockets bool       // a server takes WebSocket (RFC 8441)
	streams map[uint32]*streamConn
	next    uint32 // the next stream to open towards a server
	credit  uint32 // bytes taken of the connection's window and not given back yet
	active  time.Time
	calmed  time.Time // see h2.Conn.Calm
	away    bool      // no more streams: GOAWAY was sent or came
	err     error     // why it is over
	lone    bool      // there was no stream to be told of that
}

// What the peer of an endpoint may send unread, in bytes, and how many requests
// it may have open.
const (
	endpointWindow  = 1 << 20
	streamWindow    = 256 << 10
	creditAt        = 32 << 10 // windows are opened in steps of this
	endpointStreams = 100
)

// endpointSettings are what the peer is told.
func endpointSettings(peer h2.Role) []h2.Setting {
	if peer == h2.Server {
		return []h2.Setting{{ID: h2.SettingEnablePush}, {ID: h2.SettingInitialWindowSize, Value: streamWindow}}
	}
	return []h2.Setting{
		{ID: h2.SettingMaxStreams, Value: endpointStreams},
		{ID: h2.SettingInitialWindowSize, Value: streamWindow},
		{ID: h2.SettingConnectProtocol, Value: 1},
	}
}

func newEndpoint(s *Server, end *h2end) *endpoint {
	const unasked = 65535 // RFC 9113 §6.9.2
	e := &endpoint{h2end: end, s: s, streams: make(map[uint32]*streamConn), next: 1, active: time.Now()}
	e.calmed = e.active
	e.heard = sync.NewCond(&e.mu)
	end.rec.Http2 = &flowpb.Http2{}
	peer := h2.Client
	if end.side == flowpb.SideResponse {
		peer = h2.Server
		e.out = e.state.AppendPreface(nil)
	}
	e.out = e.state.AppendSettings(e.out, endpointSettings(peer))
	e.out = e.state.AppendWindowUpdate(e.out, 0, endpointWindow-unasked)
	return e
}

// read takes what comes until that fails, and ends every stream with the reason.
// first was read already.
func (e *endpoint) read(first []byte) error {
	err := e.s.guard(func() error { return e.readUntil(first) })
	e.finish(err)
	return err
}

// readUntil takes what comes until that fails.
func (e *endpoint) readUntil(first []byte) error {
	in := newInbox(&e.s.buffers)
	defer in.release()
	err := e.take(first)
	for err == nil {
		if err = e.await(); err != nil {
			break
		}
		e.rest(&in)
		n, rerr := in.fill(e.conn)
		if err = e.take(in.unread()); err == nil && !isTimeout(rerr) {
			err = rerr
		}
		in.advance(n)
	}
	return err
}

// rest gives a large buffer back while nothing is open on the connection.
func (e *endpoint) rest(in *inbox) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.idle() {
		in.rest()
	}
}

// await sets how long the next read may take. The streams have limits of their own.
func (e *endpoint) await() error {
	t := e.s.opts.Timeouts
	e.mu.Lock()
	defer e.mu.Unlock()
	late, patience := errIdle, t.KeepAlive
	switch {
	case e.away && len(e.streams) == 0:
		return errIdle
	case e.state.InHead():
		late, patience = context.DeadlineExceeded, t.Head
	case len(e.streams) > 0 || e.side == flowpb.SideResponse:
		patience = -1
	}
	if patience < 0 {
		resume(e.raw)
		return nil
	}
	until := e.active.Add(patience)
	if !time.Now().Before(until) {
		return late
	}
	_ = e.raw.SetReadDeadline(until)
	return nil
}

// take acts on what the peer said, and answers.
func (e *endpoint) take(p []byte) error {
	err := e.feed(p)
	return errors.Join(err, e.flush(&e.mu))
}

func (e *endpoint) feed(p []byte) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(p) == 0 {
		return nil
	}
	e.active = time.Now()
	if e.active.Sub(e.calmed) > calmPeriod {
		e.calmed = e.active
		e.state.Calm()
	}
	for len(p) > 0 {
		n, ev, err := e.state.Feed(p)
		if err != nil {
			return err
		}
		p = p[n:]
		if err := e.event(&ev); err != nil {
			return err
		}
	}
	return nil
}

// owe gives the peer back what it used of the connection's window.
func (e *endpoint) owe(n uint32) {
	if e.credit += n; e.credit >= creditAt {
		e.out = e.state.AppendWindowUpdate(e.out, 0, e.credit)
		e.credit = 0
	}
}

// resetBy explains that the peer reset a stream.
func (e *endpoint) resetBy(code h2.ErrCode) *flowError {
	return streamReset(e.side, e.over, code)
}

// finish ends every stream after the reading failed with err, and says goodbye.
func (e *endpoint) finish(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	code, debug := h2.NoError, ""
	if rule, broken := errors.AsType[*h2.Error](err); broken {
		code, debug = rule.Code, rule.Reason
		err = brokenRule(rule)
	}
	e.err, e.lone = err, len(e.streams) == 0
	e.sayGoodbye(code, debug)
	e.heard.Broadcast()
	for _, s := range e.streams {
		s.fail(e.endOf(err))
	}
}

// sayGoodbye appends GOAWAY, unless the peer heard it and there is nothing to add.
func (e *endpoint) sayGoodbye(code h2.ErrCode, debug string) {
	if e.gone && code == h2.NoError {
		return
	}
	e.gone, e.away = true, true
	if e.open != nil && e.last == 0 {
		e.last = e.state.Last()
	}
	e.out = e.state.AppendGoAway(e.out, e.last, code, []byte(debug))
}

// leave implements leaver.
func (e *endpoint) leave() {
	e.mu.Lock()
	if e.err == nil {
		e.sayGoodbye(h2.NoError, "")
	}
	e.mu.Unlock()
	_ = e.flush(&e.mu) // one that is gone hears nothing
	interrupt(e.raw)   // it sees whether anything is open
}

// takesSockets reports whether a server takes WebSocket, as soon as its settings tell.
// The caller holds mu.
func (e *endpoint) takesSockets() bool {
	var late due
	late.set(deadline(e.s.opts.Timeouts.Handshake), e.heard)
	defer late.stop()
	for !e.begun && e.err == nil && !late.passed() {
		e.heard.Wait()
	}
	return e.sockets
}

// newWriter returns what makes HTTP/1 of the peer's messages.
func newWriter() translate.Writer { return translate.Writer{Reason: http.StatusText} }

// endOf is what a stream is told of the end of its connection. A client that
// closed it has left for good, unlike one of HTTP/1, which may wait for its answer.
func (e *endpoint) endOf(err error) error {
	switch {
	case err != nil && !errors.Is(err, errIdle) && !isEndOfStream(err):
		return err
	case e.side == flowpb.SideResponse:
		return io.EOF
	}
	return &flowError{code: flowpb.CodeClientGone, side: flowpb.SideRequest, message: "the client left before the exchange was over"}
}
