package content

import (
	"bytes"
	"mime"
	"strings"

	"weir/tui/widget"
)

// maxPart is how much of a part's content is shown, in bytes.
const maxPart = 16 << 10

// renderMultipart shows the parts of a multipart body (RFC 2046, section 5.1):
// their headers, and their content if it is text. A boundary that the media type
// does not name is taken from the body's first line.
func renderMultipart(b *Builder, in *Input) error {
	delimiter := boundary(in)
	if delimiter == nil {
		return &SyntaxError{Msg: "no boundary in the media type"}
	}
	text := in.Data
	at, after := nextDelimiter(text, delimiter)
	if at < 0 {
		return &SyntaxError{Msg: "the boundary does not occur"}
	}
	for n := 1; !b.Full(); n++ {
		text = text[after:]
		if bytes.HasPrefix(text, []byte("--")) {
			return nil
		}
		text = text[lineEnd(text):]
		at, after = nextDelimiter(text, delimiter)
		part := text
		if at >= 0 {
			part = text[:at]
		}
		if n > 1 {
			b.Newline()
		}
		putPart(b, part)
		if at < 0 {
			if !in.More {
				b.Say(Fault, "the body ends here, without the last boundary")
				b.Newline()
			}
			return nil
		}
	}
	return nil
}

// boundary returns the delimiter without the line end before it, nil for none.
func boundary(in *Input) []byte {
	if _, params, err := mime.ParseMediaType(in.Type); err == nil && params["boundary"] != "" {
		return []byte("--" + params["boundary"])
	}
	line, _, _ := bytes.Cut(in.Data, []byte{'\n'})
	line = bytes.TrimRight(line, " \t\r")
	if len(line) > 2 && len(line) <= 72 && bytes.HasPrefix(line, []byte("--")) {
		return line
	}
	return nil
}

// nextDelimiter finds a delimiter at the start of a line: where the content
// before it ends, and where the text after it begins; at is -1 for none.
func nextDelimiter(text, delimiter []byte) (at, after int) {
	for from := 0; ; {
		i := bytes.Index(text[from:], delimiter)
		if i < 0 {
			return -1, 0
		}
		i += from
		if i == 0 {
			return 0, len(delimiter)
		}
		if text[i-1] == '\n' {
			at = i - 1
			if at > 0 && text[at-1] == '\r' {
				at--
			}
			return at, i + len(delimiter)
		}
		from = i + 1
	}
}

// lineEnd returns where the next line begins.
func lineEnd(text []byte) int {
	if i := bytes.IndexByte(text, '\n'); i >= 0 {
		return i + 1
	}
	return len(text)
}

func putPart(b *Builder, part []byte) {
	var media string
	for len(part) > 0 && !b.Full() {
		line := bytes.TrimRight(part[:lineEnd(part)], "\r\n")
		part = part[lineEnd(part):]
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte{':'})
		if strings.EqualFold(string(name), "content-type") {
			media = mediaType(string(value))
		}
		b.Put(Key, name)
		b.Say(Punct, ":")
		b.Put(Plain, value)
		b.Newline()
	}
	switch {
	case len(part) == 0:
		b.Say(Dim, "(empty)")
	case isBinary(part):
		b.Say(Dim, "("+widget.Size(int64(len(part)))+" bytes, binary")
		b.Put(Dim, []byte(strings.TrimSuffix(": "+media, ": ")))
		b.Say(Dim, ")")
	default:
		putLines(b, String, wholeRunes(part[:min(len(part), maxPart)]))
		if len(part) > maxPart {
			b.Newline()
			b.Say(Dim, "("+widget.Size(int64(len(part)-maxPart))+" more bytes in this part)")
		}
	}
	b.Newline()
}
