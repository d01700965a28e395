package packet

import (
	"context"
	"fmt"
	"slices"
	"strings"

	flowpb "weir/proto"
	"weir/proxy/h2"
	"weir/proxy/record"
)

// stream is one stream of HTTP/2: an exchange, or what it became.
type stream struct {
	x        *exchange
	asked    bool // the head of its request came
	recorded bool
	filling  bool      // zeros are coming that stand for what is missing
	tunnel   *upgraded // after a 2xx to CONNECT
}

func newStream(c *conversation, id uint32, at int64) *stream {
	t := &stream{x: beginExchange(c, at)}
	t.x.http.StreamId = id
	return t
}

// take takes a part of a message, or of what the stream became.
func (t *stream) take(ctx context.Context, from flowpb.Side, ev *h2.Event, at int64) error {
	t.note(ev)
	switch ev.Kind {
	case h2.Message, h2.Promise:
		t.head(from, ev, at)
	case h2.Interim:
		t.x.informational(at, func(p *flowpb.Response) { record.StreamResponse(p, ev) })
	}
	if err := t.record(ctx); err != nil {
		return err
	}
	if ev.Kind == h2.Data {
		if err := t.data(ctx, from, ev.Data, at); err != nil {
			return err
		}
	}
	if !ev.End || ev.Kind == h2.StreamError {
		return nil
	}
	return t.whole(ctx, from, ev, at)
}

// note keeps what is odd about a header, or cannot be known of it.
func (t *stream) note(ev *h2.Event) {
	if ev.Err != nil && ev.Kind != h2.StreamError {
		t.meta("http2", ev.Err.Reason)
	}
	if len(ev.Unread) == 0 {
		return
	}
	var known []string
	for _, v := range ev.Unread {
		if v != "" {
			known = append(known, record.Printable(v))
		}
	}
	text := fmt.Sprintf("%d header fields refer to what was said before and not captured", len(ev.Unread))
	if len(known) > 0 {
		text += "; their values, where they are known: " + strings.Join(known, ", ")
	}
	t.meta("http2", text)
}

// meta says something of the flow, within bounds.
func (t *stream) meta(key, value string) {
	if f := &t.x.flow; len(f.Meta) < maxMeta {
		f.Meta = append(f.Meta, &flowpb.Meta{Key: key, Value: value})
	}
}

// maxMeta bounds what is said of one flow beside its fields.
const maxMeta = 16

// record begins the flow with the first that is known of it.
func (t *stream) record(ctx context.Context) error {
	if t.recorded {
		return nil
	}
	t.recorded = true
	if !t.asked && t.x.http.Request == nil {
		t.x.unasked()
	}
	return t.x.record(ctx)
}

func (t *stream) head(from flowpb.Side, ev *h2.Event, at int64) {
	x := t.x
	if from == flowpb.SideRequest {
		if x.done[0] { // the response was captured before it
			x.done[0] = false
			x.flow.Gaps = slices.DeleteFunc(x.flow.Gaps, func(g *flowpb.Gap) bool { return g.Side == from && g.Length == 0 })
		}
		t.asked = true
		x.http.Request = &x.request
		x.request.StartedNs = at
		to := x.c.to()
		x.request.Host, x.request.Port = to.GetHost(), to.GetPort()
		record.StreamRequest(&x.request, ev, x.c.scheme())
		if !ev.End && ev.Head.Method != "CONNECT" {
			x.openBody(&x.request.Body, 0)
		}
		return
	}
	x.answer(at, func(p *flowpb.Response) { record.StreamResponse(p, ev) })
	if ev.Head.Status/100 == 2 && string(x.request.GetMethod()) == "CONNECT" {
		t.tunnel = x.upgrade(x.request.GetProtocol())
	} else if !ev.End {
		x.openBody(&x.response.Body, 1)
	}
}

// data takes content. Where the head before it was not captured there is a message all
// the same.
func (t *stream) data(ctx context.Context, from flowpb.Side, p []byte, at int64) error {
	x := t.x
	if len(p) == 0 {
		return nil
	}
	if t.tunnel != nil {
		if t.filling {
			return nil
		}
		return t.tunnel.data(ctx, from, p, at)
	}
	if body := t.message(from); *body == nil {
		x.openBody(body, index(from))
	}
	return x.data(ctx, from, p, at)
}

// message makes sure that there is a message of a side, and returns the place of its body.
func (t *stream) message(from flowpb.Side) **flowpb.Body {
	x := t.x
	if from == flowpb.SideRequest {
		x.http.Request = &x.request
		return &x.request.Body
	}
	x.http.Response = &x.response
	return &x.response.Body
}

// gap notes that n bytes of content are missing.
func (t *stream) gap(ctx context.Context, from flowpb.Side, n, at int64) error {
	if t.tunnel != nil {
		return t.tunnel.gap(ctx, from, n, at)
	}
	t.x.gap(from, n)
	return nil
}

// whole takes the end of a side.
func (t *stream) whole(ctx context.Context, from flowpb.Side, ev *h2.Event, at int64) error {
	var trailers []*flowpb.Field
	if ev.Kind == h2.Trailers {
		trailers = record.StreamFields(ev.Fields)
	}
	if t.tunnel != nil {
		t.x.done[index(from)] = true
		return nil
	}
	t.message(from)
	if from == flowpb.SideRequest {
		t.asked = true
		return t.x.asked(ctx, trailers, at)
	}
	return t.x.answered(ctx, trailers, at)
}

// missed notes that a side may have said more.
func (t *stream) missed(ctx context.Context, from flowpb.Side, why string, at int64) error {
	if t.x.done[index(from)] {
		return nil
	}
	t.meta("http2", why)
	return t.gap(ctx, from, 0, at)
}

// fail ends the stream for a reason. A WebSocket that said that it closes has none to give.
func (t *stream) fail(ctx context.Context, code flowpb.ErrorCode, side flowpb.Side, why string, at int64) error {
	if t.tunnel == nil {
		return t.x.fail(ctx, code, side, why, at)
	}
	if err := t.close(ctx, closed, at); err != nil || t.x.http.GetWebsocket().GetCloseCode() != 0 {
		return err
	}
	t.x.flow.State = flowpb.StateError
	t.x.flow.Error = &flowpb.Error{Code: code, Message: why, AtNs: at, Side: side}
	return t.x.save(ctx)
}

// close ends what the stream became, where that is not the exchange itself.
func (t *stream) close(ctx context.Context, why ending, at int64) error {
	tunnel := t.tunnel
	if t.tunnel = nil; tunnel == nil {
		return nil
	}
	return tunnel.close(ctx, why, at)
}
