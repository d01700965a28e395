package proxy

import (
	"net"
	"sync"
	"time"

	flowpb "weir/proto"
	"weir/proxy/h2"
)

// h2end is one of the two connections of a relay, or that of an endpoint.
type h2end struct {
	side    flowpb.Side // of what comes from there
	conn    net.Conn
	raw     net.Conn
	state   *h2.Conn
	rec     *flowpb.Conn
	begun   bool   // it sent its first message
	told    bool   // it was sent settings
	greeted bool   // it was sent settings of ours, and acknowledges them first
	gone    bool   // it was told GOAWAY
	last    uint32 // and that this was the last stream

	patience time.Duration // of a write with an end that takes nothing; negative without limit

	out     []byte     // to be sent; under the lock of its owner
	waits   int        // bytes of it before the present read
	spare   []byte     // what out was before
	writing sync.Mutex // held while sending, so that frames keep their order
}

// http2End returns the client's end of an HTTP/2 connection.
func (c *client) http2End() *h2end {
	o := &c.s.opts
	return &h2end{
		side: flowpb.SideRequest, conn: c.conn, raw: c.raw, rec: &c.rec,
		state: h2.NewConn(h2.Client, o.HTTP2), patience: o.Timeouts.Silence,
	}
}

// http2End returns the server's end of an HTTP/2 connection.
func (up *upstream) http2End() *h2end {
	o := &up.s.opts
	return &h2end{
		side: flowpb.SideResponse, conn: up.conn, raw: up.raw, rec: &up.rec,
		state: h2.NewConn(h2.Server, o.HTTP2), patience: o.Timeouts.Silence,
	}
}

// flush sends what is to be sent, one caller at a time. mu is over out, and free
// meanwhile.
func (e *h2end) flush(mu sync.Locker) error {
	e.writing.Lock()
	defer e.writing.Unlock()
	for {
		mu.Lock()
		p, patience := e.out, e.patience
		e.out, e.spare = e.spare, nil
		mu.Unlock()
		if len(p) == 0 {
			return nil
		}
		_ = e.raw.SetWriteDeadline(deadline(patience))
		if _, err := e.conn.Write(p); err != nil {
			return &sendError{to: e, err: err}
		}
		mu.Lock()
		if cap(p) <= e.keeps() {
			e.spare = p[:0]
		}
		mu.Unlock()
	}
}

// idle reports whether nothing is open on the connection.
func (e *h2end) idle() bool { return e.state.Streams() == 0 }

// keeps is how large a buffer is kept for what is to be sent next. Thousands of
// connections may be idle.
func (e *h2end) keeps() int {
	if e.idle() {
		return 4 << 10
	}
	return 128 << 10
}

// sendError is that an end takes no more.
type sendError struct {
	to  *h2end
	err error
}

func (e *sendError) Error() string { return e.err.Error() }
func (e *sendError) Unwrap() error { return e.err }
