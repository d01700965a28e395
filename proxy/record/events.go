package record

import (
	"strings"

	"google.golang.org/protobuf/proto"

	flowpb "weir/proto"
	"weir/proto/coding"
	"weir/proxy/sse"
)

// Events makes messages of a body of server-sent events while it arrives, also
// where it is coded. The body stays a body: it is recorded all the same. End must be
// called.
type Events struct {
	reader sse.Reader
	coded  *coding.Pusher // nil where the body is not
	wrong  error          // why no more events are made of it
}

// NewEvents returns nil where a response with such headers is no event stream, or is
// coded in a way that is not known.
func NewEvents(headers []*flowpb.Field) *Events {
	if !isEventStream(headers) {
		return nil
	}
	codings := coding.Parse(flowpb.Get(headers, "Content-Encoding")...)
	if len(codings) == 0 {
		return &Events{}
	}
	pusher, err := coding.NewPusher(codings)
	if err != nil {
		return nil
	}
	return &Events{coded: pusher}
}

func isEventStream(headers []*flowpb.Field) bool {
	for _, v := range flowpb.Get(headers, "Content-Type") {
		media, _, _ := strings.Cut(string(v), ";")
		if strings.EqualFold(strings.TrimSpace(media), "text/event-stream") {
			return true
		}
	}
	return false
}

// Take gives emit the events that are whole with p. The error is emit's.
func (e *Events) Take(p []byte, emit func(*flowpb.Message) error) error {
	if e.coded == nil {
		return e.take(p, emit)
	}
	return e.undo(emit, func(plain func([]byte) error) error { return e.coded.Push(p, plain) })
}

// undo has more of the coded body read. What is wrong with that is kept for
// Wrong; the error is emit's.
func (e *Events) undo(emit func(*flowpb.Message) error, push func(func([]byte) error) error) error {
	if e.wrong != nil {
		return nil
	}
	var failed error
	e.wrong = push(func(p []byte) error {
		failed = e.take(p, emit)
		return failed
	})
	return failed
}

func (e *Events) take(p []byte, emit func(*flowpb.Message) error) error {
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

// End gives emit what the end of the body, which is whole or cut off, makes of the
// rest of it: the event that is cut off.
func (e *Events) End(whole bool, emit func(*flowpb.Message) error) error {
	if e.coded != nil {
		var err error
		if whole {
			err = e.undo(emit, e.coded.End)
		}
		_ = e.coded.Close() // nothing is written
		if err != nil {
			return err
		}
	}
	if ev := e.reader.End(); ev != nil {
		return emit(eventMessage(ev))
	}
	return nil
}

// Wrong is why there are no events from some place of the body on, "" where there
// are all. It is for people.
func (e *Events) Wrong() string {
	if e.wrong == nil {
		return ""
	}
	return Printable("not read to the end: " + e.wrong.Error())
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
