package store

import (
	"cmp"
	"maps"
	"slices"

	flowpb "weir/proto"
	"weir/store/rowid"
)

// entryCost is what an entry takes beside its bytes, about: the struct, the
// summary's strings and its place in the queue.
const entryCost = 512

// flowEntry is one recorded state of a flow.
type flowEntry struct {
	summary flowpb.Summary
	blob    []byte
	fresh   bool // the flow's first
	size    int64
	bodies  []*bodyEntry // that are written with it
}

// connEntry is one recorded state of a connection, with the certificates that
// the file may not have yet.
type connEntry struct {
	id    uint64
	blob  []byte
	certs []cert
	size  int64
}

// bodyEntry is bytes to append to a body, at most a piece.
type bodyEntry struct {
	flow uint64
	side flowpb.Side
	data []byte // of buffers; nil once it is committed
	room int64  // what data takes
}

// messageEntry is one message.
type messageEntry struct {
	flow, sequence uint64
	at             int64
	side           flowpb.Side
	kind           flowpb.MessageType
	flags          int64
	detail         []byte // nil: there is none
	content        []byte
}

func (e *flowEntry) cost() int64    { return e.size }
func (e *connEntry) cost() int64    { return e.size }
func (e *bodyEntry) cost() int64    { return entryCost + e.room }
func (e *messageEntry) cost() int64 { return entryCost + int64(len(e.detail)+len(e.content)) }

// batch is what one transaction writes: of each flow and connection the last
// recorded state, of each body what is to be appended, all in the order of their keys,
// so that pages are written one after the other.
type batch struct {
	flows    []*flowEntry
	conns    []*connEntry
	certs    []cert
	bodies   []addition
	messages []*messageEntry
	touched  []uint64 // flows, ascending
	bytes    int64
	removed  map[uint64]int64 // of flows, those whose rows are in the table removed, and their at
}

// addition is what a batch appends to one body.
type addition struct {
	flow  uint64
	side  flowpb.Side
	parts [][]byte
}

// bulk is how many bytes the batch has of large pieces.
func (b *batch) bulk() (n int64) {
	for _, a := range b.bodies {
		if size := a.size(); size >= largePiece {
			n += size
		}
	}
	return n
}

// size is the number of bytes.
func (a *addition) size() (n int64) {
	for _, p := range a.parts {
		n += int64(len(p))
	}
	return n
}

// fold makes a batch of entries, which come in the order they were recorded.
func fold(entries []entry) *batch {
	b := &batch{}
	flows := map[uint64]*flowEntry{}
	conns := map[uint64]*connEntry{}
	bodies := map[int64]*addition{}
	touched := map[uint64]struct{}{}
	for _, e := range entries {
		b.bytes += e.cost()
		switch e := e.(type) {
		case *flowEntry:
			if old := flows[e.summary.ID]; old != nil && old.fresh {
				e.fresh = true
			}
			flows[e.summary.ID] = e
			touched[e.summary.ID] = struct{}{}
			for _, part := range e.bodies {
				part.flow = e.summary.ID
				add(bodies, part)
			}
		case *connEntry:
			conns[e.id] = e
			b.certs = append(b.certs, e.certs...)
		case *bodyEntry:
			add(bodies, e)
			touched[e.flow] = struct{}{}
		case *messageEntry:
			b.messages = append(b.messages, e)
			touched[e.flow] = struct{}{}
		}
	}
	b.flows = sortedBy(flows)
	b.conns = sortedBy(conns)
	for _, a := range sortedBy(bodies) {
		b.bodies = append(b.bodies, *a)
	}
	slices.SortStableFunc(b.messages, func(x, y *messageEntry) int {
		return cmp.Or(cmp.Compare(x.flow, y.flow), cmp.Compare(x.sequence, y.sequence))
	})
	b.touched = slices.Sorted(maps.Keys(touched))
	return b
}

// add collects e with what else is appended to its body.
func add(bodies map[int64]*addition, e *bodyEntry) {
	key := rowid.Piece(e.flow, e.side, 0)
	a := bodies[key]
	if a == nil {
		a = &addition{flow: e.flow, side: e.side}
		bodies[key] = a
	}
	a.parts = append(a.parts, e.data)
}

// sortedBy returns the values of m in the order of their keys.
func sortedBy[K cmp.Ordered, V any](m map[K]V) []V {
	out := make([]V, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, m[k])
	}
	return out
}
