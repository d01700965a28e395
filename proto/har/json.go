package har

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// value is one JSON value, as it stands in the file. It is part of an entry that
// [check] found valid; nothing is copied out of it before it is needed, because a
// body is most of an entry.
type value []byte

// check reports whether p is valid JSON, and where it stops to be.
func check(p []byte) error {
	if json.Valid(p) {
		return nil
	}
	var nothing struct{}
	err := json.Unmarshal(p, &nothing)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("byte %d of it: %w", syntax.Offset, err)
	}
	return err
}

// trim returns p without leading white space.
func trim(p []byte) []byte {
	for len(p) > 0 && space(p[0]) {
		p = p[1:]
	}
	return p
}

// cut splits p, valid JSON, behind its first value.
func cut(p []byte) (v value, rest []byte) {
	p = trim(p)
	var w walk
	n, _ := w.pass(p)
	return p[:n], p[n:]
}

// members yields the members of an object in order; other values have none.
func (v value) members() iter.Seq2[string, value] {
	return func(yield func(string, value) bool) {
		p := trim(v)
		if len(p) == 0 || p[0] != '{' {
			return
		}
		for p = trim(p[1:]); len(p) > 0 && p[0] != '}'; {
			var key, member value
			key, p = cut(p)
			member, p = cut(trim(p)[1:])
			if !yield(key.text(), member) {
				return
			}
			if p = trim(p); len(p) > 0 && p[0] == ',' {
				p = trim(p[1:])
			}
		}
	}
}

// elements yields the elements of an array in order; other values have none.
func (v value) elements() iter.Seq[value] {
	return func(yield func(value) bool) {
		p := trim(v)
		if len(p) == 0 || p[0] != '[' {
			return
		}
		for p = trim(p[1:]); len(p) > 0 && p[0] != ']'; {
			var e value
			e, p = cut(p)
			if !yield(e) {
				return
			}
			if p = trim(p); len(p) > 0 && p[0] == ',' {
				p = trim(p[1:])
			}
		}
	}
}

// kind is the first byte of a value, which tells its type; 0 for none.
func (v value) kind() byte {
	if p := trim(v); len(p) > 0 {
		return p[0]
	}
	return 0
}

// text is what a string says, and how any other value is written; null is "". What
// is not UTF-8 in it becomes U+FFFD.
func (v value) text() string { return strings.ToValidUTF8(string(v.bytes()), "\ufffd") }

// bytes is text as bytes, which are copied.
func (v value) bytes() []byte {
	p := trim(v)
	switch {
	case len(p) == 0 || p[0] == 'n':
		return nil
	case p[0] != '"' || len(p) < 2:
		return append([]byte(nil), p...)
	}
	return unquote(make([]byte, 0, len(p)-2), p[1:len(p)-1])
}

// unquote appends the meaning of p, the inside of a valid string, to dst.
func unquote(dst, p []byte) []byte {
	for i := 0; i < len(p); i++ {
		if p[i] != '\\' || i+1 >= len(p) {
			dst = append(dst, p[i])
			continue
		}
		i++
		switch c := p[i]; c {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			r := unit(p[i+1:])
			i += 4
			if utf16.IsSurrogate(r) {
				second := rune(-1)
				if len(p) > i+2 && p[i+1] == '\\' && p[i+2] == 'u' {
					second = unit(p[i+3:])
				}
				if r = utf16.DecodeRune(r, second); r != utf8.RuneError {
					i += 6
				}
			}
			dst = utf8.AppendRune(dst, r)
		default: // '"', '\\' and '/' mean themselves
			dst = append(dst, c)
		}
	}
	return dst
}

// unit reads the four digits of a \u escape.
func unit(p []byte) rune {
	if len(p) < 4 {
		return utf8.RuneError
	}
	n, err := strconv.ParseUint(string(p[:4]), 16, 16)
	if err != nil {
		return utf8.RuneError
	}
	return rune(n)
}

// number is a number, also in quotes; ok is false where there is none.
func (v value) number() (n float64, ok bool) {
	n, err := strconv.ParseFloat(v.text(), 64)
	return n, err == nil && !math.IsNaN(n) && !math.IsInf(n, 0)
}

// size is a number of bytes; ok is false where it is not known, which HAR writes as -1.
func (v value) size() (n uint64, ok bool) {
	f, ok := v.number()
	if !ok || f < 0 || f > math.MaxInt64/2 {
		return 0, false
	}
	return uint64(f), true
}
