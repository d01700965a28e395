package mitmdump

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	flowpb "weir/proto"
	"weir/proto/mitmdump/tnetstring"
)

// MaxFlow bounds one flow of a dump, bodies included, in bytes.
const MaxFlow = 1 << 30

// maxConns bounds how many connections a [Reader] remembers by their id.
const maxConns = 4096

// Reader reads the flows of a dump.
type Reader struct {
	r     *tnetstring.Reader
	m     migration
	index int
	conns map[string]*flowpb.Conn
	err   error
}

// NewReader reads r: a dump as it is, compression undone.
func NewReader(r io.Reader) *Reader {
	return &Reader{r: tnetstring.NewReader(r, MaxFlow), conns: map[string]*flowpb.Conn{}}
}

// Detect reports whether a file that begins so is a dump: a size, and a dictionary
// that begins with a key.
func Detect(head []byte) bool {
	n := 0
	for n < len(head) && n < 12 && head[n] >= '0' && head[n] <= '9' {
		n++
	}
	return n > 0 && n+1 < len(head) && head[n] == ':' && (head[n+1] >= '0' && head[n+1] <= '9' || head[n+1] == '}')
}

// Next returns the next flow. The error is io.EOF after the last one, a
// [flowpb.SkipError] for one that is skipped, or what is wrong with the file behind
// the flows that came.
func (r *Reader) Next() (*flowpb.Whole, error) {
	if r.err != nil {
		return nil, r.err
	}
	at := r.r.Offset()
	v, err := r.r.Next()
	r.index++
	switch {
	case errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		r.err = io.EOF
		return nil, r.err
	case err != nil && r.r.Offset() == at:
		r.err = fmt.Errorf("after flow %d: %w", r.index-1, err)
		return nil, r.err
	}
	var w *flowpb.Whole
	if err == nil {
		w, err = r.flow(v)
	}
	if err != nil {
		return nil, &flowpb.SkipError{Index: r.index, Offset: at, Err: err}
	}
	return w, nil
}

// flow makes a flow of what was read.
func (r *Reader) flow(v any) (*flowpb.Whole, error) {
	s, ok := plain(v).(state)
	if !ok {
		return nil, errors.New("no flow of mitmproxy: it is not a dictionary")
	}
	if err := r.m.migrate(s); err != nil {
		return nil, err
	}
	w := &flowpb.Whole{
		Flow:   &flowpb.Flow{State: flowpb.StateComplete, CreatedNs: s.ns("timestamp_created")},
		Client: r.conn(s.dict("client_conn"), flowpb.SideRequest), Server: r.conn(s.dict("server_conn"), flowpb.SideResponse),
		Note: flowpb.Note{Marked: s.text("marked"), Comment: s.text("comment")},
	}
	d := decoding{s: s, w: w, bodies: map[flowpb.Side][]byte{}}
	if err := d.protocol(); err != nil {
		return nil, err
	}
	d.common()
	w.Body = func(side flowpb.Side) (io.Reader, error) { return bytes.NewReader(d.bodies[side]), nil }
	return w, nil
}

// conn makes a connection, or finds the one that an earlier flow was on.
func (r *Reader) conn(c state, side flowpb.Side) *flowpb.Conn {
	if c == nil {
		return nil
	}
	id := c.text("id")
	if known := r.conns[id]; id != "" && known != nil && known.GetSide() == side {
		return known
	}
	out := connOf(c, side)
	if id != "" && out != nil {
		if len(r.conns) >= maxConns {
			clear(r.conns)
		}
		r.conns[id] = out
	}
	return out
}
