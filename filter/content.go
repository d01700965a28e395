package filter

import (
	"io"
	"strings"

	flowpb "weir/proto"
	"weir/proto/coding"
)

// contentTest decides an operator that columns cannot decide.
type contentTest interface {
	need() Need // NeedHead or NeedBody
	// may is a condition of all flows that it can hold for.
	may() condition
	holds(l *Leaf, r *reading) (bool, error)
}

// reading is one flow while its head and bodies are looked at.
type reading struct {
	Subject
	summary *flowpb.Summary
	buf     []byte // to work in
}

// bufferSize is how much of a body is searched at a time, in bytes.
const bufferSize = 64 << 10

// buffer returns room to work in.
func (r *reading) buffer() []byte {
	if r.buf == nil {
		r.buf = make([]byte, bufferSize)
	}
	return r.buf
}

// headersTest is about the header lines of an HTTP message.
type headersTest struct{ request, response bool }

func (headersTest) need() Need     { return NeedHead }
func (headersTest) may() condition { return kindIs(onHTTP) }

func (t headersTest) holds(l *Leaf, r *reading) (bool, error) {
	if r.summary.Kind != flowpb.KindHTTP {
		return false, nil
	}
	f, err := r.Flow()
	if err != nil {
		return false, err
	}
	h := f.GetHttp()
	return t.request && h.GetRequest() != nil && linesMatch(l, h.GetRequest().GetHeaders()) ||
		t.response && h.GetResponse() != nil && linesMatch(l, h.GetResponse().GetHeaders()), nil
}

// linesMatch tests the fields as lines, in one piece, so that a pattern may span
// several of them.
func linesMatch(l *Leaf, fields []*flowpb.Field) bool {
	var block []byte
	for _, f := range fields {
		block = append(block, f.GetName()...)
		block = append(block, ": "...)
		block = append(block, f.GetValue()...)
		block = append(block, "\r\n"...)
	}
	return l.pattern.Match(block)
}

// metaTest is about the "key: value" lines of what else is known of a flow.
type metaTest struct{}

func (metaTest) need() Need     { return NeedHead }
func (metaTest) may() condition { return always }

func (metaTest) holds(l *Leaf, r *reading) (bool, error) {
	f, err := r.Flow()
	if err != nil {
		return false, err
	}
	var lines []string
	for _, m := range f.GetMeta() {
		lines = append(lines, m.GetKey()+": "+m.GetValue())
	}
	return l.pattern.MatchString(strings.Join(lines, "\n")), nil
}

// bodyTest is about bodies and messages, of the client's side, the server's or
// both. Each body and each message is searched alone.
type bodyTest struct{ request, response bool }

func (bodyTest) need() Need     { return NeedBody }
func (bodyTest) may() condition { return kindIs(bodied) }

func (t bodyTest) holds(l *Leaf, r *reading) (bool, error) {
	switch r.summary.Kind {
	case flowpb.KindHTTP:
		return t.http(l, r)
	case flowpb.KindTCP, flowpb.KindUDP:
		return t.messages(l, r)
	case flowpb.KindDNS:
		f, err := r.Flow()
		if err != nil {
			return false, err
		}
		q, p := f.GetDns().GetRequest(), f.GetDns().GetResponse()
		return t.request && q != nil && l.pattern.Match(dnsText(q)) ||
			t.response && p != nil && l.pattern.Match(dnsText(p)), nil
	}
	return false, nil
}

func (t bodyTest) http(l *Leaf, r *reading) (bool, error) {
	f, err := r.Flow()
	if err != nil {
		return false, err
	}
	h := f.GetHttp()
	if t.request && h.GetRequest() != nil {
		if ok, err := r.body(l, flowpb.SideRequest, h.GetRequest().GetBody(), h.GetRequest().GetHeaders()); ok || err != nil {
			return ok, err
		}
	}
	if t.response && h.GetResponse() != nil {
		if ok, err := r.body(l, flowpb.SideResponse, h.GetResponse().GetBody(), h.GetResponse().GetHeaders()); ok || err != nil {
			return ok, err
		}
	}
	if r.summary.Flags&(flowpb.FlagWebSocket|flowpb.FlagUpgrade) == 0 {
		return false, nil
	}
	return t.messages(l, r)
}

// messages searches the messages of the sides that are asked for.
func (t bodyTest) messages(l *Leaf, r *reading) (found bool, err error) {
	err = r.Messages(func(m *flowpb.Message) bool {
		wanted := m.GetSide() == flowpb.SideRequest && t.request || m.GetSide() == flowpb.SideResponse && t.response
		found = wanted && carriesContent(m) && l.pattern.Match(m.GetContent())
		return !found
	})
	return found && err == nil, err
}

// messageTest is about the messages of streams, whatever carries them.
type messageTest struct{}

// messageFlags are those of HTTP flows with messages.
const messageFlags = flowpb.FlagWebSocket | flowpb.FlagUpgrade | flowpb.FlagSSE

func (messageTest) need() Need { return NeedBody }
func (messageTest) may() condition {
	http := []condition{kindIs(onHTTP), plain("f.flags & " + itoa(int64(messageFlags)) + " <> 0")}
	return anyOf([]condition{kindIs([]flowpb.Kind{flowpb.KindTCP, flowpb.KindUDP}), allOf(http)})
}

func (messageTest) holds(l *Leaf, r *reading) (found bool, err error) {
	switch r.summary.Kind {
	case flowpb.KindTCP, flowpb.KindUDP:
	case flowpb.KindHTTP:
		if r.summary.Flags&messageFlags == 0 {
			return false, nil
		}
	default:
		return false, nil
	}
	err = r.Messages(func(m *flowpb.Message) bool {
		found = (m.GetType() == flowpb.MessageEvent || carriesContent(m)) && l.pattern.Match(m.GetContent())
		return !found
	})
	return found && err == nil, err
}

// carriesContent reports whether the message is content. Pings, pongs and closes
// are WebSocket's own, and events repeat the body that they came in.
func carriesContent(m *flowpb.Message) bool {
	switch m.GetType() {
	case flowpb.MessagePing, flowpb.MessagePong, flowpb.MessageClose, flowpb.MessageEvent:
		return false
	}
	return true
}

// body searches a body with its content codings undone. A body that cannot be
// decoded is searched up to where it breaks, and then as it came.
func (r *reading) body(l *Leaf, side flowpb.Side, b *flowpb.Body, headers []*flowpb.Field) (bool, error) {
	s := source{reading: r, side: side}
	defer s.close()
	first, err := s.open()
	if err != nil {
		return false, err
	}
	if first == nil {
		return l.pattern.Match(nil), nil
	}
	if encodings := coding.Of(b, headers); len(encodings) > 0 {
		s.encodings = encodings
		ok, err := l.pattern.MatchStream(s.next, r.buffer())
		switch {
		case ok || err == nil:
			return ok, nil
		case s.err != nil:
			return false, s.err
		}
		s.encodings = nil
	} else if whole, ok := first.(interface{ Bytes() []byte }); ok {
		return l.pattern.Match(whole.Bytes()), nil
	}
	return l.pattern.MatchStream(s.next, r.buffer())
}

// source opens one body, as often as it takes.
type source struct {
	*reading
	side      flowpb.Side
	encodings []string // to undo
	unread    io.Reader
	closers   []io.Closer
	err       error // of the Subject or its reader, not of decoding
}

// open opens the body as stored. The next call of next uses this reader.
func (s *source) open() (io.Reader, error) {
	r, err := s.Body(s.side)
	if err != nil {
		s.err = err
		return nil, err
	}
	if c, ok := r.(io.Closer); ok {
		s.closers = append(s.closers, c)
	}
	s.unread = r
	return r, nil
}

// next returns a reader of the body from its start, decoded.
func (s *source) next() (io.Reader, error) {
	r := s.unread
	if r == nil {
		var err error
		if r, err = s.open(); err != nil {
			return nil, err
		}
		if r == nil {
			r = strings.NewReader("") // gone since it was first asked for
		}
	}
	s.unread = nil
	if len(s.encodings) == 0 {
		return r, nil
	}
	decoded, err := coding.NewReader(watched{r, &s.err}, s.encodings)
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, decoded)
	return decoded, nil
}

// close closes all that was opened, the last first. What closing a reader could
// say does not change what was read from it.
func (s *source) close() {
	for i := len(s.closers) - 1; i >= 0; i-- {
		_ = s.closers[i].Close()
	}
}

// watched keeps the error of a reader that a decoder would wrap.
type watched struct {
	io.Reader
	err *error
}

// Read implements io.Reader.
func (w watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if err != nil && err != io.EOF {
		*w.err = err
	}
	return n, err
}
