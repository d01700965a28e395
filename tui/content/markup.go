package content

import (
	"bytes"
	"strings"
)

const (
	// maxInline is how long an element without children may be to stay on one line.
	maxInline = 100
	// maxOpen is how many open elements are remembered; deeper ones do not indent.
	maxOpen = 256
)

// sniffMarkup reports whether the first character that is no space is "<".
func sniffMarkup(data []byte) bool {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	data = bytes.TrimLeft(data[:min(len(data), 1<<10)], " \t\r\n")
	return len(data) > 0 && data[0] == '<'
}

// renderMarkup re-indents XML and HTML. Only white space between tags and around
// text changes; what stands in script, style, pre and textarea stays as it is.
// Nothing is checked and nothing is added: a document that is not well-formed
// shows as what it is.
func renderMarkup(b *Builder, in *Input) error {
	p := markupPrinter{b: b, text: in.text(), html: isHTML(in)}
	if !sniffMarkup(p.text) {
		return placed(&SyntaxError{Offset: len(p.text) - len(bytes.TrimLeft(p.text, " \t\r\n")), Msg: "expected <"}, p.text)
	}
	for p.at < len(p.text) && !b.Full() {
		p.next()
	}
	p.flush()
	return nil
}

func isHTML(in *Input) bool {
	if strings.Contains(mediaType(in.Type), "html") {
		return true
	}
	head := bytes.ToLower(in.Data[:min(len(in.Data), 1<<10)])
	return bytes.Contains(head, []byte("<!doctype html")) || bytes.Contains(head, []byte("<html"))
}

type markupPrinter struct {
	b       *Builder
	text    []byte
	at      int
	html    bool
	open    []string // names of the elements that are open, at most maxOpen
	started bool     // the line has something on it
}

// next prints one piece: a tag, a comment, or a run of text.
func (p *markupPrinter) next() {
	rest := p.text[p.at:]
	switch {
	case rest[0] != '<' || len(rest) == 1:
		p.run()
	case bytes.HasPrefix(rest, []byte("<!--")):
		p.opaque("-->", Comment)
	case bytes.HasPrefix(rest, []byte("<![CDATA[")):
		p.opaque("]]>", String)
	case bytes.HasPrefix(rest, []byte("<?")):
		p.opaque("?>", Comment)
	case rest[1] == '!':
		p.opaque(">", Comment)
	case rest[1] == '/':
		p.closeTag()
	case nameByte(rest[1]):
		p.openTag()
	default:
		p.run()
	}
}

// run prints text up to the next tag, each of its lines trimmed.
func (p *markupPrinter) run() {
	end := len(p.text)
	if i := bytes.IndexByte(p.text[p.at+1:], '<'); i >= 0 {
		end = p.at + 1 + i
	}
	for line := range bytes.SplitSeq(p.text[p.at:end], []byte{'\n'}) {
		if line = bytes.TrimSpace(line); len(line) > 0 {
			p.line()
			p.b.Put(Plain, line)
			p.started = true
		}
	}
	p.at = end
}

// opaque prints what ends in the given mark line by line as it is.
func (p *markupPrinter) opaque(mark string, kind Kind) {
	end := len(p.text)
	if i := bytes.Index(p.text[p.at:], []byte(mark)); i >= 0 {
		end = p.at + i + len(mark)
	}
	p.verbatim(kind, p.text[p.at:end])
	p.at = end
}

func (p *markupPrinter) verbatim(kind Kind, text []byte) {
	for line := range bytes.SplitSeq(text, []byte{'\n'}) {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		p.line()
		p.b.Put(kind, bytes.TrimRight(line, " \t\r"))
		p.started = true
	}
}

func (p *markupPrinter) openTag() {
	tag := p.tag()
	name := tagName(tag)
	if p.html && impliedEnd(name) && len(p.open) > 0 && p.open[len(p.open)-1] == name {
		p.open = p.open[:len(p.open)-1]
	}
	p.line()
	p.started = true
	putTag(p.b, tag)
	p.at += len(tag)
	switch {
	case bytes.HasSuffix(tag, []byte("/>")) || p.html && voidElement(name):
	case p.inline(name):
	case p.html && opaqueElement(name):
		p.push(name)
		p.raw(name)
	default:
		p.push(name)
	}
}

// inline prints the element to its end on the same line if it holds short text
// alone.
func (p *markupPrinter) inline(name string) bool {
	rest := p.text[p.at:]
	near := rest[:min(len(rest), maxInline)]
	i := bytes.IndexByte(near, '<')
	if i < 0 || !bytes.HasPrefix(rest[i:], []byte("</")) || bytes.IndexByte(near[:i], '\n') >= 0 {
		return false
	}
	if tagName(rest[i:min(len(rest), i+maxInline)]) != name {
		return false
	}
	end := tagEnd(rest[i:])
	tag := rest[i : i+end]
	p.b.Put(Plain, near[:i])
	putTag(p.b, tag)
	p.at += i + end
	return true
}

// raw prints what no tag but the element's own end can interrupt.
func (p *markupPrinter) raw(name string) {
	rest := p.text[p.at:]
	end := len(rest)
	for from := 0; ; {
		i := bytes.Index(rest[from:], []byte("</"))
		if i < 0 {
			break
		}
		i += from
		if tagName(rest[i:min(len(rest), i+2+len(name)+1)]) == name {
			end = i
			break
		}
		from = i + 2
	}
	p.verbatim(Plain, rest[:end])
	p.at += end
}

func (p *markupPrinter) closeTag() {
	tag := p.tag()
	name := tagName(tag)
	for i := len(p.open) - 1; i >= 0; i-- {
		if p.open[i] == name {
			p.open = p.open[:i]
			break
		}
	}
	p.line()
	p.started = true
	putTag(p.b, tag)
	p.at += len(tag)
}

func (p *markupPrinter) push(name string) {
	if len(p.open) < maxOpen {
		p.open = append(p.open, name)
	}
}

// line begins a line at the depth of the open elements.
func (p *markupPrinter) line() {
	const spaces = "                                                                                "
	p.flush()
	p.b.At(int64(p.at))
	p.b.Say(Plain, spaces[:2*min(len(p.open), maxIndent)])
}

func (p *markupPrinter) flush() {
	if p.started {
		p.b.Newline()
		p.started = false
	}
}

func (p *markupPrinter) tag() []byte { return p.text[p.at : p.at+tagEnd(p.text[p.at:])] }

// tagEnd returns the length of the tag that text begins with. A tag that does
// not end before the next begins, or within 64 KB, ends there.
func tagEnd(text []byte) int {
	var quote byte
	limit := min(len(text), 64<<10)
	for i := 1; i < limit; i++ {
		switch c := text[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '>':
			return i + 1
		case c == '<':
			return i
		}
	}
	return limit
}

// tagName returns the element's name in lower case, at most 64 bytes of it.
func tagName(tag []byte) string {
	tag = bytes.TrimLeft(tag, "</")
	n := 0
	for n < min(len(tag), 64) && nameByte(tag[n]) {
		n++
	}
	return strings.ToLower(string(tag[:n]))
}

func nameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == ':' || c == '-' || c == '.' || c >= 0x80
}

// putTag prints a tag on one line, with a single blank between its parts.
func putTag(b *Builder, tag []byte) {
	n := 1
	for n < len(tag) && (tag[n] == '/' || nameByte(tag[n])) {
		n++
	}
	b.Put(Tag, tag[:n])
	for tag = tag[n:]; len(tag) > 0 && !b.Full(); tag = tag[n:] {
		switch c := tag[0]; {
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			n = len(tag) - len(bytes.TrimLeft(tag, " \t\r\n"))
			if n < len(tag) && tag[n] != '>' {
				b.Say(Plain, " ")
			}
		case c == '"' || c == '\'':
			n = len(tag)
			if i := bytes.IndexByte(tag[1:], c); i >= 0 {
				n = i + 2
			}
			b.Put(String, tag[:n])
		case nameByte(c) || c == '@':
			n = 1
			for n < len(tag) && nameByte(tag[n]) {
				n++
			}
			b.Put(Key, tag[:n])
		case c == '>' || c == '/':
			n = 1
			b.Put(Tag, tag[:n])
		default:
			n = 1
			b.Put(Punct, tag[:n])
		}
	}
}

// voidElement reports whether an HTML element has no end tag (HTML, section 13.1.2).
func voidElement(name string) bool {
	switch name {
	case "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr":
		return true
	}
	return false
}

// impliedEnd reports whether an HTML element is ended by the next of its name.
func impliedEnd(name string) bool {
	switch name {
	case "p", "li", "dt", "dd", "tr", "td", "th", "option":
		return true
	}
	return false
}

// opaqueElement reports whether the white space in an HTML element matters.
func opaqueElement(name string) bool {
	switch name {
	case "script", "style", "pre", "textarea":
		return true
	}
	return false
}
