package h1

import "fmt"

// Kind is the kind of an Event.
type Kind uint8

// The kinds of events.
const (
	NeedMore       Kind = iota // all input is taken; feed more
	MessageHead                // Event.Head is complete
	Data                       // Event.Data is a piece of the body, without chunk framing
	ChunkExtension             // Event.Data is the extension of the chunk that begins, from its semicolon on
	MessageEnd                 // the message is over; Event.Trailer holds its trailer fields
	Tunnel                     // Event.Data is what follows a response with FramingTunnel
)

// Event is one step of a message.
type Event struct {
	Kind    Kind
	Data    []byte  // points into the slice given to Feed, or (extensions) into the Reader: until the next Feed
	Head    *Head   // of MessageHead; valid until the first Feed after MessageEnd
	Trailer []Field // of MessageEnd; valid until the next Feed
}

type state uint8

const (
	inHead state = iota
	inLength
	inClose
	inChunkLine
	inChunkData
	inChunkEnd
	inTrailer
	atEnd
	inTunnel
)

// Reader parses one direction of a connection. Make one with NewReader.
type Reader struct {
	role Role
	lim  Limits
	req  requestKind

	state   state
	err     error
	offset  int64  // bytes taken before the input of the current step
	section []byte // the head as it gathers; owned, reused
	lines   []byte // a chunk line or trailer section as it gathers; owned, reused
	line    int    // offset in section or lines at which the current line begins
	blank   int    // empty lines skipped before the start line
	head    Head
	parsed  bool // head is of the section that is being gathered
	trailer []Field
	left    int64 // bytes left of the body or the chunk
}

// NewReader returns a Reader for the given direction.
func NewReader(role Role, lim Limits) *Reader {
	return &Reader{role: role, lim: lim.withDefaults(), head: Head{Role: role}}
}

// ForRequest names the method of the request that the next final response
// answers: responses to HEAD have no body, a 2xx to CONNECT has no end
// (RFC 9112 §6.3). Without it the request is taken for a GET.
func (r *Reader) ForRequest(method []byte) {
	switch string(method) {
	case "HEAD":
		r.req = headRequest
	case "CONNECT":
		r.req = connectRequest
	default:
		r.req = plainRequest
	}
}

// Oddities returns those of the message that is being read, or that was read
// last: of its head, and of its body as far as that has come.
func (r *Reader) Oddities() Oddity { return r.head.Oddities }

// Endless reports whether the body that is being read lasts until the connection
// ends.
func (r *Reader) Endless() bool { return r.state == inClose }

// Idle reports whether the Reader stands between two messages.
func (r *Reader) Idle() bool { return r.state == inHead && len(r.section) == 0 }

// Feed takes bytes from the front of p and returns how many it took and what
// they amount to. An error is a *Error; it is final, and returned again by
// every later call.
func (r *Reader) Feed(p []byte) (n int, ev Event, err error) {
	if r.err != nil {
		return 0, Event{}, r.err
	}
	for {
		before := r.state
		took, ev, err := r.step(p[n:])
		n += took
		r.offset += int64(took)
		if err != nil {
			r.err = err
			return n, Event{}, err
		}
		if ev.Kind != NeedMore || took == 0 && r.state == before {
			return n, ev, nil
		}
	}
}

// step makes one transition, without looping over states.
func (r *Reader) step(p []byte) (int, Event, error) {
	switch r.state {
	case inHead:
		return r.stepHead(p)
	case inLength, inClose, inChunkData:
		return r.stepData(p)
	case inChunkLine:
		return r.stepChunkLine(p)
	case inChunkEnd:
		return r.stepChunkEnd(p)
	case inTrailer:
		return r.stepTrailer(p)
	case atEnd:
		return 0, r.end(), nil
	}
	if len(p) == 0 {
		return 0, Event{}, nil
	}
	return len(p), Event{Kind: Tunnel, Data: p}, nil
}

// End says that the input is over. It returns MessageEnd where that completes
// the message (FramingClose), NeedMore between messages and in a tunnel, and a
// *Error with Code Truncated inside a message.
func (r *Reader) End() (Event, error) {
	switch {
	case r.err != nil:
		return Event{}, r.err
	case r.state == inClose, r.state == atEnd:
		return r.end(), nil
	case r.Idle(), r.state == inTunnel:
		return Event{}, nil
	}
	r.err = r.truncated()
	return Event{}, r.err
}

// stepHead gathers lines until the empty one and parses the head.
func (r *Reader) stepHead(p []byte) (int, Event, error) {
	for took := 0; took < len(p); {
		n, complete := gatherLine(&r.section, p[took:], r.lim.HeadBytes)
		took += n
		start := r.offset + int64(took) - int64(len(r.section))
		if r.line == 0 && r.role == Request && !beginsWithMethod(r.section) {
			return took, Event{}, r.place(malformed("start line", 0, "no HTTP method"), r.section, start)
		}
		if f := r.checkHeadSize(); f != nil {
			return took, Event{}, r.place(f, r.section, start)
		}
		if !complete {
			break
		}
		empty := len(trimLineEnd(r.section[r.line:])) == 0
		switch {
		case !empty:
			r.line = len(r.section)
		case r.line > 0:
			return r.finishHead(took, start)
		case r.blank >= r.lim.BlankLines:
			return took, Event{}, r.place(malformed("start line", 0, "empty lines where a start line should be"), nil, start)
		default:
			r.blank++
			r.section = r.section[:0]
		}
	}
	return len(p), Event{}, nil
}

// finishHead parses the gathered head, which began at offset start.
func (r *Reader) finishHead(took int, start int64) (int, Event, error) {
	r.trailer = r.trailer[:0]
	r.parsed = true
	if f := r.head.parse(r.section, r.req, r.lim); f != nil {
		return took, Event{}, r.place(f, r.section, start)
	}
	r.begin()
	return took, Event{Kind: MessageHead, Head: &r.head}, nil
}

// releaseHead makes ready for the next head. Buffers grown by an unusually
// large head are given back.
func (r *Reader) releaseHead() {
	const keep = 64 << 10
	r.section = r.section[:0]
	if cap(r.section) > keep {
		r.section = nil
	}
	if cap(r.lines) > keep {
		r.lines = nil
	}
	r.line, r.blank, r.parsed = 0, 0, false
}

func (r *Reader) checkHeadSize() *fault {
	switch {
	case r.line == 0 && len(r.section) > r.lim.StartLine:
		return &fault{code: LineTooLong, part: "start line", reason: fmt.Sprintf("start line over the limit of %d bytes", r.lim.StartLine)}
	case len(r.section) > r.lim.HeadBytes:
		return tooLarge("header", len(r.section), "head bytes", r.lim.HeadBytes)
	}
	return nil
}

// InHead reports whether the Reader stands between two messages or inside a
// head, so that what it took since the last event is no part of a body.
func (r *Reader) InHead() bool { return r.state == inHead }

// Partial returns what is known of a head that is not complete or not valid:
// all of Raw that came, the start line up to its limit, and the fields before the
// fault. It is nil outside a head and valid until the next Feed.
func (r *Reader) Partial() *Head {
	if r.state != inHead || len(r.section) == 0 {
		return nil
	}
	if !r.parsed {
		r.head.salvage(r.section, r.lim)
	}
	return &r.head
}
