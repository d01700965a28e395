package rex

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Error is why a pattern was refused.
type Error struct {
	Pos, End int // byte offsets in the pattern of what is wrong
	Msg      string
	Hint     string // "" where there is none
	// Unsupported means that Python would take it.
	Unsupported bool
}

// Error is the message alone: the place means nothing without the pattern.
func (e *Error) Error() string { return e.Msg }

// highByte is where bytes from 0x80 up go in patterns over bytes: a plane for
// private use, so nothing in it has a case or a class.
const highByte = 0xF0000

// translator rewrites one pattern from Python's dialect to Go's.
type translator struct {
	Options
	src string
	pos int
	out strings.Builder
	// repeated says that what was written last is a repetition, so that a + after
	// it would make it possessive.
	repeated bool
	// last is the character that was written last in a class, -1 for a set, and
	// split says to end a range at the end of ASCII if it goes beyond.
	last  rune
	split bool
}

// translate returns src in Go's dialect, without the flags that Options ask for.
// What is merely wrong in both dialects is left for Go to find.
func translate(src string, o Options) (string, error) {
	t := &translator{Options: o, src: src}
	for t.pos < len(t.src) {
		if err := t.step(); err != nil {
			return "", err
		}
	}
	return t.out.String(), nil
}

// step rewrites the next element.
func (t *translator) step() error {
	repeated := t.repeated
	t.repeated = false
	switch c := t.src[t.pos]; c {
	case '\\':
		return t.escape(false)
	case '[':
		return t.class()
	case '(':
		return t.group()
	case '{':
		t.count()
	case '$':
		t.pos++
		t.out.WriteString(t.lineEnd())
	case '*', '+', '?':
		if c == '+' && repeated {
			return t.refuse(t.pos-1, t.pos+1, "possessive repetition", "leave the second + out")
		}
		// A ? that makes a repetition lazy does not itself repeat.
		t.repeated = !(c == '?' && repeated)
		t.out.WriteByte(c)
		t.pos++
	case '.', '^', '|', ')':
		t.out.WriteByte(c)
		t.pos++
	default:
		t.literal()
	}
	return nil
}

// lineEnd is Python's $: the end, or before a line end that is the last thing.
// Where lines end in CRLF it is before both bytes. The line end is consumed,
// which nothing but a pattern that goes on to match it could notice.
func (t *translator) lineEnd() string {
	if t.CRLF {
		return `(?:\r?$)`
	}
	if t.Multiline {
		return `$`
	}
	return `(?:\n?$)`
}

// literal copies one character as itself.
func (t *translator) literal() {
	r, size := utf8.DecodeRuneInString(t.src[t.pos:])
	if r == utf8.RuneError && size == 1 && t.Bytes {
		t.byte(t.src[t.pos])
	} else {
		t.rune(r)
	}
	t.pos += size
}

// rune writes a character of the pattern's text: over bytes, its UTF-8 bytes.
func (t *translator) rune(r rune) {
	if !t.Bytes || r < utf8.RuneSelf {
		t.point(r)
		return
	}
	for _, b := range []byte(string(r)) {
		t.byte(b)
	}
}

// byte writes the character with the number b, which over bytes is that byte.
func (t *translator) byte(b byte) {
	if t.Bytes && b >= utf8.RuneSelf {
		t.point(highByte + rune(b))
		return
	}
	t.point(rune(b))
}

// point writes one code point so that it means itself inside and outside classes.
func (t *translator) point(r rune) {
	if t.split && r >= highByte {
		fmt.Fprintf(&t.out, `\x{%x}\x{%x}-`, utf8.RuneSelf-1, highByte+utf8.RuneSelf)
	}
	t.split, t.last = false, r
	if '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
		t.out.WriteByte(byte(r))
		return
	}
	fmt.Fprintf(&t.out, `\x{%x}`, r)
}

// count rewrites {n}, {n,}, {n,m} and {,m}; any other { is a character.
func (t *translator) count() {
	rest := t.src[t.pos+1:]
	low := digits(rest)
	rest = rest[len(low):]
	high, comma := "", strings.HasPrefix(rest, ",")
	if comma {
		high = digits(rest[1:])
		rest = rest[1+len(high):]
	}
	if !strings.HasPrefix(rest, "}") || low == "" && !comma {
		t.literal()
		return
	}
	if low == "" {
		low = "0"
	}
	t.out.WriteString("{" + low)
	if comma {
		t.out.WriteString("," + high)
	}
	t.out.WriteString("}")
	t.pos = len(t.src) - len(rest) + 1
	t.repeated = true
}

// digits is the decimal digits that s begins with.
func digits(s string) string {
	n := 0
	for n < len(s) && '0' <= s[n] && s[n] <= '9' {
		n++
	}
	return s[:n]
}

// refuse is the error for what Python has and an automaton has not.
func (t *translator) refuse(pos, end int, what, hint string) error {
	return &Error{
		Pos: pos, End: min(end, len(t.src)),
		Msg: what + " is not supported: patterns run in linear time (RE2)", Hint: hint,
		Unsupported: true,
	}
}
