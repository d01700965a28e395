package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	flowpb "weir/proto"
	"weir/store"
)

const (
	cmdMoves = "moves" // the sub-command that moves about in a view

	// moves is how often each kind of movement is made.
	moves = 50

	// followBar is how soon a change is in a list: views change twelve times a second.
	followBar = 150 * time.Millisecond
)

// moveTimes is one line of what the sub-command prints.
type moveTimes struct {
	What string        `json:"what"`
	Half time.Duration `json:"half"` // the median
	Most time.Duration `json:"most"` // 99 in 100
	News bool          `json:"news"` // it waits for the list to change
}

func (b *bench) reportMove(m moveTimes, bars bars) {
	bar := bars.first
	if m.News {
		bar = followBar
	}
	b.table.add(result{
		what: m.What + ": half, 99 in 100",
		weir: milliseconds(m.Half) + ", " + milliseconds(m.Most),
		bar:  under(m.Most, bar),
	})
}

// mover moves about in a view of a large session, sorted by the longest of keys.
type mover struct {
	session, other *store.Session // the other one as another process has it
	writer         *store.Writer  // of the other one
	view           *store.View
	random         *rand.Rand
	flows          int // in the view, at first
	at             int // where nextPage is
	marked         []uint64
	added          []uint64
}

// measureMoves is the sub-command: it takes the session's path and prints a
// moveTimes, as JSON, for each kind of movement. It leaves the session's flows and
// notes as they were.
func measureMoves(ctx context.Context, args []string, out io.Writer) (err error) {
	if len(args) != 1 {
		return errors.New("moves: want a session")
	}
	m := &mover{random: rand.New(rand.NewPCG(1, 2))}
	if err := m.open(ctx, args[0]); err != nil {
		return errors.Join(err, m.close(ctx))
	}
	defer func() { err = errors.Join(err, m.close(ctx)) }()
	results := json.NewEncoder(out)
	for _, kind := range []struct {
		what string
		move func(context.Context) error
		news bool
	}{
		{"a page, somewhere", m.page, false},
		{"the next page", m.nextPage, false},
		{"a flow's place in the list", m.find, false},
		{"a mark, until the list has it", m.mark, true},
		{"a flow recorded elsewhere, until the list has it", m.follow, true},
	} {
		times := make([]time.Duration, moves)
		for i := range times {
			began := time.Now()
			if err := kind.move(ctx); err != nil {
				return fmt.Errorf("%s: %w", kind.what, err)
			}
			times[i] = time.Since(began)
		}
		if err := results.Encode(moveTimes{kind.what, quantile(times, 0.5), quantile(times, 0.99), kind.news}); err != nil {
			return err
		}
	}
	return nil
}

// open opens the session twice, and makes the view.
func (m *mover) open(ctx context.Context, path string) (err error) {
	if m.session, err = store.Open(ctx, path, store.Options{}); err != nil {
		return err
	}
	if m.other, err = store.Open(ctx, path, store.Options{}); err != nil {
		return err
	}
	if m.writer, err = m.other.NewWriter(ctx, store.WriterOptions{BatchDelay: time.Millisecond}); err != nil {
		return err
	}
	flows, err := m.session.Count(ctx)
	if err != nil {
		return err
	}
	boundHeap(flows)
	if m.view, err = m.session.View(ctx, store.Query{Order: store.OrderURL}); err != nil {
		return err
	}
	return m.await(ctx, func(s store.Status) bool {
		m.flows = s.Len
		return !s.Building
	})
}

// close takes out what was added.
func (m *mover) close(ctx context.Context) (err error) {
	if m.view != nil {
		err = m.view.Close()
	}
	if m.other != nil {
		if len(m.added) > 0 {
			_, removing := m.other.Remove(ctx, m.added)
			err = errors.Join(err, removing)
		}
		err = errors.Join(err, m.other.Close())
	}
	if m.session != nil {
		err = errors.Join(err, m.session.Close())
	}
	return err
}

// await waits for the view to be in some state.
func (m *mover) await(ctx context.Context, is func(store.Status) bool) error {
	for seen := uint64(0); ; {
		s, err := m.view.Wait(ctx, seen)
		if err = errors.Join(err, s.Err); err != nil || is(s) {
			return err
		}
		seen = s.Version
	}
}

func (m *mover) rows(ctx context.Context, at int) error {
	rows, err := m.view.Rows(ctx, at, viewPage)
	if err == nil && len(rows) == 0 {
		err = fmt.Errorf("no rows at %d", at)
	}
	return err
}

func (m *mover) page(ctx context.Context) error { return m.rows(ctx, m.place()) }

func (m *mover) nextPage(ctx context.Context) error {
	m.at = (m.at + viewPage) % m.flows
	return m.rows(ctx, m.at)
}

// place is some position in the view.
func (m *mover) place() int { return m.random.IntN(m.flows) }

func (m *mover) find(ctx context.Context) error {
	ids := m.view.IDs(m.place(), 1)
	_, found, err := m.view.Find(ctx, ids[0])
	if err == nil && !found {
		err = fmt.Errorf("flow %d is not there", ids[0])
	}
	return err
}

// mark marks a flow, and the next time takes the mark away.
func (m *mover) mark(ctx context.Context) error {
	text := ""
	if m.marked == nil {
		text, m.marked = "x", m.view.IDs(m.place(), 1)
	}
	ids := m.marked
	if text == "" {
		m.marked = nil
	}
	if _, err := m.session.Annotate(ctx, ids, store.NoteChange{Marked: &text}); err != nil {
		return err
	}
	revision, err := m.session.Revision(ctx)
	if err != nil {
		return err
	}
	return m.await(ctx, func(s store.Status) bool { return s.Revision >= revision })
}

// follow records a flow by the other session.
func (m *mover) follow(ctx context.Context) error {
	f := &flowpb.Flow{State: flowpb.StateComplete, CreatedNs: time.Now().UnixNano(), Protocol: &flowpb.Flow_Http{Http: &flowpb.Http{
		Request: &flowpb.Request{
			Method: []byte("GET"), Scheme: []byte("https"), Host: []byte("example.org"), Port: 443, Version: []byte("HTTP/1.1"),
			Path: fmt.Appendf(nil, "/%x", m.random.Uint64()),
		},
	}}}
	if err := m.writer.Flow(ctx, f); err != nil {
		return err
	}
	m.added = append(m.added, f.GetId())
	if err := m.writer.Flush(ctx); err != nil {
		return err
	}
	revision, err := m.other.Revision(ctx)
	if err != nil {
		return err
	}
	return m.await(ctx, func(s store.Status) bool { return s.Revision >= revision })
}
