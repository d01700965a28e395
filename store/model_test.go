package store

import (
	"bytes"
	"cmp"
	"io"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"weir/filter"
	flowpb "weir/proto"
	"weir/store/rowid"
)

// memory is what a session should hold, in plain Go: what the model of
// model_session_test.go compares it with.
type memory struct {
	uuid  [16]byte
	flows []*remembered // flow n is flows[n-1], whatever has become of it
	stack [][]uint64    // the removals that can be undone, the last one last
	state string        // the view state "model"
}

// remembered is a flow with all it has.
type remembered struct {
	head     *flowpb.Flow // without the numbers of its connections
	conn     *flowpb.Conn // to the server, shared with the other flows that use it; nil: none
	bodies   [rowid.MaxSide + 1][]byte
	messages []*flowpb.Message
	note     flowpb.Note
	dropped  bool
}

var _ filter.Subject = (*remembered)(nil)

// Summary implements filter.Subject.
func (r *remembered) Summary() *flowpb.Summary {
	s := flowpb.Summarize(r.head)
	return &s
}

// Note implements filter.Subject.
func (r *remembered) Note() *flowpb.Note { return &r.note }

// Flow implements filter.Subject.
func (r *remembered) Flow() (*flowpb.Flow, error) { return r.head, nil }

// Body implements filter.Subject.
func (r *remembered) Body(side flowpb.Side) (io.Reader, error) {
	s := r.Summary()
	none := map[flowpb.Side]bool{
		flowpb.SideRequest: s.RequestSize == flowpb.Absent, flowpb.SideResponse: s.ResponseSize == flowpb.Absent,
		flowpb.SideOriginalRequest: true, flowpb.SideOriginalResponse: true,
	}
	if none[side] && len(r.bodies[side]) == 0 {
		return nil, nil
	}
	return bytes.NewReader(r.bodies[side]), nil
}

// Messages implements filter.Subject.
func (r *remembered) Messages(yield func(*flowpb.Message) bool) error {
	for _, m := range r.messages {
		if !yield(m) {
			break
		}
	}
	return nil
}

func (r *remembered) ended() bool {
	return r.head.GetState() == flowpb.StateComplete || r.head.GetState() == flowpb.StateError
}

// removed reports whether a flow is out of sight but can come back.
func (m *memory) removed(id uint64) bool {
	return slices.ContainsFunc(m.stack, func(ids []uint64) bool { return slices.Contains(ids, id) })
}

// of is the flow with an id.
func (m *memory) of(id uint64) *remembered { return m.flows[id-1] }

// known are the flows that were not dropped, ascending.
func (m *memory) known() (ids []uint64) {
	for i, r := range m.flows {
		if !r.dropped {
			ids = append(ids, uint64(i+1))
		}
	}
	return ids
}

// there are the flows in sight, ascending.
func (m *memory) there() []uint64 { return slices.DeleteFunc(m.known(), m.removed) }

// among are those of ids that are in sight, each once.
func (m *memory) among(ids []uint64) []uint64 {
	there := m.there()
	return slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(ids))), func(id uint64) bool { return !slices.Contains(there, id) })
}

// drop forgets flows for good.
func (m *memory) drop(ids []uint64) {
	for _, id := range ids {
		m.flows[id-1] = &remembered{head: &flowpb.Flow{Id: id}, dropped: true}
	}
	for i, removal := range m.stack {
		m.stack[i] = slices.DeleteFunc(removal, func(id uint64) bool { return m.of(id).dropped })
	}
	m.stack = slices.DeleteFunc(m.stack, func(ids []uint64) bool { return len(ids) == 0 })
}

// selects is what a query selects.
func (m *memory) selects(t rapid.TB, q Query) []uint64 {
	ids := slices.DeleteFunc(m.there(), func(id uint64) bool {
		r := m.of(id)
		ok, err := filter.Match(q.Filter, r)
		if err != nil {
			t.Fatal(err)
		}
		return !ok || q.MarkedOnly && r.note.Marked == ""
	})
	slices.SortFunc(ids, func(a, b uint64) int {
		return cmp.Or(compareBy(q.Order, m.of(a).Summary(), m.of(b).Summary()), cmp.Compare(a, b))
	})
	if q.Reverse {
		slices.Reverse(ids)
	}
	if q.Limit > 0 && len(ids) > q.Limit {
		ids = ids[:q.Limit]
	}
	return ids
}

// clone shares nothing with m.
func (m *memory) clone() *memory {
	out := &memory{uuid: m.uuid, state: m.state}
	conns := map[*flowpb.Conn]*flowpb.Conn{nil: nil}
	for _, r := range m.flows {
		if _, known := conns[r.conn]; !known {
			conns[r.conn] = proto.CloneOf(r.conn)
		}
		c := &remembered{head: proto.CloneOf(r.head), conn: conns[r.conn], note: r.note, dropped: r.dropped}
		c.note.Tags = slices.Clone(r.note.Tags)
		c.messages = slices.Clone(r.messages) // which never change
		for side, b := range r.bodies {
			c.bodies[side] = bytes.Clone(b)
		}
		out.flows = append(out.flows, c)
	}
	for _, removal := range m.stack {
		out.stack = append(out.stack, slices.Clone(removal))
	}
	return out
}

// origin is who a flow was in the session that recorded it.
func (m *memory) origin(id uint64) flowpb.Origin {
	if o := flowpb.OriginOf(m.of(id).head); o != (flowpb.Origin{}) {
		return o
	}
	return flowpb.Origin{Session: m.uuid, Sequence: id}
}

// mergedMemory is what a merge of sessions comes to: see package merge.
func mergedMemory(from ...*memory) (out *memory, duplicates uint64) {
	out = &memory{state: from[0].state}
	met := map[flowpb.Origin]*remembered{}
	left := make([][]uint64, len(from))
	for i, m := range from {
		left[i] = m.there()
	}
	for {
		next := -1
		for i, m := range from {
			if len(left[i]) > 0 && (next < 0 || m.of(left[i][0]).head.GetCreatedNs() < from[next].of(left[next][0]).head.GetCreatedNs()) {
				next = i
			}
		}
		if next < 0 {
			return out, duplicates
		}
		id := left[next][0]
		left[next] = left[next][1:]
		origin := from[next].origin(id)
		r := from[next].of(id)
		if first := met[origin]; first != nil {
			duplicates++
			first.again(r)
			continue
		}
		r.head.Id = uint64(len(out.flows) + 1)
		r.head.Uid = &flowpb.Uid{Session: origin.Session[:], Sequence: origin.Sequence}
		met[origin] = r
		out.flows = append(out.flows, r)
	}
}

// again meets a flow that was met before.
func (r *remembered) again(other *remembered) {
	if !r.ended() && other.ended() {
		id, uid := r.head.Id, r.head.Uid
		r.head, r.conn, r.bodies, r.messages = other.head, other.conn, other.bodies, other.messages
		r.head.Id, r.head.Uid = id, uid
	}
	r.note.Marked = cmp.Or(r.note.Marked, other.note.Marked)
	r.note.Highlight = cmp.Or(r.note.Highlight, other.note.Highlight)
	r.note.Tags = slices.Compact(slices.Sorted(slices.Values(append(r.note.Tags, other.note.Tags...))))
	comments := slices.DeleteFunc([]string{r.note.Comment, other.note.Comment}, func(c string) bool { return c == "" })
	r.note.Comment = strings.Join(slices.Compact(comments), "\n")
}
