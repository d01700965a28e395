package proxy

import (
	"io"
)

// inbox holds what was read from a client and not used yet: the rest of a
// pipelined request, or the first bytes of a tunnel.
type inbox struct {
	buf  []byte
	r, w int
}

// unread returns the bytes not used yet, valid until the next fill.
func (in *inbox) unread() []byte { return in.buf[in.r:in.w] }

// advance marks n bytes as used.
func (in *inbox) advance(n int) {
	in.r += n
	if in.r == in.w {
		in.r, in.w = 0, 0
	}
}

// full reports whether fill has no room.
func (in *inbox) full() bool { return in.r == 0 && in.w == len(in.buf) }

// fill makes one read from src. It moves unread bytes to the front first, so
// there is room unless the inbox is full, which is io.ErrShortBuffer.
func (in *inbox) fill(src io.Reader) (int, error) {
	if in.full() {
		return 0, io.ErrShortBuffer
	}
	if in.r > 0 {
		in.w = copy(in.buf, in.unread())
		in.r = 0
	}
	n, err := src.Read(in.buf[in.w:])
	in.w += n
	if n > 0 {
		err = nil // an error comes again on the next read
	}
	return n, err
}
