package h2

import (
	"encoding/binary"
	"strings"
)

// AppendPreface appends what a client begins with; the settings come next.
func (c *Conn) AppendPreface(dst []byte) []byte { return append(dst, Preface...) }

// AppendSettings appends SETTINGS, and holds the peer to them.
func (c *Conn) AppendSettings(dst []byte, settings []Setting) []byte {
	c.unacked++
	dst = appendFrame(dst, len(settings)*settingSize, FrameSettings, 0, 0)
	for _, s := range settings {
		c.promised(s)
		dst = binary.BigEndian.AppendUint16(dst, uint16(s.ID))
		dst = binary.BigEndian.AppendUint32(dst, s.Value)
	}
	return dst
}

// AppendSettingsAck acknowledges the peer's settings.
func (c *Conn) AppendSettingsAck(dst []byte) []byte {
	return appendFrame(dst, 0, FrameSettings, flagAck, 0)
}

// AppendHeaders appends a header block: a request, which opens the stream, a
// response or, with end after a head, trailers. It appends nothing where the
// stream is closed, or our half of it. Names must be in lower case.
func (c *Conn) AppendHeaders(dst []byte, id uint32, fields []Field, dep *Dependency, end bool) []byte {
	s, open := c.streams[id]
	if !open && c.peer == Server && id > c.last {
		s, open = c.open(id), true
	}
	if !open || s.out == halfEnded {
		return dst
	}
	c.out.Reset()
	for i := range fields {
		_ = c.enc.WriteField(fields[i]) // a bytes.Buffer takes all
	}
	c.sent(s, fields)
	flags := uint8(0)
	if end {
		flags = flagEndStream
	}
	dst = c.appendBlock(dst, id, flags, dep)
	if end {
		c.endOut(id, s)
	}
	return dst
}

// sent notes what our head means for the peer's half.
func (c *Conn) sent(s *stream, fields []Field) {
	if s.out == halfBody {
		return
	}
	s.out = halfBody
	for i := 0; i < len(fields) && fields[i].IsPseudo(); i++ {
		switch f := fields[i]; f.Name {
		case ":method":
			s.head, s.connect = f.Value == "HEAD", f.Value == "CONNECT"
		case ":status":
			if strings.HasPrefix(f.Value, "1") {
				s.out = halfHead
			}
		}
	}
}

// appendBlock cuts the encoded block into frames.
func (c *Conn) appendBlock(dst []byte, id uint32, flags uint8, dep *Dependency) []byte {
	const depSize = 5
	block, room := c.out.Bytes(), c.sendFrame
	if dep != nil {
		flags |= flagPriority
		room -= depSize
	}
	p := block[:min(len(block), room)]
	block = block[len(p):]
	if len(block) == 0 {
		flags |= flagEndHeaders
	}
	if dep == nil {
		dst = appendFrame(dst, len(p), FrameHeaders, flags, id)
	} else {
		dst = appendFrame(dst, len(p)+depSize, FrameHeaders, flags, id)
		dst = dep.append(dst)
	}
	dst = append(dst, p...)
	for len(block) > 0 {
		p = block[:min(len(block), c.sendFrame)]
		block = block[len(p):]
		flags = 0
		if len(block) == 0 {
			flags = flagEndHeaders
		}
		dst = append(appendFrame(dst, len(p), FrameContinuation, flags, id), p...)
	}
	return dst
}

func (d *Dependency) append(dst []byte) []byte {
	on := d.Stream
	if d.Exclusive {
		on |= 1 << 31
	}
	return append(binary.BigEndian.AppendUint32(dst, on), d.Weight)
}

// Window returns how many bytes of DATA we may send on the stream now, 0 where
// our half of it is closed.
func (c *Conn) Window(id uint32) int {
	s, open := c.streams[id]
	if !open || s.out == halfEnded {
		return 0
	}
	return int(max(0, min(c.send, s.send)))
}

// AppendData appends p as DATA, in frames that the peer takes, and takes it off
// our windows, which it may overdraw: a relay passes on what the sender was
// allowed by the same windows. It appends nothing where our half is closed.
func (c *Conn) AppendData(dst []byte, id uint32, p []byte, end bool) []byte {
	s, open := c.streams[id]
	if !open || s.out == halfEnded {
		return dst
	}
	c.send -= int64(len(p))
	s.send -= int64(len(p))
	for more := len(p) > 0 || end; more; {
		piece := p[:min(len(p), c.sendFrame)]
		p = p[len(piece):]
		flags := uint8(0)
		if more = len(p) > 0; !more && end {
			flags = flagEndStream
		}
		dst = append(appendFrame(dst, len(piece), FrameData, flags, id), piece...)
	}
	if end {
		c.endOut(id, s)
	}
	return dst
}

// AppendReset gives a stream up. It appends nothing where the stream is closed.
func (c *Conn) AppendReset(dst []byte, id uint32, code ErrCode) []byte {
	if _, open := c.streams[id]; !open {
		return dst
	}
	c.forget(id, closedByReset)
	return binary.BigEndian.AppendUint32(appendFrame(dst, 4, FrameReset, 0, id), uint32(code))
}

// AppendWindowUpdate lets the peer send n more bytes on the stream, or on the
// connection where id is 0. It appends nothing for a stream on which the peer
// sends nothing any more, and for n of 0.
func (c *Conn) AppendWindowUpdate(dst []byte, id uint32, n uint32) []byte {
	if n == 0 {
		return dst
	}
	if id == 0 {
		c.recv += int64(n)
	} else {
		s, open := c.streams[id]
		if !open || s.in == halfEnded || s.lost {
			return dst
		}
		s.recv += int64(n)
	}
	return binary.BigEndian.AppendUint32(appendFrame(dst, 4, FrameWindowUpdate, 0, id), n)
}

// AppendPriority appends PRIORITY, which may be for a stream in any state.
func (c *Conn) AppendPriority(dst []byte, id uint32, d *Dependency) []byte {
	return d.append(appendFrame(dst, 5, FramePriority, 0, id))
}

// AppendPing appends PING, or the answer to one, with 8 bytes.
func (c *Conn) AppendPing(dst []byte, p []byte, ack bool) []byte {
	flags := uint8(0)
	if ack {
		flags = flagAck
	}
	return append(appendFrame(dst, len(p), FramePing, flags, 0), p...)
}

// AppendGoAway appends GOAWAY; last is the last stream of the peer's that was or
// may be acted on, debug goes with it.
func (c *Conn) AppendGoAway(dst []byte, last uint32, code ErrCode, debug []byte) []byte {
	debug = debug[:min(len(debug), c.sendFrame-8)]
	dst = appendFrame(dst, 8+len(debug), FrameGoAway, 0, 0)
	dst = binary.BigEndian.AppendUint32(dst, last)
	dst = binary.BigEndian.AppendUint32(dst, uint32(code))
	return append(dst, debug...)
}

// AppendUnknown appends a frame of an extension, unless the peer takes none so large.
func (c *Conn) AppendUnknown(dst []byte, t FrameType, flags uint8, id uint32, p []byte) []byte {
	if len(p) > c.sendFrame {
		return dst
	}
	return append(appendFrame(dst, len(p), t, flags, id), p...)
}

// Last returns the highest stream that the client opened.
func (c *Conn) Last() uint32 { return c.last }
