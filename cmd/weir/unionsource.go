package main

import (
	"context"
	"strings"
	"sync"

	"weir/filter"
	flowpb "weir/proto"
	"weir/store"
	"weir/tui"
)

// unionSource is several sessions, as the interface wants them: what is asked of one
// flow is asked of its session.
type unionSource struct {
	*shelf
	notices *notices
	rate    rate
	joining sync.Mutex
}

var (
	_ tui.Source   = (*unionSource)(nil)
	_ tui.Exporter = (*unionSource)(nil)
)

// of is the session that has a flow, and the flow's number there.
func (s *unionSource) of(id uint64) (*source, uint64, error) {
	session, number, err := s.set.At(id)
	if err != nil {
		return nil, 0, err
	}
	return newSource(session, nil), number, nil
}

// List implements tui.Lister.
func (s *unionSource) List(ctx context.Context, q tui.Query) (tui.List, error) {
	query, err := storeQuery(q)
	if err != nil {
		return nil, err
	}
	v, err := s.set.View(ctx, query)
	if err != nil {
		return nil, err
	}
	return list{v}, nil
}

// Explain implements tui.Lister.
func (s *unionSource) Explain(expr string) (string, error) { return explainNeeds(expr) }

// Flow implements tui.Reader.
func (s *unionSource) Flow(ctx context.Context, id uint64) (*tui.Detail, error) {
	in, number, err := s.of(id)
	if err != nil {
		return nil, err
	}
	return in.Flow(ctx, number)
}

// Body implements tui.Reader.
func (s *unionSource) Body(ctx context.Context, id uint64, side flowpb.Side, off int64, n int) ([]byte, error) {
	in, number, err := s.of(id)
	if err != nil {
		return nil, err
	}
	return in.Body(ctx, number, side, off, n)
}

// Messages implements tui.Reader.
func (s *unionSource) Messages(ctx context.Context, id, first uint64, n int) ([]*flowpb.Message, error) {
	in, number, err := s.of(id)
	if err != nil {
		return nil, err
	}
	return in.Messages(ctx, number, first, n)
}

// Message implements tui.Reader.
func (s *unionSource) Message(ctx context.Context, id, sequence uint64) (*flowpb.Message, error) {
	in, number, err := s.of(id)
	if err != nil {
		return nil, err
	}
	return in.Message(ctx, number, sequence)
}

// Annotate implements tui.Noter.
func (s *unionSource) Annotate(ctx context.Context, ids []uint64, change tui.NoteChange) ([]flowpb.Note, error) {
	return s.set.Annotate(ctx, ids, store.NoteChange{Marked: change.Marked, Comment: change.Comment, Tags: change.Tags})
}

// Unmark implements tui.Noter.
func (s *unionSource) Unmark(ctx context.Context) (int, error) { return s.set.Unmark(ctx) }

// Remove implements tui.Remover.
func (s *unionSource) Remove(ctx context.Context, ids []uint64) (int, error) {
	return s.set.Remove(ctx, ids)
}

// RemoveAll implements tui.Remover.
func (s *unionSource) RemoveAll(ctx context.Context) (int, error) { return s.set.RemoveAll(ctx) }

// RemoveOthers implements tui.Remover.
func (s *unionSource) RemoveOthers(ctx context.Context, q tui.Query) (int, error) {
	expr, err := filter.Parse(q.Filter)
	if err != nil {
		return 0, err
	}
	return s.set.RemoveOthers(ctx, store.Query{Filter: expr, MarkedOnly: q.MarkedOnly})
}

// Undo implements tui.Remover.
func (s *unionSource) Undo(ctx context.Context) (int, error) { return s.set.Undo(ctx) }

// SaveState implements tui.Noter. What is shown of several sessions belongs to none.
func (s *unionSource) SaveState(context.Context, string, []byte) error { return nil }

// LoadState implements tui.Noter.
func (s *unionSource) LoadState(context.Context, string) ([]byte, error) { return nil, nil }

// Stats implements tui.Monitor.
func (s *unionSource) Stats(ctx context.Context) (tui.Stats, error) {
	if s.joining.TryLock() {
		s.join(ctx, s.leftOut)
		s.joining.Unlock()
	}
	total, err := s.count(ctx)
	if err != nil {
		return tui.Stats{}, err
	}
	boundHeap(total)
	sessions := s.set.Sessions()
	paths := make([]string, len(sessions))
	for i, one := range sessions {
		paths[i] = one.Path()
	}
	out := tui.Stats{
		Session: s.name, Sessions: len(sessions), Path: strings.Join(paths, " "), Mode: tui.Offline,
		Total: total, RSS: residentSet(), PerSecond: s.rate.update(total),
	}
	if s.set.ReadOnly() {
		out.Mode = tui.ReadOnly
	}
	return out, nil
}

// count is the number of flows in the sessions that can be read. What is wrong with
// the others the list says.
func (s *unionSource) count(ctx context.Context) (total uint64, err error) {
	for _, one := range s.set.Sessions() {
		if n, err := one.Count(ctx); err == nil {
			total += n
		}
	}
	return total, ctx.Err()
}

// leftOut tells of a session that cannot be opened.
func (s *unionSource) leftOut(err error) {
	s.notices.tell(tui.Error, "left out: "+err.Error(), hintFor(err))
}

// Notice implements tui.Monitor: it tells of sessions that could not be opened.
func (s *unionSource) Notice(ctx context.Context) (tui.Notice, error) { return s.notices.next(ctx) }

// Export implements tui.Exporter.
func (s *unionSource) Export(ctx context.Context, format string, id uint64, masked bool, limit int) (tui.Exported, error) {
	in, number, err := s.of(id)
	if err != nil {
		return tui.Exported{}, err
	}
	return in.Export(ctx, format, number, masked, limit)
}

// Keep implements tui.Exporter.
func (s *unionSource) Keep(ctx context.Context, name string, text []byte) (string, error) {
	return (&source{}).Keep(ctx, name, text)
}

// Save implements tui.Exporter.
func (s *unionSource) Save(ctx context.Context, format, path string, ids []uint64, masked bool) (tui.Saved, error) {
	return s.save(ctx, format, path, ids, masked)
}

// viewed is what is looked at, with the sessions to close when it is left.
type viewed struct {
	viewing
	shelf *shelf
}

// Close closes the sessions.
func (v viewed) Close() error { return v.shelf.Close() }

// openSource opens sessions for the interface.
func openSource(ctx context.Context, paths []string, readOnly bool) (viewed, error) {
	u := &unionSource{notices: newNotices()}
	s, err := openShelf(ctx, paths, store.Options{ReadOnly: readOnly}, u.leftOut)
	if err != nil {
		return viewed{}, err
	}
	if s.session != nil {
		return viewed{newSource(s.session, nil), s}, nil
	}
	u.shelf = s
	return viewed{u, s}, nil
}
