package h2

import (
	"encoding/binary"
	"slices"
)

// heardTable bounds the HPACK table of a peer that is only listened to, in bytes by
// the rule of RFC 7541 §4.1. What was said to the peer about it (§4.2) is heard in
// another Conn, so any size up to this is taken.
const heardTable = 64 << 10

// NewObserver returns a Conn that only listens to what the peer says to somebody
// else, as a packet capture does; nothing is ever appended to it. Each end of a
// connection has one of its own. With joined the peer was speaking before we came: there
// is no preface to wait for, and header fields may refer to others that were said before.
//
// An observer judges nobody. Windows, the states of streams and the order of their ids
// are not held against the peer, and of [Limits] only those on memory are: HeaderList,
// HeaderBlock, Continuations, Frame, and Streams, whose half of the peer has begun and
// not ended. What is wrong with a message that can be read all the same is in its
// Event.Err, its pseudo-header fields are wherever they stand taken for such and put
// first, and those of the other role are taken too. Fields whose name nobody can know
// are left out and told in Event.Unread.
//
// DATA and trailers of a stream that was never begun come as they are, and RST_STREAM
// whatever the state of its stream. PUSH_PROMISE is the event [Promise].
func NewObserver(peer Role, lim Limits, joined bool) *Conn {
	c := NewConn(peer, lim)
	c.observer = true
	c.dec.SetAllowedMaxDynamicTableSize(heardTable)
	if joined {
		c.Join()
	}
	return c
}

// Join makes an observer go on with what it hears next as the beginning of a frame,
// after bytes that it missed. What the peer's header fields refer to is forgotten,
// and so is every stream.
func (c *Conn) Join() {
	c.err, c.state, c.settled = nil, inHeader, true
	c.release()
	c.data, c.left, c.padding, c.refund = nil, 0, 0, 0
	clear(c.streams)
	c.closed = ring{}
	c.forgetTable()
}

// forgetTable empties the table of the peer's header fields, whose entries nobody knows
// any more. Ours may then be the larger one, which is no harm: the peer does not refer
// to what its own has lost.
func (c *Conn) forgetTable() {
	c.block.stream, c.block.promised = 0, 0
	c.unsure = true
	c.dec.SetMaxDynamicTableSize(0)
	c.dec.SetMaxDynamicTableSize(heardTable)
}

// Content returns how many of the next bytes are content of a DATA frame, whatever
// they are.
func (c *Conn) Content() int64 {
	if c.err != nil || c.state != inData {
		return 0
	}
	return int64(c.left)
}

// Stream returns the stream of the frame at hand, 0 between frames.
func (c *Conn) Stream() uint32 {
	if c.state == inHeader {
		return 0
	}
	return c.frame.stream
}

// Lose tells an observer that n bytes are missing, which are not content. It returns
// how many of them lie behind the frame at hand: of where the next one begins is then
// nothing known, until [Conn.Join].
func (c *Conn) Lose(n int64) int64 {
	c.offset += n
	rest := int64(c.padding)
	switch c.state {
	case inPayload:
		rest = int64(c.frame.length - len(c.buf))
		switch c.frame.kind {
		case FrameHeaders, FramePushPromise, FrameContinuation:
			c.forgetTable()
		}
	case inPadding:
	default:
		return n
	}
	c.release()
	c.state, c.padding = inPadding, int(max(0, rest-n))
	if c.padding == 0 {
		c.state = inHeader
	}
	return max(0, n-rest)
}

// Forget makes an observer discard what else it hears of a stream, which is over.
func (c *Conn) Forget(id uint32) {
	c.last = max(c.last, id)
	if _, open := c.streams[id]; !open {
		c.closed.add(id, closedByReset)
		return
	}
	c.forget(id, closedByReset)
}

// checkHeard refuses frames that cannot be read.
func (c *Conn) checkHeard() *Error {
	f := c.frame
	switch {
	case !c.settled && f.kind != FrameSettings:
		return c.broken(ProtocolError, "the first frame is %s, not SETTINGS", f.kind)
	case c.block.stream != 0 && (f.kind != FrameContinuation || f.stream != c.block.stream):
		return c.broken(ProtocolError, "%s inside the header block of stream %d", f.kind, c.block.stream)
	case f.kind != FrameData && f.length > c.lim.Frame:
		err := c.broken(FrameSizeError, "%s of %d bytes over our limit of %d", f.kind, f.length, c.lim.Frame)
		err.Limit = "Frame"
		return err
	}
	return nil
}

// hear acts on the frames that an observer takes otherwise than an end does; done says
// that this was one.
func (c *Conn) hear(p []byte) (ev Event, done bool, err *Error) {
	id := c.frame.stream
	ev = Event{Kind: Discarded, Stream: id}
	switch c.frame.kind {
	case FrameContinuation:
		return ev, c.block.stream == 0, nil // its beginning was missed
	case FramePriority:
		if len(p) == 5 {
			c.dependency(p)
			ev = Event{Kind: Priority, Stream: id, Priority: &c.dep}
		}
		return ev, true, nil
	case FrameReset:
		if len(p) == 4 {
			c.Forget(id)
			ev = Event{Kind: Reset, Stream: id, Code: ErrCode(binary.BigEndian.Uint32(p))}
		}
		return ev, true, nil
	case FrameWindowUpdate:
		if len(p) == 4 {
			ev = Event{Kind: WindowUpdate, Stream: id, Increment: binary.BigEndian.Uint32(p) & maxStream}
		}
		return ev, true, nil
	case FrameSettings:
		ev = c.hearSettings(p)
		return ev, true, nil
	case FramePushPromise:
		ev, err = c.hearPromise(p)
		return ev, true, err
	}
	return ev, false, nil
}

func (c *Conn) hearSettings(p []byte) Event {
	c.settled = true
	if c.frame.has(flagAck) {
		return Event{Kind: SettingsAck}
	}
	c.settings = c.settings[:0]
	for ; len(p) >= settingSize; p = p[settingSize:] {
		c.settings = append(c.settings, Setting{SettingID(binary.BigEndian.Uint16(p)), binary.BigEndian.Uint32(p[2:])})
	}
	return Event{Kind: Settings, Settings: c.settings}
}

// beginHeardData takes the content of any stream.
func (c *Conn) beginHeardData() (Event, *Error) {
	id := c.frame.stream
	s, open := c.streams[id]
	switch {
	case open && s.lost, !open && c.ended(id):
		c.skipData()
		return Event{Kind: Discarded, Stream: id}, nil
	case !open:
		if err := c.crowded(); err != nil {
			return Event{}, err
		}
		s = c.openHeard(id)
	}
	s.in = halfBody
	c.data = s
	return Event{}, nil
}

// ended reports whether the peer's half of a stream was over not long ago.
func (c *Conn) ended(id uint32) bool { return id <= c.last && c.closed.how(id) != closedLongAgo }

// openHeard enters a stream of which the peer's half alone is followed.
func (c *Conn) openHeard(id uint32) *stream {
	last := c.last
	s := c.open(id)
	c.last = max(last, id)
	s.out = halfEnded
	return s
}

func (c *Conn) crowded() *Error {
	if len(c.streams) < c.lim.Streams {
		return nil
	}
	return c.flooded("Streams", "more than %d streams at once", c.lim.Streams)
}

// takeHeardBlock makes an event of a header block, whatever is wrong with it.
func (c *Conn) takeHeardBlock(id uint32) (Event, *Error) {
	b := &c.block
	if b.promised != 0 {
		ev := Event{Kind: Promise, Stream: id, Promised: b.promised, End: true}
		b.promised = 0
		c.readHead(&ev)
		return ev, nil
	}
	s, open := c.streams[id]
	if !open {
		if c.ended(id) {
			return Event{Kind: Discarded, Stream: id}, nil
		}
		if err := c.crowded(); err != nil {
			return Event{}, err
		}
		s = c.openHeard(id)
	}
	ev := Event{Kind: Message, Stream: id, Priority: b.dep, End: b.end}
	c.readHead(&ev)
	switch {
	case s.lost:
		ev = Event{Kind: Discarded, Stream: id}
	case b.large:
		s.lost = true
		ev.Kind, ev.Err = StreamError, c.heardFault(id, malformed("header of more than %d bytes", c.lim.HeaderList))
	case s.in == halfBody, ev.Head.Pseudo == 0 && b.end && (c.unsure || len(ev.Unread) > 0):
		ev.Kind = Trailers
	case ev.Head.Status/100 == 1 && !b.end:
		ev.Kind = Interim
	default:
		s.in = halfBody
	}
	if b.end {
		c.endIn(id, s)
	}
	return ev, nil
}

// readHead puts the fields of the block at hand into ev: pseudo-header fields first,
// those without a name aside.
func (c *Conn) readHead(ev *Event) {
	b := &c.block
	var wrong *fault
	note := func(f *fault) {
		if wrong == nil {
			wrong = f
		}
	}
	slices.SortStableFunc(b.fields, func(x, y Field) int { return rank(x) - rank(y) })
	if i := slices.IndexFunc(b.fields, func(f Field) bool { return f.Name == "" }); i >= 0 {
		for _, f := range b.fields[i:] {
			ev.Unread = append(ev.Unread, f.Value)
		}
		b.fields = b.fields[:i]
	}
	for i := range b.fields {
		f := &b.fields[i]
		if !f.IsPseudo() {
			break
		}
		ev.Head.Pseudo = i + 1
		switch {
		case slices.ContainsFunc(b.fields[:i], func(before Field) bool { return before.Name == f.Name }):
			note(malformed("%s twice", clip(f.Name)))
		case !setAnyPseudo(&ev.Head, f):
			note(malformed("%s, which is unknown or out of place", clip(f.Name)))
		}
	}
	ev.Fields = b.fields
	if f := checkFields(b.fields[ev.Head.Pseudo:]); f != nil {
		note(f)
	}
	if wrong != nil {
		ev.Err = c.heardFault(ev.Stream, wrong)
	}
}

// rank is the order of pseudo-header fields, others, and those without a name.
func rank(f Field) int {
	switch {
	case f.IsPseudo():
		return 0
	case f.Name != "":
		return 1
	}
	return 2
}

func (c *Conn) heardFault(id uint32, f *fault) *Error {
	return &Error{Code: f.code, Peer: c.peer, Stream: id, Offset: c.at, Reason: f.reason}
}

// setAnyPseudo puts one field into h, of a request or of a response.
func setAnyPseudo(h *Head, f *Field) bool {
	return setRequestPseudo(h, f) || setStatus(h, f)
}

// hearPromise begins the header block of PUSH_PROMISE (§6.6), or reads it where it is
// whole.
func (c *Conn) hearPromise(p []byte) (Event, *Error) {
	pad := 0
	if c.frame.has(flagPadded) && len(p) > 0 {
		pad = int(p[0])
		p = p[1:]
	}
	if len(p) < 4+pad {
		return Event{}, c.broken(FrameSizeError, "PUSH_PROMISE of %d bytes", c.frame.length)
	}
	b := &c.block
	b.stream, b.promised, b.end, b.frames, b.dep = c.frame.stream, binary.BigEndian.Uint32(p)&maxStream, true, 0, nil
	p = p[4 : len(p)-pad]
	if c.frame.has(flagEndHeaders) {
		return c.endBlock(p)
	}
	b.raw = append(b.raw[:0], p...)
	return Event{}, nil
}
