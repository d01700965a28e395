package contract

import (
	"context"
	"encoding/base64"
	"strings"
	"unicode/utf8"

	flowpb "weir/proto"
	"weir/store"
)

// Message is one message of a flow. The keys from dropped on are left out
// where there is nothing to say.
type Message struct {
	Sequence   uint64   `json:"sequence"`
	From       string   `json:"from"` // "client" or "server"
	Type       string   `json:"type"`
	At         string   `json:"at"`
	Size       int      `json:"size"`
	Text       *string  `json:"text"`   // the content where it is UTF-8
	Base64     *string  `json:"base64"` // and where it is not
	Dropped    bool     `json:"dropped,omitempty"`
	Injected   bool     `json:"injected,omitempty"`
	Continues  bool     `json:"continues,omitempty"`  // the next message from this side goes on with it
	Compressed bool     `json:"compressed,omitempty"` // on the wire
	Frames     []uint64 `json:"frames,omitempty"`     // payload lengths, where it is not one frame of its size
	Note       string   `json:"note,omitempty"`
	Event      *Event   `json:"event,omitempty"`
}

// Event is the fields of a server-sent event.
type Event struct {
	Type    *string `json:"type,omitempty"`
	ID      *string `json:"id,omitempty"`
	RetryMS *uint64 `json:"retry_ms,omitempty"`
}

// Socket is how a WebSocket connection went.
type Socket struct {
	Messages    uint64  `json:"messages"`
	ClosedBy    *string `json:"closed_by"` // "client" or "server"; null: nobody said close
	CloseCode   *uint32 `json:"close_code"`
	CloseReason *string `json:"close_reason"`
}

// What is printed of a flow's messages at most.
const (
	maxMessages     = 10_000
	maxMessageBytes = 64 << 20
)

// loadMessages reads the messages of a flow, as far as they are printed, and
// whether there are more.
func loadMessages(ctx context.Context, s *store.Session, id uint64) (all []Message, more bool, err error) {
	all = []Message{}
	for size := 0; ; {
		next := uint64(1)
		if len(all) > 0 {
			next = all[len(all)-1].Sequence + 1
		}
		page, err := s.Messages(ctx, id, next, maxMessages)
		if err != nil || len(page) == 0 {
			return all, false, err
		}
		for _, m := range page {
			if size += len(m.GetContent()); len(all) == maxMessages || size > maxMessageBytes {
				return all, true, nil
			}
			all = append(all, newMessage(m))
		}
	}
}

func newMessage(m *flowpb.Message) Message {
	out := Message{
		Sequence: m.GetSequence(), From: sideName(m.GetSide() == flowpb.SideRequest), At: Timestamp(m.GetAtNs()), Size: len(m.GetContent()),
		Type:    strings.ToLower(strings.TrimPrefix(m.GetType().String(), "MESSAGE_TYPE_")),
		Dropped: m.GetDropped(), Injected: m.GetInjected(), Continues: m.GetContinues(),
		Compressed: m.GetCompressed(), Frames: m.GetFrames(), Note: m.GetNote(),
	}
	if e := m.GetEvent(); e != nil {
		out.Event = &Event{Type: Text(String(string(e.GetType()))), RetryMS: e.RetryMs}
		if e.Id != nil {
			id := String(string(e.GetId()))
			out.Event.ID = &id
		}
	}
	if utf8.Valid(m.GetContent()) {
		s := string(m.GetContent())
		out.Text = &s
	} else {
		s := base64.StdEncoding.EncodeToString(m.GetContent())
		out.Base64 = &s
	}
	return out
}

func sideName(client bool) string {
	if client {
		return "client"
	}
	return "server"
}

func newWebSocket(w *flowpb.WebSocket) *Socket {
	if w == nil {
		return nil
	}
	out := &Socket{Messages: w.GetMessages(), CloseCode: w.CloseCode}
	if w.ClosedByClient != nil {
		by, reason := sideName(w.GetClosedByClient()), String(string(w.GetCloseReason()))
		out.ClosedBy, out.CloseReason = &by, &reason
	}
	return out
}
