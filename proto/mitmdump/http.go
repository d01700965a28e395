package mitmdump

import (
	"errors"
	"reflect"
	"strconv"
	"strings"

	flowpb "weir/proto"
)

// http reads an HTTP flow.
func (d *decoding) http() error {
	q := d.s.dict("request")
	if q == nil {
		return errors.New("an HTTP flow without a request")
	}
	h := &flowpb.Http{}
	d.w.Flow.Protocol = &flowpb.Flow_Http{Http: h}
	h.Request = d.request(q, flowpb.SideRequest)
	if p := d.s.dict("response"); p != nil {
		h.Response = d.response(p, flowpb.SideResponse)
	}
	if backup := d.s.dict("backup"); backup != nil { // what it was before somebody changed it
		if q := backup.dict("request"); q != nil && !reflect.DeepEqual(q, d.s.dict("request")) {
			h.OriginalRequest = d.request(q, flowpb.SideOriginalRequest)
		}
		if p := backup.dict("response"); p != nil && !reflect.DeepEqual(p, d.s.dict("response")) {
			h.OriginalResponse = d.response(p, flowpb.SideOriginalResponse)
		}
	}
	if d.w.Flow.GetCreatedNs() == 0 {
		d.w.Flow.CreatedNs = h.GetRequest().GetStartedNs()
	}
	switch ws := d.s.dict("websocket"); {
	case ws != nil:
		d.webSocket(h, ws)
	case h.GetResponse() == nil && d.s.dict("error") == nil:
		d.w.Flow.State = flowpb.StateError
		d.w.Flow.Error = &flowpb.Error{Message: noResponse, AtNs: h.GetRequest().GetEndedNs()}
	}
	return nil
}

// noResponse is the error of a flow that was saved while it was waiting.
const noResponse = "no response is in the file"

func (d *decoding) request(s state, side flowpb.Side) *flowpb.Request {
	q := &flowpb.Request{
		Method: s.bytes("method"), Scheme: s.bytes("scheme"), Host: s.bytes("host"), Port: within(s["port"], 1<<16-1),
		Authority: s.bytes("authority"), Path: s.bytes("path"), Target: s.bytes("path"), Version: version(s.bytes("http_version")),
		Headers: fieldsOf(s.list("headers")), Trailers: fieldsOf(s.list("trailers")),
		StartedNs: s.ns("timestamp_start"), EndedNs: s.ns("timestamp_end"),
	}
	if len(q.Authority) == 0 {
		if hosts := flowpb.Get(q.Headers, "host"); len(hosts) > 0 {
			q.Authority = hosts[0]
		}
	}
	if string(q.Method) == "CONNECT" {
		q.Path, q.Target = nil, q.Authority
	}
	q.Body = d.body(s, side, q.Headers, q.EndedNs > 0)
	return q
}

func (d *decoding) response(s state, side flowpb.Side) *flowpb.Response {
	p := &flowpb.Response{
		Version: version(s.bytes("http_version")), Status: within(s["status_code"], 1<<16-1), Reason: s.bytes("reason"),
		Headers: fieldsOf(s.list("headers")), Trailers: fieldsOf(s.list("trailers")),
		StartedNs: s.ns("timestamp_start"), EndedNs: s.ns("timestamp_end"),
	}
	if !strings.HasPrefix(string(p.Version), "HTTP/1") && len(p.Reason) == 0 {
		p.Reason = nil
	}
	p.Body = d.body(s, side, p.Headers, p.EndedNs > 0)
	return p
}

// body keeps a body and describes it. Nothing says whether an empty one was there; its
// headers are asked. Content that is null was streamed and not kept: how much it was is
// what its sender announced.
func (d *decoding) body(s state, side flowpb.Side, headers []*flowpb.Field, ended bool) *flowpb.Body {
	b := &flowpb.Body{State: flowpb.BodyComplete, Chunked: chunked(headers)}
	content, ok := s["content"]
	if ok && content == nil {
		b.State = flowpb.BodyDropped
		for _, v := range flowpb.Get(headers, "content-length") {
			if n, err := strconv.ParseUint(string(v), 10, 63); err == nil {
				b.Size = n
			}
		}
		return b
	}
	p := s.bytes("content")
	if len(p) == 0 && !b.Chunked && len(flowpb.Get(headers, "content-length")) == 0 {
		return nil
	}
	if !ended {
		b.State = flowpb.BodyCut
	}
	d.bodies[side] = p
	b.Size = uint64(len(p))
	return b
}

func chunked(headers []*flowpb.Field) bool {
	for _, v := range flowpb.Get(headers, "transfer-encoding") {
		if strings.Contains(strings.ToLower(string(v)), "chunked") {
			return true
		}
	}
	return false
}

// version is weir's name for a version of HTTP.
func version(v []byte) []byte {
	switch string(v) {
	case "HTTP/2.0":
		return []byte("HTTP/2")
	case "HTTP/3.0":
		return []byte("HTTP/3")
	}
	return v
}

// fieldsOf reads a list of [name, value].
func fieldsOf(list []any) (out []*flowpb.Field) {
	for _, e := range list {
		if pair, ok := e.([]any); ok && len(pair) >= 2 {
			out = append(out, &flowpb.Field{Name: asBytes(pair[0]), Value: asBytes(pair[1])})
		}
	}
	return out
}

// webSocket reads what was said on a connection that became one of WebSocket.
func (d *decoding) webSocket(h *flowpb.Http, ws state) {
	out := &flowpb.WebSocket{CloseReason: ws.bytes("close_reason"), EndedNs: ws.ns("timestamp_end")}
	if v, ok := ws["closed_by_client"].(bool); ok {
		out.ClosedByClient = &v
	}
	if ws["close_code"] != nil {
		code := within(ws["close_code"], 1<<16-1)
		out.CloseCode = &code
	}
	var all []*flowpb.Message
	up := &flowpb.Upgrade{Protocol: []byte("websocket"), EndedNs: out.EndedNs}
	for _, e := range ws.list("messages") {
		m, ok := e.([]any) // [type, from client, content, time, dropped, injected]
		if !ok || len(m) < 4 {
			continue
		}
		msg := &flowpb.Message{Side: side(asBool(m[1])), Type: flowpb.MessageBinary, Content: asBytes(m[2]), AtNs: asNs(m[3])}
		if asInt(m[0]) == 1 {
			msg.Type = flowpb.MessageText
		}
		msg.Dropped = len(m) > 4 && asBool(m[4])
		msg.Injected = len(m) > 5 && asBool(m[5])
		if asBool(m[1]) {
			up.ClientBytes += uint64(len(msg.Content))
		} else {
			up.ServerBytes += uint64(len(msg.Content))
		}
		all = append(all, msg)
	}
	out.Messages = uint64(len(all))
	h.Websocket, h.Upgrade = out, up
	d.w.Messages = listed(all)
}
