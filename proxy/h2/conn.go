package h2

import (
	"bytes"

	"golang.org/x/net/http2/hpack"
)

type state uint8

const (
	inPreface   state = iota
	inHeader          // of a frame
	inPayload         // of a frame that is not DATA
	inPadLength       // of DATA
	inData
	inPadding
)

// Conn is our end of a connection. Make one with NewConn, or with NewObserver where
// nobody of us is at an end.
type Conn struct {
	peer Role
	lim  Limits

	// What comes in.
	state    state
	err      *Error
	offset   int64  // bytes taken
	at       int64  // where the frame at hand begins
	buf      []byte // a frame header, or a payload that is not whole; owned, reused
	frame    frame
	data     *stream // of the DATA at hand; nil where that is discarded
	left     int     // bytes left of its content
	padding  int     // bytes of its padding, and of the length of that
	refund   int     // bytes of a DATA frame that count and are not passed on
	settled  bool    // the peer's first SETTINGS came
	block    block
	settings []Setting
	dep      Dependency

	// Who may do what.
	streams     map[uint32]*stream
	spare       []*stream
	last        uint32 // the highest stream that the client opened
	closed      ring
	recv, send  int64   // the connection's windows: the peer's, and ours
	now, next   promise // what the peer may do, and what it may once it acknowledged
	unacked     int     // settings of ours under way
	sendInitial int64   // the window of a new stream of ours
	sendFrame   int     // the payload that the peer takes
	sendStreams uint32  // the streams that the peer takes

	resets, controls int  // since the last Calm
	connectProtocol  bool // we said that we take extended CONNECT

	observer bool // we only listen, see NewObserver
	unsure   bool // the peer's table has entries that we did not hear of

	dec *hpack.Decoder
	enc *hpack.Encoder
	out bytes.Buffer // a header block on its way out
}

// NewConn returns our end of a new connection.
func NewConn(peer Role, lim Limits) *Conn {
	c := &Conn{
		peer: peer, lim: lim.withDefaults(), state: inPreface,
		streams: make(map[uint32]*stream),
		recv:    defaultWindow, send: defaultWindow,
		sendInitial: defaultWindow, sendFrame: defaultFrameSize, sendStreams: unlimitedSettings,
		now: promise{window: defaultWindow, frame: defaultFrameSize, streams: unlimitedSettings, table: defaultTableSize},
	}
	if peer == Server {
		c.state = inHeader
	}
	c.next = c.now
	c.dec = hpack.NewDecoder(defaultTableSize, c.emit)
	c.dec.SetMaxStringLength(c.lim.HeaderList)
	c.enc = hpack.NewEncoder(&c.out)
	return c
}

// Calm begins a new period for the limits on floods. The owner, who has a
// clock, calls it every few seconds.
func (c *Conn) Calm() { c.resets, c.controls = 0, 0 }

// Limits returns the limits that hold, defaults filled in.
func (c *Conn) Limits() Limits { return c.lim }

// Streams returns how many streams are open.
func (c *Conn) Streams() int { return len(c.streams) }

// InHead reports whether a header block has begun and is not whole.
func (c *Conn) InHead() bool { return c.block.stream != 0 }

// Feed takes bytes from the front of p and returns how many it took and what
// they amount to. An error is a *Error, of the connection; it is final, and
// returned again by every later call.
func (c *Conn) Feed(p []byte) (n int, ev Event, err error) {
	if c.err != nil {
		return 0, Event{}, c.err
	}
	for {
		before := c.state
		took, ev, fatal := c.step(p[n:])
		n += took
		c.offset += int64(took)
		if fatal != nil {
			c.err = fatal
			return n, Event{}, fatal
		}
		if ev.Kind != NeedMore || took == 0 && c.state == before {
			return n, ev, nil
		}
	}
}

// step makes one transition.
func (c *Conn) step(p []byte) (int, Event, *Error) {
	switch c.state {
	case inPreface:
		return c.stepPreface(p)
	case inHeader:
		return c.stepHeader(p)
	case inPayload:
		return c.stepPayload(p)
	case inPadLength:
		return c.stepPadLength(p)
	case inData:
		return c.stepData(p)
	}
	return c.stepPadding(p)
}

// End says that the input is over, and returns a *Error where that is inside a
// frame or a header block.
func (c *Conn) End() error {
	if c.err != nil {
		return c.err
	}
	if c.state == inHeader && len(c.buf) == 0 && c.block.stream == 0 || c.offset == 0 {
		return nil
	}
	c.err = c.broken(ProtocolError, "the connection ended inside a frame")
	return c.err
}

func (c *Conn) stepPreface(p []byte) (int, Event, *Error) {
	n := min(len(p), len(Preface)-int(c.offset))
	if string(p[:n]) != Preface[c.offset:][:n] {
		return 0, Event{}, c.broken(ProtocolError, "the client does not begin with the preface of HTTP/2")
	}
	if int(c.offset)+n == len(Preface) {
		c.state = inHeader
	}
	return n, Event{}, nil
}

// gather returns want bytes from what was buffered and the front of p, or nil
// where they are not here yet. What can be is not copied.
func (c *Conn) gather(p []byte, want int) (n int, whole []byte) {
	if len(c.buf) == 0 && len(p) >= want {
		return want, p[:want]
	}
	n = min(len(p), want-len(c.buf))
	c.buf = append(c.buf, p[:n]...)
	if len(c.buf) < want {
		return n, nil
	}
	return n, c.buf
}

// release ends the use of what gather buffered. A buffer that an unusual frame
// made large is given back.
func (c *Conn) release() {
	const keep = 32 << 10
	c.buf = c.buf[:0]
	if cap(c.buf) > keep {
		c.buf = nil
	}
}

func (c *Conn) stepHeader(p []byte) (int, Event, *Error) {
	if len(c.buf) == 0 {
		c.at = c.offset
	}
	n, head := c.gather(p, frameHeader)
	if head == nil {
		return n, Event{}, nil
	}
	c.frame = parseFrame(head)
	c.release()
	if err := c.checkFrame(); err != nil {
		return n, Event{}, err
	}
	if c.frame.kind == FrameData {
		ev, err := c.beginData()
		return n, ev, err
	}
	c.state = inPayload
	return n, Event{}, nil
}

// checkFrame judges a frame by its header and what came before it.
func (c *Conn) checkFrame() *Error {
	if c.observer {
		return c.checkHeard()
	}
	f := c.frame
	switch {
	case !c.settled && f.kind == FrameSettings && f.has(flagAck):
		return c.broken(ProtocolError, "the first frame acknowledges settings")
	case !c.settled && f.kind != FrameSettings:
		return c.broken(ProtocolError, "the first frame is %s, not SETTINGS", f.kind)
	case f.length > c.now.frame:
		return c.broken(FrameSizeError, "%s of %d bytes over the limit of %d", f.kind, f.length, c.now.frame)
	case c.block.stream != 0 && (f.kind != FrameContinuation || f.stream != c.block.stream):
		return c.broken(ProtocolError, "%s inside the header block of stream %d", f.kind, c.block.stream)
	case c.block.stream == 0 && f.kind == FrameContinuation:
		return c.broken(ProtocolError, "CONTINUATION without a header block")
	case f.kind != FrameData && f.length > c.lim.Frame:
		err := c.broken(FrameSizeError, "%s of %d bytes over our limit of %d", f.kind, f.length, c.lim.Frame)
		err.Limit = "Frame"
		return err
	}
	return c.checkStream()
}

// checkStream judges the stream that a frame is on.
func (c *Conn) checkStream() *Error {
	f := c.frame
	switch f.kind {
	case FrameData, FrameHeaders, FramePriority, FrameReset, FrameContinuation, FramePushPromise:
		if f.stream == 0 {
			return c.broken(ProtocolError, "%s on stream 0", f.kind)
		}
	case FrameSettings, FramePing, FrameGoAway:
		if f.stream != 0 {
			return c.broken(ProtocolError, "%s on stream %d", f.kind, f.stream)
		}
	}
	switch f.kind {
	case FrameData, FrameReset, FrameWindowUpdate:
		if c.idle(f.stream) {
			return c.broken(ProtocolError, "%s on idle stream %d", f.kind, f.stream)
		}
	case FramePushPromise:
		return c.broken(ProtocolError, "PUSH_PROMISE, though push is switched off")
	}
	return nil
}

// stepPayload acts on a frame once it is whole.
func (c *Conn) stepPayload(p []byte) (int, Event, *Error) {
	n, payload := c.gather(p, c.frame.length)
	if payload == nil && c.frame.length > 0 {
		return n, Event{}, nil
	}
	c.state = inHeader
	ev, err := c.receive(payload)
	c.release() // the bytes stay until something is gathered again
	return n, ev, err
}

// control counts a frame that moves nothing.
func (c *Conn) control() *Error {
	if c.controls++; c.controls > c.lim.Controls && !c.observer {
		return c.flooded("Controls", "more than %d frames in a moment that move nothing, the last one %s", c.lim.Controls, c.frame.kind)
	}
	return nil
}

// countReset counts a stream that ended before its time.
func (c *Conn) countReset() *Error {
	if c.resets++; c.resets > c.lim.Resets && !c.observer {
		return c.flooded("Resets", "more than %d streams reset in a moment", c.lim.Resets)
	}
	return nil
}
