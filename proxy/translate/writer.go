package translate

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"weir/proxy/h1"
	"weir/proxy/h2"
)

// Request is what a response has to know of the request that it answers.
type Request struct {
	Method string
	Old    bool   // it was of HTTP/1.0
	Key    string // Sec-WebSocket-Key, where it asks for WebSocket; else ""
}

// Writer writes the messages of one end as HTTP/1.1 has them.
type Writer struct {
	// Absolute writes requests in absolute form, as those for a proxy.
	Absolute bool
	// Reason returns the phrase of a status, which HTTP/2 does not have; nil leaves it empty.
	Reason func(status int) string
	// Key is the Sec-WebSocket-Key of a request that asks for WebSocket: 16 random bytes in base64.
	Key string

	asked   Request // the last one written
	req     Request
	framing h1.Framing
}

// ForRequest names the request that the next response answers.
func (w *Writer) ForRequest(r Request) { w.req = r }

// Request is what the response to the last request that was written has to know.
func (w *Writer) Request() Request { return w.asked }

// Tunnel reports whether what follows is bytes without meaning, in both directions.
func (w *Writer) Tunnel() bool { return w.framing == h1.FramingTunnel }

// Append appends what ev, a Message, Interim, Data or Trailers, amounts to.
func (w *Writer) Append(dst []byte, ev *h2.Event) ([]byte, error) {
	switch ev.Kind {
	case h2.Message, h2.Interim:
		if ev.Head.Status == 0 {
			return w.request(dst, ev)
		}
		return w.response(dst, ev), nil
	case h2.Data:
		return w.data(dst, ev.Data, ev.End), nil
	case h2.Trailers:
		return w.trailers(dst, ev.Fields), nil
	}
	return dst, nil
}

// Endless reports whether the message lasts until the connection ends.
func (w *Writer) Endless() bool { return w.framing == h1.FramingClose || w.framing == h1.FramingTunnel }

// request appends the head of a request.
func (w *Writer) request(dst []byte, ev *h2.Event) ([]byte, error) {
	h := &ev.Head
	fields := ev.Fields[h.Pseudo:]
	authority := h.Authority
	if authority == "" {
		authority, _ = valueOf(fields, "host")
	}
	target, err := w.target(h, authority)
	if err != nil {
		return dst, err
	}
	w.asked = Request{Method: h.Method}
	if h.Protocol != "" {
		w.asked, w.framing = Request{Method: "GET", Key: w.Key}, h1.FramingTunnel
		return append(w.plain(w.socketHead(dst, target, authority), fields), "\r\n"...), nil
	}
	dst = append(dst, h.Method...)
	dst = append(dst, ' ')
	dst = append(dst, target...)
	dst = append(dst, " HTTP/1.1\r\n"...)
	if authority != "" {
		dst = appendLine(dst, "host", authority)
	}
	if h.Method == "CONNECT" {
		w.framing = h1.FramingTunnel
	} else {
		w.frame(fields, ev.End, false)
	}
	dst = w.fields(dst, fields)
	if _, announced := valueOf(fields, "content-length"); !announced && w.framing == h1.FramingNone && expectsBody(h.Method) {
		dst = appendLine(dst, "content-length", "0")
	}
	return append(dst, "\r\n"...), nil
}

// target returns the request target, or why there is none.
func (w *Writer) target(h *h2.Head, authority string) (string, error) {
	switch {
	case h.Protocol != "" && (!strings.EqualFold(h.Protocol, websocket) || w.Key == ""):
		return "", fmt.Errorf("extended CONNECT for %q, which HTTP/1.1 does not have", h.Protocol)
	case !isTarget(authority):
		return "", fmt.Errorf(":authority %q, which cannot be written in HTTP/1.1", authority)
	case h.Method == "CONNECT" && h.Protocol == "":
		return authority, nil
	case !isTarget(h.Path):
		return "", fmt.Errorf(":path %q, which cannot be written in HTTP/1.1", h.Path)
	case !w.Absolute:
		return h.Path, nil
	case authority == "" || !isTarget(h.Scheme):
		return "", errors.New("this is a proxy, and the request names no server")
	case h.Path == "*":
		return h.Scheme + "://" + authority, nil
	}
	return h.Scheme + "://" + authority + h.Path, nil
}

// isTarget reports whether s can stand in a start line: without blanks and
// control characters, which would begin another part of it.
func isTarget(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f }) < 0
}

// expectsBody reports whether a method without a body is to say so (RFC 9110 §8.6).
func expectsBody(method string) bool { return method == "POST" || method == "PUT" || method == "PATCH" }

// response appends the head of a response, interim or final.
func (w *Writer) response(dst []byte, ev *h2.Event) []byte {
	interim := ev.Kind == h2.Interim
	if interim && w.req.Old {
		return dst
	}
	if w.req.Key != "" && ev.Head.Status/100 == 2 {
		return w.switched(dst, ev.Fields[ev.Head.Pseudo:])
	}
	dst = fmt.Appendf(dst, "HTTP/1.1 %03d ", ev.Head.Status)
	if w.Reason != nil {
		dst = append(dst, w.Reason(ev.Head.Status)...)
	}
	dst = append(dst, "\r\n"...)
	fields := ev.Fields[ev.Head.Pseudo:]
	if interim {
		return append(w.plain(dst, fields), "\r\n"...)
	}
	bodiless := w.bodiless(ev.Head.Status)
	switch {
	case w.req.Method == "CONNECT" && ev.Head.Status/100 == 2:
		w.framing = h1.FramingTunnel
	case bodiless:
		w.framing = h1.FramingNone
	default:
		w.frame(fields, ev.End, w.req.Old)
	}
	dst = w.fields(dst, fields)
	if !bodiless && w.framing == h1.FramingNone && !given(fields, "content-length") {
		dst = appendLine(dst, "content-length", "0")
	}
	if w.req.Old || w.framing == h1.FramingClose {
		dst = appendLine(dst, "connection", "close")
	}
	return append(dst, "\r\n"...)
}

// bodiless reports whether a response with that status has no body whatever it says
// (RFC 9112 §6.3).
func (w *Writer) bodiless(status int) bool {
	return w.req.Method == "HEAD" || status == 204 || status == 304
}

// frame decides how the end of a body is told.
func (w *Writer) frame(fields []h2.Field, end, old bool) {
	_, trailers := valueOf(fields, "trailer")
	_, length := valueOf(fields, "content-length")
	switch {
	case end:
		w.framing = h1.FramingNone
	case length && (!trailers || old):
		w.framing = h1.FramingLength
	case old:
		w.framing = h1.FramingClose
	default:
		w.framing = h1.FramingChunked
	}
}

// fields appends the fields of a head, with what frames the body.
func (w *Writer) fields(dst []byte, fields []h2.Field) []byte {
	if w.framing == h1.FramingChunked {
		dst = appendLine(dst, "transfer-encoding", "chunked")
	}
	return w.plain(dst, fields)
}

// plain appends fields that are not looked at, but for those that HTTP/1.1 writes
// otherwise.
func (w *Writer) plain(dst []byte, fields []h2.Field) []byte {
	cookie, length := false, w.framing == h1.FramingChunked || w.framing == h1.FramingTunnel
	for i := range fields {
		f := &fields[i]
		switch f.Name {
		case "host":
			continue // it stands before all others
		case "sec-websocket-key", "sec-websocket-accept":
			if w.framing == h1.FramingTunnel {
				continue // ours stands before all others
			}
		case "cookie":
			if !cookie {
				dst = appendLine(dst, f.Name, crumbs(fields[i:]))
			}
			cookie = true
			continue
		case "content-length":
			if length {
				continue
			}
			length = true
		case "te":
			dst = appendLine(dst, "connection", "te")
		}
		dst = appendLine(dst, f.Name, f.Value)
	}
	return dst
}

// crumbs joins what HTTP/2 may cut a Cookie into (§8.2.3).
func crumbs(fields []h2.Field) string {
	var all []string
	for i := range fields {
		if fields[i].Name == "cookie" {
			all = append(all, fields[i].Value)
		}
	}
	return strings.Join(all, "; ")
}

// data appends content, and its end.
func (w *Writer) data(dst, p []byte, end bool) []byte {
	switch w.framing {
	case h1.FramingChunked:
	case h1.FramingNone:
		return dst // the answer to HEAD, 204 or 304, where it would be the next message
	default:
		return append(dst, p...)
	}
	if len(p) > 0 {
		dst = strconv.AppendInt(dst, int64(len(p)), 16)
		dst = append(dst, "\r\n"...)
		dst = append(dst, p...)
		dst = append(dst, "\r\n"...)
	}
	if end {
		dst = w.trailers(dst, nil)
	}
	return dst
}

// trailers appends the end of a body.
func (w *Writer) trailers(dst []byte, fields []h2.Field) []byte {
	if w.framing != h1.FramingChunked {
		return dst
	}
	dst = append(dst, "0\r\n"...)
	for i := range fields {
		if fields[i].Name != "content-length" && fields[i].Name != "host" { // which would be about the message itself
			dst = appendLine(dst, fields[i].Name, fields[i].Value)
		}
	}
	return append(dst, "\r\n"...)
}
