package tnetstring

import (
	"fmt"
	"strconv"
	"unicode/utf8"
)

// maxDigits bounds the size field, as mitmproxy's own reader does.
const maxDigits = 12

// Parse reads the first value of p and returns what follows it. Byte strings
// share the memory of p. Errors wrap [ErrSyntax] or [ErrLimit] and tell the offset in p.
func Parse(p []byte) (v any, rest []byte, err error) {
	s := parser{data: p}
	if v, err = s.value(len(p), 0); err != nil {
		return nil, p, fmt.Errorf("read value: %w", err)
	}
	return v, p[s.at:], nil
}

// parser reads values from data. It copies nothing but text.
type parser struct {
	data []byte
	at   int
}

// value reads the value that begins here and ends at or before end.
func (s *parser) value(end, depth int) (any, error) {
	begin := s.at
	size, err := s.size(end)
	if err != nil {
		return nil, err
	}
	if size >= int64(end-s.at) { // the tag comes after it
		return nil, syntaxError(begin, "%d bytes announced, %d there", size, max(0, end-s.at-1))
	}
	from, to := s.at, s.at+int(size)
	switch tag := s.data[to]; tag {
	case tagList, tagDict:
		if depth >= maxDepth {
			return nil, fmt.Errorf("more than %d levels at byte %d: %w", maxDepth, begin, ErrLimit)
		}
		v, err := s.items(tag, to, depth+1)
		s.at = to + 1
		return v, err
	default:
		v, err := scalar(tag, s.data[from:to], begin)
		s.at = to + 1
		return v, err
	}
}

// size reads digits and a colon. mitmproxy writes no leading zeros and reads none.
func (s *parser) size(end int) (n int64, err error) {
	begin := s.at
	for ; s.at < end && s.at-begin <= maxDigits; s.at++ {
		c := s.data[s.at]
		if c == ':' && s.at > begin {
			s.at++
			return n, nil
		}
		if c < '0' || c > '9' || s.at == begin+1 && s.data[begin] == '0' {
			return 0, syntaxError(s.at, "%q in a size", c)
		}
		n = 10*n + int64(c-'0')
	}
	if s.at < end {
		return 0, syntaxError(begin, "a size of more than %d digits", maxDigits)
	}
	return 0, syntaxError(begin, "cut off in a size")
}

// items reads values up to end as a list or a dictionary.
func (s *parser) items(tag byte, end, depth int) (any, error) {
	list := List{}
	for s.at < end {
		v, err := s.value(end, depth)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	if tag == tagList {
		return list, nil
	}
	if len(list)%2 != 0 {
		return nil, syntaxError(end, "a dictionary with a key and no value")
	}
	dict := make(Dict, 0, len(list)/2)
	for ; len(list) > 0; list = list[2:] {
		switch list[0].(type) {
		case string, []byte, int64, bool, float64, nil:
		default:
			return nil, syntaxError(end, "a dictionary with a %T for a key", list[0])
		}
		dict = append(dict, Entry{list[0], list[1]})
	}
	return dict, nil
}

// scalar reads a value that holds no others. at is where it stands, for errors.
func scalar(tag byte, p []byte, at int) (any, error) {
	switch tag {
	case tagBytes:
		return p[:len(p):len(p)], nil
	case tagText:
		if !utf8.Valid(p) {
			return nil, syntaxError(at, "text that is not UTF-8")
		}
		return string(p), nil
	case tagInt:
		n, err := strconv.ParseInt(string(p), 10, 64)
		if err != nil {
			return nil, syntaxError(at, "%.40q for an integer", p)
		}
		return n, nil
	case tagFloat:
		f, err := strconv.ParseFloat(string(p), 64)
		if err != nil {
			return nil, syntaxError(at, "%.40q for a float", p)
		}
		return f, nil
	case tagBool:
		switch string(p) {
		case "true":
			return true, nil
		case "false":
			return false, nil
		}
		return nil, syntaxError(at, "%.40q for a boolean", p)
	case tagNull:
		if len(p) == 0 {
			return nil, nil
		}
		return nil, syntaxError(at, "%d bytes of nothing", len(p))
	}
	return nil, syntaxError(at, "unknown tag %q", tag)
}
