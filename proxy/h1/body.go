package h1

import (
	"bytes"
	"fmt"
	"math"
)

// begin enters the body that the head announces.
func (r *Reader) begin() {
	switch r.head.Framing {
	case FramingLength:
		r.state, r.left = inLength, r.head.Length
		if r.left == 0 {
			r.state = atEnd
		}
	case FramingChunked:
		r.state, r.lines = inChunkLine, r.lines[:0]
	case FramingClose:
		r.state, r.left = inClose, math.MaxInt64
	default:
		r.state = atEnd
	}
}

// stepData hands out body bytes.
func (r *Reader) stepData(p []byte) (int, Event, error) {
	if len(p) == 0 {
		return 0, Event{}, nil
	}
	n := len(p)
	if r.state != inClose {
		n = int(min(int64(n), r.left))
		r.left -= int64(n)
	}
	if r.left == 0 {
		if r.state == inLength {
			r.state = atEnd
		} else {
			r.state = inChunkEnd
		}
	}
	return n, Event{Kind: Data, Data: p[:n]}, nil
}

// end closes the message and makes ready for the next. The head's bytes stay
// in place until the next message overwrites them.
func (r *Reader) end() Event {
	r.state = inHead
	r.releaseHead()
	if r.head.Framing == FramingTunnel {
		r.state = inTunnel
	}
	if r.role == Response && !r.head.Informational() {
		r.req = plainRequest
	}
	return Event{Kind: MessageEnd, Trailer: r.trailer}
}

// truncated describes the place at which the input ended too early.
func (r *Reader) truncated() *Error {
	switch r.state {
	case inHead:
		return &Error{Code: Truncated, Role: r.role, Part: "header", Line: 1 + bytes.Count(r.section, []byte{'\n'}), Offset: r.offset, Reason: "the connection ended inside the head"}
	case inLength:
		return r.bodyError(Truncated, 0, fmt.Sprintf("the connection ended with %d of %d bytes missing", r.left, r.head.Length))
	}
	return r.bodyError(Truncated, 0, "the connection ended inside the chunked body")
}
