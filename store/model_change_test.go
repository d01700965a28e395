package store

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	flowpb "weir/proto"
	"weir/store/body"
	"weir/store/compact"
	"weir/store/rowid"
)

// What the model does to a session: record, annotate, remove, compact.

// put records the head of a flow as it now is.
func (m *modelled) put(t *rapid.T, r *remembered) {
	head := proto.CloneOf(r.head)
	if r.conn != nil {
		must(t, m.w.Flush(context.Background()))
		stored, err := m.s.head(context.Background(), "SELECT blob FROM head WHERE id = ?", head.GetId())
		must(t, err)
		head.ServerConn = stored.GetServerConn()
	}
	must(t, m.w.Flow(context.Background(), head))
	r.head.Id = head.GetId()
	m.touch(head.GetId())
}

// flow records a new flow, with some of its bodies or all.
func (m *modelled) flow(t *rapid.T) {
	r := &remembered{head: drawFlow(t)}
	for _, b := range []*flowpb.Body{r.head.GetHttp().GetRequest().GetBody(), r.head.GetHttp().GetResponse().GetBody()} {
		if b != nil {
			b.State, b.Size = flowpb.BodyStreaming, 0
		}
	}
	m.put(t, r)
	m.flows = append(m.flows, r)
	if got, want := r.head.GetId(), uint64(len(m.flows)); got != want {
		t.Fatalf("id: got %d, want %d", got, want)
	}
	for _, side := range []flowpb.Side{flowpb.SideRequest, flowpb.SideResponse} {
		m.grow(t, r, side)
	}
	if r.ended() {
		m.close(t, r)
	}
}

func (m *modelled) moreFlows(t *rapid.T) {
	for range rapid.IntRange(2, 6).Draw(t, "flows") {
		m.flow(t)
	}
}

// bodyOf is what the head says of a body; of the original ones it says nothing.
func (r *remembered) bodyOf(side flowpb.Side) *flowpb.Body {
	switch side {
	case flowpb.SideRequest:
		return r.head.GetHttp().GetRequest().GetBody()
	case flowpb.SideResponse:
		return r.head.GetHttp().GetResponse().GetBody()
	}
	return nil
}

// grow appends something to a body that is still open, and says so in the head.
func (m *modelled) grow(t *rapid.T, r *remembered, side flowpb.Side) {
	b := r.bodyOf(side)
	if b != nil && b.GetState() != flowpb.BodyStreaming || b == nil && side <= flowpb.SideResponse {
		return
	}
	p := drawContent(t)
	must(t, m.w.Body(context.Background(), r.head.GetId(), side, p))
	r.bodies[side] = append(r.bodies[side], p...)
	if len(p) > 0 {
		m.touch(r.head.GetId())
	}
	clear(p) // the writer has its own copy
	if b != nil {
		b.Size = uint64(len(r.bodies[side]))
		m.put(t, r)
	}
}

// drawContent makes pieces of bodies of which some are worth sharing or compressing.
func drawContent(t *rapid.T) []byte {
	switch rapid.IntRange(0, 5).Draw(t, "content") {
	case 0:
		return nil
	case 1:
		return []byte(rapid.SampledFrom([]string{"need", "le", "needle", "hay "}).Draw(t, "text"))
	case 2:
		return bytes.Repeat([]byte("hay "), rapid.SampledFrom([]int{100, 2000}).Draw(t, "hay"))
	case 3:
		return append(pattern(0, 5000), "needle"...)
	case 4:
		return pattern(rapid.IntRange(0, 1000).Draw(t, "pattern"), rapid.IntRange(0, 9000).Draw(t, "bytes"))
	default:
		return pattern(1, rapid.SampledFrom([]int{minPiece, body.PieceSize, 2*body.PieceSize + 7}).Draw(t, "bytes"))
	}
}

// close ends the bodies of a flow that has ended.
func (m *modelled) close(t *rapid.T, r *remembered) {
	for _, side := range []flowpb.Side{flowpb.SideRequest, flowpb.SideResponse} {
		if b := r.bodyOf(side); b.GetState() == flowpb.BodyStreaming {
			b.State = flowpb.BodyComplete
		}
	}
	m.put(t, r)
}

// openFlows are the flows that have not ended, removed or not.
func (m *modelled) openFlows() []uint64 {
	return slices.DeleteFunc(m.known(), func(id uint64) bool { return m.of(id).ended() })
}

// any draws one of ids, nil if there is none.
func (m *modelled) any(t *rapid.T, ids []uint64) *remembered {
	if len(ids) == 0 {
		return nil
	}
	return m.of(rapid.SampledFrom(ids).Draw(t, "flow"))
}

func (m *modelled) body(t *rapid.T) {
	if r := m.any(t, m.openFlows()); r != nil {
		m.grow(t, r, flowpb.Side(rapid.IntRange(1, rowid.MaxSide).Draw(t, "side")))
	}
}

func (m *modelled) end(t *rapid.T) {
	if r := m.any(t, m.openFlows()); r != nil {
		r.head.State = rapid.SampledFrom([]flowpb.State{flowpb.StateComplete, flowpb.StateError}).Draw(t, "state")
		m.close(t, r)
	}
}

func (m *modelled) message(t *rapid.T) {
	r := m.any(t, m.known())
	if r == nil {
		return
	}
	msg := &flowpb.Message{Flow: r.head.GetId(), Content: []byte(rapid.SampledFrom([]string{"", "needle", "hi\x00"}).Draw(t, "content"))}
	msg.Side = rapid.SampledFrom([]flowpb.Side{flowpb.SideRequest, flowpb.SideResponse}).Draw(t, "side")
	msg.Injected = rapid.Bool().Draw(t, "injected")
	must(t, m.w.Message(context.Background(), msg))
	r.messages = append(r.messages, msg)
	if got, want := msg.GetSequence(), uint64(len(r.messages)); got != want {
		t.Fatalf("sequence: got %d, want %d", got, want)
	}
	m.touch(r.head.GetId())
}

// change changes columns of a flow, whether it has ended or not.
func (m *modelled) change(t *rapid.T) {
	r := m.any(t, m.known())
	if r == nil {
		return
	}
	if q := r.head.GetHttp().GetRequest(); q != nil {
		q.Path = []byte(rapid.SampledFrom(testPaths).Draw(t, "path"))
		q.Host = []byte(rapid.SampledFrom(testHosts).Draw(t, "host"))
	}
	if p := r.head.GetHttp().GetResponse(); p != nil {
		p.Status = rapid.SampledFrom([]uint32{200, 404, 500}).Draw(t, "status")
	}
	r.head.Error = nil
	if rapid.Bool().Draw(t, "failed") {
		r.head.Error = &flowpb.Error{Message: "no"}
	}
	m.put(t, r)
}

// late records something of flows that were dropped; nothing may come of it.
func (m *modelled) late(t *rapid.T) {
	ctx := context.Background()
	for i, r := range m.flows {
		if !r.dropped {
			continue
		}
		f := httpFlow(i)
		f.Id = uint64(i + 1)
		must(t, errors.Join(
			m.w.Flow(ctx, f), m.w.Body(ctx, f.Id, flowpb.SideRequest, []byte("late")),
			m.w.Message(ctx, &flowpb.Message{Flow: f.Id, Content: []byte("late")}),
		))
	}
}

// settle ends what is open, as a capture does that begins after one that was killed.
func (m *modelled) settle(t *rapid.T) {
	must(t, m.w.Flush(context.Background()))
	ids := m.openFlows()
	n, err := m.w.Settle(context.Background())
	m.expect(t, "settle", n, err, ids)
	for _, id := range ids {
		r := m.of(id)
		r.head.State = flowpb.StateError
		r.head.Error = &flowpb.Error{Code: flowpb.CodeStopped, Message: "weir was killed while the flow was open"}
		for _, side := range []flowpb.Side{flowpb.SideRequest, flowpb.SideResponse} {
			if b := r.bodyOf(side); b.GetState() == flowpb.BodyStreaming {
				b.State = flowpb.BodyCut
			}
		}
	}
}

func (m *modelled) annotate(t *rapid.T) {
	there := m.there()
	if len(there) == 0 {
		return
	}
	var c NoteChange
	text := rapid.SampledFrom([]string{"", "x", "a\nb"}).Draw(t, "note")
	tags := rapid.SampledFrom([][]string{nil, {"a"}, {"b", "a"}}).Draw(t, "tags")
	set := rapid.SampledFrom([]func(*flowpb.Note){
		func(n *flowpb.Note) { n.Marked, c.Marked = text, &text },
		func(n *flowpb.Note) { n.Comment, c.Comment = text, &text },
		func(n *flowpb.Note) { n.Highlight, c.Highlight = text, &text },
		func(n *flowpb.Note) { n.Tags, c.Tags = slices.Sorted(slices.Values(tags)), &tags },
	}).Draw(t, "what")
	ids := slices.Compact(slices.Sorted(slices.Values(rapid.SliceOfN(rapid.SampledFrom(there), 1, 4).Draw(t, "noted"))))
	s := m.either(t)
	for _, id := range ids {
		set(&m.of(id).note)
	}
	got, err := s.Annotate(context.Background(), ids, c)
	m.expect(t, "annotate", len(got), err, ids)
	for i, id := range ids {
		if !sameNote(got[i], m.of(id).note) {
			t.Fatalf("annotate flow %d: got %+v, want %+v", id, got[i], m.of(id).note)
		}
	}
}

func (m *modelled) unmark(t *rapid.T) {
	ids := slices.DeleteFunc(m.there(), func(id uint64) bool { return m.of(id).note.Marked == "" })
	n, err := m.either(t).Unmark(context.Background())
	m.expect(t, "unmark", n, err, ids)
	for _, id := range ids {
		m.of(id).note.Marked = ""
	}
}

func (m *modelled) setState(t *rapid.T) {
	m.state = rapid.StringMatching("[a-z]{1,3}").Draw(t, "state")
	must(t, m.either(t).SetState(context.Background(), "model", []byte(m.state)))
}

// some draws flows, there or not.
func (m *modelled) some(t *rapid.T) []uint64 {
	return rapid.SliceOfN(rapid.Uint64Range(1, uint64(len(m.flows)+1)), 0, 5).Draw(t, "ids")
}

// took notes that flows were removed.
func (m *modelled) took(ids []uint64) {
	if len(ids) > 0 {
		m.stack = append(m.stack, ids)
	}
}

func (m *modelled) remove(t *rapid.T) {
	ids := m.some(t)
	n, err := m.either(t).Remove(context.Background(), ids)
	ids = m.among(ids)
	m.expect(t, "remove", n, err, ids)
	m.took(ids)
}

func (m *modelled) others(t *rapid.T) {
	q := drawQuery(t)
	q.Limit = 0
	stay := m.selects(t, q)
	ids := slices.DeleteFunc(m.there(), func(id uint64) bool { return slices.Contains(stay, id) })
	n, err := m.either(t).RemoveOthers(context.Background(), q)
	m.expect(t, "remove others", n, err, ids)
	m.took(ids)
}

func (m *modelled) undo(t *rapid.T) {
	var ids []uint64
	if n := len(m.stack); n > 0 {
		ids, m.stack = m.stack[n-1], m.stack[:n-1]
	}
	n, err := m.either(t).Undo(context.Background())
	m.expect(t, "undo", n, err, ids)
}

func (m *modelled) drop(t *rapid.T) {
	ids := m.some(t)
	n, err := m.either(t).Drop(context.Background(), ids)
	ids = m.among(ids)
	m.expect(t, "drop", n, err, ids)
	m.memory.drop(ids)
}

func (m *modelled) purge(t *rapid.T) {
	s := m.either(t)
	ids := slices.Concat(m.stack...)
	n, err := s.Purge(context.Background())
	if err != nil || n != len(ids) {
		t.Fatalf("purge: got %d, %v, want %d", n, err, len(ids))
	}
	m.memory.drop(ids)
}

// compact compacts to the end, for which the capture has to pause.
func (m *modelled) compact(t *rapid.T) {
	must(t, m.w.Close())
	ids := slices.Concat(m.stack...)
	r, err := m.s.Compact(context.Background(), CompactOptions{Rewrite: rapid.Bool().Draw(t, "rewrite")})
	if err != nil || r.Dropped != len(ids) {
		t.Fatalf("compact: got %+v, %v, want %d dropped", r, err, len(ids))
	}
	m.memory.drop(ids)
	m.write(t)
}

// compactBeside compacts as it is done in the background.
func (m *modelled) compactBeside(t *rapid.T) {
	if m.options.CompactAfter >= 0 {
		return // it is being done
	}
	must(t, m.w.Flush(context.Background()))
	_, err := compactWith(context.Background(), m.s, compact.Options{Wrote: m.w.tape.points.wrote})
	must(t, err)
}

// retain keeps the newest flows, by number and by age.
func (m *modelled) retain(t *rapid.T) {
	limits := Retention{
		Flows: rapid.Uint64Range(0, 6).Draw(t, "limit"), Noted: rapid.Bool().Draw(t, "noted"),
		Age: time.Duration(rapid.IntRange(0, 12).Draw(t, "age")),
	}
	now := time.Unix(0, 20) // drawFlow's last moment
	done := m.retained(t, limits, now)
	old := func(id uint64) bool {
		return limits.Age > 0 && m.of(id).head.GetCreatedNs() < now.Add(-limits.Age).UnixNano()
	}
	var want Retained
	gone := slices.DeleteFunc(slices.Concat(m.stack...), func(id uint64) bool { return !old(id) })
	want.Removed = uint64(len(gone))
	need := 0
	if there := len(m.there()); limits.Flows > 0 {
		need = there - int(limits.Flows)
	}
	var spare []uint64
	for _, id := range m.there() {
		switch r := m.of(id); {
		case !r.ended() || !r.note.Empty() && !limits.Noted:
		case old(id):
			want.TooOld++
			gone = append(gone, id)
			m.touch(id)
		default:
			spare = append(spare, id)
		}
	}
	need -= int(want.TooOld)
	spare = spare[:min(max(need, 0), len(spare))] // the first to arrive
	want.TooMany = uint64(len(spare))
	m.touch(spare...)
	gone = append(gone, spare...)
	want.Stuck = len(spare) < need
	if done != want {
		t.Fatalf("retention %+v: got %+v, want %+v", limits, done, want)
	}
	m.memory.drop(gone)
}

// retained makes rounds of retention until there is nothing more to do.
func (m *modelled) retained(t *rapid.T, limits Retention, now time.Time) (done Retained) {
	must(t, m.w.Flush(context.Background()))
	k := newRetainer(m.s, limits)
	k.w = m.w
	for more := true; more; {
		var round Retained
		round, more = k.round(context.Background(), now)
		must(t, round.Err)
		done.TooOld, done.TooMany, done.TooBig = done.TooOld+round.TooOld, done.TooMany+round.TooMany, done.TooBig+round.TooBig
		done.Removed, done.Stuck = done.Removed+round.Removed, done.Stuck || round.Stuck
	}
	must(t, k.tidy(context.Background(), max(done.Dropped(), orphansAfter)))
	return done
}

// retainBytes keeps the file small. What it drops depends on how flows are stored; but
// these are the oldest of those that may go, and what could be brought back goes first.
func (m *modelled) retainBytes(t *rapid.T) {
	done := m.retained(t, Retention{Bytes: rapid.Int64Range(1, 1<<20).Draw(t, "bytes")}, time.Unix(0, 0))
	there, err := rowid.Select(context.Background(), m.s.read, "SELECT id FROM flow")
	must(t, err)
	left, err := rowid.Select(context.Background(), m.s.read, "SELECT id FROM removed")
	must(t, err)
	var gone, stay, back []uint64
	for _, id := range m.there() {
		r := m.of(id)
		switch {
		case !slices.Contains(there, id):
			gone = append(gone, id)
		case r.ended() && r.note.Empty():
			stay = append(stay, id)
		}
		if !slices.Contains(there, id) && (!r.ended() || !r.note.Empty()) {
			t.Fatalf("retention dropped flow %d, which has not ended or has a note", id)
		}
	}
	if len(gone) > 0 && (len(left) > 0 || len(stay) > 0 && slices.Max(gone) > slices.Min(stay)) {
		t.Fatalf("retention dropped %v, before %v and the removed flows %v", gone, stay, left)
	}
	back = slices.DeleteFunc(slices.Concat(m.stack...), func(id uint64) bool { return slices.Contains(left, id) })
	if done.Dropped() != uint64(len(gone)) || done.Removed != uint64(len(back)) {
		t.Fatalf("retention: got %+v, want %d flows and %d removed ones", done, len(gone), len(back))
	}
	m.touch(gone...)
	m.memory.drop(append(gone, back...))
}
