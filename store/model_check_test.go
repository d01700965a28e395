package store

import (
	"context"
	"errors"
	"io"
	"math"
	"slices"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	flowpb "weir/proto"
	"weir/store/rowid"
)

// check compares the session, the second one and the views with the memory.
func (m *modelled) check(t *rapid.T) {
	must(t, m.w.Flush(context.Background()))
	m.compare(t, m.s)
	if m.second != nil {
		m.second.feed.poke() // as the clock does, twenty times a second
		m.compare(t, m.second)
		m.checkFeed(t)
	}
	for _, v := range m.views {
		m.checkView(t, v)
	}
	m.checkAges(t)
	problems, err := m.s.Verify(context.Background())
	if err != nil || len(problems) > 0 {
		t.Fatalf("verify: got %v, %v, want nothing wrong", problems, err)
	}
}

// checkAges compares what ages learnt from the change log with what there is.
func (m *modelled) checkAges(t *rapid.T) {
	if m.ages.s != m.s {
		m.ages = ages{s: m.s, rows: mayGo(false)}
	}
	must(t, m.ages.refresh(context.Background()))
	fresh := ages{s: m.s, rows: m.ages.rows}
	must(t, fresh.refresh(context.Background()))
	if diff := cmp.Diff(fresh.earliest, m.ages.earliest); diff != "" {
		t.Fatalf("the earliest flows (-want +got):\n%s", diff)
	}
}

// compare compares what a session holds.
func (m *modelled) compare(t *rapid.T, s *Session) {
	ctx, there := context.Background(), m.there()
	got, err := rowid.Select(ctx, s.read, "SELECT id FROM flow ORDER BY id")
	if err != nil || !slices.Equal(got, there) {
		t.Fatalf("flows: got %v, %v, want %v", got, err, there)
	}
	if n, err := s.Count(ctx); err != nil || n != uint64(len(there)) {
		t.Fatalf("count: got %d, %v, want %d", n, err, len(there))
	}
	heads, err := s.Heads(ctx, there)
	must(t, err)
	rows, err := s.Rows(ctx, there)
	must(t, err)
	if len(heads) != len(there) || len(rows) != len(there) {
		t.Fatalf("got %d heads and %d rows, want %d", len(heads), len(rows), len(there))
	}
	for i, id := range there {
		m.compareHead(t, s, heads[i], m.of(id))
		m.compareRow(t, rows[i], m.of(id))
		m.compareParts(t, s, m.of(id))
	}
	for i := range m.flows {
		if id := uint64(i + 1); !slices.Contains(there, id) {
			if _, err := s.Flow(ctx, id); !errors.Is(err, ErrNotFound) {
				t.Fatalf("flow %d, which is not there: got %v, want %v", id, err, ErrNotFound)
			}
		}
	}
	want := Removed{Removals: len(m.stack), Flows: len(slices.Concat(m.stack...))}
	if got, err := s.Removed(ctx); err != nil || got != want {
		t.Fatalf("removed: got %+v, %v, want %+v", got, err, want)
	}
	if got, err := s.State(ctx, "model"); err != nil || string(got) != m.state {
		t.Fatalf("view state: got %q, %v, want %q", got, err, m.state)
	}
}

func (m *modelled) compareHead(t *rapid.T, s *Session, got *flowpb.Flow, want *remembered) {
	conn := got.GetServerConn()
	got.ServerConn = 0
	if !proto.Equal(got, want.head) {
		t.Fatalf("flow %d: got %v, want %v", want.head.GetId(), got, want.head)
	}
	if (conn != 0) != (want.conn != nil) {
		t.Fatalf("connection of flow %d: got number %d, want %v", got.GetId(), conn, want.conn)
	}
	if conn == 0 {
		return
	}
	c, err := s.Conn(context.Background(), conn)
	must(t, err)
	c.Id = 0
	c.Tls.Presented.Sha256 = nil
	if !proto.Equal(c, want.conn) {
		t.Fatalf("connection of flow %d: got %v, want %v", got.GetId(), c, want.conn)
	}
}

func (m *modelled) compareRow(t *rapid.T, got flowpb.Row, want *remembered) {
	got.Session = "" // that of a file's name, which the memory does not have
	if got.Summary != *want.Summary() || !sameNote(got.Note, want.note) || got.Origin != flowpb.OriginOf(want.head) || got.Error != want.head.GetError().GetMessage() {
		t.Fatalf("row of flow %d: got %+v, want %+v with %+v", got.ID, got, want.Summary(), want.note)
	}
}

func sameNote(a, b flowpb.Note) bool {
	return a.Marked == b.Marked && a.Comment == b.Comment && a.Highlight == b.Highlight && slices.Equal(a.Tags, b.Tags)
}

// compareParts compares what a flow has beside its head.
func (m *modelled) compareParts(t *rapid.T, s *Session, want *remembered) {
	ctx, id := context.Background(), want.head.GetId()
	for side := flowpb.SideRequest; side <= rowid.MaxSide; side++ {
		b, err := s.Body(ctx, id, side)
		must(t, err)
		got, err := io.ReadAll(b.NewReader(ctx))
		if err != nil || b.Size() != int64(len(got)) || string(got) != string(want.bodies[side]) {
			t.Fatalf("body %v of flow %d: got %d bytes of %d, %v, want the %d recorded", side, id, len(got), b.Size(), err, len(want.bodies[side]))
		}
		if middle := int64(len(got) / 2); middle > 0 {
			p := make([]byte, 100)
			n, err := b.ReadAt(ctx, p, middle)
			if err != nil && !errors.Is(err, io.EOF) || string(p[:n]) != string(got[middle:min(middle+100, int64(len(got)))]) {
				t.Fatalf("body %v of flow %d at %d: got %d other bytes, %v", side, id, middle, n, err)
			}
		}
	}
	messages, err := s.Messages(ctx, id, 1, math.MaxInt32)
	if err != nil || len(messages) != len(want.messages) {
		t.Fatalf("messages of flow %d: got %d, %v, want %d", id, len(messages), err, len(want.messages))
	}
	for i, got := range messages {
		said := want.messages[i]
		if got.GetSequence() != uint64(i+1) || string(got.GetContent()) != string(said.GetContent()) || got.GetSide() != said.GetSide() || got.GetInjected() != said.GetInjected() {
			t.Fatalf("message %d of flow %d: got %v, want %v", i+1, id, got, said)
		}
	}
}

// checkFeed sees that the second session is told of all that changed.
func (m *modelled) checkFeed(t *rapid.T) {
	ids, upto, truncated, err := m.second.Changes(context.Background(), m.seen)
	must(t, err)
	for id := range m.touched {
		if !truncated && !slices.Contains(ids, id) {
			t.Fatalf("changes from revision %d to %d: got %v, want flow %d among them", m.seen, upto, ids, id)
		}
	}
	m.seen, m.touched = upto, nil
}

// checkView compares a view that follows its session.
func (m *modelled) checkView(t *rapid.T, v *View) {
	status := settled(context.Background(), t, v)
	want := m.selects(t, v.query)
	got := v.IDs(0, len(m.flows)+1)
	if !slices.Equal(got, want) {
		t.Fatalf("view of %s by %v, reverse %v, limit %d: got %v, want %v", describe(v.query), v.query.Order, v.query.Reverse, v.query.Limit, got, want)
	}
	if status.Len != len(want) || status.Total != len(m.there()) {
		t.Fatalf("view: got %+v, want %d of %d flows", status, len(want), len(m.there()))
	}
	rows, err := v.Rows(context.Background(), 0, len(want))
	if err != nil || len(rows) != len(want) {
		t.Fatalf("rows of a view: got %d, %v, want %d", len(rows), err, len(want))
	}
	for i, id := range want {
		pos, found, err := v.Find(context.Background(), id)
		if err != nil || !found || pos != i || rows[i].ID != id {
			t.Fatalf("flow %d in a view: got place %d, %v, %v and row %d, want %d", id, pos, found, err, rows[i].ID, i)
		}
	}
}
