package proxy

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"slices"

	flowpb "weir/proto"
	"weir/proxy/h1"
	"weir/proxy/h2"
)

// event acts on one thing that the peer said. An error is of the one who takes requests.
func (e *endpoint) event(ev *h2.Event) error {
	switch ev.Kind {
	case h2.Message, h2.Interim, h2.Data, h2.Trailers:
		return e.message(ev)
	case h2.Reset:
		if s := e.streams[ev.Stream]; s != nil {
			s.fail(e.resetBy(ev.Code))
		}
	case h2.StreamError:
		return e.streamError(ev)
	case h2.Discarded:
		e.owe(uint32(ev.Refund))
	case h2.GoAway:
		e.goAway(ev)
	case h2.Settings:
		e.settings(ev.Settings)
	case h2.Ping:
		e.out = e.state.AppendPing(e.out, ev.Data, true)
	case h2.WindowUpdate:
		e.wake(ev.Stream)
	}
	return nil
}

// wake calls those who wait for a window, on every stream where id is 0.
func (e *endpoint) wake(id uint32) {
	if s := e.streams[id]; s != nil {
		s.change.Broadcast()
	}
	for _, s := range e.streams {
		if id == 0 {
			s.change.Broadcast()
		}
	}
}

func (e *endpoint) settings(settings []h2.Setting) {
	if h := e.rec.Http2; !e.begun { // those that came first, and nobody reads them before
		e.begun = true
		for _, s := range settings {
			h.Settings = append(h.Settings, &flowpb.Setting{Id: uint32(s.ID), Value: s.Value})
		}
	}
	e.sockets = e.sockets || slices.Contains(settings, h2.Setting{ID: h2.SettingConnectProtocol, Value: 1})
	e.out = e.state.AppendSettingsAck(e.out)
	e.heard.Broadcast()
	e.wake(0)
}

// message hands a piece of a message to its stream.
func (e *endpoint) message(ev *h2.Event) error {
	s := e.streams[ev.Stream]
	switch {
	case s != nil:
		s.receive(ev)
	case ev.Kind == h2.Message && e.open != nil:
		return e.request(ev)
	default:
		e.owe(uint32(len(ev.Data) + ev.Refund))
	}
	return nil
}

// request begins the stream of a client's request.
func (e *endpoint) request(ev *h2.Event) error {
	s := newStreamConn(e, h1.Response)
	s.id, s.sent = ev.Stream, keepEvent(ev)
	if e.away {
		s.refused = tooLate()
		e.out = e.state.AppendReset(e.out, ev.Stream, h2.RefusedStream)
		return e.open(s)
	}
	s.writer.Absolute = e.proxying
	if ev.Head.Protocol != "" {
		s.writer.Key = newSocketKey()
	}
	s.receive(ev)
	s.reader.ForRequest(s.writer.Request())
	err := e.open(s)
	if err == nil {
		e.streams[s.id] = s
	}
	return err
}

// newSocketKey is the nonce of a WebSocket's handshake (RFC 6455 §4.1).
func newSocketKey() string {
	var nonce [16]byte
	_, _ = rand.Read(nonce[:]) // it never fails
	return base64.StdEncoding.EncodeToString(nonce[:])
}

// streamError ends a stream that the peer broke the rules on. A request that
// never became one is a flow all the same.
func (e *endpoint) streamError(ev *h2.Event) error {
	f := brokenRule(ev.Err)
	e.owe(uint32(ev.Refund))
	e.out = e.state.AppendReset(e.out, ev.Stream, ev.Err.Code)
	if s := e.streams[ev.Stream]; s != nil {
		s.fail(f)
		return nil
	}
	if e.open == nil || len(ev.Fields) == 0 || e.away {
		return nil
	}
	s := newStreamConn(e, h1.Response)
	s.id, s.sent, s.refused = ev.Stream, keepEvent(ev), f
	return e.open(s)
}

// goAway notes that the peer takes no more streams, and fails those that it never took.
func (e *endpoint) goAway(ev *h2.Event) {
	if e.open != nil {
		return // a client may say so and still wait for its answers
	}
	e.away = true
	for id, s := range e.streams {
		if id > ev.Last {
			s.fail(notTaken(e.over, ev.Code))
			continue
		}
		s.change.Broadcast()
	}
}

// tooLate is that a request came after its connection was told that nothing more
// is taken.
func tooLate() *flowError {
	return &flowError{
		code: flowpb.CodeStopped, side: flowpb.SideRequest, message: "the request came when the connection was going away",
		hint: "the client may send it again on a new connection",
	}
}

// notTaken is that a server goes away before it acted on a request.
func notTaken(server route, code h2.ErrCode) *flowError {
	return &flowError{
		code: flowpb.CodeServerGone, side: flowpb.SideResponse,
		message: fmt.Sprintf("%s did not take the request: it is going away (%s)", server.hostPort(), code),
		hint:    "the client may send it again on a new connection",
	}
}
