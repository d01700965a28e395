package h1

import (
	"bytes"
	"fmt"
	"math"
)

// stepChunkLine gathers "size [;extensions] CRLF" (RFC 9112 §7.1).
func (r *Reader) stepChunkLine(p []byte) (int, Event, error) {
	took, complete := gatherLine(&r.lines, p, r.lim.ChunkLine)
	if len(r.lines) > r.lim.ChunkLine && !r.lim.Lenient {
		return took, Event{}, r.bodyError(HeadTooLarge, took, fmt.Sprintf("chunk line over the limit of %d bytes", r.lim.ChunkLine))
	}
	if len(r.lines) > r.lim.ChunkLine {
		return r.loseTrack(took)
	}
	if !complete {
		return took, Event{}, nil
	}
	line := r.lines
	size, extension, reason := parseChunkLine(line)
	if reason != "" && r.lim.Lenient {
		return r.loseTrack(took)
	}
	r.lines = r.lines[:0]
	if reason != "" {
		return took, Event{}, r.oddBody(took-len(line), reason)
	}
	r.left = size
	r.state = inChunkData
	if size == 0 {
		r.state, r.line = inTrailer, 0
	}
	if len(extension) > 0 {
		return took, Event{Kind: ChunkExtension, Data: extension}, nil
	}
	return took, Event{}, nil
}

// oddBody is the error of chunked framing that cannot be followed.
func (r *Reader) oddBody(at int, reason string) *Error {
	r.head.Oddities |= BadChunk
	err := r.bodyError(Malformed, at, reason)
	err.Odd = true
	return err
}

// loseTrack goes on without chunked framing, which cannot be followed any more:
// what was gathered of it and all that comes is taken for the body.
func (r *Reader) loseTrack(took int) (int, Event, error) {
	r.head.Oddities |= BadChunk
	r.head.KeepAlive = false
	r.state, r.left = inClose, math.MaxInt64
	gathered := r.lines
	r.lines = r.lines[:0]
	return took, Event{Kind: Data, Data: gathered}, nil
}

// gatherLine appends p to dst up to and with the first LF, and no further than
// one byte past limit, so that the caller sees that it is exceeded.
func gatherLine(dst *[]byte, p []byte, limit int) (took int, complete bool) {
	p = p[:min(len(p), limit+1-len(*dst))]
	i := bytes.IndexByte(p, '\n') + 1
	if i == 0 {
		*dst = append(*dst, p...)
		return len(p), false
	}
	*dst = append(*dst, p[:i]...)
	return i, true
}

// parseChunkLine splits a chunk line. White space after the size is allowed,
// as some servers pad it.
func parseChunkLine(line []byte) (size int64, extension []byte, reason string) {
	text, ok := bytes.CutSuffix(line, []byte("\r\n"))
	if !ok || bytes.IndexByte(text, '\r') >= 0 {
		return 0, nil, "chunk line does not end in CRLF"
	}
	digits := 0
	for ; digits < len(text) && unhex(text[digits]) >= 0; digits++ {
		if size >= 1<<59 {
			return 0, nil, "chunk size of 2^63 or more"
		}
		size = size<<4 | int64(unhex(text[digits]))
	}
	extension = bytes.TrimLeft(text[digits:], " \t")
	if digits == 0 || len(extension) > 0 && extension[0] != ';' {
		return 0, nil, "chunk size is not a hexadecimal number"
	}
	return size, extension, ""
}

func unhex(c byte) int {
	switch {
	case isDigit(c):
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// stepChunkEnd takes the CRLF after the data of a chunk.
func (r *Reader) stepChunkEnd(p []byte) (int, Event, error) {
	const crlf = "\r\n"
	for i := range p {
		if p[i] != crlf[len(r.lines)] {
			if r.lim.Lenient {
				r.lines = append(r.lines, p[i])
				return r.loseTrack(i + 1)
			}
			return i, Event{}, r.oddBody(i, "chunk data is not followed by CRLF")
		}
		r.lines = append(r.lines, p[i])
		if len(r.lines) == len(crlf) {
			r.lines, r.state = r.lines[:0], inChunkLine
			return i + 1, Event{}, nil
		}
	}
	return len(p), Event{}, nil
}

// stepTrailer gathers the trailer section up to its empty line (RFC 9112 §7.1.2).
func (r *Reader) stepTrailer(p []byte) (int, Event, error) {
	took, complete := gatherLine(&r.lines, p, r.lim.Trailer)
	start := r.offset + int64(took) - int64(len(r.lines))
	if len(r.lines) > r.lim.Trailer {
		return took, Event{}, r.place(tooLarge("trailer", len(r.lines), "trailer bytes", r.lim.Trailer), r.lines, start)
	}
	if !complete {
		return took, Event{}, nil
	}
	line := r.lines[r.line:]
	if !bytes.HasSuffix(line, []byte("\r\n")) {
		if r.lim.Lenient {
			return r.loseTrack(took)
		}
		r.head.Oddities |= BadChunk
		return took, Event{}, r.place(malformed("trailer", r.line, "line does not end in CRLF"), r.lines, start)
	}
	if len(line) > len("\r\n") {
		r.line = len(r.lines)
		return took, Event{}, nil
	}
	if f := r.parseTrailer(); f != nil {
		return took, Event{}, r.place(f, r.lines, start)
	}
	r.state = atEnd
	return took, Event{}, nil
}

// parseTrailer reads the gathered trailer section. Its fields keep pointing
// into the gathered bytes, which nothing overwrites before the next chunked body.
func (r *Reader) parseTrailer() *fault {
	odd := notes{refused: refusedBy(r.role, r.lim.Lenient)}
	checkControls(r.lines, "trailer", &odd)
	var f *fault
	if odd.fault == nil {
		r.trailer, f = parseFields(r.trailer, r.lines, 0, r.lim.Fields, "trailer", &odd)
	}
	r.head.Oddities |= odd.seen
	if odd.fault != nil {
		return odd.fault
	}
	return f
}
