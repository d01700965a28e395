package proxy

import (
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	flowpb "weir/proto"
	"weir/proxy/h1"
	"weir/proxy/h2"
	"weir/proxy/translate"
)

// streamConn is a stream of HTTP/2 seen as a connection of HTTP/1 (see package
// translate). Towards a client it is one stream: what is read is the request,
// what is written the response. Towards a server it is one stream after the other,
// each begun by a request that is written.
//
// Reading gives the windows back that the content took, writing waits for those
// of the peer. One goroutine may read while another one writes.
type streamConn struct {
	e      *endpoint
	reader *translate.Reader // what is written
	change *sync.Cond        // something below changed; on e.mu

	id      uint32
	writer  translate.Writer // what is read
	in      []byte           // and not taken yet
	owed    uint32           // bytes of content among it, whose windows are closed
	credit  uint32           // of the stream's window, taken and not given back yet
	whole   bool             // the peer's message is
	said    bool             // ours is
	begun   bool             // ours has
	closed  bool
	failed  error // why there is nothing more to be read
	deaf    error // why nothing more can be written
	readBy  due
	writeBy due

	sent     *h2.Event   // a client's request, as it came
	refused  *flowError  // why it is none
	heads    []*h2.Event // a server's responses, interim ones too, as they came
	trailers []h2.Field  // of the message that was read last
}

// newStreamConn returns the stream whose writing is of the given role.
func newStreamConn(e *endpoint, writes h1.Role) *streamConn {
	return &streamConn{
		e: e, change: sync.NewCond(&e.mu), writer: newWriter(), reader: translate.NewReader(writes, e.s.opts.Limits),
	}
}

// keepEvent copies what lasts no longer than the next read.
func keepEvent(ev *h2.Event) *h2.Event {
	return &h2.Event{Kind: ev.Kind, Stream: ev.Stream, End: ev.End, Head: ev.Head, Fields: slices.Clone(ev.Fields)}
}

// receive takes a piece of the peer's message. The caller holds e.mu.
func (s *streamConn) receive(ev *h2.Event) {
	if s.closed || s.failed != nil {
		s.e.owe(uint32(len(ev.Data) + ev.Refund))
		return
	}
	before := len(s.in)
	in, err := s.writer.Append(s.in, ev)
	if err != nil {
		s.refuse(err)
		return
	}
	s.in = in
	switch ev.Kind {
	case h2.Message, h2.Interim:
		if s.e.open == nil && len(in) > before {
			s.heads = append(s.heads, keepEvent(ev))
		}
	case h2.Trailers:
		s.trailers = slices.Clone(ev.Fields)
	}
	s.owed += uint32(len(ev.Data) + ev.Refund)
	if ev.End || ev.Kind == h2.Trailers {
		s.whole = true
	}
	s.change.Broadcast()
}

// refuse ends a stream whose message cannot be said in HTTP/1.
func (s *streamConn) refuse(err error) {
	f := &flowError{code: flowpb.CodeProtocol, side: s.e.side, status: 400, message: err.Error()}
	s.refused = f
	s.e.out = s.e.state.AppendReset(s.e.out, s.id, h2.ProtocolError)
	s.fail(f)
}

// fail ends both directions. What a server sent whole can still be read. The
// caller holds e.mu.
func (s *streamConn) fail(err error) {
	if s.failed == nil && (s.e.open != nil || !s.whole) {
		s.failed = err
	}
	if s.deaf == nil {
		s.deaf = err
	}
	s.change.Broadcast()
}

// Read implements net.Conn.
func (s *streamConn) Read(p []byte) (int, error) {
	n, err := s.read(p)
	if n > 0 {
		_ = s.e.flush(&s.e.mu) // a window that opens; whoever reads the connection hears of a failure
	}
	return n, err
}

func (s *streamConn) read(p []byte) (int, error) {
	e := s.e
	e.mu.Lock()
	defer e.mu.Unlock()
	for {
		switch {
		case len(s.in) > 0 && !s.closed:
			return s.consume(p), nil
		case s.closed:
			return 0, net.ErrClosed
		case s.failed != nil:
			return 0, s.failed
		case s.whole && (s.writer.Endless() || s.e.open != nil && s.said):
			return 0, io.EOF // before that, a client is there to be answered
		case e.open == nil && (e.err != nil || e.away) && (s.id == 0 || s.whole && s.said):
			return 0, io.EOF // a server that goes away between two requests
		case s.readBy.passed():
			return 0, os.ErrDeadlineExceeded
		}
		s.change.Wait()
	}
}

// consume moves bytes to p and gives their share of the windows back.
func (s *streamConn) consume(p []byte) int {
	n := copy(p, s.in)
	given := min(uint32(n), s.owed)
	if s.in = s.in[n:]; len(s.in) == 0 {
		s.in, given = nil, s.owed
	}
	s.owed -= given
	s.e.owe(given)
	if s.credit += given; s.credit >= creditAt {
		s.e.out = s.e.state.AppendWindowUpdate(s.e.out, s.id, s.credit)
		s.credit = 0
	}
	return n
}

// Write implements net.Conn.
func (s *streamConn) Write(p []byte) (int, error) {
	err := s.write(p)
	if ferr := s.e.flush(&s.e.mu); err == nil {
		err = ferr
	}
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

// write appends what p amounts to. Content waits for what comes behind it, which
// may be the end of the stream.
func (s *streamConn) write(p []byte) error {
	s.e.mu.Lock()
	defer s.e.mu.Unlock()
	var content []byte
	for {
		n, part, err := s.reader.Feed(p)
		p = p[n:]
		if err != nil {
			return &flowError{code: flowpb.CodeProtocol, side: flowpb.SideResponse, message: "in HTTP/2: " + err.Error(), cause: err}
		}
		last := part.Kind == translate.End && len(part.Fields) == 0
		if err := s.content(content, last && content != nil); err != nil {
			return err
		}
		switch part.Kind {
		case translate.NeedMore:
			return nil
		case translate.Data:
			content = part.Data
			continue
		case translate.Head, translate.Interim:
			err = s.head(part)
		case translate.End:
			s.end(part.Fields)
		}
		if content = nil; err != nil {
			return err
		}
	}
}

// head sends a header block. The one of a request opens the stream.
func (s *streamConn) head(part translate.Part) error {
	e := s.e
	if e.open == nil {
		if err := s.begin(); err != nil {
			return err
		}
	}
	if s.deaf != nil {
		return s.deaf
	}
	e.out = e.state.AppendHeaders(e.out, s.id, part.Fields, nil, part.Last)
	s.begun = part.Kind == translate.Head
	s.said = part.Last
	return nil
}

// begin opens the stream of the next request to a server.
func (s *streamConn) begin() error {
	e := s.e
	if e.err != nil || e.away || s.closed {
		return io.ErrClosedPipe
	}
	delete(e.streams, s.id)
	s.id = e.next
	e.next += 2
	e.streams[s.id] = s
	s.writer.ForRequest(s.reader.Request())
	s.whole, s.begun, s.said, s.failed, s.deaf = false, false, false, nil, nil
	s.heads, s.trailers, s.credit = nil, nil, 0
	return nil
}

// content sends p as the windows allow, with the end of the stream where it is last.
func (s *streamConn) content(p []byte, last bool) error {
	e := s.e
	for len(p) > 0 {
		n := min(len(p), e.state.Window(s.id))
		switch {
		case s.deaf != nil:
			return s.deaf
		case s.closed:
			return net.ErrClosed
		case n > 0:
			end := last && n == len(p)
			e.out = e.state.AppendData(e.out, s.id, p[:n], end)
			s.said = s.said || end
			p = p[n:]
		case s.writeBy.passed():
			return os.ErrDeadlineExceeded
		case len(e.out) > 0:
			if err := s.flushUnlocked(); err != nil {
				return err
			}
		default:
			s.change.Wait()
		}
	}
	return nil
}

// flushUnlocked sends what waits, without holding e.mu meanwhile.
func (s *streamConn) flushUnlocked() error {
	s.e.mu.Unlock()
	defer s.e.mu.Lock()
	return s.e.flush(&s.e.mu)
}

// end ends our half of the stream, unless its last content has.
func (s *streamConn) end(trailers []h2.Field) {
	e := s.e
	switch {
	case s.said || s.id == 0:
		return
	case len(trailers) > 0:
		e.out = e.state.AppendHeaders(e.out, s.id, trailers, nil, true)
	default:
		e.out = e.state.AppendData(e.out, s.id, nil, true)
	}
	s.said = true
}

// CloseWrite ends a message that lasts until the connection does.
func (s *streamConn) CloseWrite() error {
	s.e.mu.Lock()
	if !s.reader.Endless() || s.deaf != nil {
		s.e.mu.Unlock()
		return net.ErrClosed
	}
	s.end(nil)
	s.e.mu.Unlock()
	return s.e.flush(&s.e.mu)
}

// Close implements net.Conn. A message that is not whole, and does not last until
// the connection ends, is reset.
func (s *streamConn) Close() error { return s.close(true) }

// abort resets the stream, so that the peer sees that the message is not whole.
func (s *streamConn) abort() { _ = s.close(false) }

func (s *streamConn) close(politely bool) error {
	e := s.e
	e.mu.Lock()
	if !s.closed {
		s.closed = true
		if politely && s.reader.Endless() && s.begun && s.deaf == nil {
			s.end(nil)
		}
		code := h2.NoError // the rest of the request is not wanted
		if !s.said {
			code = h2.InternalError
		}
		e.out = e.state.AppendReset(e.out, s.id, code)
		e.owe(s.owed)
		s.owed, s.in = 0, nil
		s.readBy.stop()
		s.writeBy.stop()
		delete(e.streams, s.id)
		if e.active = time.Now(); len(e.streams) == 0 {
			interrupt(e.raw) // which sets the time anew
		}
		s.change.Broadcast()
	}
	e.mu.Unlock()
	return e.flush(&e.mu)
}

// LocalAddr implements net.Conn.
func (s *streamConn) LocalAddr() net.Addr { return s.e.raw.LocalAddr() }

// RemoteAddr implements net.Conn.
func (s *streamConn) RemoteAddr() net.Addr { return s.e.raw.RemoteAddr() }

// SetDeadline implements net.Conn.
func (s *streamConn) SetDeadline(t time.Time) error {
	_ = s.SetReadDeadline(t)
	return s.SetWriteDeadline(t)
}

// SetReadDeadline implements net.Conn.
func (s *streamConn) SetReadDeadline(t time.Time) error { return s.set(&s.readBy, t) }

// SetWriteDeadline implements net.Conn. It bounds the wait for a window.
func (s *streamConn) SetWriteDeadline(t time.Time) error { return s.set(&s.writeBy, t) }

func (s *streamConn) set(d *due, t time.Time) error {
	s.e.mu.Lock()
	defer s.e.mu.Unlock()
	d.set(t, s.change)
	return nil
}

// due is a deadline of a connection.
type due struct {
	at    time.Time
	timer *time.Timer
}

// set makes whoever waits for change look at the time when it is t.
func (d *due) set(t time.Time, change *sync.Cond) {
	d.stop()
	d.at = t
	if t.IsZero() {
		return
	}
	if left := time.Until(t); left > 0 {
		d.timer = time.AfterFunc(left, func() {
			change.L.Lock()
			defer change.L.Unlock()
			change.Broadcast()
		})
		return
	}
	change.Broadcast()
}

func (d *due) stop() {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}

func (d *due) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }
