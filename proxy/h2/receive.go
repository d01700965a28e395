package h2

import "encoding/binary"

// receive acts on a frame whose payload is whole.
func (c *Conn) receive(p []byte) (Event, *Error) {
	if c.observer {
		if ev, done, err := c.hear(p); done {
			return ev, err
		}
	}
	switch c.frame.kind {
	case FrameHeaders:
		return c.receiveHeaders(p)
	case FrameContinuation:
		return c.continueBlock(p)
	case FramePriority:
		return c.receivePriority(p)
	case FrameReset:
		return c.receiveReset(p)
	case FrameSettings:
		return c.receiveSettings(p)
	case FramePing:
		return c.receivePing(p)
	case FrameGoAway:
		return c.receiveGoAway(p)
	case FrameWindowUpdate:
		return c.receiveWindowUpdate(p)
	}
	return Event{Kind: Unknown, Stream: c.frame.stream, Type: c.frame.kind, Flags: c.frame.flags, Data: p}, c.control()
}

// size refuses a frame whose payload is not exactly want bytes long.
func (c *Conn) size(p []byte, want int) *Error {
	if len(p) == want {
		return nil
	}
	return c.broken(FrameSizeError, "%s of %d bytes, not %d", c.frame.kind, len(p), want)
}

func (c *Conn) receivePriority(p []byte) (Event, *Error) {
	id := c.frame.stream
	if err := c.control(); err != nil {
		return Event{}, err
	}
	if len(p) != 5 {
		return c.spoil(id, c.streams[id], &fault{code: FrameSizeError, reason: "PRIORITY is not 5 bytes long"}), c.countReset()
	}
	if c.dependency(p) == id {
		return c.spoil(id, c.streams[id], malformed("the stream depends on itself")), c.countReset()
	}
	return Event{Kind: Priority, Stream: id, Priority: &c.dep}, nil
}

// dependency reads the five bytes of a priority into c.dep.
func (c *Conn) dependency(p []byte) uint32 {
	on := binary.BigEndian.Uint32(p)
	c.dep = Dependency{Stream: on & maxStream, Exclusive: on > maxStream, Weight: p[4]}
	return c.dep.Stream
}

func (c *Conn) receiveReset(p []byte) (Event, *Error) {
	if err := c.size(p, 4); err != nil {
		return Event{}, err
	}
	id := c.frame.stream
	if _, open := c.streams[id]; !open {
		return Event{Kind: Discarded, Stream: id}, c.control()
	}
	c.forget(id, closedByReset)
	return Event{Kind: Reset, Stream: id, Code: ErrCode(binary.BigEndian.Uint32(p))}, c.countReset()
}

func (c *Conn) receiveSettings(p []byte) (Event, *Error) {
	if err := c.control(); err != nil {
		return Event{}, err
	}
	if c.frame.has(flagAck) {
		if err := c.size(p, 0); err != nil || c.unacked == 0 {
			return Event{Kind: Discarded}, err // an acknowledgement of nothing changes nothing
		}
		c.acknowledged()
		return Event{Kind: SettingsAck}, nil
	}
	if len(p)%settingSize != 0 {
		return Event{}, c.broken(FrameSizeError, "SETTINGS of %d bytes, no multiple of %d", len(p), settingSize)
	}
	c.settled = true
	c.settings = c.settings[:0]
	for ; len(p) > 0; p = p[settingSize:] {
		s := Setting{SettingID(binary.BigEndian.Uint16(p)), binary.BigEndian.Uint32(p[2:])}
		if err := c.applySetting(s); err != nil {
			return Event{}, err
		}
		c.settings = append(c.settings, s)
	}
	return Event{Kind: Settings, Settings: c.settings}, nil
}

func (c *Conn) receivePing(p []byte) (Event, *Error) {
	if err := c.size(p, 8); err != nil {
		return Event{}, err
	}
	kind := Ping
	if c.frame.has(flagAck) {
		kind = PingAck
	}
	return Event{Kind: kind, Data: p}, c.control()
}

func (c *Conn) receiveGoAway(p []byte) (Event, *Error) {
	if len(p) < 8 {
		return Event{}, c.broken(FrameSizeError, "GOAWAY of %d bytes, fewer than 8", len(p))
	}
	return Event{
		Kind: GoAway, Last: binary.BigEndian.Uint32(p) & maxStream,
		Code: ErrCode(binary.BigEndian.Uint32(p[4:])), Data: p[8:],
	}, c.control()
}

func (c *Conn) receiveWindowUpdate(p []byte) (Event, *Error) {
	if err := c.size(p, 4); err != nil {
		return Event{}, err
	}
	id, n := c.frame.stream, binary.BigEndian.Uint32(p)&maxStream
	window := &c.send
	s := c.streams[id]
	switch {
	case id != 0 && (s == nil || s.lost):
		return Event{Kind: Discarded, Stream: id}, nil // they are sent for what was under way
	case id != 0:
		window = &s.send
	}
	*window += int64(n)
	switch {
	case n == 0 && id == 0:
		return Event{}, c.broken(ProtocolError, "WINDOW_UPDATE by nothing")
	case n == 0:
		return c.spoil(id, s, malformed("WINDOW_UPDATE by nothing")), c.countReset()
	case *window > largestWindow && id == 0:
		return Event{}, c.broken(FlowControlError, "WINDOW_UPDATE takes the window over 2^31-1")
	case *window > largestWindow:
		return c.spoil(id, s, &fault{code: FlowControlError, reason: "WINDOW_UPDATE takes the window over 2^31-1"}), c.countReset()
	}
	return Event{Kind: WindowUpdate, Stream: id, Increment: n}, nil
}
