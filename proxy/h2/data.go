package h2

// beginData judges a DATA frame by its header and takes it off the windows.
func (c *Conn) beginData() (Event, *Error) {
	f := c.frame
	c.data, c.left, c.padding, c.refund = nil, f.length, 0, 0
	c.state = inData
	if f.has(flagPadded) {
		if f.length == 0 {
			return Event{}, c.broken(FrameSizeError, "padded DATA without a length of the padding")
		}
		c.state = inPadLength
	}
	if c.observer {
		return c.beginHeardData()
	}
	if c.recv -= int64(f.length); c.recv < 0 {
		return Event{}, c.broken(FlowControlError, "DATA of %d bytes, %d more than the connection's window", f.length, -c.recv)
	}
	s, open := c.streams[f.stream]
	switch {
	case !open && c.closed.how(f.stream) == closedByEnd:
		return Event{}, c.broken(StreamClosed, "DATA on closed stream %d", f.stream)
	case !open || s.lost:
		return c.discardData()
	case s.in == halfEnded:
		return c.spoilData(s, &fault{code: StreamClosed, reason: "DATA after the end of the stream"})
	case s.in == halfHead:
		return c.spoilData(s, malformed("DATA before the header"))
	case s.recv < int64(f.length):
		return c.spoilData(s, &fault{code: FlowControlError, reason: "DATA over the window of the stream"})
	case f.length == 0 && !f.has(flagEndStream):
		return Event{}, c.control()
	}
	s.recv -= int64(f.length)
	c.data = s
	if c.state == inPadLength {
		return Event{}, nil
	}
	return c.beginContent()
}

// beginContent holds the content of a frame, whose size is now known, against
// what content-length says.
func (c *Conn) beginContent() (Event, *Error) {
	s := c.data
	if s.length < 0 {
		return Event{}, nil
	}
	s.length -= int64(c.left)
	switch {
	case s.length < 0:
		return c.spoilData(s, malformed("more content than content-length says"))
	case s.length > 0 && c.frame.has(flagEndStream):
		return c.spoilData(s, malformed("less content than content-length says"))
	}
	return Event{}, nil
}

// discardData skips a frame on a stream that is closed.
func (c *Conn) discardData() (Event, *Error) {
	c.skipData()
	return Event{Kind: Discarded, Stream: c.frame.stream, Refund: c.frame.length}, c.control()
}

// spoilData skips a frame that costs the stream its life.
func (c *Conn) spoilData(s *stream, f *fault) (Event, *Error) {
	ev := c.spoil(c.frame.stream, s, f)
	ev.Refund = c.frame.length
	c.skipData()
	return ev, c.countReset()
}

// skipData lets what is left of the frame pass unseen.
func (c *Conn) skipData() {
	c.padding += c.left
	c.data, c.left, c.refund, c.state = nil, 0, 0, inPadding
}

func (c *Conn) stepPadLength(p []byte) (int, Event, *Error) {
	if len(p) == 0 {
		return 0, Event{}, nil
	}
	c.padding = int(p[0])
	c.left -= 1 + c.padding
	if c.left < 0 {
		return 1, Event{}, c.broken(ProtocolError, "padding of %d bytes in DATA of %d", c.padding, c.frame.length)
	}
	c.refund = 1 + c.padding
	c.state = inData
	ev, err := c.beginContent()
	return 1, ev, err
}

// stepData passes on what is here of the content.
func (c *Conn) stepData(p []byte) (int, Event, *Error) {
	n := min(len(p), c.left)
	if n == 0 && c.left > 0 {
		return 0, Event{}, nil
	}
	c.left -= n
	ev := Event{Kind: Data, Stream: c.frame.stream, Data: p[:n]}
	if c.left == 0 {
		c.state = inPadding
		ev.End = c.frame.has(flagEndStream)
		ev.Refund = c.refund
	}
	if n == 0 && !ev.End && ev.Refund == 0 {
		return 0, Event{}, nil // an empty frame
	}
	if s := c.data; ev.End {
		c.data = nil
		c.endIn(c.frame.stream, s)
	}
	return n, ev, nil
}

// stepPadding skips the padding.
func (c *Conn) stepPadding(p []byte) (int, Event, *Error) {
	n := min(len(p), c.padding)
	if c.padding -= n; c.padding == 0 {
		c.state = inHeader
		c.data = nil
	}
	return n, Event{}, nil
}
