package h1

import "bytes"

// Framing is how the end of a body is found (RFC 9112 §6.3).
type Framing uint8

// The framings.
const (
	FramingNone    Framing = iota // no body
	FramingLength                 // Content-Length; Head.Length bytes
	FramingChunked                // Transfer-Encoding: chunked
	FramingClose                  // until the connection closes; responses only
	FramingTunnel                 // HTTP ends here: 101, or 2xx to CONNECT
)

// requestKind is what a response needs to know of its request.
type requestKind uint8

const (
	plainRequest requestKind = iota
	headRequest
	connectRequest
)

// framingFields is what the fields of a head say about framing.
type framingFields struct {
	odd *notes
	at  int // of the last field that frames

	lengths, codings int
	hosts            int
	length           int64
	chunked          bool // the last transfer coding is chunked
	close, keepAlive bool // options of Connection
	upgradeOption    bool
	upgradeField     bool
}

// frame decides framing and persistence from the parsed fields.
func (h *Head) frame(req requestKind, odd *notes) {
	ff := framingFields{odd: odd}
	for i := range h.Fields {
		if ff.add(h, &h.Fields[i]); odd.fault != nil {
			return
		}
	}
	h.KeepAlive = !ff.close && (h.Minor >= 1 || ff.keepAlive)
	h.Upgrade = ff.upgradeField && ff.upgradeOption
	if h.Role == Response && h.bodiless(req) {
		return
	}
	switch {
	case ff.codings > 0 && ff.lengths > 0:
		ff.note(LengthAndCoding, "both Transfer-Encoding and Content-Length")
	case ff.codings > 0 && h.Minor == 0:
		ff.note(CodingIn10, "Transfer-Encoding in an HTTP/1.0 message")
	case h.Role == Request && string(h.Method) == "CONNECT" && (ff.codings > 0 || ff.length > 0):
		ff.note(ConnectBody, "a body on CONNECT")
	case h.Role == Request && ff.codings > 0 && !ff.chunked:
		ff.note(BadCoding, "Transfer-Encoding of a request does not end in chunked")
	}
	h.settle(&ff)
}

// note notes what is odd about the field that was looked at last.
func (ff *framingFields) note(o Oddity, reason string) { ff.odd.add(o, "header", ff.at, reason) }

// settle sets Framing and Length. Of what is ambiguous, and is read all the same,
// nobody knows where it ends: chunked framing is followed where there is any
// (RFC 9112 §6.3, rule 3), else the message lasts until the connection does, and
// none comes after it.
func (h *Head) settle(ff *framingFields) {
	unsure := ff.odd.seen & (framing &^ RepeatedLength)
	switch {
	case ff.chunked:
		h.Framing = FramingChunked
	case unsure&^Control != 0:
		h.Framing = FramingClose
	case ff.lengths > 0:
		h.Framing, h.Length = FramingLength, ff.length
	case h.Role == Response:
		h.Framing = FramingClose
	}
	if unsure != 0 || h.Framing == FramingClose {
		h.KeepAlive = false
	}
}

// bodiless handles the responses whose fields do not decide (RFC 9112 §6.3,
// rules 1 and 2) and reports whether this is one.
func (h *Head) bodiless(req requestKind) bool {
	switch {
	case h.Status == 101, req == connectRequest && h.Status/100 == 2:
		h.Framing = FramingTunnel
	case req == headRequest, h.Status/100 == 1, h.Status == 204, h.Status == 304:
		h.Framing = FramingNone
	default:
		return false
	}
	return true
}

// add takes one field into account.
func (ff *framingFields) add(h *Head, f *Field) {
	switch len(f.Name) {
	case len("Content-Length"):
		if equalFold(f.Name, "Content-Length") {
			ff.at = offsetOf(h.Raw, f)
			ff.addLength(f.Value)
		}
	case len("Transfer-Encoding"):
		if equalFold(f.Name, "Transfer-Encoding") {
			ff.at = offsetOf(h.Raw, f)
			ff.addCodings(f.Value)
		}
	case len("Connection"):
		if equalFold(f.Name, "Connection") {
			ff.close = ff.close || hasToken(f.Value, "close")
			ff.keepAlive = ff.keepAlive || hasToken(f.Value, "keep-alive")
			ff.upgradeOption = ff.upgradeOption || hasToken(f.Value, "upgrade")
		}
	case len("Host"):
		if equalFold(f.Name, "Host") {
			ff.at = offsetOf(h.Raw, f)
			ff.addHost(h.Role)
		}
	case len("Upgrade"):
		ff.upgradeField = ff.upgradeField || equalFold(f.Name, "Upgrade")
	case len("Expect"):
		h.Continue = h.Continue || h.Role == Request && equalFold(f.Name, "Expect") && equalFold(f.Value, "100-continue")
	}
}

// addHost expects one Host in a request (RFC 9112 §3.2): of several, one reader takes
// the first and another one the last.
func (ff *framingFields) addHost(role Role) {
	if ff.hosts++; ff.hosts > 1 && role == Request {
		ff.note(ManyHosts, "more than one Host")
	}
}

// addLength expects one number. Repetitions of it, be it as several fields or as
// a list, are what browsers allow servers.
func (ff *framingFields) addLength(value []byte) {
	for part := range bytes.SplitSeq(value, []byte{','}) {
		n, ok := parseLength(trimBlank(part))
		switch {
		case !ok:
			ff.note(BadLength, "Content-Length is not a decimal number below 2^63")
		case ff.lengths > 0 && n == ff.length:
			ff.note(RepeatedLength, "more than one Content-Length")
		case ff.lengths > 0:
			ff.note(ManyLengths, "more than one Content-Length")
		}
		ff.lengths++
		ff.length = n
	}
}

// addCodings looks for chunked, which must be the last coding and stand once.
func (ff *framingFields) addCodings(value []byte) {
	if ff.codings > 0 {
		ff.note(BadCoding, "more than one Transfer-Encoding field")
	}
	ff.codings++
	for part := range bytes.SplitSeq(value, []byte{','}) {
		if ff.chunked {
			ff.note(BadCoding, "Transfer-Encoding goes on after chunked")
		}
		ff.chunked = equalFold(trimBlank(part), "chunked")
	}
}

// parseLength reads 1*DIGIT below 2^63.
func parseLength(b []byte) (n int64, ok bool) {
	if len(b) == 0 || len(b) > 19 {
		return 0, false
	}
	for _, c := range b {
		if !isDigit(c) {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, n >= 0
}

// hasToken reports whether the comma-separated list contains token, ignoring case.
func hasToken(list []byte, token string) bool {
	for part := range bytes.SplitSeq(list, []byte{','}) {
		if equalFold(trimBlank(part), token) {
			return true
		}
	}
	return false
}

// offsetOf returns where f stands in raw, the head that its name was cut from:
// both slices end at the end of the same array.
func offsetOf(raw []byte, f *Field) int {
	return cap(raw) - cap(f.Name)
}
