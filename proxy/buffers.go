package proxy

import (
	"sync"
	"sync/atomic"
)

// buffers lends the large read buffers. The zero value is ready.
type buffers struct {
	free sync.Pool    // of *[]byte, bufferSize long
	lent atomic.Int64 // now
}

func (b *buffers) get() *[]byte {
	b.lent.Add(1)
	if p, ok := b.free.Get().(*[]byte); ok {
		return p
	}
	p := make([]byte, bufferSize)
	return &p
}

func (b *buffers) put(p *[]byte) {
	b.free.Put(p)
	b.lent.Add(-1)
}
