package store

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"

	"google.golang.org/protobuf/proto"

	flowpb "weir/proto"
	"weir/store/rowid"
)

// maxMessage bounds one message's content, in bytes: it is one value in memory.
const maxMessage = 256 << 20

// Flags of a message row.
const (
	messageDropped = 1 << iota
	messageInjected
	messageContinues
	messageCompressed
)

// maxPage is how many bytes of content a page of messages has, about.
const maxPage = 8 << 20

// Message records a message, whose flow must be recorded already, and gives it
// the flow's next sequence number. Its content, which is copied, has at most 256 MB.
func (w *Writer) Message(ctx context.Context, m *flowpb.Message) error {
	if n := len(m.GetContent()); n > maxMessage {
		return fmt.Errorf("record message of flow %d: %d bytes: %w", m.GetFlow(), n, ErrLimit)
	}
	e, err := newMessageEntry(m)
	if err != nil {
		return fmt.Errorf("record message of flow %d: %w", m.GetFlow(), err)
	}
	for {
		ok, err := w.queue.put(ctx, e, func() bool { return w.number(e) })
		if err == nil && !ok {
			err = w.count(ctx, e.flow)
		}
		switch {
		case err != nil:
			return fmt.Errorf("record message of flow %d: %w", e.flow, err)
		case ok:
			m.Sequence = e.sequence
			return nil
		}
	}
}

func newMessageEntry(m *flowpb.Message) (*messageEntry, error) {
	e := &messageEntry{flow: m.GetFlow(), at: m.GetAtNs(), side: m.GetSide(), kind: m.GetType(), content: bytes.Clone(m.GetContent())}
	for _, f := range messageFlags(m) {
		if *f.set {
			e.flags |= f.bit
		}
	}
	if m.GetFrames() == nil && m.GetNote() == "" && m.GetEvent() == nil {
		return e, nil
	}
	var err error
	e.detail, err = proto.Marshal(&flowpb.Message{Frames: m.GetFrames(), Note: m.GetNote(), Event: m.GetEvent()})
	return e, err
}

// messageFlag is a bit of a row's flags and what it stands for.
type messageFlag struct {
	bit int64
	set *bool
}

func messageFlags(m *flowpb.Message) [4]messageFlag {
	return [...]messageFlag{
		{messageDropped, &m.Dropped},
		{messageInjected, &m.Injected},
		{messageContinues, &m.Continues},
		{messageCompressed, &m.Compressed},
	}
}

// number gives e the next sequence number of its flow, if the count is known.
func (w *Writer) number(e *messageEntry) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.counters[e.flow]
	if c == nil || c.last >= rowid.MaxMessages {
		return false
	}
	c.last++
	c.queued++
	e.sequence = c.last
	return true
}

// count makes the counter of a flow, from the file. A counter goes when none of its
// messages is in the queue and there are too many; the file then knows the count.
func (w *Writer) count(ctx context.Context, flow uint64) error {
	w.finding.Lock()
	defer w.finding.Unlock()
	if counted, err := w.counted(flow); counted || err != nil {
		return err
	}
	var last uint64
	err := w.s.read.QueryRowContext(ctx, lastMessage,
		rowid.MaxMessages, rowid.Message(flow, 0), rowid.Message(flow, rowid.MaxMessages)).Scan(&last)
	if err != nil {
		return classify(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counters[flow] = &counter{last: last}
	return nil
}

// counted reports whether the flow has a counter, and fails if it takes no more
// messages or is not of this session.
func (w *Writer) counted(flow uint64) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.counters[flow]
	switch {
	case c != nil && c.last >= rowid.MaxMessages:
		return true, fmt.Errorf("more than %d messages: %w", rowid.MaxMessages, ErrLimit)
	case c == nil && (flow == 0 || flow > w.lastFlow):
		return false, ErrNotFound
	}
	return c != nil, nil
}

// forget drops counters that are not needed, once their messages are on disk.
func (w *Writer) forget(written []*messageEntry) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range written {
		c := w.counters[m.flow]
		if c.queued--; c.queued == 0 && len(w.counters) > maxCounters {
			delete(w.counters, m.flow)
		}
	}
}

// Messages returns up to n messages of a flow in order, from sequence first on
// (1 is the first): fewer at the end, or where they hold more than 8 MB.
func (s *Session) Messages(ctx context.Context, flow, first uint64, n int) ([]*flowpb.Message, error) {
	return s.messages(ctx, flow, first, n, maxMessage)
}

// MessageHeads is Messages with no more than the beginning of each content, up to
// preview bytes; Size tells how much there is of it. With first 0 it returns the
// last n messages.
func (s *Session) MessageHeads(ctx context.Context, flow, first uint64, n, preview int) ([]*flowpb.Message, error) {
	if first == 0 {
		var last uint64
		err := s.read.QueryRowContext(ctx, lastMessage, rowid.MaxMessages, rowid.Message(flow, 0), rowid.Message(flow, rowid.MaxMessages)).Scan(&last)
		if err != nil {
			return nil, fmt.Errorf("read messages of flow %d: %w", flow, classify(err))
		}
		first = last - min(last, uint64(n)) + 1
	}
	return s.messages(ctx, flow, first, n, preview)
}

// lastMessage selects the highest sequence of a flow's messages, 0 without any.
const lastMessage = "SELECT coalesce(max(id), 0) & ? FROM message WHERE id BETWEEN ? AND ?"

func (s *Session) messages(ctx context.Context, flow, first uint64, n, most int) ([]*flowpb.Message, error) {
	rows, err := s.read.QueryContext(ctx,
		"SELECT id, at, side, type, flags, detail, length(content), substr(content, 1, ?) FROM message WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?",
		most, rowid.Message(flow, min(first, rowid.MaxMessages)), rowid.Message(flow, rowid.MaxMessages), n)
	if err != nil {
		return nil, fmt.Errorf("read messages of flow %d: %w", flow, classify(err))
	}
	defer rows.Close()
	var out []*flowpb.Message
	for held := 0; held < maxPage && rows.Next(); {
		m, err := scanMessage(rows)
		if err != nil {
			return nil, fmt.Errorf("read messages of flow %d: %w", flow, classify(err))
		}
		held += len(m.Content)
		out = append(out, m)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read messages of flow %d: %w", flow, classify(err))
	}
	return out, nil
}

// scanMessage reads a row of messages' query.
func scanMessage(rows *sql.Rows) (*flowpb.Message, error) {
	var id int64
	var size uint64
	var flags int64
	var detail []byte
	m := &flowpb.Message{}
	if err := rows.Scan(&id, &m.AtNs, &m.Side, &m.Type, &flags, &detail, &size, &m.Content); err != nil {
		return nil, err
	}
	if detail != nil {
		var d flowpb.Message
		if err := proto.Unmarshal(detail, &d); err != nil {
			return nil, fmt.Errorf("message %d: %w: %w", rowid.Sequence(id), ErrDamaged, err)
		}
		m.Frames, m.Note, m.Event = d.Frames, d.Note, d.Event
	}
	m.Flow, m.Sequence = uint64(rowid.MessageFlow(id)), uint64(rowid.Sequence(id))
	for _, f := range messageFlags(m) {
		*f.set = flags&f.bit != 0
	}
	if m.Size = 0; size > uint64(len(m.Content)) {
		m.Size = size
	}
	return m, nil
}
