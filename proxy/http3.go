package proxy

import (
	"encoding/binary"
	"slices"
	"strings"

	flowpb "weir/proto"
	"weir/proxy/dns"
	"weir/proxy/h1"
	"weir/proxy/h2"
)

// HTTP/3 is not opened. A client that finds it falls back to HTTP over TCP where
// it is refused, and does not find it where nobody tells of it: servers do in
// Alt-Svc (RFC 7838) and in HTTPS records of the DNS (RFC 9460).

// errHTTP3 is what the flow of a QUIC connection ends with.
func errHTTP3(to route) *flowError {
	return &flowError{
		code: flowpb.CodeRefused, side: flowpb.SideRequest,
		message: "QUIC to " + to.hostPort() + " is refused, so that the client falls back to TCP, which can be read",
		hint:    "--strip-alt-svc keeps servers from offering HTTP/3",
	}
}

// isQUIC reports whether p begins a QUIC connection: a long header with the fixed
// bit, a version that is in use, and the size that only such a packet has
// (RFC 9000 §14.1, §17.2).
func isQUIC(p []byte) bool {
	const longAndFixed, smallest = 0xc0, 1200
	if len(p) < smallest || p[0]&longAndFixed != longAndFixed {
		return false
	}
	switch v := binary.BigEndian.Uint32(p[1:]); {
	case v == 1, v == 0x6b3343cf: // RFC 9000, RFC 9369
		return true
	case v>>8 == 0xff0000: // drafts
		return true
	case v>>24 == 'Q', v&0x0f0f0f0f == 0x0a0a0a0a: // Google's own; GREASE
		return true
	}
	return false
}

// noVersion answers a packet for which isQUIC holds with a version negotiation
// that offers nothing a client knows, so that it gives up at once (RFC 9000 §17.2.1).
// It is nil where the packet's connection IDs are not whole.
func noVersion(p []byte) []byte {
	const at, unknown = 5, 0x0a0a0a0a
	destination, rest, ok := connectionID(p[at:])
	if !ok {
		return nil
	}
	source, _, ok := connectionID(rest)
	if !ok {
		return nil
	}
	out := []byte{0x80, 0, 0, 0, 0, byte(len(source))}
	out = append(out, source...)
	out = append(append(out, byte(len(destination))), destination...)
	return binary.BigEndian.AppendUint32(out, unknown)
}

// connectionID cuts an ID, with its length before it, from the front of p.
func connectionID(p []byte) (id, rest []byte, ok bool) {
	if len(p) == 0 || len(p) < 1+int(p[0]) {
		return nil, nil, false
	}
	n := 1 + int(p[0])
	return p[1:n], p[n:], true
}

// headToClient returns a response head as it goes to the client, and whether that
// is other than it came.
func (x *exchange) headToClient(head *h1.Head) (raw []byte, changed bool) {
	if !x.c.s.opts.StripAltSvc {
		return head.Raw, false
	}
	if _, told := head.Get(altSvc); !told {
		return head.Raw, false
	}
	x.rec.note("stripped", "Alt-Svc")
	rw := h1.Rewrite{Drop: []string{altSvc}}
	return rw.Append(nil, head), true
}

const altSvc = "Alt-Svc"

// withoutAltSvc is headToClient for HTTP/2.
func (r *relay) withoutAltSvc(s *h2stream, fields []h2.Field) []h2.Field {
	is := func(f h2.Field) bool { return strings.EqualFold(f.Name, altSvc) }
	if !r.c.s.opts.StripAltSvc || !slices.ContainsFunc(fields, is) {
		return fields
	}
	s.rec.note("stripped", "Alt-Svc")
	return slices.DeleteFunc(slices.Clone(fields), is)
}

// isAltSvcFrame reports whether an HTTP/2 frame tells of HTTP/3 (RFC 7838 §4) and
// is not to be passed on.
func (r *relay) isAltSvcFrame(frameType h2.FrameType) bool {
	const alternativeService = 0xa
	return r.c.s.opts.StripAltSvc && frameType == alternativeService
}

// tellsHTTPS reports whether an answer is of the records that tell of HTTP/3
// (RFC 9460: HTTPS, and SVCB, which resolvers are asked for in their own name).
func tellsHTTPS(m *dns.Message) bool {
	const typeSVCB, typeHTTPS = 64, 65
	if m == nil || len(m.Questions) == 0 || len(m.Answers) == 0 {
		return false
	}
	asked := m.Questions[0].Type
	return asked == typeHTTPS || asked == typeSVCB
}
