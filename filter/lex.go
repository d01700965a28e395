package filter

import (
	"strings"
	"unicode/utf8"
)

// The characters with a meaning of their own.
const (
	blanks    = " \t\r\n"
	special   = "()~'\"" + blanks // they end a word
	joiners   = "&|"              // they end an operator's name and a number too
	escapable = `"'\`             // what a backslash escapes between quotes
)

// tokenKind is what a token is.
type tokenKind uint8

const (
	tokenEnd tokenKind = iota
	tokenOpen
	tokenClose
	tokenNot
	tokenAnd
	tokenOr
	tokenOperator // ~ and a name
	tokenWord
	tokenQuoted
)

// token is one piece of the source.
type token struct {
	kind     tokenKind
	pos, end int    // where it stands
	text     string // of a word or quoted text: its value, escapes undone
}

// lexer cuts the source into tokens. What a character means depends on where it
// stands (the & of `a & b` joins, that of `a&b` does not), so the parser says
// what it is after by the method that it calls.
type lexer struct {
	src string
	pos int
}

// skip passes over blanks.
func (l *lexer) skip() {
	for l.pos < len(l.src) && strings.IndexByte(blanks, l.src[l.pos]) >= 0 {
		l.pos++
	}
}

// take returns the token of the next n bytes.
func (l *lexer) take(kind tokenKind, n int) token {
	t := token{kind: kind, pos: l.pos, end: l.pos + n, text: l.src[l.pos : l.pos+n]}
	l.pos += n
	return t
}

// joiner returns the & or | that may follow an operand, and reports whether one
// does. Doubled, they mean the same.
func (l *lexer) joiner() (token, bool) {
	l.skip()
	for _, j := range []struct {
		text string
		kind tokenKind
	}{{"&&", tokenAnd}, {"&", tokenAnd}, {"||", tokenOr}, {"|", tokenOr}} {
		if strings.HasPrefix(l.src[l.pos:], j.text) {
			return l.take(j.kind, len(j.text)), true
		}
	}
	return token{}, false
}

// operand returns the next token where an operand may begin.
func (l *lexer) operand() (token, *Error) {
	l.skip()
	if l.pos == len(l.src) {
		return l.take(tokenEnd, 0), nil
	}
	switch l.src[l.pos] {
	case '(':
		return l.take(tokenOpen, 1), nil
	case ')':
		return l.take(tokenClose, 1), nil
	case '!':
		return l.take(tokenNot, 1), nil
	case '&':
		return l.take(tokenAnd, 1), nil
	case '|':
		return l.take(tokenOr, 1), nil
	case '~':
		return l.take(tokenOperator, 1+nameLength(l.src[l.pos+1:])), nil
	}
	return l.value(special)
}

// nameLength is how much of s is the name of an operator. Letters beyond ASCII
// are no part of one: they begin what follows.
func nameLength(s string) int {
	n := run(s, special+joiners)
	for i := range n {
		if s[i] >= utf8.RuneSelf {
			return i
		}
	}
	return n
}

// argument returns the word or quoted text that follows an operator; it is
// tokenEnd, without extent, where there is none. stops are the characters that
// end a word.
func (l *lexer) argument(stops string) (token, *Error) {
	l.skip()
	return l.value(stops)
}

// value returns the word or the quoted text that begins here.
func (l *lexer) value(stops string) (token, *Error) {
	if l.pos < len(l.src) && (l.src[l.pos] == '"' || l.src[l.pos] == '\'') {
		return l.quoted()
	}
	n := run(l.src[l.pos:], stops)
	if n == 0 {
		return l.take(tokenEnd, 0), nil
	}
	return l.take(tokenWord, n), nil
}

// quoted returns the quoted text that begins here. A backslash escapes quotes
// and itself and is otherwise kept, so that "\d" is a digit.
func (l *lexer) quoted() (token, *Error) {
	start, mark := l.pos, l.src[l.pos]
	var text strings.Builder
	for i := start + 1; i < len(l.src); i++ {
		c := l.src[i]
		if c == mark {
			l.pos = i + 1
			return token{kind: tokenQuoted, pos: start, end: l.pos, text: text.String()}, nil
		}
		if escaped(l.src, i) {
			i++
			c = l.src[i]
		}
		text.WriteByte(c)
	}
	return token{}, &Error{
		Src: l.src, Pos: start, End: len(l.src),
		Msg: "the quote is not closed", Hint: "add a " + string(mark) + " at its end",
	}
}

// escaped reports whether src[i] is a backslash that escapes what follows.
func escaped(src string, i int) bool {
	return src[i] == '\\' && i+1 < len(src) && strings.IndexByte(escapable, src[i+1]) >= 0
}

// place returns the offset in the source of the n-th byte of a token's text.
func (l *lexer) place(t token, n int) int {
	if t.kind != tokenQuoted {
		return t.pos + n
	}
	i := t.pos + 1
	for ; n > 0 && i < t.end-1; n-- {
		if escaped(l.src, i) {
			i++
		}
		i++
	}
	return i
}

// run is how many bytes of s come before one of stops.
func run(s, stops string) int {
	if n := strings.IndexAny(s, stops); n >= 0 {
		return n
	}
	return len(s)
}
