package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"weir/filter"
	flowpb "weir/proto"
)

// TestRemovalsAgainstModel records, notes, removes, brings back and drops flows in
// any order and compares the session with a plain memory of it.
func TestRemovalsAgainstModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := &removals{model: newModel(t, rt), notes: map[uint64]string{}}
		defer m.close()
		rt.Repeat(map[string]func(*rapid.T){
			"flow": m.flow, "update": m.update, "body": m.body, "message": m.message, "reopen": m.reopen,
			"note": m.note, "remove": m.remove, "undo": m.undo, "others": m.others, "drop": m.drop, "purge": m.purge, "late": m.late, "retain": m.retain,
			"check": m.check,
		})
		m.check(rt)
	})
}

// removals is a model that knows which flows were removed.
type removals struct {
	*model
	notes map[uint64]string
	stack [][]uint64 // the removals that can be undone
}

// removed reports whether a flow is out of sight but can come back.
func (m *removals) removed(id uint64) bool {
	return slices.ContainsFunc(m.stack, func(ids []uint64) bool { return slices.Contains(ids, id) })
}

// there are the ids of flows in sight.
func (m *removals) there() (ids []uint64) {
	for _, f := range m.flows {
		if id := f.GetId(); !m.dropped[id] && !m.removed(id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// draw draws flows, there or not.
func (m *removals) draw(rt *rapid.T) []uint64 {
	return rapid.SliceOfN(rapid.Uint64Range(1, uint64(len(m.flows)+1)), 0, 5).Draw(rt, "ids")
}

func (m *removals) expect(rt *rapid.T, what string, n int, err error, want int) {
	if err != nil || n != want {
		rt.Fatalf("%s: got %d, %v, want %d", what, n, err, want)
	}
}

func (m *removals) flush(rt *rapid.T) {
	if err := m.w.Flush(context.Background()); err != nil {
		rt.Fatal(err)
	}
}

func (m *removals) note(rt *rapid.T) {
	there := m.there()
	if len(there) == 0 {
		return
	}
	m.flush(rt)
	id, text := rapid.SampledFrom(there).Draw(rt, "flow"), rapid.StringMatching("[a-c]?").Draw(rt, "comment")
	if _, err := m.s.Annotate(context.Background(), []uint64{id}, NoteChange{Comment: &text}); err != nil {
		rt.Fatal(err)
	}
	m.notes[id] = text
}

func (m *removals) remove(rt *rapid.T) {
	m.flush(rt)
	ids, there := m.draw(rt), m.there()
	n, err := m.s.Remove(context.Background(), ids)
	ids = slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(ids))), func(id uint64) bool { return !slices.Contains(there, id) })
	m.expect(rt, "remove", n, err, len(ids))
	if n > 0 {
		m.stack = append(m.stack, ids)
	}
}

// others removes the flows without a comment.
func (m *removals) others(rt *rapid.T) {
	m.flush(rt)
	e, err := filter.Parse("~comment .")
	if err != nil {
		rt.Fatal(err)
	}
	ids := slices.DeleteFunc(m.there(), func(id uint64) bool { return m.notes[id] != "" })
	n, err := m.s.RemoveOthers(context.Background(), Query{Filter: e})
	m.expect(rt, "remove others", n, err, len(ids))
	if n > 0 {
		m.stack = append(m.stack, ids)
	}
}

func (m *removals) undo(rt *rapid.T) {
	n, err := m.s.Undo(context.Background())
	if len(m.stack) == 0 {
		m.expect(rt, "undo", n, err, 0)
		return
	}
	last := m.stack[len(m.stack)-1]
	m.expect(rt, "undo", n, err, len(last))
	m.stack = m.stack[:len(m.stack)-1]
}

func (m *removals) forget(ids []uint64) {
	for _, id := range ids {
		m.dropped[id] = true
		delete(m.notes, id)
		delete(m.messages, id)
		for side := range uint64(maxSide) {
			delete(m.bodies, [2]uint64{id, side})
		}
	}
}

func (m *removals) drop(rt *rapid.T) {
	m.flush(rt)
	ids, there := m.draw(rt), m.there()
	n, err := m.s.Drop(context.Background(), ids)
	ids = slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(ids))), func(id uint64) bool { return !slices.Contains(there, id) })
	m.expect(rt, "drop", n, err, len(ids))
	m.forget(ids)
}

func (m *removals) purge(rt *rapid.T) {
	m.flush(rt)
	n, err := m.s.Purge(context.Background())
	all := slices.Concat(m.stack...)
	m.expect(rt, "purge", n, err, len(all))
	m.forget(all)
	m.stack = nil
}

// retain keeps the newest flows, by number and by age.
func (m *removals) retain(rt *rapid.T) {
	m.flush(rt)
	limits := Retention{
		Flows: rapid.Uint64Range(0, 6).Draw(rt, "limit"), Noted: rapid.Bool().Draw(rt, "noted"),
		Age: time.Duration(rapid.IntRange(0, 6).Draw(rt, "age")),
	}
	now := time.Unix(0, httpFlow(len(m.flows)).GetCreatedNs())
	k := &retainer{s: m.s, limits: limits}
	var done Retained
	for more := true; more; {
		round, again := k.round(context.Background(), now)
		if round.Err != nil {
			rt.Fatal(round.Err)
		}
		done.TooOld, done.TooMany, done.TooBig = done.TooOld+round.TooOld, done.TooMany+round.TooMany, done.TooBig+round.TooBig
		done.Removed, done.Stuck, more = done.Removed+round.Removed, done.Stuck || round.Stuck, again
	}
	old := func(id uint64) bool {
		return limits.Age > 0 && m.flows[id-1].GetCreatedNs() < now.Add(-limits.Age).UnixNano()
	}
	var want Retained
	for i, ids := range m.stack {
		gone := slices.DeleteFunc(slices.Clone(ids), func(id uint64) bool { return !old(id) })
		m.forget(gone)
		want.Removed += uint64(len(gone))
		m.stack[i] = slices.DeleteFunc(ids, old)
	}
	m.stack = slices.DeleteFunc(m.stack, func(ids []uint64) bool { return len(ids) == 0 })
	there := m.there()
	need := len(there) - int(limits.Flows)
	if limits.Flows == 0 {
		need = 0
	}
	var gone []uint64
	for _, id := range there {
		state := m.flows[id-1].GetState()
		switch ended := state == flowpb.StateComplete || state == flowpb.StateError; {
		case !ended, m.notes[id] != "" && !limits.Noted:
		case old(id):
			want.TooOld++
			gone = append(gone, id)
		case len(gone) < need:
			want.TooMany++
			gone = append(gone, id)
		}
	}
	want.Stuck = len(gone) < need
	m.forget(gone)
	if done != want {
		rt.Fatalf("retention %+v: got %+v, want %+v", limits, done, want)
	}
}

// late records something of a flow that was dropped; nothing may come of it.
func (m *removals) late(rt *rapid.T) {
	for _, f := range m.flows {
		if !m.dropped[f.GetId()] {
			continue
		}
		err := errors.Join(
			m.w.Flow(context.Background(), f),
			m.w.Body(context.Background(), f.GetId(), flowpb.SideRequest, []byte("late")),
			m.w.Message(context.Background(), &flowpb.Message{Flow: f.GetId(), Content: []byte("late")}),
		)
		if err != nil {
			rt.Fatal(err)
		}
	}
}

// check flushes and compares: what is there with what was recorded, and that of
// all else nothing is to be seen.
func (m *removals) check(rt *rapid.T) {
	ctx := context.Background()
	m.flush(rt)
	there := m.there()
	if got := flowIDs(m.t, m.s); !slices.Equal(got, there) {
		rt.Fatalf("flows: got %v, want %v", got, there)
	}
	for _, f := range m.flows {
		id := f.GetId()
		if !slices.Contains(there, id) {
			if _, err := m.s.Flow(ctx, id); !errors.Is(err, ErrNotFound) {
				rt.Fatalf("flow %d, which is not there: got %v, want %v", id, err, ErrNotFound)
			}
			continue
		}
		m.checkFlow(rt, f)
		if n, err := m.s.Note(ctx, id); err != nil || n.Comment != m.notes[id] {
			rt.Fatalf("comment of flow %d: got %q, %v, want %q", id, n.Comment, err, m.notes[id])
		}
		if rows, err := m.s.Rows(ctx, []uint64{id}); err != nil || len(rows) != 1 || rows[0].State != f.GetState() {
			rt.Fatalf("row of flow %d: got %+v, %v, want state %v", id, rows, err, f.GetState())
		}
		ms, err := m.s.Messages(ctx, id, 1, 1000)
		if err != nil || len(ms) != len(m.messages[id]) {
			rt.Fatalf("messages of flow %d: got %d, %v, want %d", id, len(ms), err, len(m.messages[id]))
		}
	}
	for key, want := range m.bodies {
		checkBody(rt, m.s, key[0], flowpb.Side(key[1]), want)
	}
	left := Removed{Removals: len(m.stack)}
	for _, ids := range m.stack {
		left.Flows += len(ids)
	}
	if got, err := m.s.Removed(ctx); err != nil || got != left {
		rt.Fatalf("removed: got %+v, %v, want %+v", got, err, left)
	}
	m.verify(rt)
}

// verify sees that nothing is left over. The bodies of the model do not fit the heads.
func (m *removals) verify(rt *rapid.T) {
	problems, err := m.s.Verify(context.Background())
	if err != nil {
		rt.Fatal(err)
	}
	for _, p := range problems {
		var id uint64
		if n, _ := fmt.Sscanf(p.Place, "body of flow %d", &id); n == 0 || m.dropped[id] {
			rt.Fatalf("verify: %v", p)
		}
	}
}
