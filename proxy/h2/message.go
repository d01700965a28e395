package h2

import "strconv"

// message judges the header block at hand as a request, a response or trailers
// (§8.1), and moves the peer's half of the stream on.
func (c *Conn) message(id uint32, s *stream) (Event, *fault) {
	fields := c.block.fields
	if s.in == halfBody {
		return c.trailers(id, s)
	}
	head, f := c.pseudo(fields)
	if f == nil {
		f = checkFields(fields[head.Pseudo:])
	}
	ev := Event{Kind: Message, Stream: id, Head: head}
	switch {
	case f != nil:
		return ev, f
	case c.peer == Client:
		f = c.checkRequest(&head)
		s.connect = head.Method == "CONNECT"
	case head.Status == 0:
		f = malformed("no :status")
	case head.Status == 101:
		f = malformed("status 101, which HTTP/2 does not have")
	case head.Status < 200:
		if c.block.end {
			f = malformed("the stream ends with an interim response")
		}
		ev.Kind = Interim
		return ev, f
	}
	if f == nil {
		s.length, f = contentLength(fields)
	}
	if f != nil {
		return ev, f
	}
	if c.peer == Server && (s.head || head.Status == 204 || head.Status == 304 || s.connect && head.Status < 300) {
		s.length = -1 // it says how long the content would be (RFC 9110 §8.6)
	}
	if c.block.end && s.length > 0 {
		return ev, malformed("less content than content-length says")
	}
	s.in = halfBody
	return ev, nil
}

func (c *Conn) trailers(id uint32, s *stream) (Event, *fault) {
	ev := Event{Kind: Trailers, Stream: id}
	if !c.block.end {
		return ev, malformed("a second header that does not end the stream")
	}
	for _, f := range c.block.fields {
		if f.IsPseudo() {
			return ev, malformed("%s in trailers", clip(f.Name))
		}
	}
	if s.length > 0 {
		return ev, malformed("less content than content-length says")
	}
	return ev, checkFields(c.block.fields)
}

// pseudo takes the pseudo-header fields, which stand first (§8.3).
func (c *Conn) pseudo(fields []Field) (h Head, _ *fault) {
	for i := range fields {
		f := &fields[i]
		if !f.IsPseudo() {
			break
		}
		h.Pseudo = i + 1
		for _, before := range fields[:i] {
			if before.Name == f.Name {
				return h, malformed("%s twice", clip(f.Name))
			}
		}
		if bad := checkValue(f); bad != nil {
			return h, bad
		}
		if !c.setPseudo(&h, f) {
			return h, malformed("%s, which is unknown or out of place", clip(f.Name))
		}
	}
	return h, nil
}

// setPseudo puts one field into h. It reports false where the peer must not send it.
func (c *Conn) setPseudo(h *Head, f *Field) bool {
	if c.peer == Server {
		return setStatus(h, f)
	}
	return setRequestPseudo(h, f)
}

func setStatus(h *Head, f *Field) bool {
	status, err := strconv.Atoi(f.Value)
	if f.Name != ":status" || err != nil || len(f.Value) != 3 || status < 100 {
		return false
	}
	h.Status = status
	return true
}

func setRequestPseudo(h *Head, f *Field) bool {
	switch f.Name {
	case ":method":
		h.Method = f.Value
	case ":scheme":
		h.Scheme = f.Value
	case ":authority":
		h.Authority = f.Value
	case ":path":
		h.Path = f.Value
	case ":protocol":
		h.Protocol = f.Value
	default:
		return false
	}
	return true
}

// checkRequest refuses requests without what they need (§8.3.1, §8.5, RFC 8441 §4).
func (c *Conn) checkRequest(h *Head) *fault {
	plain := h.Method != "CONNECT" || h.Protocol != ""
	switch {
	case !isToken(h.Method):
		return malformed("no :method, or none that is a method")
	case h.Protocol != "" && (h.Method != "CONNECT" || !c.connectProtocol):
		return malformed(":protocol, which was not offered")
	case plain && h.Scheme == "":
		return malformed("no :scheme")
	case plain && !isScheme(h.Scheme):
		return malformed(":scheme %s, which is none", strconv.Quote(clip(h.Scheme)))
	case plain && h.Path == "":
		return malformed("no :path")
	case plain && h.Path[0] != '/' && (h.Method != "OPTIONS" || h.Path != "*") && (h.Scheme == "http" || h.Scheme == "https"):
		return malformed(":path does not begin with a slash")
	case !plain && (h.Scheme != "" || h.Path != ""):
		return malformed("CONNECT with :scheme or :path")
	case !plain && h.Authority == "":
		return malformed("CONNECT without :authority")
	}
	return nil
}

// isScheme reports whether s is the scheme of a URI (RFC 3986 §3.1). Where a request is
// written as an address again, anything else would be more of that than its scheme.
func isScheme(s string) bool {
	for i := range len(s) {
		b := s[i] | 0x20
		letter := b >= 'a' && b <= 'z'
		if !letter && (i == 0 || (s[i] < '0' || s[i] > '9') && s[i] != '+' && s[i] != '-' && s[i] != '.') {
			return false
		}
	}
	return true
}

// checkFields refuses fields that HTTP/2 does not carry (§8.2).
func checkFields(fields []Field) *fault {
	for i := range fields {
		f := &fields[i]
		switch f.Name {
		case "connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade":
			return malformed("%s, a field of HTTP/1 connections", f.Name)
		case "te":
			if f.Value != "trailers" {
				return malformed("te other than trailers")
			}
		}
		if f.IsPseudo() {
			return malformed("%s after other fields", clip(f.Name))
		}
		if !isName(f.Name) {
			return malformed("field name %s", strconv.Quote(clip(f.Name)))
		}
		if bad := checkValue(f); bad != nil {
			return bad
		}
	}
	return nil
}

// checkValue refuses what would end a line in HTTP/1 (§8.2.1).
func checkValue(f *Field) *fault {
	for i := range len(f.Value) {
		if b := f.Value[i]; b == 0 || b == '\r' || b == '\n' {
			return malformed("byte %#02x in the value of %s", b, strconv.Quote(clip(f.Name)))
		}
	}
	return nil
}

// contentLength returns what content-length says, -1 where there is none.
func contentLength(fields []Field) (int64, *fault) {
	length := int64(-1)
	for i := range fields {
		if fields[i].Name != "content-length" {
			continue
		}
		n, err := strconv.ParseUint(fields[i].Value, 10, 63)
		if err != nil {
			return -1, malformed("content-length is not a decimal number below 2^63")
		}
		if length >= 0 && length != int64(n) {
			return -1, malformed("two values of content-length")
		}
		length = int64(n)
	}
	return length, nil
}

// isName reports whether s can be the name of a field: a token without capitals.
func isName(s string) bool {
	for i := range len(s) {
		if b := s[i]; b >= 'A' && b <= 'Z' || !isTokenByte(b) {
			return false
		}
	}
	return s != ""
}

func isToken(s string) bool {
	for i := range len(s) {
		if !isTokenByte(s[i]) {
			return false
		}
	}
	return s != ""
}

// isTokenByte reports whether b may stand in a token (RFC 9110 §5.6.2).
func isTokenByte(b byte) bool {
	switch {
	case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b >= '0' && b <= '9':
		return true
	}
	switch b {
	case '!', '#', '$', '%', '&', '\'', '*', '+', '-', '.', '^', '_', '`', '|', '~':
		return true
	}
	return false
}

// clip shortens a name for an error.
func clip(name string) string {
	const most = 40
	if len(name) > most {
		return name[:most] + "…"
	}
	return name
}
