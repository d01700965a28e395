package httptext

import (
	"fmt"

	flowpb "weir/proto"
)

// Chunker frames a body in chunks (RFC 9112 section 7.1), with the extensions that
// its chunks had. Make one with [NewChunker] for each body.
type Chunker struct {
	extensions []*flowpb.ChunkExtension // of chunks that begin here or later
	at         uint64                   // bytes of the body so far
}

// NewChunker returns what frames a body from its beginning.
func NewChunker(b *flowpb.Body) *Chunker { return &Chunker{extensions: b.GetChunkExtensions()} }

// Append appends the next bytes of the body as one chunk, or as several where chunks
// with an extension begin within it.
func (c *Chunker) Append(dst, p []byte) []byte {
	for len(p) > 0 {
		extension := c.extension()
		n := uint64(len(p))
		if len(c.extensions) > 0 {
			n = min(n, c.extensions[0].GetOffset()-c.at)
		}
		dst = fmt.Appendf(dst, "%x%s\r\n", n, extension)
		dst = append(dst, p[:n]...)
		dst = append(dst, "\r\n"...)
		p = p[n:]
		c.at += n
	}
	return dst
}

// End appends the last chunk and the trailers, where the body was whole. One that was
// cut has no last chunk, as it had none on the wire.
func (c *Chunker) End(dst []byte, trailers []*flowpb.Field) []byte {
	dst = fmt.Appendf(dst, "0%s\r\n", c.extension())
	return append(AppendFields(dst, trailers), "\r\n"...)
}

// extension takes the extension of a chunk that begins here. Those that lie before
// are passed over: a damaged head may say anything.
func (c *Chunker) extension() (found []byte) {
	for len(c.extensions) > 0 && c.extensions[0].GetOffset() <= c.at {
		if c.extensions[0].GetOffset() == c.at && found == nil {
			found = c.extensions[0].GetExtension()
		}
		c.extensions = c.extensions[1:]
	}
	return found
}
