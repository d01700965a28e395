package har

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// MaxEntry bounds one entry of a file, in bytes of JSON. Larger ones are skipped
// and named.
const MaxEntry = 64 << 20

// maxKey bounds the names outside entries.
const maxKey = 64 << 10

// scanner finds the elements of log.entries without understanding them: it only
// follows strings and brackets. Everything else in the file is passed over.
type scanner struct {
	r      *bufio.Reader
	offset int64 // of the next byte
	raw    []byte
	ended  bool // the entries are over
}

func newScanner(r io.Reader) *scanner { return &scanner{r: bufio.NewReaderSize(r, 256<<10)} }

// errTooLong is an element of more than MaxEntry.
var errTooLong = fmt.Errorf("larger than %d MB", MaxEntry>>20)

// find moves behind the bracket that opens the entries.
func (s *scanner) find() error {
	if mark, _ := s.r.Peek(3); bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		s.discard(3)
	}
	if c, err := s.next(); err != nil || c != '{' {
		return s.wrong("a JSON object", err)
	}
	for depth := 1; depth > 0; {
		c, err := s.next()
		switch {
		case err != nil:
			return s.wrong("log.entries", err)
		case c == '}':
			depth--
			continue
		case c == ',':
			continue
		case c != '"':
			return s.wrong("a name in quotes", nil)
		}
		key, err := s.key()
		if err != nil {
			return s.wrong("a name in quotes", err)
		}
		if c, err = s.next(); err != nil || c != ':' {
			return s.wrong("a colon", err)
		}
		if c, err = s.peek(); err != nil {
			return s.wrong("a value", err)
		}
		switch {
		case key == "log" && c == '{' && depth == 1:
			s.discard(1)
			depth++
		case key == "entries" && c == '[':
			s.discard(1)
			return nil
		default:
			if err := s.value(nil); err != nil {
				return s.wrong("the end of "+fmt.Sprintf("%.40q", key), err)
			}
		}
	}
	return errors.New("there is no log.entries in it")
}

// element returns the next entry's bytes, valid until the next call, and where it
// begins. io.EOF means that the list is over, [errTooLong] that this one was passed over.
func (s *scanner) element() (raw []byte, at int64, err error) {
	if s.ended {
		return nil, s.offset, io.EOF
	}
	c, err := s.peek()
	for err == nil && c == ',' {
		s.discard(1)
		c, err = s.peek()
	}
	at = s.offset
	switch {
	case err != nil:
		return nil, at, s.wrong("the next entry, or the end of the list", err)
	case c == ']':
		s.ended = true
		return nil, at, io.EOF
	case c == '}' || c == ':':
		return nil, at, s.wrong("the next entry, or the end of the list", nil)
	}
	if cap(s.raw) > MaxEntry/8 {
		s.raw = nil // do not keep the memory of a rare giant
	}
	s.raw = s.raw[:0]
	long := false
	err = s.value(func(p []byte) {
		if long = long || len(s.raw)+len(p) > MaxEntry; !long {
			s.raw = append(s.raw, p...)
		}
	})
	switch {
	case err != nil:
		return nil, at, s.wrong("the end of the entry that begins at "+fmt.Sprint(at), err)
	case long:
		return nil, at, errTooLong
	}
	return s.raw, at, nil
}

// value passes one value, giving its bytes to keep, a piece at a time, unless that is nil.
func (s *scanner) value(keep func([]byte)) error {
	var w walk
	for {
		if _, err := s.r.Peek(1); err != nil {
			if errors.Is(err, io.EOF) && w.scalar {
				return nil
			}
			return unexpected(err)
		}
		p, _ := s.r.Peek(s.r.Buffered())
		n, done := w.pass(p)
		if keep != nil {
			keep(p[:n])
		}
		s.discard(n)
		if done {
			return nil
		}
	}
}

// walk follows one JSON value through pieces of it.
type walk struct {
	depth            int
	started, scalar  bool
	quoted, escaping bool
}

// pass returns how much of p belongs to the value, and whether the value ends there.
func (w *walk) pass(p []byte) (n int, done bool) {
	for i := 0; i < len(p); i++ {
		c := p[i]
		switch {
		case w.escaping:
			w.escaping = false
		case w.quoted:
			j := bytes.IndexAny(p[i:], `"\`)
			if j < 0 {
				return len(p), false
			}
			i += j
			w.quoted, w.escaping = p[i] == '\\', p[i] == '\\'
			if !w.quoted && w.depth == 0 {
				return i + 1, true
			}
		case w.scalar:
			if c == ',' || c == ']' || c == '}' || space(c) {
				return i, true
			}
		case c == '"':
			w.started, w.quoted = true, true
		case c == '{' || c == '[':
			w.started = true
			w.depth++
		case c == '}' || c == ']':
			if w.depth--; w.depth <= 0 {
				return i + 1, true
			}
		case !w.started && !space(c):
			w.started, w.scalar = true, true
		}
	}
	return len(p), false
}

// key reads the rest of a string whose opening quote is behind us. Names with
// escapes in them are none that we look for.
func (s *scanner) key() (string, error) {
	var key []byte
	for escaped := false; ; {
		c, err := s.r.ReadByte()
		if err != nil {
			return "", unexpected(err)
		}
		s.offset++
		switch {
		case c == '"' && !escaped:
			return string(key), nil
		case len(key) >= maxKey:
			return "", fmt.Errorf("a name of more than %d bytes", maxKey)
		}
		escaped = c == '\\' && !escaped
		key = append(key, c)
	}
}

// peek returns the next byte that is no white space, without taking it.
func (s *scanner) peek() (byte, error) {
	for {
		p, err := s.r.Peek(1)
		if err != nil {
			return 0, unexpected(err)
		}
		if !space(p[0]) {
			return p[0], nil
		}
		s.discard(1)
	}
}

// next takes the next byte that is no white space.
func (s *scanner) next() (byte, error) {
	c, err := s.peek()
	if err == nil {
		s.discard(1)
	}
	return c, err
}

func (s *scanner) discard(n int) {
	d, _ := s.r.Discard(n) // it is buffered
	s.offset += int64(d)
}

func (s *scanner) wrong(want string, err error) error {
	s.ended = true
	if err == nil {
		err = errors.New("something else is there")
	}
	return fmt.Errorf("offset %d: looking for %s: %w", s.offset, want, err)
}

func space(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
