package content

import "bytes"

// renderForm shows the pairs of a form sent as application/x-www-form-urlencoded
// (WHATWG URL, section 5.1), decoded.
func renderForm(b *Builder, in *Input) error {
	putPairs(b, bytes.TrimRight(in.Data, "\r\n"))
	return nil
}

// renderQuery shows the query of the URL in the same way.
func renderQuery(b *Builder, in *Input) error {
	if len(in.Query) == 0 {
		return &SyntaxError{Msg: "the URL has no query"}
	}
	putPairs(b, in.Query)
	return nil
}

func putPairs(b *Builder, text []byte) {
	for len(text) > 0 && !b.Full() {
		pair, rest, _ := bytes.Cut(text, []byte{'&'})
		text = rest
		if len(pair) == 0 {
			continue
		}
		name, value, valued := bytes.Cut(pair, []byte{'='})
		b.Put(Key, unescape(name))
		if valued {
			b.Say(Punct, ": ")
			putValue(b, unescape(value))
		}
		b.Newline()
	}
}

// putValue puts a value that may have lines; those after the first are indented.
func putValue(b *Builder, value []byte) {
	for i := 0; ; i++ {
		line, rest, more := bytes.Cut(value, []byte{'\n'})
		b.Put(String, trimReturn(line, more))
		if !more || b.Full() {
			return
		}
		b.Newline()
		b.Say(Plain, "  ")
		value = rest
	}
}

// unescape undoes percent-encoding and turns + into a blank. What is no valid
// escape stays.
func unescape(p []byte) []byte {
	out := make([]byte, 0, len(p))
	for i := 0; i < len(p); i++ {
		switch {
		case p[i] == '+':
			out = append(out, ' ')
		case p[i] == '%' && i+2 < len(p) && hexDigit(p[i+1]) >= 0 && hexDigit(p[i+2]) >= 0:
			out = append(out, byte(hexDigit(p[i+1])<<4|hexDigit(p[i+2])))
			i += 2
		default:
			out = append(out, p[i])
		}
	}
	return out
}

// hexDigit is the value of a hexadecimal digit, -1 for any other byte.
func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
