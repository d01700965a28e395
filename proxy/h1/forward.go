package h1

import "bytes"

// AppendForward appends the head as it goes to the next hop and returns the
// extended slice.
//
// It is Head.Raw byte for byte, with one exception: a request in absolute form
// was addressed to a proxy, so its target becomes origin form (RFC 9112 §3.2.1;
// "*" for OPTIONS without a path, §3.2.4), and the two fields meant for the
// proxy itself, Proxy-Authorization (RFC 9110 §11.7.2, a credential that the
// origin must not see) and the unregistered Proxy-Connection, are left out. A
// Host line is put first where there is none, as the target carried the only
// copy; a Host that differs from the target is kept as sent, since testing
// such requests is what an inspector is for. Other hop-by-hop fields
// (RFC 9110 §7.6.1) describe the connection that the raw bytes are replayed on
// and stay.
func AppendForward(dst []byte, h *Head, t Target) []byte {
	if h.Role != Request || t.Form != AbsoluteForm {
		return append(dst, h.Raw...)
	}
	dst = append(dst, h.Method...)
	dst = append(dst, ' ')
	dst = append(dst, OriginTarget(h, t)...)
	dst = append(dst, ' ')
	dst = append(dst, h.Version...)
	dst = append(dst, h.Raw[len(h.Start):lineEnd(h.Raw, len(h.Start))]...)
	if _, ok := h.Get("Host"); !ok {
		dst = append(dst, "Host: "...)
		dst = append(dst, t.Authority...)
		dst = append(dst, "\r\n"...)
	}
	for i := range h.Fields {
		f := &h.Fields[i]
		if !equalFold(f.Name, "Proxy-Authorization") && !equalFold(f.Name, "Proxy-Connection") {
			dst = f.Append(dst)
		}
	}
	return append(dst, emptyLine(h.Raw)...)
}

// Append appends the field line exactly as it was read.
func (f *Field) Append(dst []byte) []byte {
	if f.Raw != nil {
		return append(dst, f.Raw...)
	}
	dst = append(dst, f.Name...)
	dst = append(dst, ": "...)
	dst = append(dst, f.Value...)
	return append(dst, "\r\n"...)
}

// OriginTarget returns the target in origin form of a request that was sent
// with t in absolute form.
func OriginTarget(h *Head, t Target) []byte {
	switch {
	case len(t.Path) == 0 && string(h.Method) == "OPTIONS":
		return []byte{'*'}
	case len(t.Path) == 0 || t.Path[0] != '/':
		return append([]byte{'/'}, t.Path...)
	}
	return t.Path
}

// lineEnd returns the offset after the line end that follows offset at.
func lineEnd(raw []byte, at int) int {
	return at + bytes.IndexByte(raw[at:], '\n') + 1
}

// emptyLine returns the line end that closes the head: LF or CRLF.
func emptyLine(raw []byte) []byte {
	if n := len(raw); n >= 2 && raw[n-2] == '\r' {
		return raw[n-2:]
	}
	return raw[len(raw)-1:]
}
