package proxy

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	flowpb "weir/proto"
	"weir/proxy/contain"
	"weir/proxy/h1"
	"weir/proxy/record"
)

// exchange is one request and its response on the way through.
//
// The goroutine of the client connection sends the request as far as it has
// arrived, then reads the response and passes it on. Where the request goes on,
// or the server is silent for a while, a second goroutine (pump) reads from the
// client meanwhile, so that both directions stream at once and a client that
// breaks off is noticed.
type exchange struct {
	c      *client
	head   *h1.Head
	target h1.Target
	route  route
	path   []byte // of the request as forwarded
	rec    httpRecord

	rewrite h1.Rewrite // what of the request's head is forwarded differently

	up       *upstream
	response *h1.Head // the final response's, once it is here
	sent     bool     // the whole request has been passed on
	answered bool     // the client has been sent something of the final response
	heard    bool     // the server has sent something of a response
	leftover []byte   // what the server sent after its response

	pumping  bool // the pump goroutine was started
	pumps    sync.WaitGroup
	uploaded chan struct{} // closed when it passed the whole request on, or gave up
	progress atomic.Int64  // when it last passed something on, in Unix nanoseconds
	reading  atomic.Bool   // the pump waits for more of the request
	writing  atomic.Bool   // the pump waits for the server to take what there is of it
	endless  atomic.Bool   // the request lasts until the client closes
	expect   expectation   // whether there is a body to pass on

	mu    sync.Mutex
	cause error // why the pump ended the exchange
}

func newExchange(c *client, head *h1.Head, startedNs int64) *exchange {
	x := &exchange{c: c, head: head}
	x.rec.to = c.to
	if head.Continue {
		x.expect.begin()
	}
	err := x.aim()
	declined := declineH2C(head, &x.rewrite)
	x.rec.begin(head, x.route, x.path, startedNs)
	if c.stream != nil {
		x.rec.sentAs(c.stream.sent)
		if odd := oddHost(c.stream.sent); odd != "" {
			x.rec.note("odd request", odd)
			if f := c.s.refuseOddHost(odd); f != nil && err == nil {
				err = f
			}
		}
	}
	if authority := x.target.Authority; authority != nil {
		x.rec.request.Authority = authority // it wins over Host (RFC 9112 §3.2.2)
	}
	if x.rewrite.Host != nil {
		x.rec.setHeader("Host", x.rewrite.Host) // what the client sent is the authority
	}
	c.hideLogin(&x.rec)
	if declined {
		x.rec.note("not passed on", "Upgrade: h2c")
	}
	x.rec.odd(flowpb.SideRequest, head.Oddities)
	c.identify(&x.rec.flow, x.route)
	if err != nil {
		x.cause = err
	}
	return x
}

// run carries the exchange and reports whether the client connection can carry
// another. The error is why it cannot, nil where that is in good order.
func (x *exchange) run(ctx context.Context) (again bool, err error) {
	err = contain.Call(func() (err error) {
		again, err = x.carry(ctx)
		return err
	}, func(p *contain.PanicError) error {
		again = false
		return x.fail(ctx, x.c.s.mistake(p))
	})
	return again, err
}

func (x *exchange) carry(ctx context.Context) (again bool, err error) {
	if err := x.cause; err != nil {
		return false, x.fail(ctx, err)
	}
	first, err := x.takeFirst(ctx)
	if err == nil && x.c.refusal != nil {
		err = x.c.refusal
	}
	if err != nil {
		return false, x.fail(ctx, err)
	}
	err = x.attempt(ctx, first, false)
	if err != nil && x.retriable() {
		x.c.drop(ctx, x.up, nil)
		x.up = nil
		err = x.attempt(ctx, first, true)
	}
	return x.finish(ctx, err)
}

// attempt sends the first bytes of the request to the server and takes the response.
func (x *exchange) attempt(ctx context.Context, first []byte, fresh bool) error {
	up, err := x.c.open(ctx, x.route, fresh)
	if err != nil {
		return err
	}
	x.up = up
	x.rec.server(up.rec.Id)
	_ = up.raw.SetWriteDeadline(deadline(x.c.s.opts.Timeouts.Silence))
	_, werr := up.conn.Write(first)
	_ = up.raw.SetWriteDeadline(time.Time{})
	if isTimeout(werr) {
		return x.deafFailure(werr)
	}
	if !x.sent {
		x.startPump(ctx)
	}
	err = x.receive(ctx) // even after a write error: an early response may wait to be read
	if werr != nil && err != nil && !x.heard && !isRemoteAlert(err) {
		return x.up.failure(werr)
	}
	return err
}

// retriable reports whether the attempt failed only because the server closed
// an idle connection while the request was on its way: nothing of a response
// came, the connection had served before, and the request is idempotent
// (RFC 9110 §9.2.2) and has no body, so that sending it again is safe and needs
// nothing kept (RFC 9112 §9.3.1).
func (x *exchange) retriable() bool {
	if x.up == nil || x.up.idle.IsZero() || x.heard || x.pumping || x.head.Framing != h1.FramingNone {
		return false
	}
	switch string(x.head.Method) {
	case "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE":
		return true
	}
	return false
}

// finish ends the flow and settles what becomes of the two connections.
func (x *exchange) finish(ctx context.Context, err error) (again bool, _ error) {
	if err == nil && x.pumping && x.response.KeepAlive && !x.endless.Load() && !x.expect.isDeclined() {
		x.awaitUpload() // the server answered early and still listens
	}
	x.stopPump()
	if cause := asFailure(x.pumpCause()); cause != nil && (err != nil || !x.sent && cause.code != flowpb.CodeClientGone) {
		err = cause // a client that has its answer may leave with the rest of its request
	}
	if err != nil {
		return false, x.fail(ctx, err)
	}
	if x.response.Framing == h1.FramingTunnel {
		return false, x.upgrade(ctx)
	}
	x.rec.odd(flowpb.SideRequest, x.c.reader.Oddities())
	x.rec.odd(flowpb.SideResponse, x.up.reader.Oddities())
	err = x.end(ctx, nil)
	again = x.head.KeepAlive && x.response.KeepAlive // the next to use the connection overwrites the head
	if err == nil && x.response.KeepAlive && x.sent && len(x.leftover) == 0 {
		x.c.keep(ctx, x.up)
	} else {
		x.c.drop(ctx, x.up, nil)
	}
	if err != nil {
		return false, err
	}
	if !x.sent {
		x.c.linger() // half-closed first: a next request that is under way is seen to get no answer
		return false, nil
	}
	return again, nil
}

// end closes the flow.
func (x *exchange) end(ctx context.Context, f *flowError) error {
	return x.c.s.conclude(f, func(f *flowError) error { return x.rec.end(ctx, f) })
}

// awaitUpload waits until the request has been passed on, as long as an idle
// connection would be kept.
func (x *exchange) awaitUpload() {
	var late <-chan time.Time
	if t := x.c.s.opts.Timeouts.KeepAlive; t > 0 {
		late = time.After(t)
	}
	select {
	case <-x.uploaded:
	case <-late:
	}
}

// fail ends the flow with err. The client gets an error page if it has seen
// nothing of a response. Else its connection ends so that it sees the response
// is not whole: framing or the missing TLS goodbye tell, or else a reset, which
// may cost the client what is still under way.
func (x *exchange) fail(ctx context.Context, err error) error {
	x.stopPump()
	f := asFailure(stopFailure(ctx, err))
	if f.conn != 0 {
		x.rec.server(f.conn)
	}
	x.rec.odd(flowpb.SideRequest, x.c.reader.Oddities())
	if x.up != nil {
		x.rec.odd(flowpb.SideResponse, x.up.reader.Oddities())
		x.c.drop(ctx, x.up, f)
	}
	if rerr := x.end(ctx, f); rerr != nil {
		f = asFailure(rerr)
	}
	if f.code == flowpb.CodeRecording {
		text := fmt.Sprintf("%s %s: %s", x.head.Method, x.route.hostPort(), f.message)
		x.c.s.opts.Notify(Notice{Text: record.Printable(text), Hint: f.hint})
	}
	switch {
	case x.answered:
		x.c.unclean = true
		x.c.reset = x.c.conn == x.c.raw && x.response != nil && x.response.Framing == h1.FramingClose
	case f.code != flowpb.CodeClientGone && f.code != flowpb.CodeStopped:
		accept, _ := x.head.Get("Accept")
		x.c.answer(f, accept, string(x.head.Method) == "HEAD")
	}
	return f
}
