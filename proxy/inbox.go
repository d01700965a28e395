package proxy

import "io"

// smallBuffer is the size of the buffer that a connection keeps while it is idle:
// most requests fit, and ten thousand of them are 20 MB.
const smallBuffer = 2 << 10

// inbox holds what was read from a client and not used yet: the rest of a
// pipelined request, or the first bytes of a tunnel. It begins with a small buffer
// and takes a large one from the pool where a read fills that.
type inbox struct {
	buf    []byte
	r, w   int
	filled bool // the last read left no room: more is to come

	pool  *buffers // nil where there are none
	small []byte
	large *[]byte // where buf is of the pool
}

func newInbox(pool *buffers) inbox {
	small := make([]byte, smallBuffer)
	return inbox{buf: small, small: small, pool: pool}
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
func (in *inbox) full() bool {
	return in.r == 0 && in.w == len(in.buf) && (in.pool == nil || in.large != nil)
}

// fill makes one read from src. It moves unread bytes to the front first, so
// there is room unless the inbox is full, which is io.ErrShortBuffer.
func (in *inbox) fill(src io.Reader) (int, error) {
	if in.full() {
		return 0, io.ErrShortBuffer
	}
	if in.filled && in.large == nil && in.pool != nil {
		in.large = in.pool.get()
		in.r, in.w, in.buf = 0, copy(*in.large, in.unread()), *in.large
	}
	if in.r > 0 {
		in.w = copy(in.buf, in.unread())
		in.r = 0
	}
	n, err := src.Read(in.buf[in.w:])
	in.w += n
	in.filled = in.w == len(in.buf)
	if n > 0 {
		err = nil // an error comes again on the next read
	}
	return n, err
}

// rest gives a large buffer back, where nothing unread is in it.
func (in *inbox) rest() {
	if in.large == nil || in.r != in.w {
		return
	}
	in.pool.put(in.large)
	in.large, in.buf, in.r, in.w, in.filled = nil, in.small, 0, 0, false
}

// release gives a large buffer back, whatever is in it.
func (in *inbox) release() {
	in.r, in.w = 0, 0
	in.rest()
}
