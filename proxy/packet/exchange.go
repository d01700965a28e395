package packet

import (
	"bytes"
	"context"

	flowpb "weir/proto"
	"weir/proxy/h1"
	"weir/proxy/record"
)

// Bounds of what one flow gathers in its head beyond its fields.
const (
	maxExtensions    = 1024
	maxInformational = 100
)

// exchange is one request and its response, the flow of them in the making. Unlike
// the proxy's it outlives the heads that it is made of, since the next request may be
// read before this one is answered; so it has copies.
type exchange struct {
	c        *conversation
	flow     flowpb.Flow
	http     flowpb.Http
	request  flowpb.Request
	response flowpb.Response
	bodies   [2]flowpb.Body
	events   *record.Events // of the response; nil where it is none
	done     [2]bool
}

// newExchange records the request; head is nil where that was not captured.
func newExchange(ctx context.Context, c *conversation, head *h1.Head, at int64) (*exchange, error) {
	x := beginExchange(c, at)
	if head != nil {
		x.ask(head, at)
	} else {
		x.unasked()
	}
	return x, x.record(ctx)
}

func beginExchange(c *conversation, at int64) *exchange {
	x := &exchange{c: c}
	x.flow.Protocol = &flowpb.Flow_Http{Http: &x.http}
	x.flow.CreatedNs, x.flow.State = at, flowpb.StateRequest
	c.dispute(&x.flow)
	return x
}

// unasked notes that the request was not captured.
func (x *exchange) unasked() {
	x.done[0] = true
	addGap(&x.flow, flowpb.SideRequest, 0, 0)
}

// record begins the flow.
func (x *exchange) record(ctx context.Context) error {
	if err := x.c.identify(ctx, &x.flow); err != nil {
		return err
	}
	return x.save(ctx)
}

func (x *exchange) save(ctx context.Context) error { return x.c.a.tell(ctx, &x.flow) }

func (x *exchange) ask(head *h1.Head, at int64) {
	k := keep(head)
	q := &x.request
	x.http.Request = q
	q.Method, q.Target, q.Version, q.StartLine = k.method, k.target, k.version, k.start
	q.Headers, q.StartedNs = k.fields, at
	q.Scheme = []byte(x.c.scheme())
	to := x.c.to()
	q.Host, q.Port = to.GetHost(), to.GetPort()
	q.Path = q.Target
	if hosts := flowpb.Get(q.Headers, "host"); len(hosts) > 0 {
		q.Authority = hosts[0]
	}
	if target, err := h1.ParseTarget(head.Method, head.Target); err == nil {
		switch target.Form {
		case h1.AbsoluteForm:
			q.Path, q.Authority = h1.OriginTarget(head, target), bytes.Clone(target.Authority)
		case h1.AuthorityForm:
			q.Path, q.Authority = nil, bytes.Clone(target.Authority)
		}
	}
	x.open(&q.Body, 0, head)
}

func (x *exchange) open(to **flowpb.Body, half int, head *h1.Head) {
	if head.Framing != h1.FramingNone && head.Framing != h1.FramingTunnel {
		x.openBody(to, half)
		(*to).Chunked = head.Framing == h1.FramingChunked
	}
}

func (x *exchange) openBody(to **flowpb.Body, half int) {
	x.bodies[half].State = flowpb.BodyStreaming
	*to = &x.bodies[half]
}

func (x *exchange) data(ctx context.Context, side flowpb.Side, p []byte, at int64) error {
	x.bodies[index(side)].Size += uint64(len(p))
	x.c.dispute(&x.flow)
	x.c.a.changed(&x.flow)
	err := x.c.a.sink.Body(ctx, x.flow.GetId(), side, p)
	if err != nil || x.events == nil || side != flowpb.SideResponse {
		return err
	}
	return x.events.Take(p, x.emit(ctx, at))
}

// emit returns what records a message of the flow that passed at that time.
func (x *exchange) emit(ctx context.Context, at int64) func(*flowpb.Message) error {
	return func(m *flowpb.Message) error {
		m.Flow, m.AtNs = x.flow.GetId(), at
		return x.c.a.sink.Message(ctx, m)
	}
}

// endEvents records the event that the end of the response cuts off.
func (x *exchange) endEvents(ctx context.Context, at int64) error {
	e := x.events
	if x.events = nil; e == nil {
		return nil
	}
	err := e.End(x.done[1], x.emit(ctx, at))
	if wrong := e.Wrong(); wrong != "" {
		x.flow.Meta = append(x.flow.Meta, &flowpb.Meta{Key: "events", Value: wrong})
	}
	return err
}

func (x *exchange) extension(side flowpb.Side, ext []byte) {
	b := &x.bodies[index(side)]
	if len(b.ChunkExtensions) < maxExtensions {
		b.ChunkExtensions = append(b.ChunkExtensions, &flowpb.ChunkExtension{Offset: b.Size, Extension: bytes.Clone(ext)})
	}
}

// gap notes that zeros stand for the next n bytes of a body.
func (x *exchange) gap(side flowpb.Side, n int64) {
	addGap(&x.flow, side, x.bodies[index(side)].GetSize(), n)
}

// odd flags the flow with what is odd about one of its messages, as the proxy does.
func (x *exchange) odd(side flowpb.Side, what h1.Oddity) {
	if what == 0 {
		return
	}
	key := "odd request"
	if side == flowpb.SideResponse {
		key = "odd response"
	}
	x.flow.Meta = append(x.flow.Meta, &flowpb.Meta{Key: key, Value: what.String()})
}

// asked notes that the request is whole.
func (x *exchange) asked(ctx context.Context, trailers []*flowpb.Field, at int64) error {
	x.request.Trailers, x.request.EndedNs = trailers, at
	x.bodies[0].State = flowpb.BodyComplete
	x.done[0] = true
	if x.flow.State == flowpb.StateRequest {
		x.flow.State = flowpb.StateWaiting
	}
	x.c.a.changed(&x.flow)
	return x.settle(ctx)
}

// informational takes the head of a 1xx response, which write puts down.
func (x *exchange) informational(at int64, write func(*flowpb.Response)) {
	if len(x.http.Informational) < maxInformational {
		p := &flowpb.Response{StartedNs: at, EndedNs: at}
		write(p)
		x.http.Informational = append(x.http.Informational, p)
	}
}

// answer takes the head of the final response, which write puts down.
func (x *exchange) answer(at int64, write func(*flowpb.Response)) {
	x.http.Response = &x.response
	x.response.StartedNs = at
	x.c.dispute(&x.flow)
	write(&x.response)
	x.events = record.NewEvents(x.response.Headers)
	x.flow.State = flowpb.StateResponse
	x.c.a.changed(&x.flow)
}

// answered notes that the response is whole.
func (x *exchange) answered(ctx context.Context, trailers []*flowpb.Field, at int64) error {
	x.response.Trailers, x.response.EndedNs = trailers, at
	x.bodies[1].State = flowpb.BodyComplete
	x.done[1] = true
	if err := x.endEvents(ctx, at); err != nil {
		return err
	}
	return x.settle(ctx)
}

// settle records the flow once both halves are whole.
func (x *exchange) settle(ctx context.Context) error {
	if !x.done[0] || !x.done[1] {
		return nil
	}
	x.flow.State = flowpb.StateComplete
	return x.save(ctx)
}

// unreadable keeps what is known of a head that cannot be read.
func (x *exchange) unreadable(head *h1.Head, from flowpb.Side) {
	if head == nil || from == flowpb.SideRequest || x.http.Response != nil || head.Status == 0 {
		return
	}
	x.http.Response = &x.response
	fill(&x.response, head)
}

// fail ends the flow where something is wrong with it. A response that ended all
// the same is enough for it to be complete.
func (x *exchange) fail(ctx context.Context, code flowpb.ErrorCode, side flowpb.Side, message string, at int64) error {
	if x.flow.State == flowpb.StateComplete || x.flow.State == flowpb.StateError {
		return nil
	}
	if x.done[1] {
		return x.finish(ctx) // the rest of a request that was answered already
	}
	x.cutBodies()
	if err := x.endEvents(ctx, at); err != nil {
		return err
	}
	x.flow.State = flowpb.StateError
	x.flow.Error = &flowpb.Error{Code: code, Message: message, AtNs: at, Side: side}
	return x.save(ctx)
}

// finish completes a flow whose request is not whole but was answered.
func (x *exchange) finish(ctx context.Context) error {
	x.cutBodies()
	x.flow.State = flowpb.StateComplete
	return x.save(ctx)
}

func (x *exchange) cutBodies() {
	for i := range x.bodies {
		if x.bodies[i].State == flowpb.BodyStreaming {
			x.bodies[i].State = flowpb.BodyCut
		}
	}
}
