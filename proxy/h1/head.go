package h1

import "bytes"

// Role is the direction that a Reader parses.
type Role uint8

// The two directions.
const (
	Request Role = iota + 1
	Response
)

// String returns the word used in errors.
func (r Role) String() string {
	if r == Response {
		return "response"
	}
	return "request"
}

// Field is one field line of a head or trailer section (RFC 9112 §5).
type Field struct {
	Name  []byte // in its original case; empty where the line has no colon
	Value []byte // without surrounding white space; a folded value is joined by single spaces
	Raw   []byte // the line or lines with their ends; nil where Name ": " Value CRLF rebuilds it
}

// Head is a parsed message head. It and all that it points to belong to the
// Reader and stay valid until the first Feed after the MessageEnd event.
type Head struct {
	Role  Role
	Raw   []byte // all bytes from the start line to the empty line
	Start []byte // the start line without its line end

	Method, Target []byte // of a request; Target may contain anything but a line end
	Status         int    // of a response, 100–999
	Reason         []byte // of a response, nil where there is none

	Version []byte // "HTTP/1.1" as sent
	Minor   int    // the 1 of HTTP/1.1
	Fields  []Field

	Framing   Framing
	Length    int64 // of the body, for FramingLength
	KeepAlive bool  // this message lets the connection persist (RFC 9112 §9.3)
	Upgrade   bool  // Connection: upgrade with an Upgrade field (RFC 9110 §7.8)
	Continue  bool  // Expect: 100-continue (RFC 9110 §10.1.1)

	Oddities Oddity // beside an error, the one that is refused among them
}

// Get returns the value of the first field called name, ignoring case, and
// whether there is one.
func (h *Head) Get(name string) ([]byte, bool) {
	for i := range h.Fields {
		if equalFold(h.Fields[i].Name, name) {
			return h.Fields[i].Value, true
		}
	}
	return nil, false
}

// Informational reports whether this is an interim response (RFC 9110 §15.2),
// so that another response follows. 101 is final here: it ends HTTP.
func (h *Head) Informational() bool {
	return h.Role == Response && h.Status/100 == 1 && h.Status != 101
}

// parse fills h from raw, which ends with the empty line.
func (h *Head) parse(raw []byte, req requestKind, lim Limits) *fault {
	*h = Head{Role: h.Role, Raw: raw, Fields: h.Fields[:0]}
	odd := notes{refused: refusedBy(h.Role, lim.Lenient)}
	defer func() { h.Oddities = odd.seen }()
	if checkControls(raw, "header", &odd); odd.fault != nil {
		h.salvage(raw, lim)
		return odd.fault
	}
	end := bytes.IndexByte(raw, '\n') + 1
	h.Start = trimLineEnd(raw[:end])
	checkLineEnd(raw[:end], "start line", 0, &odd)
	parseStart := h.parseRequestLine
	if h.Role == Response {
		parseStart = h.parseStatusLine
	}
	if f := parseStart(h.Start); f != nil {
		return f
	}
	var f *fault
	if h.Fields, f = parseFields(h.Fields, raw, end, lim.Fields, "header", &odd); f != nil {
		return f
	}
	h.frame(req, &odd)
	return odd.fault
}

// salvage fills h with what can be told of raw, a head that is not whole or that
// parse refuses to read: the start line, up to its limit, and the fields before
// the first fault. Framing is not looked at.
func (h *Head) salvage(raw []byte, lim Limits) {
	*h = Head{Role: h.Role, Raw: raw, Fields: h.Fields[:0]}
	start, lines, _ := bytes.Cut(raw, []byte{'\n'})
	h.Start = trimLineEnd(start[:min(len(start), lim.StartLine)])
	if h.Role == Response {
		_ = h.parseStatusLine(h.Start)
	} else {
		_ = h.parseRequestLine(h.Start)
	}
	odd := notes{refused: ^Oddity(0)}
	if checkControls(lines, "header", &odd); odd.fault != nil {
		lines = lines[:odd.fault.at]
	}
	whole := lines[:bytes.LastIndexByte(lines, '\n')+1]
	odd = notes{}
	h.Fields, _ = parseFields(h.Fields, whole, 0, lim.Fields, "header", &odd)
	h.Oddities |= odd.seen
}

// checkControls notes NUL and CR without LF (RFC 9110 §5.5): some readers take
// them for line ends.
func checkControls(section []byte, part string, odd *notes) {
	if i := bytes.IndexByte(section, 0); i >= 0 {
		odd.add(Control, part, i, "NUL byte")
	}
	for at := 0; ; {
		i := bytes.IndexByte(section[at:], '\r')
		if i < 0 {
			return
		}
		at += i + 1
		if at >= len(section) || section[at] != '\n' {
			odd.add(Control, part, at-1, "CR without LF")
			return
		}
	}
}

// checkLineEnd notes a line at offset at of a part that does not end in CRLF.
func checkLineEnd(line []byte, part string, at int, odd *notes) {
	if len(line) > 0 && !bytes.HasSuffix(line, []byte("\r\n")) {
		odd.add(BareLF, part, at, "line ends in LF without CR")
	}
}

// trimLineEnd removes LF or CRLF from the end of line.
func trimLineEnd(line []byte) []byte {
	line = bytes.TrimSuffix(line, []byte{'\n'})
	return bytes.TrimSuffix(line, []byte{'\r'})
}

// equalFold compares ASCII letters without case and allocates nothing.
func equalFold(b []byte, s string) bool {
	if len(b) != len(s) {
		return false
	}
	for i := range b {
		if lower(b[i]) != lower(s[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
