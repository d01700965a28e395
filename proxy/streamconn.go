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
		if s.e.open == nil && s.writer.Tunnel() {
			s.reader.Open() // the server agreed to it
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

// declined reports whether the request was sent without the WebSocket that it wanted.
func (s *streamConn) declined() bool {
	if s == nil {
		return false
	}
	s.e.mu.Lock()
	defer s.e.mu.Unlock()
	return s.reader.Declined()
}

// refusal is why a client's message is no request, nil where it is one.
func (s *streamConn) refusal() *flowError {
	s.e.mu.Lock()
	defer s.e.mu.Unlock()
	return s.refused
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
