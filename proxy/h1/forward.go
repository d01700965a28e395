package h1

import "bytes"

// Rewrite says what of a request's head is different on the way to the next
// hop. The zero Rewrite changes nothing: the head goes as it came, byte for byte.
type Rewrite struct {
	Target []byte   // the request target; nil keeps it
	Host   []byte   // the value of every Host line, or of a new one where there is none; nil keeps them
	Needed []byte   // the value of a Host line that is put first where there is none; nil adds none
	Drop   []string // names of fields that are left out
	Add    []byte   // whole lines to put first, each with its CRLF
}

// proxyFields are meant for a proxy itself: Proxy-Authorization (RFC 9110
// §11.7.2, a credential that the origin must not see) and the unregistered
// Proxy-Connection.
var proxyFields = []string{"Proxy-Authorization", "Proxy-Connection"}

// ToOrigin is how a request in absolute form, which was addressed to a proxy,
// goes to its origin: the target in origin form (RFC 9112 §3.2.1; "*" for
// OPTIONS without a path, §3.2.4), without the fields meant for the proxy. A
// Host line is put first where there is none, as the target carried the only
// copy; a Host that differs from the target is kept as sent, since testing
// such requests is what an inspector is for. Other hop-by-hop fields
// (RFC 9110 §7.6.1) describe the connection that the raw bytes are replayed on
// and stay. A request in another form goes as it came.
func ToOrigin(h *Head, t Target) Rewrite {
	if h.Role != Request || t.Form != AbsoluteForm {
		return Rewrite{}
	}
	return Rewrite{Target: OriginTarget(h, t), Needed: t.Authority, Drop: proxyFields}
}

// Zero reports whether r changes nothing.
func (r *Rewrite) Zero() bool {
	return r.Target == nil && r.Host == nil && r.Needed == nil && len(r.Drop) == 0 && len(r.Add) == 0
}

// Append appends the head h as r changes it and returns the extended slice. All
// that r does not name stays as it came.
func (r *Rewrite) Append(dst []byte, h *Head) []byte {
	if r.Zero() {
		return append(dst, h.Raw...)
	}
	dst = r.appendStart(dst, h)
	dst = append(dst, r.Add...)
	host := r.Host
	if host == nil {
		host = r.Needed
	}
	if _, ok := h.Get("Host"); !ok && host != nil {
		dst = appendLine(dst, []byte("Host"), host)
	}
	for i := range h.Fields {
		f := &h.Fields[i]
		switch {
		case r.drops(f.Name):
		case r.Host != nil && equalFold(f.Name, "Host"):
			dst = appendLine(dst, f.Name, r.Host)
		default:
			dst = f.Append(dst)
		}
	}
	return append(dst, emptyLine(h.Raw)...)
}

// appendStart appends the start line with its line end.
func (r *Rewrite) appendStart(dst []byte, h *Head) []byte {
	end := lineEnd(h.Raw, len(h.Start))
	if r.Target == nil {
		return append(dst, h.Raw[:end]...)
	}
	dst = append(dst, h.Method...)
	dst = append(dst, ' ')
	dst = append(dst, r.Target...)
	dst = append(dst, ' ')
	dst = append(dst, h.Version...)
	return append(dst, h.Raw[len(h.Start):end]...)
}

func (r *Rewrite) drops(name []byte) bool {
	for _, d := range r.Drop {
		if equalFold(name, d) {
			return true
		}
	}
	return false
}

func appendLine(dst, name, value []byte) []byte {
	dst = append(dst, name...)
	dst = append(dst, ": "...)
	dst = append(dst, value...)
	return append(dst, "\r\n"...)
}

// Append appends the field line exactly as it was read.
func (f *Field) Append(dst []byte) []byte {
	if f.Raw != nil {
		return append(dst, f.Raw...)
	}
	return appendLine(dst, f.Name, f.Value)
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
