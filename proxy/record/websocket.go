package record

import (
	"bytes"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	flowpb "weir/proto"
	"weir/proxy/ws"
)

// MessagePart is how much of a WebSocket message is one row, in bytes: what a
// connection holds in memory of each direction. A longer message goes on in further
// rows.
const MessagePart = 1 << 20

// keptBuffer is the largest buffer that is kept for the next message.
const keptBuffer = 64 << 10

// WebSocket makes messages of the bytes of a connection that became WebSocket, and
// counts them in its flow. It makes them as soon as they are whole, so that a caller
// which gives it bytes before it passes them on has a message recorded before its
// last byte arrives.
type WebSocket struct {
	flow   *flowpb.WebSocket
	halves [2]half // the client's, the server's
}

// half is one direction. A control message may come inside another.
type half struct {
	reader        *ws.Reader
	lost          bool   // the reader gave up: the rest is recorded as it comes
	note          string // says why, for the first message of that
	data, control gathered
}

// gathered is what there is of a message's content.
type gathered struct {
	message flowpb.MessageType // unspecified between two messages
	content []byte
}

// NewWebSocket returns a WebSocket that counts in flow, for the extensions that the
// handshake agreed on.
func NewWebSocket(flow *flowpb.WebSocket, agreed ws.Extensions) *WebSocket {
	w := &WebSocket{flow: flow}
	w.halves[0].reader = ws.NewReader(ws.Client, agreed, ws.Limits{})
	w.halves[1].reader = ws.NewReader(ws.Server, agreed, ws.Limits{})
	return w
}

// Take gives emit the messages that are whole with p, which came from side. The
// error is emit's.
func (w *WebSocket) Take(side flowpb.Side, p []byte, emit func(*flowpb.Message) error) error {
	h := &w.halves[side-flowpb.SideRequest]
	for !h.lost {
		n, ev, err := h.reader.Feed(p)
		p = p[n:]
		if err != nil {
			return w.misread(side, err, p, emit)
		}
		if ev.Kind == ws.NeedMore {
			return nil
		}
		if err := w.event(side, ev, emit); err != nil {
			return err
		}
	}
	return w.raw(side, p, emit)
}

// raw records bytes without frames.
func (w *WebSocket) raw(side flowpb.Side, p []byte, emit func(*flowpb.Message) error) error {
	h := &w.halves[side-flowpb.SideRequest]
	m := &flowpb.Message{Side: side, Type: flowpb.MessageData, Content: p, Note: h.note}
	h.note = ""
	w.flow.Messages++
	return emit(m)
}

// Lose gives up the frames of a side, which cannot be found any more: what it says
// from here on is recorded as it comes, and the first message of it says why.
func (w *WebSocket) Lose(side flowpb.Side, why string, emit func(*flowpb.Message) error) error {
	h := &w.halves[side-flowpb.SideRequest]
	if h.lost {
		return nil
	}
	h.lost, h.note = true, "from here on as it came: "+why
	return w.endHalf(side, emit)
}

// misread gives up a side whose frames make no sense from p on.
func (w *WebSocket) misread(side flowpb.Side, err error, p []byte, emit func(*flowpb.Message) error) error {
	if err := w.Lose(side, err.Error(), emit); err != nil {
		return err
	}
	if parse, ok := errors.AsType[*ws.Error](err); ok {
		p = append(bytes.Clone(parse.Head), p...)
	}
	return w.raw(side, p, emit)
}

// event takes one step of a message.
func (w *WebSocket) event(side flowpb.Side, ev ws.Event, emit func(*flowpb.Message) error) error {
	h := &w.halves[side-flowpb.SideRequest]
	g := &h.data
	if ev.Control {
		g = &h.control
	}
	switch ev.Kind {
	case ws.FrameHead:
		if g.message == flowpb.MessageUnspecified { // its first frame
			g.message = messageType(ev.Frame.Opcode)
		}
	case ws.Data:
		if len(g.content)+len(ev.Data) > MessagePart {
			if err := emit(g.take(side, true)); err != nil {
				return err
			}
		}
		g.content = append(g.content, ev.Data...)
	case ws.MessageEnd:
		return w.messageEnd(side, g, ev.Message, emit)
	}
	return nil
}

// messageEnd records a message, or the last part of it.
func (w *WebSocket) messageEnd(side flowpb.Side, g *gathered, m *ws.Message, emit func(*flowpb.Message) error) error {
	row := g.take(side, false)
	g.message = flowpb.MessageUnspecified
	row.Compressed, row.Note = m.Compressed, m.Note()
	if m.FrameCount != 1 || m.Frames[0] != uint64(m.Size) {
		row.Frames = m.Frames
	}
	if n := uint64(len(m.Frames)); m.FrameCount > n {
		row.Note = joinNotes(row.Note, fmt.Sprintf("in %d frames, of which the first %d are kept", m.FrameCount, n))
	}
	w.flow.Messages++
	if m.Opcode == ws.Close && w.flow.ClosedByClient == nil {
		w.flow.ClosedByClient = proto.Bool(side == flowpb.SideRequest)
		w.flow.CloseReason = append([]byte(nil), m.Text...)
		if m.Size >= 2 {
			w.flow.CloseCode = proto.Uint32(uint32(m.Code))
		}
	}
	return emit(row)
}

func joinNotes(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}

// take returns the row for what was gathered and begins the next one.
func (g *gathered) take(side flowpb.Side, continues bool) *flowpb.Message {
	m := &flowpb.Message{Side: side, Type: g.message, Content: g.content, Continues: continues}
	g.content = g.content[:0]
	if cap(g.content) > keptBuffer {
		g.content = nil
	}
	return m
}

// End gives emit what is left of messages that were cut off, since the connection
// ended at that time, in nanoseconds since 1970.
func (w *WebSocket) End(at int64, emit func(*flowpb.Message) error) error {
	w.flow.EndedNs = at
	for _, side := range []flowpb.Side{flowpb.SideRequest, flowpb.SideResponse} {
		if w.halves[side-flowpb.SideRequest].lost {
			continue
		}
		if err := w.endHalf(side, emit); err != nil {
			return err
		}
	}
	return nil
}

func (w *WebSocket) endHalf(side flowpb.Side, emit func(*flowpb.Message) error) error {
	r := w.halves[side-flowpb.SideRequest].reader
	for ev := r.End(); ev.Kind != ws.NeedMore; ev = r.End() {
		if err := w.event(side, ev, emit); err != nil {
			return err
		}
	}
	return nil
}

// messageType is what a message with this opcode is recorded as.
func messageType(o ws.Opcode) flowpb.MessageType {
	switch o {
	case ws.Text:
		return flowpb.MessageText
	case ws.Binary:
		return flowpb.MessageBinary
	case ws.Ping:
		return flowpb.MessagePing
	case ws.Pong:
		return flowpb.MessagePong
	case ws.Close:
		return flowpb.MessageClose
	}
	return flowpb.MessageData
}
