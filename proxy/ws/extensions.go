package ws

import (
	"bytes"
	"fmt"
	"strings"
)

// Extensions is what the two ends of a connection agreed on (RFC 6455 §9.1).
type Extensions struct {
	Deflate bool // permessage-deflate (RFC 7692 §7)
	// The sender compresses each message on its own.
	ClientNoContextTakeover, ServerNoContextTakeover bool
	// How far back the sender refers: 2 to this power, 8 to 15; 15 where nothing was said.
	ClientWindowBits, ServerWindowBits int
	Others                             []string // extensions that are not known, so that reserved bits may mean something
	Problems                           []string // what is wrong with the fields, a sentence each; may quote captured bytes
}

// The parameters of permessage-deflate (RFC 7692 §7.1).
const (
	permessageDeflate = "permessage-deflate"
	serverNoTakeover  = "server_no_context_takeover"
	clientNoTakeover  = "client_no_context_takeover"
	serverBits        = "server_max_window_bits"
	clientBits        = "client_max_window_bits"
)

// Bounds of what is read from one side's fields, and of what is said about them.
const (
	maxExtensions = 100
	maxProblems   = 10
)

// Negotiate reads the Sec-WebSocket-Extensions fields of the request and of the
// response, in their order. What the server says holds, even where it may not
// say it.
func Negotiate(offered, accepted [][]byte) Extensions {
	ext := Extensions{ClientWindowBits: 15, ServerWindowBits: 15}
	var offers []extension
	for _, o := range ext.parse(offered) {
		if o.name == permessageDeflate {
			offers = append(offers, o)
			ext.check("offers", o)
		}
	}
	for _, a := range ext.parse(accepted) {
		switch {
		case a.name != permessageDeflate:
			ext.Others = append(ext.Others, a.name)
		case ext.Deflate:
			ext.problem("the server accepts %s twice", permessageDeflate)
		default:
			ext.accept(a, offers)
		}
	}
	return ext
}

func (e *Extensions) problem(format string, args ...any) {
	if len(e.Problems) == maxProblems {
		return
	}
	e.Problems = append(e.Problems, fmt.Sprintf(format, args...))
}

// accept takes over what the server agreed to.
func (e *Extensions) accept(a extension, offers []extension) {
	e.Deflate = true
	e.check("accepts", a)
	e.ServerNoContextTakeover, e.ClientNoContextTakeover = a.has(serverNoTakeover), a.has(clientNoTakeover)
	if n, ok := windowBits(a.value(serverBits)); ok {
		e.ServerWindowBits = n
	}
	if n, ok := windowBits(a.value(clientBits)); ok {
		e.ClientWindowBits = n
	}
	for _, o := range offers {
		if answers(a, o) {
			return
		}
	}
	e.problem("the server accepts %s as it was not offered", a)
}

// answers reports whether a is a proper answer to the offer o (RFC 7692 §7.1).
func answers(a, o extension) bool {
	asked, limited := windowBits(o.value(serverBits))
	got, answered := windowBits(a.value(serverBits))
	return (a.has(serverNoTakeover) || !o.has(serverNoTakeover)) &&
		(!limited || answered && got <= asked) &&
		(o.has(clientBits) || !a.has(clientBits))
}

// check notes the parameters of permessage-deflate that are not as they should be.
func (e *Extensions) check(verb string, x extension) {
	who := map[string]string{"offers": "client", "accepts": "server"}[verb]
	seen := map[string]bool{}
	for _, p := range x.params {
		_, sized := windowBits(p.value)
		bare := p.name == clientBits && verb == "offers" && p.value == ""
		switch {
		case seen[p.name]:
			e.problem("the %s %s %s with %s twice", who, verb, x.name, p.name)
		case p.name == serverNoTakeover || p.name == clientNoTakeover:
			if p.value != "" {
				e.problem("the %s %s %s with a value for %s", who, verb, x.name, p.name)
			}
		case p.name != serverBits && p.name != clientBits:
			e.problem("the %s %s %s with %s, which is not known", who, verb, x.name, p.name)
		case !sized && !bare:
			e.problem("the %s %s %s with %s=%s, which is not 8 to 15", who, verb, x.name, p.name, p.value)
		}
		seen[p.name] = true
	}
}

// windowBits reads the value of a window size: 8 to 15, without leading zeros.
func windowBits(s string) (int, bool) {
	switch {
	case s == "8" || s == "9":
		return int(s[0] - '0'), true
	case len(s) == 2 && s[0] == '1' && s[1] >= '0' && s[1] <= '5':
		return 10 + int(s[1]-'0'), true
	}
	return 0, false
}

// extension is one element of the field (RFC 6455 §9.1).
type extension struct {
	name   string
	params []parameter
}

type parameter struct{ name, value string }

func (x extension) has(name string) bool {
	for _, p := range x.params {
		if p.name == name {
			return true
		}
	}
	return false
}

// value is the first of that name, "" without.
func (x extension) value(name string) string {
	for _, p := range x.params {
		if p.name == name {
			return p.value
		}
	}
	return ""
}

// String writes the extension as a field has it.
func (x extension) String() string {
	out := x.name
	for _, p := range x.params {
		out += "; " + p.name
		if p.value != "" {
			out += "=" + p.value
		}
	}
	return out
}

// parse reads fields of comma-separated extensions. Names are compared as they
// are, but for the case of letters.
func (e *Extensions) parse(fields [][]byte) (all []extension) {
	for _, f := range fields {
		for _, element := range split(f, ',') {
			parts := split(element, ';')
			if len(parts) == 0 {
				continue
			}
			if len(all) == maxExtensions {
				e.problem("more than %d extensions", maxExtensions)
				return all
			}
			x := extension{name: strings.ToLower(string(parts[0]))}
			for _, p := range parts[1:] {
				name, value, _ := bytes.Cut(p, []byte("="))
				x.params = append(x.params, parameter{
					name:  strings.ToLower(string(bytes.TrimSpace(name))),
					value: string(bytes.Trim(bytes.TrimSpace(value), `"`)),
				})
			}
			all = append(all, x)
		}
	}
	return all
}

// split cuts p at the separators that are not in quotes and leaves out what is empty.
func split(p []byte, separator byte) (parts [][]byte) {
	quoted, from := false, 0
	add := func(part []byte) {
		if part = bytes.TrimSpace(part); len(part) > 0 {
			parts = append(parts, part)
		}
	}
	for i, c := range p {
		switch {
		case c == '"':
			quoted = !quoted
		case c == separator && !quoted:
			add(p[from:i])
			from = i + 1
		}
	}
	add(p[from:])
	return parts
}
