package proxy

import (
	"context"
	"fmt"

	flowpb "weir/proto"
	"weir/proxy/h1"
)

// aim finds out where the request goes.
func (x *exchange) aim() error {
	var err error
	x.target, err = h1.ParseTarget(x.head.Method, x.head.Target)
	x.path = x.target.Path
	if x.c.inTunnel() {
		x.route = x.c.tunnel // an odd target is for the origin to judge
		x.target.Form, x.target.Authority = h1.OriginForm, nil
		if err != nil || len(x.path) == 0 {
			x.path = x.head.Target
		}
		x.rewrite = x.c.rewrite()
		return nil
	}
	x.route = routeOf(x.head, x.target)
	bad := &flowError{code: flowpb.CodeProtocol, side: flowpb.SideRequest, status: 400}
	switch {
	case err != nil:
		if x.target.Form == 0 {
			x.path = x.head.Target
		}
		bad.message = err.Error()
		return bad
	case x.target.Form != h1.AbsoluteForm:
		bad.message = "this is a proxy, and the request names no server"
		bad.hint = "set this address as the proxy of your client, instead of opening it"
		return bad
	case x.route.scheme != "http" && x.route.scheme != "https":
		bad.message = fmt.Sprintf("scheme %q is neither http nor https", x.route.scheme)
		return bad
	}
	x.path = h1.OriginTarget(x.head, x.target)
	x.rewrite = h1.ToOrigin(x.head, x.target)
	if x.c.s.opts.Mode.Kind == Upstream && x.route.scheme == "http" {
		x.route.direct = true
		x.rewrite = x.c.s.toUpstream()
	}
	return nil
}

// takeFirst records the request as far as it is here and returns the bytes to
// send: the head, with the body bytes that came with it.
func (x *exchange) takeFirst(ctx context.Context) ([]byte, error) {
	c := x.c
	whole := x.head.Framing == h1.FramingNone || x.head.Framing == h1.FramingLength && x.head.Length == 0
	if !whole {
		if err := x.rec.save(ctx); err != nil {
			return nil, err
		}
	}
	if len(c.in.unread()) > 0 {
		x.expect.bodyComes() // it did not wait
	}
	n, err := x.take(ctx, c.in.unread())
	if err == nil {
		err = x.rec.save(ctx)
	}
	if err != nil {
		return nil, err
	}
	first := x.head.Raw
	if n > 0 || !x.rewrite.Zero() {
		c.out = x.rewrite.Append(c.out[:0], x.head)
		c.out = append(c.out, c.in.unread()[:n]...)
		first = c.out
	}
	c.in.advance(n)
	return first, nil
}

// take records the part of the request that stands at the front of p and
// returns its length. It sets sent at the request's end.
func (x *exchange) take(ctx context.Context, p []byte) (n int, err error) {
	for {
		took, ev, err := x.c.reader.Feed(p[n:])
		n += took
		if err != nil {
			return n, clientFailure(err)
		}
		if x.c.reader.Endless() {
			x.endless.Store(true)
		}
		switch ev.Kind {
		case h1.Data:
			err = x.rec.data(ctx, flowpb.SideRequest, ev.Data)
		case h1.ChunkExtension:
			x.rec.extension(flowpb.SideRequest, ev.Data)
		case h1.MessageEnd:
			x.rec.requestEnd(trailersOf(x.c.stream, ev.Trailer))
			x.sent = true
			return n, nil
		default:
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}
