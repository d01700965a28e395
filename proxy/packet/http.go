package packet

import (
	"context"
	"slices"
	"strings"

	flowpb "weir/proto"
	"weir/proxy/h1"
)

// maxPending bounds the requests of one connection that wait for their response.
const maxPending = 1024

// http speaks HTTP/1, pipelined. The readers are the proxy's.
type http struct {
	c         *conversation
	readers   [2]*h1.Reader
	asking    *exchange   // whose request is being read
	answering *exchange   // whose final response is being read
	pending   []*exchange // without a whole response, oldest first
	lost      [2]bool     // a side that cannot be followed until a message begins again
	tunnels   bool        // HTTP/1 ends behind that response
	turns2    bool        // and HTTP/2 begins
	rest      *streamFlow // of what could not be followed
	inside    speaker     // after 101, or 2xx to CONNECT
}

func newHTTP(c *conversation) *http {
	return &http{c: c, readers: [2]*h1.Reader{
		h1.NewReader(h1.Request, c.a.opts.Limits), h1.NewReader(h1.Response, c.a.opts.Limits),
	}}
}

func (s *http) data(ctx context.Context, from flowpb.Side, p []byte, at int64) error {
	if s.inside != nil {
		return s.inside.data(ctx, from, p, at)
	}
	i := index(from)
	if s.lost[i] {
		if !s.resumes(from, p) {
			return s.leftover(ctx, from, p, at)
		}
		s.lost[i] = false
		s.readers[i] = h1.NewReader(roles[i], s.c.a.opts.Limits)
	}
	for {
		if from == flowpb.SideResponse && s.readers[1].Idle() && len(s.pending) > 0 {
			s.readers[1].ForRequest(s.pending[0].request.GetMethod())
		}
		n, ev, err := s.readers[i].Feed(p)
		if err != nil {
			return s.misread(ctx, from, p, at, err)
		}
		p = p[n:]
		if err := s.event(ctx, from, ev, at); err != nil {
			return err
		}
		switch {
		case s.inside != nil && len(p) > 0:
			return s.inside.data(ctx, from, p, at)
		case s.inside != nil || ev.Kind == h1.NeedMore || s.lost[i]:
			return nil
		}
	}
}

var roles = [2]h1.Role{h1.Request, h1.Response}

// resumes reports whether a message begins with p.
func (s *http) resumes(from flowpb.Side, p []byte) bool {
	if from == flowpb.SideRequest {
		return isRequest(p)
	}
	return len(p) > 8 && begins(p, "HTTP/1.")
}

// event takes one step of a message.
func (s *http) event(ctx context.Context, from flowpb.Side, ev h1.Event, at int64) error {
	switch ev.Kind {
	case h1.MessageHead:
		if from == flowpb.SideRequest {
			return s.asked(ctx, ev.Head, at)
		}
		return s.answered(ctx, ev.Head, at)
	case h1.Data:
		return s.speaking(from).data(ctx, from, ev.Data, at)
	case h1.ChunkExtension:
		s.speaking(from).extension(from, ev.Data)
	case h1.MessageEnd:
		return s.whole(ctx, from, ev.Trailer, at)
	}
	return nil
}

// speaking is the exchange whose body a side sends.
func (s *http) speaking(from flowpb.Side) *exchange {
	if from == flowpb.SideRequest {
		return s.asking
	}
	return s.answering
}

// remove takes an exchange out of those that wait for their response.
func (s *http) remove(x *exchange) {
	s.pending = slices.DeleteFunc(s.pending, func(p *exchange) bool { return p == x })
}

func (s *http) asked(ctx context.Context, head *h1.Head, at int64) error {
	if len(s.pending) >= maxPending { // nobody answers
		if err := s.drop(ctx, flowpb.CodeServerGone, "no response among those that follow", at); err != nil {
			return err
		}
	}
	x, err := newExchange(ctx, s.c, head, at)
	if err != nil {
		return err
	}
	s.asking = x
	s.pending = append(s.pending, x)
	return nil
}

func (s *http) answered(ctx context.Context, head *h1.Head, at int64) error {
	if len(s.pending) == 0 { // its request was not captured
		x, err := newExchange(ctx, s.c, nil, at)
		if err != nil {
			return err
		}
		s.pending = append(s.pending, x)
	}
	x := s.pending[0]
	if head.Informational() {
		x.informational(at, func(p *flowpb.Response) { fill(p, head) })
		return nil
	}
	s.answering, s.tunnels = x, head.Framing == h1.FramingTunnel
	if s.turns2 = head.Status == 101 && upgradesTo(head, "h2c"); s.turns2 { // the final response comes in HTTP/2
		x.informational(at, func(p *flowpb.Response) { fill(p, head) })
		return nil
	}
	x.answer(at, func(p *flowpb.Response) { fill(p, head) })
	x.open(&x.response.Body, 1, head)
	return nil
}

// upgradesTo reports whether a 101 is for that protocol.
func upgradesTo(head *h1.Head, protocol string) bool {
	return slices.ContainsFunc(head.Fields, func(f h1.Field) bool {
		return strings.EqualFold(string(f.Name), "upgrade") && strings.EqualFold(string(f.Value), protocol)
	})
}

// whole takes the end of a message.
func (s *http) whole(ctx context.Context, from flowpb.Side, trailer []h1.Field, at int64) error {
	x := s.speaking(from)
	if x != nil {
		x.odd(from, s.readers[index(from)].Oddities())
	}
	if from == flowpb.SideRequest {
		s.asking = nil
		return x.asked(ctx, copied(trailer), at)
	}
	if x == nil { // a 1xx
		return nil
	}
	s.answering = nil
	s.remove(x)
	if s.tunnels {
		return s.tunnel(ctx, x, at)
	}
	return x.answered(ctx, copied(trailer), at)
}

// tunnel goes on with what is inside the connection from now on.
func (s *http) tunnel(ctx context.Context, x *exchange, at int64) error {
	if s.turns2 {
		next := newHTTP2(s.c, false)
		next.adopt(x)
		s.inside = next
		return x.save(ctx)
	}
	if string(x.request.GetMethod()) != "CONNECT" {
		s.inside = x.upgrade(flowpb.Get(x.response.GetHeaders(), "upgrade")...)
		return nil
	}
	if target, err := h1.ParseTarget(x.request.GetMethod(), x.request.GetTarget()); err == nil {
		s.c.aim(string(target.Host), target.Port)
	}
	s.c.secure = false // what is inside the tunnel may be in clear
	s.inside = &detector{c: s.c, tunnel: true}
	return x.answered(ctx, nil, at)
}

// misread gives up a side from p on, until a message begins again.
func (s *http) misread(ctx context.Context, from flowpb.Side, p []byte, at int64, cause error) error {
	i := index(from)
	s.lost[i] = true
	if x := s.broken(from); x != nil {
		x.unreadable(s.readers[i].Partial(), from)
		if err := x.fail(ctx, flowpb.CodeProtocol, from, cause.Error(), at); err != nil {
			return err
		}
	} else if from == flowpb.SideRequest {
		if err := s.tornByEnd(ctx, flowpb.CodeProtocol, cause.Error(), at); err != nil {
			return err
		}
	}
	return s.leftover(ctx, from, p, at)
}

// broken takes the exchange out whose message from a side cannot be read on.
func (s *http) broken(from flowpb.Side) *exchange {
	x := s.asking
	if from == flowpb.SideResponse {
		if x = s.answering; x == nil && len(s.pending) > 0 && !s.readers[1].Idle() {
			x = s.pending[0] // in the head of its response
		}
	}
	s.forget(x)
	return x
}

// forget leaves an exchange for good. A side that still speaks of it is lost.
func (s *http) forget(x *exchange) {
	if x == nil {
		return
	}
	s.remove(x)
	if s.asking == x {
		s.asking, s.lost[0] = nil, true
	}
	if s.answering == x {
		s.answering, s.lost[1] = nil, true
	}
}

// leftover records what cannot be followed.
func (s *http) leftover(ctx context.Context, from flowpb.Side, p []byte, at int64) error {
	if s.rest == nil {
		s.rest = &streamFlow{c: s.c}
	}
	return s.rest.data(ctx, from, p, at)
}

// maxFill bounds the zeros for one gap in a body, and fillStep those that are made
// at once, in bytes.
const (
	maxFill  = 64 << 20
	fillStep = 32 << 10
)

func (s *http) gap(ctx context.Context, from flowpb.Side, n, at int64) error {
	if s.inside != nil {
		return s.inside.gap(ctx, from, n, at)
	}
	i := index(from)
	if s.lost[i] {
		if s.rest == nil {
			s.rest = &streamFlow{c: s.c}
		}
		return s.rest.gap(ctx, from, n, at)
	}
	if s.readers[i].InHead() || n > maxFill || n == 0 {
		return s.hole(ctx, from, n, at)
	}
	s.speaking(from).gap(from, n)
	zeros := make([]byte, min(n, fillStep)) // they stand for what was not captured
	for n > 0 && !s.lost[i] && s.inside == nil {
		k := min(n, int64(len(zeros)))
		n -= k
		if err := s.data(ctx, from, zeros[:k], at); err != nil {
			return err
		}
	}
	return nil
}

// hole is a gap that a message cannot be followed across.
func (s *http) hole(ctx context.Context, from flowpb.Side, n, at int64) error {
	i := index(from)
	s.lost[i] = true
	if s.readers[i].Idle() {
		return nil // between two messages: what is missing may be some of them
	}
	x := s.broken(from)
	if x == nil {
		if from == flowpb.SideRequest {
			return s.tornByHole(ctx, n, at)
		}
		return nil
	}
	x.unreadable(s.readers[i].Partial(), from)
	x.gap(from, n)
	return x.fail(ctx, flowpb.CodeProtocol, from, "bytes of it were not captured", at)
}

func (s *http) end(ctx context.Context, from flowpb.Side, at int64) error {
	if s.inside != nil {
		return s.inside.end(ctx, from, at)
	}
	i := index(from)
	if s.lost[i] {
		return nil
	}
	ev, err := s.readers[i].End()
	if err != nil {
		why := "the connection ended inside the " + roles[i].String()
		x := s.broken(from)
		if x == nil && from == flowpb.SideRequest {
			s.lost[i] = true
			return s.tornByEnd(ctx, gone(from), why, at)
		}
		if x != nil {
			x.unreadable(s.readers[i].Partial(), from)
			return x.fail(ctx, gone(from), from, why, at)
		}
		return nil
	}
	return s.event(ctx, from, ev, at)
}

// drop ends the oldest exchange, to which no response will come.
func (s *http) drop(ctx context.Context, code flowpb.ErrorCode, why string, at int64) error {
	x := s.pending[0]
	s.forget(x)
	return x.fail(ctx, code, flowpb.SideResponse, why, at)
}

// endings say why a response is not there.
var endings = [...]string{
	cut: "the capture ends before the response does", closed: "the connection was closed without a response",
	reset: "the connection was reset", mistaken: "weir made a mistake and could not read on",
}

// halves say why the head of a request is not whole.
var halves = [...]string{
	cut: "the capture ends inside the request", closed: "the connection ended inside the request", reset: "the connection was reset",
	mistaken: "weir made a mistake and could not read on",
}

func (s *http) close(ctx context.Context, why ending, at int64) error {
	reason := endings[why]
	if s.inside == nil && !s.lost[0] {
		if err := s.tornByEnd(ctx, flowpb.CodeClientGone, halves[why], at); err != nil {
			return err
		}
	}
	if x := s.asking; x != nil && x.done[1] { // answered before it was whole
		if err := x.finish(ctx); err != nil {
			return err
		}
	}
	for len(s.pending) > 0 {
		if err := s.drop(ctx, why.code(), reason, at); err != nil {
			return err
		}
	}
	if s.inside != nil {
		if err := s.inside.close(ctx, why, at); err != nil {
			return err
		}
	}
	if s.rest != nil {
		return s.rest.close(ctx, why, at)
	}
	return nil
}

func gone(from flowpb.Side) flowpb.ErrorCode {
	if from == flowpb.SideRequest {
		return flowpb.CodeClientGone
	}
	return flowpb.CodeServerGone
}
