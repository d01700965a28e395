package h2

import (
	"errors"
	"strings"

	"golang.org/x/net/http2/hpack"
)

// block is a header block as it comes together (§4.3).
type block struct {
	stream uint32 // 0 between blocks
	// promised is the stream that a PUSH_PROMISE opens; 0 in any other block.
	promised uint32
	end      bool // END_STREAM
	dep      *Dependency
	raw      []byte // of HEADERS and CONTINUATION, where one is not enough; owned, reused
	frames   int    // CONTINUATION so far

	fields []Field // decoded; owned, reused
	size   int     // of them, by the rule of §10.5.1
	large  bool    // over Limits.HeaderList
}

// receiveHeaders begins a header block.
func (c *Conn) receiveHeaders(p []byte) (Event, *Error) {
	f := c.frame
	if err := c.checkOpening(); err != nil {
		return Event{}, err
	}
	pad := 0
	if f.has(flagPadded) {
		if len(p) == 0 {
			return Event{}, c.broken(FrameSizeError, "padded HEADERS without a length of the padding")
		}
		pad = int(p[0])
		p = p[1:]
	}
	c.block.dep = nil
	if f.has(flagPriority) {
		if len(p) < 5 {
			return Event{}, c.broken(FrameSizeError, "HEADERS too short for a priority")
		}
		c.dependency(p)
		c.block.dep = &c.dep
		p = p[5:]
	}
	if pad > len(p) {
		return Event{}, c.broken(ProtocolError, "padding of %d bytes in HEADERS of %d", pad, f.length)
	}
	c.block.stream, c.block.end, c.block.frames = f.stream, f.has(flagEndStream), 0
	p = p[:len(p)-pad]
	if f.has(flagEndHeaders) {
		return c.endBlock(p)
	}
	c.block.raw = append(c.block.raw[:0], p...)
	return Event{}, nil
}

// checkOpening judges the stream of HEADERS where that may open one.
func (c *Conn) checkOpening() *Error {
	id := c.frame.stream
	if _, open := c.streams[id]; open || c.observer {
		return nil
	}
	switch {
	case c.peer == Server && c.idle(id):
		return c.broken(ProtocolError, "HEADERS on idle stream %d", id)
	case id%2 == 0:
		return c.broken(ProtocolError, "the client opens stream %d, which is even", id)
	case id > c.last:
		return nil
	}
	switch how := c.closed.how(id); {
	case how == closedByEnd:
		return c.broken(StreamClosed, "HEADERS on closed stream %d", id)
	case how == closedLongAgo && c.peer == Client: // a server may answer what we reset long ago
		return c.broken(ProtocolError, "HEADERS on stream %d after stream %d", id, c.last)
	}
	return nil
}

func (c *Conn) continueBlock(p []byte) (Event, *Error) {
	b := &c.block
	b.frames++
	switch {
	case b.frames > c.lim.Continuations:
		return Event{}, c.flooded("Continuations", "more than %d CONTINUATION frames in a header block", c.lim.Continuations)
	case len(b.raw)+len(p) > c.lim.HeaderBlock:
		return Event{}, c.flooded("HeaderBlock", "header block of more than %d bytes", c.lim.HeaderBlock)
	}
	b.raw = append(b.raw, p...)
	if !c.frame.has(flagEndHeaders) {
		return Event{}, nil
	}
	return c.endBlock(b.raw)
}

// emit takes a decoded field.
func (c *Conn) emit(f Field) {
	b := &c.block
	if b.size += int(f.Size()); b.size > c.lim.HeaderList {
		b.large = true
		c.dec.SetEmitEnabled(false) // the rest is decoded for the table alone
		return
	}
	b.fields = append(b.fields, f)
}

// endBlock decodes the block, which must be done even for a stream that nobody
// wants, since it changes the table.
func (c *Conn) endBlock(p []byte) (Event, *Error) {
	const keep = 32 << 10
	b := &c.block
	if len(p) > c.lim.HeaderBlock {
		return Event{}, c.flooded("HeaderBlock", "header block of more than %d bytes", c.lim.HeaderBlock)
	}
	clear(b.fields)
	b.fields, b.size, b.large = b.fields[:0], 0, false
	c.dec.SetEmitEnabled(true)
	err := c.decode(p)
	if err == nil {
		err = c.dec.Close()
	}
	switch {
	case errors.Is(err, hpack.ErrStringLength):
		return Event{}, c.flooded("HeaderList", "header field of more than %d bytes", c.lim.HeaderList)
	case err != nil:
		return Event{}, c.broken(CompressionError, "header block: %s", strings.TrimPrefix(err.Error(), "decoding error: "))
	}
	id := b.stream
	b.stream = 0
	if cap(b.raw) > keep {
		b.raw = nil
	}
	if c.observer {
		return c.takeHeardBlock(id)
	}
	return c.takeBlock(id)
}

func (c *Conn) decode(p []byte) error {
	if c.observer {
		return c.decodeHeard(p)
	}
	_, err := c.dec.Write(p)
	return err
}

// takeBlock decides what the block is and whether it may come now.
func (c *Conn) takeBlock(id uint32) (Event, *Error) {
	b := &c.block
	s, open := c.streams[id]
	if !open {
		if id <= c.last {
			return Event{Kind: Discarded, Stream: id}, c.control()
		}
		s = c.open(id)
		if f := c.refuse(); f != nil {
			return c.lostBlock(id, s, f), c.countReset()
		}
	}
	switch {
	case s.lost:
		return Event{Kind: Discarded, Stream: id}, c.control()
	case s.in == halfEnded:
		return c.lostBlock(id, s, &fault{code: StreamClosed, reason: "HEADERS after the end of the stream"}), c.countReset()
	case b.large:
		f := &fault{code: EnhanceYourCalm, limit: "HeaderList"}
		f.reason = malformed("header of more than %d bytes", c.lim.HeaderList).reason
		return c.lostBlock(id, s, f), c.countReset()
	case b.dep != nil && b.dep.Stream == id:
		return c.lostBlock(id, s, malformed("the stream depends on itself")), c.countReset()
	}
	ev, f := c.message(id, s)
	if f != nil {
		return c.lostBlock(id, s, f), c.countReset()
	}
	ev.Fields, ev.Priority, ev.End = b.fields, b.dep, b.end
	if b.end {
		c.endIn(id, s)
	}
	return ev, nil
}

// refuse returns why no further stream may be opened, nil where one may.
func (c *Conn) refuse() *fault {
	switch n := len(c.streams); {
	case n > c.lim.Streams:
		f := malformed("more than %d streams at once", c.lim.Streams)
		f.code, f.limit = RefusedStream, "Streams"
		return f
	case int64(n) > int64(c.now.streams):
		f := malformed("more streams at once than the %d that settings allow", c.now.streams)
		f.code = RefusedStream
		return f
	}
	return nil
}

// lostBlock is the event of a message that costs its stream; it shows what could
// be read of it.
func (c *Conn) lostBlock(id uint32, s *stream, f *fault) Event {
	ev := c.spoil(id, s, f)
	ev.Fields, ev.End = c.block.fields, c.block.end
	ev.Head, _ = c.pseudo(c.block.fields)
	return ev
}
