package main

import (
	"context"
	"errors"
	"io"

	flowpb "weir/proto"
	"weir/store"
)

// loadWhole puts a flow together with what is stored beside it. Bodies and
// messages are read when they are asked for, in pieces, while the session is open.
func loadWhole(ctx context.Context, s reading, id uint64) (*flowpb.Whole, error) {
	f, err := s.Flow(ctx, id)
	if err != nil {
		return nil, err
	}
	if f.GetUid() == nil {
		session := s.UUID()
		f.Uid = &flowpb.Uid{Session: session[:], Sequence: id}
	}
	w := &flowpb.Whole{Flow: f}
	if w.Client, err = loadConn(ctx, s.Session, f.GetClientConn()); err != nil {
		return nil, err
	}
	if w.Server, err = loadConn(ctx, s.Session, f.GetServerConn()); err != nil {
		return nil, err
	}
	for _, c := range []*flowpb.Conn{w.Client, w.Server} {
		if c != nil && s.place > 0 {
			c.Id = flowpb.Place(s.place, c.GetId()) // that of another session is another connection
		}
	}
	if w.Note, err = s.Note(ctx, id); err != nil {
		return nil, err
	}
	w.Body = func(side flowpb.Side) (io.Reader, error) {
		stored, err := s.Body(ctx, id, side)
		if err != nil {
			return nil, err
		}
		return stored.NewReader(ctx), nil
	}
	w.Messages = func(yield func(*flowpb.Message, error) bool) {
		err := eachMessage(ctx, s, id, func(m *flowpb.Message) error {
			if !yield(m, nil) {
				return errStop
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStop) {
			yield(nil, err)
		}
	}
	return w, nil
}

// eachMessage calls do for the messages of a flow, a page at a time.
func eachMessage(ctx context.Context, s reading, id uint64, do func(*flowpb.Message) error) error {
	for next := uint64(1); ; {
		page, err := s.Messages(ctx, id, next, pageSize)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, m := range page {
			if err := do(m); err != nil {
				return err
			}
		}
		next = page[len(page)-1].GetSequence() + 1
	}
}

// errStop ends a walk whose caller has seen enough.
var errStop = errors.New("stop")

// keepBuffer is how much of a body is handed to the writer at a time, in bytes.
const keepBuffer = 128 << 10

// wholes records flows that come in one piece.
type wholes struct {
	writer *store.Writer
	agent  []byte // of flows that do not know what captured them
	notes  []noted
	buf    []byte
}

// noted is what is to be said of a flow once it is on disk.
type noted struct {
	id   uint64
	note flowpb.Note
}

// empty reports whether no flow was recorded.
func (k *wholes) empty() bool { return k.writer == nil || k.writer.Stats().Highest == 0 }

// add records a flow. Its connections get ids when they come first.
func (k *wholes) add(ctx context.Context, w *flowpb.Whole) error {
	for _, c := range []*flowpb.Conn{w.Client, w.Server} {
		if c != nil && c.GetId() == 0 {
			if err := k.writer.Conn(ctx, c); err != nil {
				return err
			}
		}
	}
	f := w.Flow
	f.Id, f.ClientConn, f.ServerConn = 0, w.Client.GetId(), w.Server.GetId()
	if len(f.GetAgent()) == 0 {
		f.Agent = k.agent
	}
	if err := k.writer.Flow(ctx, f); err != nil {
		return err
	}
	for _, side := range []flowpb.Side{flowpb.SideRequest, flowpb.SideResponse, flowpb.SideOriginalRequest, flowpb.SideOriginalResponse} {
		if err := k.body(ctx, w, side); err != nil {
			return err
		}
	}
	if w.Messages != nil {
		for m, err := range w.Messages {
			if err != nil {
				return err
			}
			m.Flow = f.GetId()
			if err := k.writer.Message(ctx, m); err != nil {
				return err
			}
		}
	}
	if !w.Note.Empty() {
		k.notes = append(k.notes, noted{f.GetId(), w.Note})
	}
	return nil
}

func (k *wholes) body(ctx context.Context, w *flowpb.Whole, side flowpb.Side) error {
	b := bodyOn(w.Flow.GetHttp(), side)
	if b.GetSize() == 0 || b.GetState() == flowpb.BodyDropped || w.Body == nil {
		return nil
	}
	r, err := w.Body(side)
	if err != nil || r == nil {
		return err
	}
	if k.buf == nil {
		k.buf = make([]byte, keepBuffer)
	}
	for {
		n, err := io.ReadFull(r, k.buf)
		if n > 0 {
			if e := k.writer.Body(ctx, w.Flow.GetId(), side, k.buf[:n]); e != nil {
				return e
			}
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// bodyOn is the description of the body on one side.
func bodyOn(h *flowpb.Http, side flowpb.Side) *flowpb.Body {
	switch side {
	case flowpb.SideRequest:
		return h.GetRequest().GetBody()
	case flowpb.SideResponse:
		return h.GetResponse().GetBody()
	case flowpb.SideOriginalRequest:
		return h.GetOriginalRequest().GetBody()
	default:
		return h.GetOriginalResponse().GetBody()
	}
}

// annotate writes the notes, when the flows they speak of are on disk.
func (k *wholes) annotate(ctx context.Context, s *store.Session) error {
	if err := k.writer.Flush(ctx); err != nil {
		return err
	}
	for _, n := range k.notes {
		change := store.NoteChange{Marked: &n.note.Marked, Comment: &n.note.Comment, Highlight: &n.note.Highlight, Tags: &n.note.Tags}
		if _, err := s.Annotate(ctx, []uint64{n.id}, change); err != nil {
			return err
		}
	}
	k.notes = k.notes[:0]
	return nil
}
