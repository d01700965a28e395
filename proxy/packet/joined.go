package packet

import (
	"bytes"

	flowpb "weir/proto"
	"weir/proxy/h2"
)

// message returns who understands a conversation from p on, of which something before was
// not captured; nil where that cannot be told. Who asks is the client, whatever was
// taken for it so far.
func (s *plain) message(from flowpb.Side, p []byte) (speaker, flowpb.Side) {
	if !s.torn {
		return nil, from
	}
	var said flowpb.Side
	switch {
	case isRequest(p) && bytes.IndexByte(p, '\n') >= 0:
		said = flowpb.SideRequest
	case isStatusLine(p):
		said = flowpb.SideResponse
	case h2.BeginsWithFrames(p):
		return newHTTP2(s.c, true), from
	default:
		return nil, from
	}
	if said != from {
		if !s.c.turn() {
			return nil, from
		}
		s.c.conn = nil // what is told from here on is of another client
	}
	return newHTTP(s.c), said
}

// isStatusLine reports whether p begins a response of HTTP/1 (RFC 9112, section 4).
func isStatusLine(p []byte) bool {
	return len(p) >= len("HTTP/1.1 200") && begins(p, "HTTP/1.") && p[8] == ' ' && p[9] >= '1' && p[9] <= '5'
}
