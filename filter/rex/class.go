package rex

import (
	"fmt"
	"regexp/syntax"
	"strconv"
	"strings"
	"unicode/utf8"
)

// class rewrites a bracketed class.
func (t *translator) class() error {
	start := t.pos
	t.out.WriteByte('[')
	t.pos++
	if t.pos < len(t.src) && t.src[t.pos] == '^' {
		t.out.WriteByte('^')
		t.pos++
	}
	for first := true; t.pos < len(t.src); first = false {
		if t.src[t.pos] == ']' && !first {
			t.out.WriteByte(']')
			t.pos++
			return nil
		}
		if err := t.member(); err != nil {
			return err
		}
	}
	return &Error{Pos: start, End: len(t.src), Msg: "the class has no end", Hint: "add a ], or write \\[ for the character"}
}

// member rewrites one character, set or range of a class.
func (t *translator) member() error {
	t.last = -1
	if err := t.item(); err != nil {
		return err
	}
	rest := t.src[t.pos:]
	if len(rest) < 2 || rest[0] != '-' || rest[1] == ']' {
		return nil
	}
	t.out.WriteByte('-')
	t.pos++
	// A range from ASCII to high bytes must not take in what lies between the two
	// here, because some of that folds to ASCII letters.
	t.split = t.Bytes && 0 <= t.last && t.last < utf8.RuneSelf
	err := t.item()
	t.split = false
	return err
}

// item rewrites one character or set of a class.
func (t *translator) item() error {
	switch t.src[t.pos] {
	case '\\':
		return t.escape(true)
	case '-':
		t.out.WriteByte('-')
		t.last = '-'
		t.pos++
	default:
		t.literal()
	}
	return nil
}

// escape rewrites what a backslash begins, in a class or outside.
func (t *translator) escape(inClass bool) error {
	if t.pos+1 == len(t.src) {
		return &Error{Pos: t.pos, End: t.pos + 1, Msg: "the backslash escapes nothing", Hint: `write \\ for the character`}
	}
	c := t.src[t.pos+1]
	switch {
	case strings.IndexByte("dswDSW", c) >= 0:
		t.set(c, inClass)
	case strings.IndexByte("afnrtv", c) >= 0:
		t.out.WriteString(`\` + string(c))
	case c == 'b' && inClass:
		t.out.WriteString(`\x08`)
	case strings.IndexByte("AbB", c) >= 0 && !inClass:
		t.out.WriteString(`\` + string(c))
	case (c == 'Z' || c == 'z') && !inClass:
		t.out.WriteString(`\z`)
	case (c == 'p' || c == 'P') && !t.Bytes:
		return t.property()
	case c == 'x':
		return t.hex(2)
	case c == 'u':
		return t.hex(4)
	case c == 'U':
		return t.hex(8)
	case '0' <= c && c <= '9':
		return t.octal(inClass)
	case 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z':
		return &Error{Pos: t.pos, End: t.pos + 2, Msg: `unknown escape \` + string(c), Hint: `write \\ for a backslash`}
	default:
		t.pos++
		t.literal()
		return nil
	}
	t.pos += 2
	return nil
}

// set writes one of \d \s \w \D \S \W.
func (t *translator) set(c byte, inClass bool) {
	var body string
	switch lower := c | 0x20; {
	case lower == 's' && t.Bytes:
		body = `\s\v`
	case lower == 's':
		body = `\s\v\x1c-\x1f\x85\p{Z}`
	case t.Bytes:
		body = `\` + string(lower)
	case lower == 'd':
		body = `\p{Nd}`
	case lower == 'w':
		body = `\p{L}\p{N}_`
	}
	negated := c < 'a'
	switch {
	case !inClass && negated:
		t.out.WriteString("[^" + body + "]")
	case !inClass:
		t.out.WriteString("[" + body + "]")
	case negated:
		t.complement(body)
	default:
		t.out.WriteString(body)
	}
}

// complement writes, for use inside a class, all that a class with this body has
// not. A class cannot hold the negation of several sets, so they are spelt out.
// Over bytes the last range of a complement begins in ASCII and has all beyond.
func (t *translator) complement(body string) {
	re, err := syntax.Parse("[^"+body+"]", syntax.Perl)
	if err != nil {
		return // body is one of ours, and they all parse
	}
	for i := 0; i+1 < len(re.Rune); i += 2 {
		low, high := re.Rune[i], re.Rune[i+1]
		if t.Bytes && high >= utf8.RuneSelf {
			fmt.Fprintf(&t.out, `\x{%x}-\x{%x}`, highByte+utf8.RuneSelf, highByte+0xFF)
			high = utf8.RuneSelf - 1
		}
		if low <= high {
			fmt.Fprintf(&t.out, `\x{%x}-\x{%x}`, low, high)
		}
	}
}

// property copies \pL or \p{Greek}, which Python lacks and Go has.
func (t *translator) property() error {
	end := t.pos + 3
	if strings.HasPrefix(t.src[t.pos+2:], "{") {
		n := strings.IndexByte(t.src[t.pos:], '}')
		end = t.pos + n + 1
		if n < 0 {
			end = len(t.src) + 1
		}
	}
	if end > len(t.src) {
		return &Error{Pos: t.pos, End: len(t.src), Msg: "the property has no name", Hint: `write it as in \p{Greek}`}
	}
	t.out.WriteString(t.src[t.pos:end])
	t.pos = end
	return nil
}

// hex writes the character of \xHH, \uHHHH or \UHHHHHHHH.
func (t *translator) hex(n int) error {
	end := t.pos + 2 + n
	if end > len(t.src) {
		end = len(t.src)
	}
	v, err := strconv.ParseUint(t.src[t.pos+2:end], 16, 32)
	if err != nil || end-t.pos != 2+n || v > utf8.MaxRune {
		return &Error{Pos: t.pos, End: end, Msg: fmt.Sprintf(`%s needs %d hexadecimal digits`, t.src[t.pos:t.pos+2], n)}
	}
	if n == 2 {
		t.byte(byte(v))
	} else {
		t.rune(rune(v))
	}
	t.pos = end
	return nil
}

// octal writes the character of \0, \012 or \123; other numbers would refer back
// to a group.
func (t *translator) octal(inClass bool) error {
	n := 1
	for n < 4 && t.pos+n < len(t.src) && '0' <= t.src[t.pos+n] && t.src[t.pos+n] <= '7' {
		n++
	}
	number := t.src[t.pos+1 : t.pos+n]
	if !strings.HasPrefix(number, "0") && len(number) < 3 {
		if inClass {
			return &Error{Pos: t.pos, End: t.pos + 2, Msg: `unknown escape \` + t.src[t.pos+1:t.pos+2], Hint: `write the character as \x and two hexadecimal digits`}
		}
		return t.refuse(t.pos, t.pos+2, "a back-reference", "")
	}
	v, err := strconv.ParseUint(number, 8, 8)
	if err != nil {
		return &Error{Pos: t.pos, End: t.pos + n, Msg: `\` + number + ` is above \377, the last octal character`}
	}
	t.byte(byte(v))
	t.pos += n
	return nil
}
