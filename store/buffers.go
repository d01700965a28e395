package store

import (
	"bytes"
	"sync"
)

// buffers keeps what parts of bodies were copied into, for the next ones: a large
// download is else as much garbage as it has bytes. It is safe for concurrent use.
type buffers struct {
	mu   sync.Mutex
	free [bufferClasses][][]byte // by size
	held int                     // bytes of them
	most int                     // of held: a batch
}

const (
	// Buffers are of sizes leastBuffer, twice that … body.PieceSize. Smaller parts are not kept.
	leastBuffer   = 8 << 10
	bufferClasses = 6
)

// class is the smallest size that n bytes fit into; negative for those that are not kept.
func (*buffers) class(n int) (class int) {
	if n <= leastBuffer/2 {
		return -1
	}
	for leastBuffer<<class < n {
		class++
	}
	return class
}

// clone copies p, which has at most body.PieceSize bytes, into a buffer.
func (b *buffers) clone(p []byte) []byte {
	if b.class(len(p)) < 0 {
		return bytes.Clone(p)
	}
	return append(b.lend(len(p)), p...)
}

// lend returns an empty buffer with room for n bytes, PieceSize at most.
func (b *buffers) lend(n int) []byte {
	class := max(b.class(n), 0)
	b.mu.Lock()
	var to []byte
	if free := b.free[class]; len(free) > 0 {
		to = free[len(free)-1]
		b.free[class] = free[:len(free)-1]
		b.held -= cap(to)
	}
	b.mu.Unlock()
	if to == nil {
		to = make([]byte, 0, leastBuffer<<class)
	}
	return to
}

// give takes back what clone returned and nobody needs any more.
func (b *buffers) give(p []byte) {
	class := b.class(cap(p))
	if class < 0 || cap(p) != leastBuffer<<class {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.held+cap(p) <= b.most {
		b.free[class] = append(b.free[class], p[:0])
		b.held += cap(p)
	}
}
