package mitmdump

import (
	"fmt"
	"strings"

	flowpb "weir/proto"
	"weir/proto/mitmdump/tnetstring"
)

func (e *encoding) http(d tnetstring.Dict, h *flowpb.Http) (tnetstring.Dict, error) {
	if len(h.GetRequest().GetMethod()) == 0 {
		return nil, flowpb.ErrNoForm
	}
	now, err := e.halves(h, half[*flowpb.Request]{h.GetRequest(), flowpb.SideRequest}, half[*flowpb.Response]{h.GetResponse(), flowpb.SideResponse})
	if err != nil || h.GetOriginalRequest() == nil && h.GetOriginalResponse() == nil {
		return append(d, now...), err
	}
	backup, err := e.backup(d, h)
	return append(append(d, now...), entry("backup", backup)), err
}

// half is one message of an exchange and where its body is.
type half[M any] struct {
	message M
	side    flowpb.Side
}

// halves is what an exchange has beside what all flows have.
func (e *encoding) halves(h *flowpb.Http, request half[*flowpb.Request], response half[*flowpb.Response]) (tnetstring.Dict, error) {
	q, err := e.request(request.message, request.side)
	if err != nil {
		return nil, err
	}
	p, err := e.response(response.message, response.side)
	if err != nil {
		return nil, err
	}
	var ws any
	if h.GetWebsocket() != nil {
		if ws, err = e.webSocket(h.GetWebsocket()); err != nil {
			return nil, err
		}
	}
	return tnetstring.Dict{entry("request", q), entry("response", p), entry("websocket", ws)}, nil
}

// backup is the flow as it was before somebody changed it: a whole state, since that is
// what mitmproxy goes back to.
func (e *encoding) backup(begin tnetstring.Dict, h *flowpb.Http) (tnetstring.Dict, error) {
	request := half[*flowpb.Request]{h.GetOriginalRequest(), flowpb.SideOriginalRequest}
	if request.message == nil {
		request = half[*flowpb.Request]{h.GetRequest(), flowpb.SideRequest}
	}
	response := half[*flowpb.Response]{h.GetOriginalResponse(), flowpb.SideOriginalResponse}
	if response.message == nil {
		response = half[*flowpb.Response]{h.GetResponse(), flowpb.SideResponse}
	}
	was, err := e.halves(h, request, response)
	if err != nil {
		return nil, err
	}
	d := append(append(tnetstring.Dict{}, begin...), was...)
	return append(append(d, e.common()...), entry("backup", nil)), nil
}

func (e *encoding) request(q *flowpb.Request, side flowpb.Side) (any, error) {
	content, err := e.content(q.GetBody(), side)
	if err != nil {
		return nil, err
	}
	authority, path := q.GetAuthority(), q.GetPath()
	if len(flowpb.Get(q.GetHeaders(), "host")) > 0 && string(q.GetMethod()) != "CONNECT" {
		authority = nil // the header says it
	}
	return tnetstring.Dict{
		entry("http_version", versionState(q.GetVersion())), entry("method", q.GetMethod()), entry("scheme", notNil(q.GetScheme())),
		entry("authority", notNil(authority)), entry("path", notNil(path)), entry("host", textOf(q.GetHost())), entry("port", int64(q.GetPort())),
		entry("headers", fieldState(q.GetHeaders())), entry("content", content), entry("trailers", trailerState(q.GetTrailers())),
		entry("timestamp_start", float(q.GetStartedNs())), entry("timestamp_end", seconds(q.GetEndedNs())),
	}, nil
}

func (e *encoding) response(p *flowpb.Response, side flowpb.Side) (any, error) {
	if p == nil {
		return nil, nil
	}
	content, err := e.content(p.GetBody(), side)
	if err != nil {
		return nil, err
	}
	return tnetstring.Dict{
		entry("http_version", versionState(p.GetVersion())), entry("status_code", int64(p.GetStatus())), entry("reason", notNil(p.GetReason())),
		entry("headers", fieldState(p.GetHeaders())), entry("content", content), entry("trailers", trailerState(p.GetTrailers())),
		entry("timestamp_start", float(p.GetStartedNs())), entry("timestamp_end", seconds(p.GetEndedNs())),
	}, nil
}

// content is a body: bytes as they came, or null for one that was not kept.
func (e *encoding) content(b *flowpb.Body, side flowpb.Side) (any, error) {
	switch {
	case b == nil, b.GetSize() == 0 && b.GetState() != flowpb.BodyDropped, e.f.Body == nil:
		return []byte{}, nil
	case b.GetState() == flowpb.BodyDropped:
		return nil, nil
	}
	r, err := e.f.Body(side)
	if err != nil {
		return nil, fmt.Errorf("read body: %w", err)
	}
	return tnetstring.Stream{Size: int64(b.GetSize()), Reader: r}, nil
}

func (e *encoding) webSocket(ws *flowpb.WebSocket) (any, error) {
	list, err := e.messages(webSocketMessage)
	if err != nil {
		return nil, err
	}
	var byClient, code, reason any
	if ws.ClosedByClient != nil {
		byClient = ws.GetClosedByClient()
	}
	if ws.CloseCode != nil {
		code = int64(ws.GetCloseCode())
	}
	if ws.GetCloseReason() != nil {
		reason = textOf(ws.GetCloseReason())
	}
	return tnetstring.Dict{
		entry("messages", list), entry("closed_by_client", byClient), entry("close_code", code), entry("close_reason", reason),
		entry("timestamp_end", seconds(ws.GetEndedNs())),
	}, nil
}

// messages makes a list of the flow's messages; form returns nil for one that has none.
func (e *encoding) messages(form func(*flowpb.Message) tnetstring.List) (tnetstring.List, error) {
	out := tnetstring.List{}
	if e.f.Messages == nil {
		return out, nil
	}
	for m, err := range e.f.Messages {
		if err != nil {
			return nil, fmt.Errorf("read messages: %w", err)
		}
		if l := form(m); l != nil {
			out = append(out, l)
		}
	}
	return out, nil
}

func streamMessage(m *flowpb.Message) tnetstring.List {
	return tnetstring.List{m.GetSide() == flowpb.SideRequest, notNil(m.GetContent()), float(m.GetAtNs())}
}

// webSocketMessage leaves out pings, pongs and closes, which mitmproxy does not keep.
func webSocketMessage(m *flowpb.Message) tnetstring.List {
	kind := int64(2)
	switch m.GetType() {
	case flowpb.MessageText:
		kind = 1
	case flowpb.MessageBinary, flowpb.MessageData:
	default:
		return nil
	}
	return tnetstring.List{
		kind, m.GetSide() == flowpb.SideRequest, notNil(m.GetContent()), float(m.GetAtNs()), m.GetDropped(), m.GetInjected(),
	}
}

func versionState(v []byte) []byte {
	switch string(v) {
	case "HTTP/2":
		return []byte("HTTP/2.0")
	case "":
		return []byte("HTTP/1.1")
	}
	return v
}

func fieldState(fields []*flowpb.Field) tnetstring.List {
	out := make(tnetstring.List, len(fields))
	for i, f := range fields {
		out[i] = tnetstring.List{notNil(f.GetName()), notNil(f.GetValue())}
	}
	return out
}

func trailerState(fields []*flowpb.Field) any {
	if len(fields) == 0 {
		return nil
	}
	return fieldState(fields)
}

// textOf is p as text: mitmproxy refuses what is not UTF-8.
func textOf(p []byte) string { return strings.ToValidUTF8(string(p), "\ufffd") }

func notNil(p []byte) []byte {
	if p == nil {
		return []byte{}
	}
	return p
}

func dnsState(m *flowpb.DnsMessage, query bool) any {
	if m == nil {
		return nil
	}
	questions := tnetstring.List{}
	for _, q := range m.GetQuestions() {
		questions = append(questions, tnetstring.Dict{
			entry("name", textOf(q.GetName())), entry("type", int64(q.GetType())), entry("class_", int64(q.GetClass())),
		})
	}
	return tnetstring.Dict{
		entry("id", int64(m.GetId())), entry("query", query), entry("op_code", int64(m.GetOpCode())),
		entry("authoritative_answer", m.GetAuthoritative()), entry("truncation", m.GetTruncated()),
		entry("recursion_desired", m.GetRecursionDesired()), entry("recursion_available", m.GetRecursionAvailable()),
		entry("reserved", int64(m.GetReservedBits())), entry("response_code", int64(m.GetResponseCode())), entry("questions", questions),
		entry("answers", recordState(m.GetAnswers())), entry("authorities", recordState(m.GetAuthorities())),
		entry("additionals", recordState(m.GetAdditionals())), entry("timestamp", seconds(m.GetAtNs())),
	}
}

func recordState(records []*flowpb.DnsRecord) tnetstring.List {
	out := tnetstring.List{}
	for _, r := range records {
		out = append(out, tnetstring.Dict{
			entry("name", textOf(r.GetName())), entry("type", int64(r.GetType())), entry("class_", int64(r.GetClass())),
			entry("ttl", int64(r.GetTtl())), entry("data", notNil(r.GetData())),
		})
	}
	return out
}
