package rex

import (
	"bytes"
	"errors"
	"io"
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// literal is a text that every match of a pattern contains.
type literal struct {
	text []byte // in lower case if fold
	fold bool   // ASCII letters match in either case
	// pivot is the index in text of the byte that is looked for; lower and upper
	// are its two cases, equal where it has but one.
	pivot        int
	lower, upper byte
}

// Finder looks for a text that every match of a pattern contains. It is safe for
// concurrent use.
type Finder struct{ literal *literal }

// Finder returns what every match over bytes contains; false if nothing is known.
func (p *Pattern) Finder() (Finder, bool) {
	return Finder{p.literal}, p.literal != nil && p.options.Bytes
}

// In reports whether b contains the text.
func (f Finder) In(b []byte) bool { return f.literal.inBytes(b) }

// Len is the length of the text in bytes, above 0.
func (f Finder) Len() int { return len(f.literal.text) }

// common lists the bytes of HTTP traffic, most frequent first. Whatever is not
// in it is rarer.
const common = ` etaoinsrl"cdpuhm/.-,:=_<>;gbf0v1wykx2&3`

// newLiteral returns the literal text; it is empty never.
func newLiteral(text string, fold bool) *literal {
	l := &literal{text: []byte(text), fold: fold}
	if fold {
		for i, b := range l.text {
			l.text[i] = lowerByte(b)
		}
	}
	best := -1
	for i, b := range l.text {
		rank := strings.IndexByte(common, b)
		if rank < 0 {
			rank = len(common)
		}
		if rank > best {
			best, l.pivot = rank, i
		}
	}
	l.lower = l.text[l.pivot]
	l.upper = l.lower
	if fold && 'a' <= l.lower && l.lower <= 'z' {
		l.upper = l.lower - 'a' + 'A'
	}
	return l
}

func lowerByte(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		return b + 'a' - 'A'
	}
	return b
}

// inString reports whether s contains the literal.
func (l *literal) inString(s string) bool { return contains(l, s, strings.IndexByte) }

// inBytes reports whether b contains the literal.
func (l *literal) inBytes(b []byte) bool { return contains(l, b, bytes.IndexByte) }

// contains walks the occurrences of both cases of the pivot in step, so that
// neither case is looked for in what the other has passed.
func contains[T string | []byte](l *literal, s T, indexByte func(T, byte) int) bool {
	end := len(s) - (len(l.text) - 1 - l.pivot)
	next := func(from int, b byte) int {
		if from >= end {
			return end
		}
		n := indexByte(s[from:end], b)
		if n < 0 {
			return end
		}
		return from + n
	}
	low, up := next(l.pivot, l.lower), end
	if l.upper != l.lower {
		up = next(l.pivot, l.upper)
	}
	for {
		at := min(low, up)
		if at >= end {
			return false
		}
		if stands(l, s[at-l.pivot:]) {
			return true
		}
		if at == low {
			low = next(at+1, l.lower)
		} else {
			up = next(at+1, l.upper)
		}
	}
}

// stands reports whether s, which is long enough, begins with the literal.
func stands[T string | []byte](l *literal, s T) bool {
	for i, want := range l.text {
		got := s[i]
		if got != want && !(l.fold && lowerByte(got) == want) {
			return false
		}
	}
	return true
}

// inStream reports whether what r yields contains the literal. It works in buf,
// which should be much larger than the literal and is made so if it is not.
func (l *literal) inStream(r io.Reader, buf []byte) (bool, error) {
	if len(buf) < 2*len(l.text) {
		buf = make([]byte, 2*len(l.text))
	}
	kept := 0
	for idle := 0; ; {
		n, err := r.Read(buf[kept:])
		if n > 0 {
			idle = 0
			if l.inBytes(buf[:kept+n]) {
				return true, nil
			}
			// What may be the beginning of the literal is looked at again.
			whole := buf[:kept+n]
			kept = copy(buf, whole[max(0, len(whole)-len(l.text)+1):])
		}
		switch {
		case errors.Is(err, io.EOF):
			return false, nil
		case err != nil:
			return false, err
		case n == 0:
			if idle++; idle >= maxIdle {
				return false, io.ErrNoProgress
			}
		}
	}
}

// maxIdle is how many empty reads in a row mean that a reader is broken.
const maxIdle = 100

// required returns the longest literal that each match of re contains, nil if
// none is known, and whether re is nothing but that literal.
func required(re *syntax.Regexp, overBytes bool) (l *literal, whole bool) {
	for re.Op == syntax.OpCapture {
		re = re.Sub[0]
	}
	leaf := longest(re, overBytes)
	if leaf == nil {
		return nil, false
	}
	return newLiteral(narrow(leaf.Rune), leaf.Flags&syntax.FoldCase != 0), leaf == re
}

// longest finds the longest usable literal node below re that no match can do
// without.
func longest(re *syntax.Regexp, overBytes bool) *syntax.Regexp {
	switch re.Op {
	case syntax.OpLiteral:
		if usable(re.Rune, overBytes) {
			return re
		}
	case syntax.OpCapture, syntax.OpPlus:
		return longest(re.Sub[0], overBytes)
	case syntax.OpRepeat:
		if re.Min > 0 {
			return longest(re.Sub[0], overBytes)
		}
	case syntax.OpConcat:
		var best *syntax.Regexp
		for _, sub := range re.Sub {
			if l := longest(sub, overBytes); l != nil && (best == nil || len(l.Rune) > len(best.Rune)) {
				best = l
			}
		}
		return best
	}
	return nil
}

// usable reports whether the runes stand for one byte each.
func usable(runes []rune, overBytes bool) bool {
	for _, r := range runes {
		if r >= utf8.RuneSelf && !(overBytes && r > highByte && r <= highByte+0xFF) {
			return false
		}
	}
	return len(runes) > 0
}

// narrow turns usable runes into their bytes.
func narrow(runes []rune) string {
	b := make([]byte, len(runes))
	for i, r := range runes {
		b[i] = byte(r)
	}
	return string(b)
}
