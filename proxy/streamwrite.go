package proxy

import (
	"io"
	"net"
	"os"
	"time"

	flowpb "weir/proto"
	"weir/proxy/h2"
	"weir/proxy/translate"
)

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
	if s.id != 0 && !s.said { // a tunnel that the server did not agree to
		e.out = e.state.AppendReset(e.out, s.id, h2.Cancel)
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
	s.finish(politely)
	return s.e.flush(&s.e.mu)
}

// finish is the end of both directions, once.
func (s *streamConn) finish(politely bool) {
	e := s.e
	e.mu.Lock()
	defer e.mu.Unlock()
	if s.closed {
		return
	}
	s.closed = true
	if politely && s.reader.Endless() && s.begun && s.deaf == nil {
		s.end(nil)
	}
	code := h2.NoError // the rest of the request is not wanted
	switch {
	case s.said:
	case s.reader.Tunnel() || s.writer.Tunnel():
		code = h2.Cancel // RFC 8441 §5; what RFC 9113 §8.5 has for CONNECT tells no more
	default:
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
