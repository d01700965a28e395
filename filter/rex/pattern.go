package rex

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"
)

// Options are how a pattern reads and what it is matched against. The zero value
// is a case-insensitive pattern over text.
type Options struct {
	Bytes         bool // match bytes, not characters
	DotAll        bool // . matches line ends too
	Multiline     bool // ^ and $ match at each line
	CRLF          bool // lines end in CRLF: $ stands before both (with Multiline)
	CaseSensitive bool
}

// flags is the options as Go's flag group.
func (o Options) flags() string {
	flags := ""
	if !o.CaseSensitive {
		flags += "i"
	}
	if o.DotAll {
		flags += "s"
	}
	if o.Multiline {
		flags += "m"
	}
	if flags == "" {
		return ""
	}
	return "(?" + flags + ")"
}

// Pattern is a compiled regular expression that is searched for anywhere in its
// input, never anchored by itself.
type Pattern struct {
	options Options
	re      *regexp.Regexp
	always  bool     // the empty pattern
	literal *literal // required in every match; nil: none known
	whole   bool     // the literal is all there is to it
	free    bool     // where a match stands in the text does not matter
}

// Compile reads src in Python's dialect. The error is an *[Error].
func Compile(src string, o Options) (*Pattern, error) {
	translated, err := translate(src, o)
	if err != nil {
		return nil, err
	}
	text := o.flags() + translated
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, explain(err, src)
	}
	p := &Pattern{options: o, re: re, always: src == ""}
	if tree, err := syntax.Parse(text, syntax.Perl); err == nil {
		p.free = !asserts(tree)
		p.literal, p.whole = required(tree.Simplify(), o.Bytes)
	}
	return p, nil
}

// explain puts an error of Go's parser in its place in src, as far as that can
// be told.
func explain(err error, src string) *Error {
	var broken *syntax.Error
	if !errors.As(err, &broken) {
		return &Error{End: len(src), Msg: err.Error()}
	}
	e := &Error{End: len(src), Msg: "not a regular expression: " + string(broken.Code)}
	if n := strings.Index(src, broken.Expr); n >= 0 && broken.Expr != "" {
		e.Pos, e.End = n, n+len(broken.Expr)
	}
	switch broken.Code {
	case syntax.ErrMissingRepeatArgument:
		e.Msg = fmt.Sprintf("not a regular expression: nothing to repeat before %s", broken.Expr)
		e.Hint = `write \` + broken.Expr + " for the character"
	case syntax.ErrMissingParen:
		e.Hint = `add a ), or write \( for the character`
	case syntax.ErrUnexpectedParen:
		e.Hint = `add a (, or write \) for the character`
	case syntax.ErrInvalidRepeatSize:
		e.Hint = "a repeat count is at most 1000"
	}
	return e
}

// MatchString reports whether s contains a match.
func (p *Pattern) MatchString(s string) bool {
	if p.always {
		return true
	}
	ascii := isASCII(s)
	// Over text, letters beyond ASCII may fold to ASCII ones, so that the literal
	// is a fact about ASCII texts only.
	if p.literal != nil && (ascii || p.options.Bytes) {
		if !p.literal.inString(s) {
			return false
		}
		if p.whole {
			return true
		}
	}
	if p.options.Bytes && !ascii {
		return p.re.MatchReader(&byteRunes{buf: []byte(s), end: len(s)})
	}
	return p.re.MatchString(s)
}

// MatchBeginning reports whether every text that begins with head contains a
// match. It says no where the end of head or what follows it may matter.
func (p *Pattern) MatchBeginning(head string) bool {
	// Bytes from 0x80 up at the end may be the beginning of another character.
	return p.free && isASCII(head) && p.MatchString(head)
}

// asserts reports whether re asks anything of the place of a match.
func asserts(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return true
	}
	return slices.ContainsFunc(re.Sub, asserts)
}

// Match reports whether b contains a match.
func (p *Pattern) Match(b []byte) bool {
	if !p.options.Bytes {
		return p.MatchString(string(b))
	}
	if p.always {
		return true
	}
	if p.literal != nil {
		if !p.literal.inBytes(b) {
			return false
		}
		if p.whole {
			return true
		}
	}
	if isASCII(b) {
		return p.re.Match(b)
	}
	return p.re.MatchReader(&byteRunes{buf: b, end: len(b)})
}

// MatchStream reports whether what open's readers yield contains a match. The
// pattern must be over bytes. A reader is opened and read at most twice, once
// for the literal and once for the regexp, and only as far as it takes; buf is
// room to work in. The errors are those of open and of the readers, and no match
// was found before them.
func (p *Pattern) MatchStream(open func() (io.Reader, error), buf []byte) (bool, error) {
	if p.always {
		return true, nil
	}
	if len(buf) == 0 {
		buf = make([]byte, 32<<10)
	}
	if p.literal != nil {
		r, err := open()
		if err != nil {
			return false, err
		}
		found, err := p.literal.inStream(r, buf)
		if err != nil || !found || p.whole {
			return found, err
		}
	}
	r, err := open()
	if err != nil {
		return false, err
	}
	runes := &byteRunes{r: r, buf: buf}
	if p.re.MatchReader(runes) {
		return true, nil
	}
	return false, runes.err
}

// isASCII reports whether all of s is below 0x80.
func isASCII[T string | []byte](s T) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// byteRunes reads bytes as the characters that patterns over bytes know.
type byteRunes struct {
	r        io.Reader // nil: buf is all
	buf      []byte
	pos, end int
	err      error // of r, io.EOF excepted
}

// ReadRune implements io.RuneReader. The engine takes any error for the end.
func (b *byteRunes) ReadRune() (rune, int, error) {
	if b.pos == b.end && !b.fill() {
		return 0, 0, io.EOF
	}
	c := b.buf[b.pos]
	b.pos++
	if c >= utf8.RuneSelf {
		return highByte + rune(c), 1, nil
	}
	return rune(c), 1, nil
}

// fill reads on, and reports whether there is more.
func (b *byteRunes) fill() bool {
	if b.r == nil || b.err != nil {
		return false
	}
	b.pos, b.end = 0, 0
	for range maxIdle {
		n, err := b.r.Read(b.buf)
		b.end = n
		if err != nil {
			b.r = nil
			if !errors.Is(err, io.EOF) {
				b.err = err
			}
			return n > 0
		}
		if n > 0 {
			return true
		}
	}
	b.err = io.ErrNoProgress
	return false
}
