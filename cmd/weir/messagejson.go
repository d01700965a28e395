package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	flowpb "weir/proto"
	"weir/store"
	"weir/tui/widget"
)

// messageJSON is one message of a flow. The keys from dropped on are left out
// where there is nothing to say.
type messageJSON struct {
	Sequence   uint64     `json:"sequence"`
	From       string     `json:"from"` // "client" or "server"
	Type       string     `json:"type"`
	At         string     `json:"at"`
	Size       int        `json:"size"`
	Text       *string    `json:"text"`   // the content where it is UTF-8
	Base64     *string    `json:"base64"` // and where it is not
	Dropped    bool       `json:"dropped,omitempty"`
	Injected   bool       `json:"injected,omitempty"`
	Continues  bool       `json:"continues,omitempty"`  // the next message from this side goes on with it
	Compressed bool       `json:"compressed,omitempty"` // on the wire
	Frames     []uint64   `json:"frames,omitempty"`     // payload lengths, where it is not one frame of its size
	Note       string     `json:"note,omitempty"`
	Event      *eventJSON `json:"event,omitempty"`
}

// eventJSON is the fields of a server-sent event.
type eventJSON struct {
	Type    *string `json:"type,omitempty"`
	ID      *string `json:"id,omitempty"`
	RetryMS *uint64 `json:"retry_ms,omitempty"`
}

// socketJSON is how a WebSocket connection went.
type socketJSON struct {
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
func loadMessages(ctx context.Context, s *store.Session, id uint64) (all []messageJSON, more bool, err error) {
	all = []messageJSON{}
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

func newMessage(m *flowpb.Message) messageJSON {
	out := messageJSON{
		Sequence: m.GetSequence(), From: sideName(m.GetSide() == flowpb.SideRequest), At: timestamp(m.GetAtNs()), Size: len(m.GetContent()),
		Type:    strings.ToLower(strings.TrimPrefix(m.GetType().String(), "MESSAGE_TYPE_")),
		Dropped: m.GetDropped(), Injected: m.GetInjected(), Continues: m.GetContinues(),
		Compressed: m.GetCompressed(), Frames: m.GetFrames(), Note: m.GetNote(),
	}
	if e := m.GetEvent(); e != nil {
		out.Event = &eventJSON{Type: text(jsonText(string(e.GetType()))), RetryMS: e.RetryMs}
		if e.Id != nil {
			id := jsonText(string(e.GetId()))
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

// heading is what the text form says above a message.
func (m *messageJSON) heading() string {
	parts := []string{m.From, m.Type, fmt.Sprintf("%d bytes", m.Size)}
	if e := m.Event; e != nil && e.Type != nil {
		parts = append(parts, widget.Sanitize(*e.Type))
	}
	if n := len(m.Frames); n > 1 {
		parts = append(parts, fmt.Sprintf("in %d frames", n))
	}
	for _, f := range []struct {
		set  bool
		name string
	}{{m.Compressed, "compressed"}, {m.Continues, "continues"}, {m.Dropped, "dropped"}, {m.Injected, "injected"}} {
		if f.set {
			parts = append(parts, f.name)
		}
	}
	if m.Note != "" {
		parts = append(parts, "note: "+widget.Sanitize(m.Note))
	}
	return strings.Join(parts, " ")
}

func sideName(client bool) string {
	if client {
		return "client"
	}
	return "server"
}

func newWebSocket(w *flowpb.WebSocket) *socketJSON {
	if w == nil {
		return nil
	}
	out := &socketJSON{Messages: w.GetMessages(), CloseCode: w.CloseCode}
	if w.ClosedByClient != nil {
		by, reason := sideName(w.GetClosedByClient()), jsonText(string(w.GetCloseReason()))
		out.ClosedBy, out.CloseReason = &by, &reason
	}
	return out
}
