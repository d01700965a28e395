package content

import "bytes"

// renderCSS colours CSS; renderScript colours JavaScript. The text stays as it
// is. The scanner is made for looking, not for compiling: one pass, a token at a
// time, no more state than the token before. (The highlighting libraries for Go
// run backtracking regular expressions, which cannot be interrupted, at half a
// megabyte a second.)
func renderCSS(b *Builder, in *Input) error {
	s := codeScanner{b: b, text: in.source(), css: true}
	s.run()
	return nil
}

func renderScript(b *Builder, in *Input) error {
	s := codeScanner{b: b, text: in.source()}
	s.run()
	return nil
}

type codeScanner struct {
	b       *Builder
	text    []byte
	at      int
	css     bool
	operand bool // the last token was a value, so that a slash divides it
}

func (s *codeScanner) run() {
	for s.at < len(s.text) && !s.b.Full() {
		n, kind := s.token(s.text[s.at:])
		putLines(s.b, kind, s.text[s.at:s.at+n])
		s.at += n
	}
}

// token returns the length and kind of the token that rest begins with.
func (s *codeScanner) token(rest []byte) (int, Kind) {
	c := rest[0]
	switch {
	case c == ' ' || c == '\t' || c == '\r' || c == '\n':
		return spanOf(rest, func(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }), Plain
	case bytes.HasPrefix(rest, []byte("/*")):
		return until(rest, 2, "*/"), Comment
	case !s.css && bytes.HasPrefix(rest, []byte("//")):
		return lineLength(rest), Comment
	case c == '"' || c == '\'':
		s.operand = true
		return literal(rest, c, false), String
	case c == '`' && !s.css:
		s.operand = true
		return literal(rest, c, true), String
	case c == '/' && !s.css && !s.operand:
		s.operand = true
		return literal(rest, '/', false), String
	case c >= '0' && c <= '9' || s.css && c == '#':
		s.operand = true
		return 1 + spanOf(rest[1:], func(c byte) bool { return identByte(c) || c == '.' || c == '%' }), Number
	case identByte(c) || s.css && (c == '@' || c == '-'):
		return s.word(rest)
	default:
		s.operand = c == ')' || c == ']' || c == '}'
		return 1, Punct
	}
}

// word is an identifier, a keyword, or in CSS a property, a selector or a value.
func (s *codeScanner) word(rest []byte) (int, Kind) {
	n := 1 + spanOf(rest[1:], func(c byte) bool { return identByte(c) || s.css && c == '-' })
	s.operand = true
	if s.css {
		after := bytes.TrimLeft(rest[n:min(len(rest), n+8)], " ")
		switch {
		case rest[0] == '@':
			return n, Keyword
		case len(after) > 1 && after[0] == ':' && after[1] != ':':
			return n, Key
		}
		return n, Plain
	}
	if keyword(string(rest[:min(n, 16)])) {
		s.operand = bytes.Equal(rest[:n], []byte("this")) || bytes.Equal(rest[:n], []byte("super"))
		return n, Keyword
	}
	return n, Plain
}

// literal returns the length of what is quoted by q. It ends at the line's end
// too, unless it may have lines.
func literal(rest []byte, q byte, lines bool) int {
	for i := 1; i < len(rest); i++ {
		switch rest[i] {
		case '\\':
			i++
		case q:
			return i + 1
		case '\n':
			if !lines {
				return i
			}
		}
	}
	return len(rest)
}

func until(rest []byte, from int, mark string) int {
	if i := bytes.Index(rest[from:], []byte(mark)); i >= 0 {
		return from + i + len(mark)
	}
	return len(rest)
}

func lineLength(rest []byte) int {
	if i := bytes.IndexByte(rest, '\n'); i >= 0 {
		return i
	}
	return len(rest)
}

func spanOf(rest []byte, in func(byte) bool) int {
	n := 0
	for n < len(rest) && in(rest[n]) {
		n++
	}
	return n
}

func identByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '$' || c >= 0x80
}

// keyword reports whether a word is reserved in JavaScript (ECMA-262, section 12.7.2).
func keyword(word string) bool {
	switch word {
	case "async", "await", "break", "case", "catch", "class", "const", "continue", "debugger", "default",
		"delete", "do", "else", "export", "extends", "false", "finally", "for", "function", "if", "import",
		"in", "instanceof", "let", "new", "null", "of", "return", "static", "super", "switch", "this", "throw",
		"true", "try", "typeof", "undefined", "var", "void", "while", "with", "yield":
		return true
	}
	return false
}
