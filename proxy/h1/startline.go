package h1

import (
	"bytes"
	"strings"
)

// parseRequestLine reads "method SP target SP HTTP-version" (RFC 9112 §3). The
// target is whatever stands between the first and the last space: what is odd
// in it is for the origin to judge. Beside a fault h holds what could be read.
func (h *Head) parseRequestLine(line []byte) *fault {
	method, rest, ok := bytes.Cut(line, []byte{' '})
	if !ok || !isToken(method) {
		return malformed("start line", 0, "no HTTP method")
	}
	h.Method = method
	i := bytes.LastIndexByte(rest, ' ')
	if i < 0 {
		h.Target = rest
		return malformed("start line", len(line), "no HTTP version (HTTP/0.9 is not spoken)")
	}
	h.Target = bytes.Trim(rest[:i], " ")
	if len(h.Target) == 0 {
		return malformed("start line", len(method)+1, "no request target")
	}
	return h.parseVersion(rest[i+1:], len(line)-len(rest)+i+1)
}

// beginsWithMethod reports whether p, the front of a request's start line or an empty
// line, can go on as a method. What cannot is no HTTP, and may never have a line end.
func beginsWithMethod(p []byte) bool {
	for i, c := range p {
		switch {
		case isTokenByte(c):
		case c == '\r', c == '\n':
			return true // what the line is worth is seen when it is whole
		default:
			return c == ' ' && i > 0
		}
	}
	return true
}

// parseStatusLine reads "HTTP-version SP status [SP reason]" (RFC 9112 §4).
func (h *Head) parseStatusLine(line []byte) *fault {
	version, rest, _ := bytes.Cut(line, []byte{' '})
	if f := h.parseVersion(version, 0); f != nil {
		return f
	}
	status, reason, hasReason := bytes.Cut(rest, []byte{' '})
	if len(status) != 3 || status[0] < '1' {
		return malformed("start line", len(version)+1, "no three-digit status code")
	}
	for _, c := range status {
		if c < '0' || c > '9' {
			return malformed("start line", len(version)+1, "no three-digit status code")
		}
		h.Status = h.Status*10 + int(c-'0')
	}
	if hasReason {
		h.Reason = reason
	}
	return nil
}

// parseVersion accepts HTTP/1.x, in capitals (RFC 9112 §2.3).
func (h *Head) parseVersion(v []byte, at int) *fault {
	const prefix = "HTTP/"
	if len(v) != len("HTTP/1.1") || string(v[:len(prefix)]) != prefix || v[6] != '.' || !isDigit(v[5]) || !isDigit(v[7]) {
		return malformed("start line", at, "no HTTP version")
	}
	if v[5] != '1' {
		return malformed("start line", at, "HTTP version "+string(v[5:])+" where 1.x is spoken")
	}
	h.Version, h.Minor = v, int(v[7]-'0')
	return nil
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// isToken reports whether b is a token (RFC 9110 §5.6.2).
func isToken(b []byte) bool {
	for _, c := range b {
		if !isTokenByte(c) {
			return false
		}
	}
	return len(b) > 0
}

func isTokenByte(c byte) bool {
	switch {
	case isDigit(c), 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		return true
	}
	return strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}
