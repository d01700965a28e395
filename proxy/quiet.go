package proxy

import (
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"

	flowpb "weir/proto"
)

// quiet bounds how long nothing may pass through a tunnel, in either direction. Where
// there is no limit it costs nothing.
type quiet struct {
	limit time.Duration // negative: none
	last  atomic.Int64  // when something passed, in Unix nanoseconds
}

func (q *quiet) moved() {
	if q.limit > 0 {
		q.last.Store(nowNs())
	}
}

// left is how much longer it may be quiet.
func (q *quiet) left() time.Duration { return q.limit - time.Duration(nowNs()-q.last.Load()) }

// broken is the failure of a tunnel through which nothing passed.
func (q *quiet) broken(cause error) error {
	return &flowError{
		code: flowpb.CodeTimeout, cause: cause,
		message: fmt.Sprintf("nothing passed in either direction for %v, the limit on silence in tunnels", q.limit),
		hint:    "--timeout tunnel=0 lets tunnels be silent",
	}
}

// quietReader is one end of a tunnel, read as long as the limit lets it. raw is where
// conn has its deadlines.
type quietReader struct {
	conn io.Reader
	raw  net.Conn
	*quiet
}

func (r quietReader) Read(p []byte) (int, error) {
	for {
		if r.limit > 0 {
			_ = r.raw.SetReadDeadline(time.Now().Add(r.left()))
		}
		n, err := r.conn.Read(p)
		if n > 0 {
			r.moved()
		}
		switch {
		case n > 0 || err == nil || r.limit < 0 || !isTimeout(err):
			return n, err
		case r.left() <= 0:
			return 0, r.broken(err)
		}
	}
}

// quietWriter is the other end.
type quietWriter struct {
	conn io.Writer
	raw  net.Conn
	*quiet
}

func (w quietWriter) Write(p []byte) (int, error) {
	if w.limit > 0 {
		_ = w.raw.SetWriteDeadline(time.Now().Add(w.limit))
	}
	n, err := w.conn.Write(p)
	w.moved()
	if isTimeout(err) && w.limit > 0 {
		err = w.broken(err)
	}
	return n, err
}
