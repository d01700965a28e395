package main

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"strings"

	"weir/filter"
	flowpb "weir/proto"
	"weir/proxy"
	"weir/store"
	"weir/tui"
)

// The proxy records straight into the store: its Sink has the writer's shape.
var _ proxy.Sink = (*store.Writer)(nil)

// source is a session as the interface wants it.
type source struct {
	session *store.Session
	capture *capture // nil for a saved session
	rate    rate
}

var _ tui.Source = (*source)(nil)

// newSource adapts a session; c is the capture that writes to it, if this process
// has one.
func newSource(s *store.Session, c *capture) *source { return &source{session: s, capture: c} }

// List implements tui.Lister.
func (s *source) List(ctx context.Context, q tui.Query) (tui.List, error) {
	query, err := storeQuery(q)
	if err != nil {
		return nil, err
	}
	v, err := s.session.View(ctx, query)
	if err != nil {
		return nil, err
	}
	return list{v}, nil
}

// storeQuery is a query of the interface as the store wants it.
func storeQuery(q tui.Query) (store.Query, error) {
	expr, err := filter.Parse(q.Filter)
	if err != nil {
		return store.Query{}, err
	}
	order, err := store.ParseOrder(q.Order)
	return store.Query{Filter: expr, Order: order, Reverse: q.Reverse, MarkedOnly: q.MarkedOnly}, err
}

// Explain implements tui.Lister.
func (s *source) Explain(expr string) (string, error) { return explainNeeds(expr) }

func explainNeeds(expr string) (string, error) {
	e, err := filter.Parse(expr)
	if err != nil {
		return "", err
	}
	return filter.NewPlan(e).Needs.String(), nil
}

// view is a view of one session, or of several.
type view interface {
	Wait(ctx context.Context, seen uint64) (store.Status, error)
	Rows(ctx context.Context, first, n int) ([]flowpb.Row, error)
	Find(ctx context.Context, id uint64) (pos int, found bool, err error)
	Close() error
}

// list is a view of the store as the interface wants it.
type list struct{ view view }

func (l list) Wait(ctx context.Context, seen uint64) (tui.Status, error) {
	st, err := l.view.Wait(ctx, seen)
	return tui.Status{
		Version: st.Version, Len: st.Len, Total: st.Total, Building: st.Building, Progress: st.Progress, How: st.How, Err: st.Err,
	}, err
}

func (l list) Page(ctx context.Context, first, n int) ([]flowpb.Row, error) {
	return l.view.Rows(ctx, first, n)
}

func (l list) Find(ctx context.Context, id uint64) (int, bool, error) { return l.view.Find(ctx, id) }

func (l list) Close() error { return l.view.Close() }

// Flow implements tui.Reader.
func (s *source) Flow(ctx context.Context, id uint64) (*tui.Detail, error) {
	f, err := s.session.Flow(ctx, id)
	if err != nil {
		return nil, err
	}
	d := &tui.Detail{Flow: f}
	if d.Client, err = loadConn(ctx, s.session, f.GetClientConn()); err != nil {
		return nil, err
	}
	if d.Server, err = loadConn(ctx, s.session, f.GetServerConn()); err != nil {
		return nil, err
	}
	d.Note, err = s.session.Note(ctx, id)
	return d, err
}

// Body implements tui.Reader.
func (s *source) Body(ctx context.Context, id uint64, side flowpb.Side, off int64, n int) ([]byte, error) {
	b, err := s.session.Body(ctx, id, side)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil // its head is written, its first byte not yet
	}
	if err != nil {
		return nil, err
	}
	p := make([]byte, min(int64(n), max(0, b.Size()-off)))
	read, err := b.ReadAt(ctx, p, off)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return p[:read], err
}

// Messages implements tui.Reader.
func (s *source) Messages(ctx context.Context, id, first uint64, n int) ([]*flowpb.Message, error) {
	return s.session.MessageHeads(ctx, id, first, n, messagePreview)
}

// messagePreview is how much of a message's content a list of messages gets, in
// bytes: more than a line of any terminal.
const messagePreview = 512

// Message implements tui.Reader.
func (s *source) Message(ctx context.Context, id, sequence uint64) (*flowpb.Message, error) {
	got, err := s.session.Messages(ctx, id, sequence, 1)
	if err != nil || len(got) == 0 || got[0].GetSequence() != sequence {
		return nil, err
	}
	return got[0], nil
}

// Annotate implements tui.Noter.
func (s *source) Annotate(ctx context.Context, ids []uint64, change tui.NoteChange) ([]flowpb.Note, error) {
	return s.session.Annotate(ctx, ids, store.NoteChange{Marked: change.Marked, Comment: change.Comment, Tags: change.Tags})
}

// Unmark implements tui.Noter.
func (s *source) Unmark(ctx context.Context) (int, error) { return s.session.Unmark(ctx) }

// Remove implements tui.Remover.
func (s *source) Remove(ctx context.Context, ids []uint64) (int, error) {
	return s.session.Remove(ctx, ids)
}

// RemoveAll implements tui.Remover.
func (s *source) RemoveAll(ctx context.Context) (int, error) { return s.session.RemoveAll(ctx) }

// RemoveOthers implements tui.Remover.
func (s *source) RemoveOthers(ctx context.Context, q tui.Query) (int, error) {
	expr, err := filter.Parse(q.Filter)
	if err != nil {
		return 0, err
	}
	return s.session.RemoveOthers(ctx, store.Query{Filter: expr, MarkedOnly: q.MarkedOnly})
}

// Undo implements tui.Remover.
func (s *source) Undo(ctx context.Context) (int, error) { return s.session.Undo(ctx) }

// SaveState implements tui.Noter. A read-only session forgets.
func (s *source) SaveState(ctx context.Context, name string, value []byte) error {
	if s.session.ReadOnly() {
		return nil
	}
	return s.session.SetState(ctx, name, value)
}

// LoadState implements tui.Noter.
func (s *source) LoadState(ctx context.Context, name string) ([]byte, error) {
	return s.session.State(ctx, name)
}

// Stats implements tui.Monitor.
func (s *source) Stats(ctx context.Context) (tui.Stats, error) {
	total, err := s.session.Count(ctx)
	if err != nil {
		return tui.Stats{}, err
	}
	if s.capture == nil { // a capture does that itself
		boundHeap(total)
	}
	out := tui.Stats{
		Session: strings.TrimSuffix(filepath.Base(s.session.Path()), sessionSuffix), Path: s.session.Path(), Mode: tui.Offline,
		Total: total, RSS: residentSet(),
	}
	switch {
	case s.capture != nil:
		w := s.capture.writer.Stats()
		out.Dropped = s.capture.keep.dropped.Load()
		out.Mode, out.Listen, out.Lost = tui.Live, s.capture.addresses(), w.Lost
		if n := s.capture.sniffer; n != nil {
			out.Sniffing, out.PacketsLost = n.interfaces, n.source.Stats().Dropped
		}
		out.QueueBytes, out.QueueFlows, out.Trouble = w.QueuedBytes, w.QueuedFlows, writerTrouble(w)
	case s.session.ReadOnly():
		out.Mode = tui.ReadOnly
	}
	out.PerSecond = s.rate.update(total + out.Dropped)
	return out, nil
}

// Notice implements tui.Monitor. A saved session has nothing to tell.
func (s *source) Notice(ctx context.Context) (tui.Notice, error) {
	if s.capture == nil {
		<-ctx.Done()
		return tui.Notice{}, ctx.Err()
	}
	return s.capture.notices.next(ctx)
}
