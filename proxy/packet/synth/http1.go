package synth

import (
	"bytes"
	"strconv"
	"strings"

	flowpb "weir/proto"
	"weir/proto/httptext"
)

// http says an exchange, in the version it was in.
func (x *script) http(h *flowpb.Http) error {
	version := h.GetRequest().GetVersion()
	tls := string(h.GetRequest().GetScheme()) == "https"
	if h.GetRequest() == nil {
		version, tls = h.GetResponse().GetVersion(), x.whole.Client.GetTls() != nil
	}
	version2 := bytes.HasPrefix(version, []byte("HTTP/2")) || bytes.HasPrefix(version, []byte("HTTP/3"))
	if err := x.connect(tls, version2); err != nil {
		return err
	}
	if version2 {
		return x.exchange2(h)
	}
	return x.exchange1(h)
}

// exchange1 says an exchange of HTTP/1, and what came behind it where the connection
// changed what it speaks.
func (x *script) exchange1(h *flowpb.Http) error {
	over := false // nothing can follow on the connection
	if q := h.GetRequest(); q != nil {
		m := message1{flowpb.SideRequest, q.GetBody(), q.GetTrailers(), q.GetStartedNs(), q.GetEndedNs()}
		fields, framing := framed(q.GetHeaders(), q.GetBody(), false)
		cut, err := x.message(m, httptext.Request(text(q, fields)), framing)
		if err != nil {
			return err
		}
		over = cut || closes(q.GetVersion(), q.GetHeaders())
	}
	for _, p := range h.GetInformational() {
		if err := x.say(flowpb.SideResponse, p.GetStartedNs(), httptext.Response(p)); err != nil {
			return err
		}
	}
	p := h.GetResponse()
	if p == nil {
		return x.unanswered()
	}
	m := message1{flowpb.SideResponse, p.GetBody(), p.GetTrailers(), p.GetStartedNs(), p.GetEndedNs()}
	fields, framing := framed(p.GetHeaders(), p.GetBody(), true)
	cut, err := x.message(m, responseText(p, fields), framing)
	if err != nil {
		return err
	}
	switch {
	case h.GetWebsocket() != nil || h.GetUpgrade() != nil:
		return x.upgraded(h)
	case cut || over || closes(p.GetVersion(), p.GetHeaders()):
		return x.shut(p.GetEndedNs())
	}
	return nil
}

// unanswered is the end of a request without a response: the connection's, or, where
// one may still come, that of what is known of it.
func (x *script) unanswered() error { return x.shut(x.flow.GetError().GetAtNs()) }

// shut ends the connection, by the side that did; while the flow is not over, nothing
// more is said on it.
func (x *script) shut(at int64) error {
	switch x.flow.GetState() {
	case flowpb.StateComplete:
		return x.end(flowpb.SideResponse, at)
	case flowpb.StateError:
		first := flowpb.SideResponse
		if x.flow.GetError().GetSide() == flowpb.SideRequest || x.flow.GetError().GetCode() == flowpb.CodeClientGone {
			first = flowpb.SideRequest
		}
		return x.end(first, max(at, x.flow.GetError().GetAtNs()))
	}
	x.w.talks.remove(x.talk)
	return nil
}

// message1 is one half of an exchange.
type message1 struct {
	side           flowpb.Side
	body           *flowpb.Body
	trailers       []*flowpb.Field
	started, ended int64
}

// framing is how the end of a body is told (RFC 9112 section 6).
type framing uint8

const (
	sized framing = iota // by its length, or there is none
	chunked
	untilClose
)

// message says one half of an exchange. cut is whether nothing can follow it.
func (x *script) message(m message1, head []byte, f framing) (cut bool, err error) {
	for len(head) > 0 {
		n := min(len(head), bodyPiece)
		if err := x.say(m.side, m.started, head[:n:n]); err != nil {
			return false, err
		}
		head = head[n:]
	}
	if m.body == nil {
		return false, nil
	}
	chunks := httptext.NewChunker(m.body)
	var said uint64
	err = x.body(m.side, m.body, m.ended, func(at int64, p []byte) error {
		said += uint64(len(p))
		if f == chunked {
			p = chunks.Append(nil, p)
		}
		return x.say(m.side, at, p)
	})
	state := m.body.GetState()
	if err != nil || state == flowpb.BodyCut || state == flowpb.BodyStreaming {
		return true, err
	}
	if said < m.body.GetSize() {
		if x.talk.secure != nil {
			return true, nil // no record can be read behind one that is missing
		}
		if err := x.absent(m, f, m.body.GetSize()-said); err != nil {
			return false, err
		}
	}
	if f == chunked {
		err = x.say(m.side, m.ended, chunks.End(nil, m.trailers))
	}
	return f == untilClose, err
}

// absent leaves a gap for what of a body was not kept.
func (x *script) absent(m message1, f framing, n uint64) error {
	if f != chunked {
		return x.miss(m.side, m.ended, n)
	}
	if err := x.say(m.side, m.ended, append(strconv.AppendUint(nil, n, 16), "\r\n"...)); err != nil {
		return err
	}
	if err := x.miss(m.side, m.ended, n); err != nil {
		return err
	}
	return x.say(m.side, m.ended, []byte("\r\n"))
}

// framed returns how the fields frame a body, and the fields, with a length where they
// frame none that is there.
func framed(fields []*flowpb.Field, b *flowpb.Body, response bool) ([]*flowpb.Field, framing) {
	if b == nil {
		return fields, sized
	}
	for _, v := range flowpb.Get(fields, "transfer-encoding") {
		if strings.HasSuffix(strings.ToLower(strings.TrimSpace(string(v))), "chunked") {
			return fields, chunked
		}
	}
	size := strconv.AppendUint(nil, b.GetSize(), 10)
	lengths := flowpb.Get(fields, "content-length")
	switch {
	case len(lengths) == 0 && response:
		return fields, untilClose
	case len(lengths) == 0 && b.GetSize() == 0:
		return fields, sized
	case len(lengths) == 0:
		return append(fields[:len(fields):len(fields)], &flowpb.Field{Name: []byte("Content-Length"), Value: size}), sized
	case b.GetState() != flowpb.BodyComplete || bytes.Equal(lengths[0], size):
		return fields, sized
	}
	out := make([]*flowpb.Field, len(fields))
	for i, f := range fields {
		out[i] = f
		if strings.EqualFold(string(f.GetName()), "content-length") {
			out[i] = &flowpb.Field{Name: f.GetName(), Value: size}
		}
	}
	return out, sized
}

// closes reports whether a message says that its connection ends after it
// (RFC 9112 section 9.3).
func closes(version []byte, fields []*flowpb.Field) bool {
	persists := string(version) != "HTTP/1.0"
	for _, v := range flowpb.Get(fields, "connection") {
		for option := range strings.SplitSeq(strings.ToLower(string(v)), ",") {
			switch strings.TrimSpace(option) {
			case "close":
				return true
			case "keep-alive":
				persists = true
			}
		}
	}
	return !persists
}

// text is a request with these fields, as HTTP/1 can say it.
func text(q *flowpb.Request, fields []*flowpb.Field) *flowpb.Request {
	out := &flowpb.Request{Method: q.GetMethod(), Target: q.GetTarget(), Version: q.GetVersion(), StartLine: q.GetStartLine(), Headers: fields}
	if len(out.Target) == 0 {
		out.Target = q.GetPath()
	}
	if len(out.Target) == 0 {
		out.Target = []byte("/")
	}
	if len(out.Version) == 0 {
		out.Version = []byte("HTTP/1.1")
	}
	return out
}

// responseText is the head of a response with these fields.
func responseText(p *flowpb.Response, fields []*flowpb.Field) []byte {
	version := p.GetVersion()
	if len(version) == 0 {
		version = []byte("HTTP/1.1")
	}
	return httptext.Response(&flowpb.Response{
		Version: version, Status: p.GetStatus(), Reason: p.GetReason(), StartLine: p.GetStartLine(), Headers: fields,
	})
}
