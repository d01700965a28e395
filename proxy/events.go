package proxy

import (
	"context"
	"strings"

	"google.golang.org/protobuf/proto"

	flowpb "weir/proto"
	"weir/proxy/sse"
)

// eventStream makes messages of a body of server-sent events while it arrives.
// The body is recorded all the same, and passed on as it comes.
type eventStream struct{ reader sse.Reader }

// newEventStream returns nil where the response is none, or is coded.
func newEventStream(headers []*flowpb.Field) *eventStream {
	for _, v := range flowpb.Get(headers, "Content-Encoding") {
		if !strings.EqualFold(strings.TrimSpace(string(v)), "identity") {
			return nil
		}
	}
	for _, v := range flowpb.Get(headers, "Content-Type") {
		media, _, _ := strings.Cut(string(v), ";")
		if strings.EqualFold(strings.TrimSpace(media), "text/event-stream") {
			return &eventStream{}
		}
	}
	return nil
}

// take records the events that are whole with p.
func (e *eventStream) take(ctx context.Context, to recorder, flow uint64, p []byte) error {
	for now := nowNs(); ; {
		n, ev := e.reader.Feed(p)
		if ev == nil {
			return nil
		}
		p = p[n:]
		if err := to.message(ctx, eventMessage(flow, now, ev)); err != nil {
			return err
		}
	}
}

// end records the event that the end of the body cuts off.
func (e *eventStream) end(ctx context.Context, to recorder, flow uint64) error {
	ev := e.reader.End()
	if ev == nil {
		return nil
	}
	return to.message(ctx, eventMessage(flow, nowNs(), ev))
}

func eventMessage(flow uint64, now int64, ev *sse.Event) *flowpb.Message {
	m := &flowpb.Message{Flow: flow, Side: flowpb.SideResponse, Type: flowpb.MessageEvent, AtNs: now, Content: ev.Data}
	if len(ev.Type) > 0 || ev.ID != nil || ev.HasRetry {
		m.Event = &flowpb.ServerEvent{Type: ev.Type, Id: ev.ID}
		if ev.HasRetry {
			m.Event.RetryMs = proto.Uint64(ev.Retry)
		}
	}
	if ev.Cut {
		m.Note = "longer than what is kept as a message; the body has all of it"
	}
	if ev.Partial {
		m.Note = joinNotes(m.Note, "the stream ended inside it, so that browsers discard it")
	}
	return m
}
