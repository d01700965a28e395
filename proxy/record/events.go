package record

import (
	"strings"

	"google.golang.org/protobuf/proto"

	flowpb "weir/proto"
	"weir/proxy/sse"
)

// Events makes messages of a body of server-sent events while it arrives. The body
// stays a body: it is recorded all the same.
type Events struct{ reader sse.Reader }

// NewEvents returns nil where a response with such headers is no event stream, or is
// coded.
func NewEvents(headers []*flowpb.Field) *Events {
	for _, v := range flowpb.Get(headers, "Content-Encoding") {
		if !strings.EqualFold(strings.TrimSpace(string(v)), "identity") {
			return nil
		}
	}
	for _, v := range flowpb.Get(headers, "Content-Type") {
		media, _, _ := strings.Cut(string(v), ";")
		if strings.EqualFold(strings.TrimSpace(media), "text/event-stream") {
			return &Events{}
		}
	}
	return nil
}

// Take gives emit the events that are whole with p. The error is emit's.
func (e *Events) Take(p []byte, emit func(*flowpb.Message) error) error {
	for {
		n, ev := e.reader.Feed(p)
		if ev == nil {
			return nil
		}
		p = p[n:]
		if err := emit(eventMessage(ev)); err != nil {
			return err
		}
	}
}

// End gives emit the event that the end of the body cuts off.
func (e *Events) End(emit func(*flowpb.Message) error) error {
	if ev := e.reader.End(); ev != nil {
		return emit(eventMessage(ev))
	}
	return nil
}

func eventMessage(ev *sse.Event) *flowpb.Message {
	m := &flowpb.Message{Side: flowpb.SideResponse, Type: flowpb.MessageEvent, Content: ev.Data}
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
