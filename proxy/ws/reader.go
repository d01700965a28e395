package ws

import (
	"bytes"
	"fmt"
)

// Role is whose bytes a Reader reads.
type Role uint8

// The two ends of a connection.
const (
	Client Role = iota
	Server
)

// String returns the role as one calls it.
func (r Role) String() string {
	if r == Client {
		return "client"
	}
	return "server"
}

// Kind is the kind of an Event.
type Kind uint8

// The kinds of events.
const (
	NeedMore   Kind = iota // all input is taken; feed more
	FrameHead              // Event.Frame is the head of a frame
	Data                   // Event.Data is a piece of a message's content
	MessageEnd             // Event.Message is over
)

// Event is one step of a message. What it points to is valid until the next
// call of the Reader.
type Event struct {
	Kind    Kind
	Control bool // it is of a control message, which may come inside another
	Frame   *Frame
	Data    []byte // may point into the slice given to Feed
	Message *Message
}

// Error says why the rest of a direction cannot be read.
type Error struct {
	Role   Role
	Offset int64  // bytes of the direction before the frame
	Head   []byte // the head of the frame
	Reason string
}

// Error returns one line that names the direction, the place and the reason.
func (e *Error) Error() string {
	return fmt.Sprintf("read WebSocket frame of the %s (byte %d): %s", e.Role, e.Offset, e.Reason)
}

type state uint8

const (
	inHead     state = iota
	atFrame          // the head is complete and not told yet
	inPayload        // left bytes of it are to come
	unpacking        // packed holds compressed bytes of it
	passingRaw       // packed holds bytes of it that do not decompress
	atTail           // the message is whole but for what its sender left out
	atEnd            // the message is whole
)

// Reader parses one direction of a connection. Make one with NewReader.
type Reader struct {
	role Role
	lim  Limits
	ext  Extensions

	state  state
	err    error
	offset int64 // bytes taken before the frame whose head is being read
	head   [maxHead]byte
	have   int // of head
	frame  Frame
	left   uint64 // of the frame's payload
	masked int    // bytes of the payload so far, modulo 4

	data    building // the message that data frames belong to
	control building
	closed  bool // a close has passed

	deflate  deflation
	scratch  []byte // what was unmasked
	packed   []byte // of scratch, or deflateTail: what is still to be inflated
	lastPart bool   // packed is the tail
}

// NewReader returns a Reader of what role sends on a connection with extensions ext.
func NewReader(role Role, ext Extensions, lim Limits) *Reader {
	return &Reader{role: role, ext: ext, lim: lim.withDefaults(), deflate: newDeflation(role, ext)}
}

// Idle reports whether the Reader stands between two messages.
func (r *Reader) Idle() bool { return r.state == inHead && r.have == 0 && !r.data.open }

// Feed takes bytes from the front of p and returns how many it took and what
// they amount to. An error is an *Error; it is final, and returned again by
// every later call.
func (r *Reader) Feed(p []byte) (n int, ev Event, err error) {
	for r.err == nil {
		before := r.state
		took, ev := r.step(p[n:])
		n += took
		hungry := took == 0 && r.state == before && (before == inHead || before == inPayload)
		if ev.Kind != NeedMore || hungry {
			return n, ev, nil
		}
	}
	return n, Event{}, r.err
}

// End tells that no more will come. It returns MessageEnd for each message that
// is cut off by that, then NeedMore.
func (r *Reader) End() Event {
	if r.err == nil && r.state != inHead && r.frame.Opcode.Control() && r.control.open {
		return r.finish(&r.control, Cut)
	}
	if r.data.open {
		return r.finish(&r.data, Cut)
	}
	return Event{}
}

// current is the message that the frame belongs to.
func (r *Reader) current() *building {
	if r.frame.Opcode.Control() {
		return &r.control
	}
	return &r.data
}

// step makes one step. Where it comes to nothing, the state or the bytes taken
// changed, or more input is needed.
func (r *Reader) step(p []byte) (int, Event) {
	switch r.state {
	case inHead:
		return r.takeHead(p), Event{}
	case atFrame:
		return 0, r.beginFrame()
	case inPayload:
		return r.takePayload(p)
	case unpacking:
		return 0, r.unpack()
	case passingRaw:
		r.state = inPayload
		return 0, r.content(r.current(), r.packed)
	case atTail:
		r.packed, r.lastPart, r.state = deflateTail, true, unpacking
		return 0, Event{}
	}
	r.state = inHead
	return 0, r.finish(r.current(), 0)
}

// takeHead gathers the head of a frame.
func (r *Reader) takeHead(p []byte) (n int) {
	for n < len(p) && r.have < headSize(r.head[:r.have]) {
		r.head[r.have] = p[n]
		r.have++
		n++
	}
	if r.have < headSize(r.head[:r.have]) {
		return n
	}
	frame, ok := parseHead(r.head[:r.have])
	if !ok {
		r.err = &Error{Role: r.role, Offset: r.offset, Head: bytes.Clone(r.head[:r.have]), Reason: "a payload of 2^63 bytes or more"}
		return n
	}
	r.offset += int64(r.have)
	r.have = 0
	r.frame, r.left, r.masked = frame, frame.Length, 0
	r.state = atFrame
	return n
}

// beginFrame enters the frame into its message, or first ends the one that it
// should have continued.
func (r *Reader) beginFrame() Event {
	f := &r.frame
	b := r.current()
	if b == &r.data && b.open && f.Opcode != Continuation {
		return r.finish(b, Unfinished)
	}
	first := !b.open || b == &r.control
	if first {
		b.begin(f)
	}
	b.frame(f, r.lim.Frames)
	b.Faults |= r.faults(f, first)
	if first && f.RSV&rsv1 != 0 && r.ext.Deflate && !f.Opcode.Control() {
		b.Compressed = true
		r.deflate.begin(b)
	}
	r.state = inPayload
	return Event{Kind: FrameHead, Control: f.Opcode.Control(), Frame: f}
}

// faults are the rules that a frame's head breaks.
func (r *Reader) faults(f *Frame, first bool) (broken Fault) {
	control, marked := f.Opcode.Control(), f.RSV&rsv1 != 0
	for _, rule := range []struct {
		broken bool
		fault  Fault
	}{
		{r.role == Client && !f.Masked, Unmasked},
		{r.role == Server && f.Masked, Masked},
		{!f.Opcode.known(), ReservedOpcode},
		{f.Long, LongLength},
		{control && !f.Fin, FragmentedControl},
		{control && f.Length > maxControl, LongControl},
		{first && f.Opcode == Continuation, StrayFragment},
		{r.closed, AfterClose},
		{r.ext.Deflate && marked && control, CompressedControl},
		{r.ext.Deflate && marked && !control && !first, CompressedLater},
		{len(r.ext.Others) == 0 && (f.RSV&^rsv1 != 0 || marked && !r.ext.Deflate), ReservedBit},
	} {
		if rule.broken {
			broken |= rule.fault
		}
	}
	return broken
}

// takePayload takes a piece of the frame's payload.
func (r *Reader) takePayload(p []byte) (int, Event) {
	b := r.current()
	if r.left == 0 {
		r.endFrame(b)
		return 0, Event{}
	}
	p = p[:min(uint64(len(p)), r.left)]
	packed := b.Compressed && !b.Faults.Has(Damaged)
	if r.frame.Masked || packed {
		p = r.unmasked(p)
	}
	r.left -= uint64(len(p))
	r.offset += int64(len(p))
	if packed {
		r.packed, r.lastPart = p, false
		if len(p) > 0 {
			r.state = unpacking
		}
		return len(p), Event{}
	}
	return len(p), r.content(b, p)
}

// unmasked copies what of p there is room for, without its mask.
func (r *Reader) unmasked(p []byte) []byte {
	if r.scratch == nil {
		r.scratch = make([]byte, scratchSize)
	}
	out := r.scratch[:min(len(p), scratchSize)]
	if r.frame.Masked {
		unmask(out, p[:len(out)], r.frame.Key, r.masked)
		r.masked = (r.masked + len(out)) & 3
	} else {
		copy(out, p)
	}
	return out
}

// endFrame goes on behind the last byte of a frame.
func (r *Reader) endFrame(b *building) {
	switch {
	case !r.frame.Fin && b == &r.data:
		r.state = inHead
	case b.Compressed && !b.Faults.Has(Damaged) && b.wire() > 0:
		r.state = atTail
	default:
		r.state = atEnd
	}
}

// content is the event for a piece of a message's content.
func (r *Reader) content(b *building, p []byte) Event {
	if len(p) == 0 {
		return Event{}
	}
	if b.Compressed && b.Size+int64(len(p)) > r.lim.Inflated {
		b.Faults |= Unfolded
		if p = p[:r.lim.Inflated-b.Size]; len(p) == 0 {
			return Event{}
		}
	}
	b.data(p)
	return Event{Kind: Data, Control: b == &r.control, Data: p}
}

// finish ends a message.
func (r *Reader) finish(b *building, why Fault) Event {
	b.Faults |= why
	b.finish()
	r.deflate.end(b)
	r.closed = r.closed || b.Opcode == Close
	return Event{Kind: MessageEnd, Control: b == &r.control, Message: &b.Message}
}
