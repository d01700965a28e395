package facts

import (
	"strconv"

	flowpb "weir/proto"
	"weir/tui/content"
	"weir/tui/widget"
)

// shortValue is how much of a field's value shows where not all is asked for, in
// bytes.
const shortValue = 256

// HeadOptions says how message heads are shown.
type HeadOptions struct {
	Full   bool // long values to their end
	Masked bool // the values of secrets are hidden
}

// Request is the head of an HTTP request.
func Request(h *flowpb.Http, o HeadOptions) *content.Document {
	q := h.GetRequest()
	w := headWriter{b: content.NewBuilder(nil), o: o}
	if h.GetOriginalRequest() != nil {
		w.remark("changed on its way by a rule or by hand; this is what was sent on")
	}
	if q != nil && q.StartLine != nil {
		w.bytes(content.Plain, q.GetStartLine())
	} else {
		w.words(piece{content.Keyword, q.GetMethod()}, piece{content.Plain, q.GetTarget()}, piece{content.Dim, q.GetVersion()})
	}
	w.b.Newline()
	w.fields(q.GetHeaders())
	w.trailers(q.GetTrailers())
	return w.b.Document()
}

// Response is the head of an HTTP response, after the informational ones (1xx)
// that came before it. Without a response it is those alone.
func Response(h *flowpb.Http, o HeadOptions) *content.Document {
	w := headWriter{b: content.NewBuilder(nil), o: o}
	for _, r := range h.GetInformational() {
		w.response(r)
		w.b.Newline()
	}
	if h.GetOriginalResponse() != nil {
		w.remark("changed on its way by a rule or by hand; this is what was sent on")
	}
	if r := h.GetResponse(); r != nil {
		w.response(r)
		w.trailers(r.GetTrailers())
	}
	if s := h.GetWebsocket(); s != nil {
		w.b.Newline()
		w.remark(socket(s))
	}
	return w.b.Document()
}

// socket says in a line how a WebSocket connection went. What its close said is
// among the messages as well.
func socket(s *flowpb.WebSocket) string {
	text := "WebSocket, " + widget.Group(s.GetMessages()) + " messages"
	switch {
	case s.ClosedByClient == nil && s.GetEndedNs() == 0:
		return text + " so far"
	case s.ClosedByClient == nil:
		return text + ", ended without a close"
	case s.GetClosedByClient():
		text += ", closed by the client"
	default:
		text += ", closed by the server"
	}
	if s.CloseCode != nil {
		text += ": " + closeCode(uint16(s.GetCloseCode()))
	}
	if len(s.GetCloseReason()) > 0 {
		text += " " + widget.Sanitize(s.GetCloseReason())
	}
	return text
}

type headWriter struct {
	b *content.Builder
	o HeadOptions
}

type piece struct {
	kind content.Kind
	text []byte
}

func (w headWriter) response(r *flowpb.Response) {
	if r.StartLine != nil {
		w.bytes(content.Plain, r.GetStartLine())
	} else {
		status := content.Number
		if r.GetStatus() >= 400 {
			status = content.Fault
		}
		w.words(piece{content.Dim, r.GetVersion()}, piece{status, strconv.AppendUint(nil, uint64(r.GetStatus()), 10)},
			piece{content.Plain, r.GetReason()})
	}
	w.b.Newline()
	w.fields(r.GetHeaders())
}

// words writes pieces with a blank between, those that are empty left out.
func (w headWriter) words(pieces ...piece) {
	first := true
	for _, p := range pieces {
		if len(p.text) == 0 {
			continue
		}
		if !first {
			w.b.Say(content.Plain, " ")
		}
		first = false
		w.bytes(p.kind, p.text)
	}
}

func (w headWriter) trailers(fields []*flowpb.Field) {
	if len(fields) == 0 {
		return
	}
	w.remark("trailers, after the body:")
	w.fields(fields)
}

func (w headWriter) remark(text string) {
	w.b.Say(content.Comment, text)
	w.b.Newline()
}

func (w headWriter) fields(fields []*flowpb.Field) {
	for _, f := range fields {
		w.field(f)
		w.b.Newline()
	}
}

// field writes one field line: as received where that is kept, because it differs
// from "name: value".
func (w headWriter) field(f *flowpb.Field) {
	name := f.GetName()
	if w.o.Masked && flowpb.Secret(name) {
		w.bytes(content.Key, name)
		w.b.Say(content.Punct, ": ")
		w.b.Say(content.Comment, "(hidden, "+widget.Size(int64(len(f.GetValue())))+" bytes)")
		return
	}
	if f.Raw == nil {
		w.bytes(content.Key, name)
		w.b.Say(content.Punct, ": ")
		w.value(f.GetValue())
		return
	}
	raw := f.GetRaw()
	if n := len(raw); n >= 2 && raw[n-2] == '\r' && raw[n-1] == '\n' {
		raw = raw[:n-2]
	}
	if n := len(name); n <= len(raw) && string(raw[:n]) == string(name) {
		w.bytes(content.Key, name)
		raw = raw[n:]
	}
	w.value(raw)
}

// value writes a value, a long one only in part unless all was asked for.
func (w headWriter) value(value []byte) {
	if w.o.Full || len(value) <= shortValue {
		w.bytes(content.Plain, value)
		return
	}
	w.bytes(content.Plain, value[:shortValue])
	w.b.Say(content.Comment, " … "+widget.Size(int64(len(value)-shortValue))+" bytes more (o)")
}

// bytes writes captured bytes so that each shows as one thing only: printable
// ASCII as it is but for the backslash, which is doubled, the rest as escapes.
func (w headWriter) bytes(kind content.Kind, p []byte) {
	for len(p) > 0 && !w.b.Full() {
		n := 0
		for n < len(p) && p[n] >= ' ' && p[n] <= '~' && p[n] != '\\' {
			n++
		}
		w.b.Put(kind, p[:n])
		if n < len(p) {
			w.b.Say(content.Escape, escaped(p[n]))
			n++
		}
		p = p[n:]
	}
}

func escaped(c byte) string {
	const hex = "0123456789abcdef"
	switch c {
	case '\\':
		return `\\`
	case '\r':
		return `\r`
	case '\n':
		return `\n`
	case '\t':
		return `\t`
	}
	return `\x` + string(hex[c>>4]) + string(hex[c&15])
}
