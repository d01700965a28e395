package h2

// half is how far one direction of a stream has come.
type half uint8

const (
	halfHead  half = iota // a request or a final response is still to come
	halfBody              // content, then perhaps trailers
	halfEnded             // END_STREAM
)

// stream is one that is open, or half closed.
type stream struct {
	in, out    half  // the peer's direction, and ours
	lost       bool  // a stream error was reported: nothing of it is read any more
	head       bool  // its request is HEAD
	connect    bool  // its request is CONNECT
	recv, send int64 // the windows: the peer's, and ours
	length     int64 // bytes that content-length says are still to come; -1 unknown
}

// idle reports whether the client never opened the stream. Servers open none,
// since push is off.
func (c *Conn) idle(id uint32) bool { return id > c.last || id != 0 && id%2 == 0 }

// open enters a stream that the client, the peer or ourselves, begins.
func (c *Conn) open(id uint32) *stream {
	var s *stream
	if n := len(c.spare); n > 0 {
		s, c.spare = c.spare[n-1], c.spare[:n-1]
	} else {
		s = new(stream)
	}
	*s = stream{recv: c.now.window, send: c.sendInitial, length: -1}
	c.streams[id] = s
	c.last = id
	return s
}

// endIn notes the end of the peer's direction.
func (c *Conn) endIn(id uint32, s *stream) {
	if s.in = halfEnded; s.out == halfEnded {
		c.forget(id, closedByEnd)
	}
}

// endOut notes the end of ours.
func (c *Conn) endOut(id uint32, s *stream) {
	if s.out = halfEnded; s.in == halfEnded {
		c.forget(id, closedByEnd)
	}
}

// forget closes a stream.
func (c *Conn) forget(id uint32, how closing) {
	const spares = 16
	s, ok := c.streams[id]
	if !ok {
		return
	}
	delete(c.streams, id)
	c.closed.add(id, how)
	if len(c.spare) < spares && s != c.data {
		c.spare = append(c.spare, s)
	}
}

// closing is how a stream was closed, which decides what becomes of frames that
// come later (§5.1).
type closing uint8

const (
	closedLongAgo closing = iota // or skipped
	closedByEnd                  // both sides are done: the peer must not send
	closedByReset                // frames may be under way
)

// ring remembers the streams that were closed last.
type ring struct {
	all  []closedStream
	next int
}

type closedStream struct {
	id  uint32
	how closing
}

// ringSize is how many closed streams are remembered.
const ringSize = 256

func (r *ring) add(id uint32, how closing) {
	if len(r.all) < ringSize {
		r.all = append(r.all, closedStream{id, how})
		return
	}
	r.all[r.next] = closedStream{id, how}
	r.next = (r.next + 1) % ringSize
}

func (r *ring) how(id uint32) closing {
	for _, s := range r.all {
		if s.id == id {
			return s.how
		}
	}
	return closedLongAgo
}
