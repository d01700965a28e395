package tcp

import (
	"cmp"
	"slices"
)

// Kind is the kind of an [Event].
type Kind uint8

// The kinds.
const (
	Data     Kind = iota + 1 // Event.Data comes next
	Gap                      // Event.Length bytes were sent and never seen
	Conflict                 // a byte range was sent twice with different bytes; the first are kept
)

// Event is what a stream does next.
type Event struct {
	Kind   Kind
	Data   []byte // valid during the call
	Length int64
	// Disputed says that others were sent for some of these bytes: a Conflict was told
	// of them.
	Disputed bool
	AtNs     int64 // when the segment that brought it was captured
}

// Limits of a [Stream].
const (
	maxWaiting  = 4 << 20 // bytes behind a hole, in memory
	maxSegments = 1 << 18 // segments behind a hole
	// maxDistance is how far from what is expected a segment may lie: the largest
	// window of TCP (RFC 7323, section 2.3). Others belong to no place in the stream.
	maxDistance = 1 << 30
	// A hole that was acknowledged may still be filled: captures mix up what came
	// in over several queues. It is waited for as long as this.
	patienceNs       = 200e6
	patienceSegments = 64
)

// Stream is one direction of a connection. Make one with [NewStream].
type Stream struct {
	budget  *Budget
	started bool
	first   uint32
	next    int64 // where the next byte belongs: sequence number, made 64 bits wide
	acked   int64 // as far as the other side said it has it
	excused int64 // as far as nobody waits for what is missing
	waiting []piece
	held    int64 // bytes of waiting
	since   int64 // when the hole was first seen, ns
	ended   bool  // a FIN was seen
	end     int64 // the place of it
}

// piece waits behind a hole.
type piece struct {
	at      int64 // place in the stream
	data    []byte
	kept    int   // bytes in the spill instead of data
	place   int64 // of these
	missing int64 // bytes behind data that were sent and not captured
	timeNs  int64
	// disputed is that other bytes came for some of data.
	disputed bool
}

func (p *piece) stop() int64 { return p.at + int64(len(p.data)+p.kept) + p.missing }

// pieceCost is what a piece that waits takes of the memory beside its data, in bytes.
const pieceCost = 96

// NewStream returns a stream that begins with the first segment pushed.
func NewStream(b *Budget) *Stream { return &Stream{budget: b} }

// Start says what the number of the first byte is, as a SYN does.
func (s *Stream) Start(seq uint32) {
	if !s.started {
		s.started, s.first, s.next, s.acked = true, seq, int64(seq), int64(seq)
	}
}

// Started reports whether the stream has begun.
func (s *Stream) Started() bool { return s.started }

// place makes a sequence number 64 bits wide: the nearest to what is expected.
func (s *Stream) place(seq uint32) int64 { return s.next + int64(int32(seq-uint32(s.next))) }

// Push takes a segment: p was captured, missing bytes behind it were not. Yield is
// called for what can be told now, in order; its error ends the call and is returned.
func (s *Stream) Push(seq uint32, p []byte, missing int, at int64, yield func(Event) error) error {
	s.Start(seq)
	in := piece{at: s.place(seq), data: p, missing: int64(missing), timeNs: at}
	if in.stop()-s.next > maxDistance || s.next-in.at > maxDistance {
		return nil
	}
	if in.at > s.next {
		if conflict := s.wait(in); conflict {
			if err := yield(Event{Kind: Conflict, AtNs: at}); err != nil {
				return err
			}
		}
		if s.impatient(at) {
			return s.jump(yield)
		}
		return nil
	}
	if err := s.deliver(in, yield); err != nil {
		return err
	}
	return s.drain(yield)
}

// Finish says that the stream ends with the byte before seq, as a FIN does.
func (s *Stream) Finish(seq uint32) {
	s.Start(seq)
	if !s.ended {
		s.ended, s.end = true, s.place(seq)
	}
}

// Ended reports whether a FIN was seen. What comes before it may be missing yet.
func (s *Stream) Ended() bool { return s.ended }

// Finished reports whether all up to the end was delivered.
func (s *Stream) Finished() bool { return s.ended && s.next >= s.end }

// Acknowledge says that the other side has all before seq.
func (s *Stream) Acknowledge(seq uint32, at int64, yield func(Event) error) error {
	if !s.started {
		return nil
	}
	if place := s.place(seq); place > s.acked && place-s.next <= maxDistance {
		s.acked = place
	}
	if s.impatient(at) {
		return s.jump(yield)
	}
	return nil
}

// Lacks reports whether something before seq has not come, and may yet.
func (s *Stream) Lacks(seq uint32) bool {
	if !s.started || seq == uint32(s.next) {
		return false
	}
	place := s.place(seq)
	if s.ended && place > s.end {
		place = s.end // a FIN has a number, and no byte
	}
	return place > max(s.next, s.excused) && place-s.next <= maxDistance
}

// Excuse says that what is missing before seq is not to be waited for.
func (s *Stream) Excuse(seq uint32) {
	if s.started {
		s.excused = max(s.excused, s.place(seq))
	}
}

// Waits reports whether there is a hole that something waits behind.
func (s *Stream) Waits() bool { return len(s.waiting) > 0 }

// Wake gives a hole up that has been waited for long enough, although nothing more came.
func (s *Stream) Wake(at int64, yield func(Event) error) error {
	if s.impatient(at) {
		return s.jump(yield)
	}
	return nil
}

// Close tells what waits, with gaps where something is missing.
func (s *Stream) Close(at int64, yield func(Event) error) error {
	for len(s.waiting) > 0 {
		if err := s.jump(yield); err != nil {
			return err
		}
	}
	if s.started && s.acked > s.next && (!s.ended || s.acked <= s.end) {
		return s.gap(s.acked, at, yield)
	}
	return nil
}

// impatient reports whether the hole at next will not be filled any more.
func (s *Stream) impatient(at int64) bool {
	if len(s.waiting) == 0 {
		return false
	}
	if s.held > maxWaiting || len(s.waiting) > maxSegments || s.budget.Left < 0 {
		return true
	}
	return s.acked >= s.waiting[0].at && (at-s.since > patienceNs || len(s.waiting) > patienceSegments)
}

// jump makes the hole a gap and goes on behind it.
func (s *Stream) jump(yield func(Event) error) error {
	if err := s.gap(s.waiting[0].at, s.waiting[0].timeNs, yield); err != nil {
		return err
	}
	return s.drain(yield)
}

func (s *Stream) gap(to, at int64, yield func(Event) error) error {
	n := to - s.next
	if n <= 0 {
		return nil
	}
	s.next = to
	return yield(Event{Kind: Gap, Length: n, AtNs: at})
}

// deliver tells what of p is new; p begins at next or before.
func (s *Stream) deliver(p piece, yield func(Event) error) error {
	data := p.data
	if old := s.next - p.at; old > 0 {
		data = data[min(old, int64(len(data))):]
	}
	if len(data) > 0 {
		s.next += int64(len(data))
		if err := yield(Event{Kind: Data, Data: data, Disputed: p.disputed, AtNs: p.timeNs}); err != nil {
			return err
		}
	}
	if p.missing == 0 {
		return nil
	}
	to := p.stop()
	if len(s.waiting) > 0 { // somebody may have seen it whole
		to = min(to, max(s.next, s.waiting[0].at))
	}
	return s.gap(to, p.timeNs, yield)
}

// drain delivers what waits for nothing any more.
func (s *Stream) drain(yield func(Event) error) error {
	for len(s.waiting) > 0 && s.waiting[0].at <= s.next {
		p := s.waiting[0]
		s.waiting[0] = piece{}
		s.waiting = s.waiting[1:]
		s.hold(-int64(len(p.data)), -pieceCost)
		if err := s.budget.fetch(&p); err != nil {
			return err
		}
		if err := s.deliver(p, yield); err != nil {
			return err
		}
	}
	if len(s.waiting) == 0 {
		s.waiting = nil
	} else {
		s.since = max(s.since, s.waiting[0].timeNs)
	}
	return nil
}

func (s *Stream) hold(data, more int64) {
	s.held += data
	s.budget.Left -= data + more
}

// wait keeps p behind the hole, less what already waits of it, and reports whether
// that differs from what p says.
func (s *Stream) wait(p piece) (conflict bool) {
	if len(s.waiting) == 0 {
		s.since = p.timeNs
	}
	first, _ := slices.BinarySearchFunc(s.waiting, p.at+1, func(w piece, at int64) int { return cmp.Compare(w.stop(), at) })
	for i := first; i < len(s.waiting) && p.at < p.stop(); i++ {
		w := &s.waiting[i]
		if w.at >= p.stop() {
			break
		}
		if s.budget.differ(w, &p) {
			w.disputed, conflict = true, true
		}
		if p.at < w.at { // the part before w is new
			i += s.insert(i, p.cut(w.at))
			w = &s.waiting[i]
		}
		p = p.from(w.stop())
	}
	if p.at < p.stop() {
		at, _ := slices.BinarySearchFunc(s.waiting, p.at, func(w piece, at int64) int { return cmp.Compare(w.at, at) })
		s.insert(at, p)
	}
	return conflict
}

func (s *Stream) insert(i int, p piece) int {
	full := s.held+int64(len(p.data)) > maxWaiting || s.budget.Left < spillBelow
	if !full || !s.budget.keep(&p) {
		p.data = slices.Clone(p.data)
	}
	s.waiting = slices.Insert(s.waiting, i, p)
	s.hold(int64(len(p.data)), pieceCost)
	return 1
}

// cut is the part of p before a place.
func (p piece) cut(to int64) piece {
	n := to - p.at
	if n <= int64(len(p.data)) {
		p.data, p.missing = p.data[:n], 0
	} else {
		p.missing = min(p.missing, n-int64(len(p.data)))
	}
	return p
}

// from is the part of p behind a place.
func (p piece) from(at int64) piece {
	n := at - p.at
	if n <= 0 {
		return p
	}
	stop := p.stop()
	p.data = p.data[min(n, int64(len(p.data))):]
	p.at = min(at, stop)
	p.missing = stop - p.at - int64(len(p.data))
	return p
}

// Begins reports whether seq is the number of the stream's first byte, as it is in a
// SYN that was sent twice.
func (s *Stream) Begins(seq uint32) bool { return s.first == seq }
