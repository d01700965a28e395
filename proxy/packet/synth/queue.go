package synth

import (
	"container/heap"

	flowpb "weir/proto"
)

// maxWaiting bounds what waits to be put in order, in bytes.
const maxWaiting = 16 << 20

// saidSize is what a said counts for beside its bytes.
const saidSize = 256

// kind is what happens on a connection.
type kind uint8

const (
	syn  kind = iota // it is opened
	keys             // TLS begins
	data             // bytes are sent
	lost             // bytes were sent that nobody has
	fin              // both sides end it
)

// said is one thing that happens on a connection, from one side.
type said struct {
	talk    *talk
	at      int64 // nanoseconds since 1970
	order   uint64
	from    flowpb.Side
	kind    kind
	p       []byte
	missing uint64 // bytes of a lost
	comment string
}

// queue is what waits, the earliest first; of the same time, what was said first.
type queue struct {
	waiting []said
	bytes   int
	order   uint64
}

func (q *queue) push(s said) {
	q.order++
	s.order = q.order
	q.bytes += len(s.p) + saidSize
	heap.Push((*byTime)(q), s)
}

func (q *queue) pop() said {
	s := heap.Pop((*byTime)(q)).(said)
	q.bytes -= len(s.p) + saidSize
	return s
}

// byTime is the queue as package heap wants it.
type byTime queue

func (h *byTime) Len() int { return len(h.waiting) }
func (h *byTime) Less(i, j int) bool {
	a, b := &h.waiting[i], &h.waiting[j]
	return a.at < b.at || a.at == b.at && a.order < b.order
}
func (h *byTime) Swap(i, j int) { h.waiting[i], h.waiting[j] = h.waiting[j], h.waiting[i] }
func (h *byTime) Push(x any)    { h.waiting = append(h.waiting, x.(said)) }
func (h *byTime) Pop() any {
	last := len(h.waiting) - 1
	s := h.waiting[last]
	h.waiting[last] = said{}
	h.waiting = h.waiting[:last]
	return s
}
