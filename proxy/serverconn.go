package proxy

import (
	"context"
	"sync"
	"time"

	flowpb "weir/proto"
	"weir/proxy/contain"
	"weir/proxy/h1"
	"weir/proxy/h2"
	"weir/proxy/record"
)

// serverConn is an HTTP/2 connection to a server seen as one of HTTP/1, with one
// request after the other, for a client that speaks that.
type serverConn struct {
	*streamConn
	closing sync.Once
	reading sync.WaitGroup
}

// translate makes up, on which HTTP/2 is spoken, a connection for exchanges of HTTP/1.
func (up *upstream) translate() {
	end := up.http2End()
	e := newEndpoint(up.s, end)
	e.over = up.route
	c := &serverConn{streamConn: newStreamConn(e, h1.Request)}
	c.reader.Scheme, c.reader.Authority = up.route.scheme, up.route.authority()
	c.reader.Sockets = e.takesSockets
	contain.Go(&c.reading, func() { // Close waits for it
		_ = e.read(up.spoken) // its streams are told
		_ = e.flush(&e.mu)
	}, up.s.mistaken)
	up.stream, up.raw, up.conn = c.streamConn, c, c
}

// Close says goodbye, closes the connection and waits until nobody reads it.
func (c *serverConn) Close() error {
	c.closing.Do(func() {
		_ = c.e.raw.SetWriteDeadline(time.Now().Add(lastWords))
		c.e.mu.Lock()
		c.e.patience = lastWords
		c.e.sayGoodbye(h2.NoError, "")
		c.e.mu.Unlock()
		_ = c.streamConn.Close() // sends it
		_ = c.e.conn.Close()
		c.e.s.release(c.e.raw)
	})
	c.reading.Wait()
	return nil
}

// SetWriteDeadline implements net.Conn. It bounds the wait for a window, and for
// the connection itself.
func (c *serverConn) SetWriteDeadline(t time.Time) error {
	_ = c.e.raw.SetWriteDeadline(t)
	return c.streamConn.SetWriteDeadline(t)
}

// SetDeadline implements net.Conn.
func (c *serverConn) SetDeadline(t time.Time) error {
	_ = c.SetReadDeadline(t)
	return c.SetWriteDeadline(t)
}

// connectHTTP1 connects to r for exchanges of HTTP/1, whatever its server speaks:
// a server that has only HTTP/2 is translated.
func (c *client) connectHTTP1(ctx context.Context, r route) (*upstream, error) {
	up, err := c.reachAs(ctx, r, []string{"http/1.1"})
	if err != nil {
		return nil, err
	}
	if up.http2 {
		up.translate()
	}
	return up, nil
}

// reachAs connects to r, over TLS with these protocols offered where that is
// spoken there. A server that takes none of them is asked again with HTTP/2 and
// HTTP/1.1, as it may know the other one only.
func (c *client) reachAs(ctx context.Context, r route, protocols []string) (*upstream, error) {
	up, err := c.dial(ctx, r)
	if err != nil {
		return nil, err
	}
	up.http2 = r.http2
	if r.scheme == "https" {
		err = up.handshake(ctx, protocols)
	}
	if rerr := up.record(ctx); rerr != nil {
		err = rerr
	}
	if err == nil {
		return up, nil
	}
	up.close(ctx, err)
	if both := []string{"h2", "http/1.1"}; noProtocolShared(err) && len(protocols) < len(both) {
		return c.reachAs(ctx, r, both)
	}
	f := asFailure(err)
	f.conn = up.rec.Id
	return nil, f
}

// settle records the connection with the settings of its server, once they are here.
func (up *upstream) settle(ctx context.Context) error {
	if up.stream == nil || up.settled {
		return nil
	}
	up.settled = true
	return up.record(ctx)
}

// headAsSent returns the next head that the server sent and that was translated,
// nil where nothing is.
func (s *streamConn) headAsSent() *h2.Event {
	if s == nil {
		return nil
	}
	s.e.mu.Lock()
	defer s.e.mu.Unlock()
	if len(s.heads) == 0 {
		return nil
	}
	ev := s.heads[0]
	s.heads = s.heads[1:]
	return ev
}

// trailersOf returns the trailers of a message as they came on s, or as read
// where nothing is translated.
func trailersOf(s *streamConn, read []h1.Field) []*flowpb.Field {
	if s == nil {
		return fieldsOf(read)
	}
	s.e.mu.Lock()
	defer s.e.mu.Unlock()
	return record.StreamFields(s.trailers)
}
