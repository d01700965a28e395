package tnetstring

import (
	"errors"
	"fmt"
	"io"
)

// List is a list of values.
type List []any

// Dict is a dictionary with its entries in the order in which they stand; a key
// may come twice. Keys are text in all dumps of mitmproxy since version 1.0, bytes before that.
type Dict []Entry

// Entry is one entry of a [Dict].
type Entry struct {
	Key   any
	Value any
}

// Get returns the value of the last entry with that key, text or bytes, as a
// Python program would see it; nil if there is none.
func (d Dict) Get(key string) any {
	for i := len(d) - 1; i >= 0; i-- {
		switch k := d[i].Key.(type) {
		case string:
			if k == key {
				return d[i].Value
			}
		case []byte:
			if string(k) == key {
				return d[i].Value
			}
		}
	}
	return nil
}

// Stream is bytes to be written that are not in memory: exactly Size of them are
// read. Only [Write] takes it.
type Stream struct {
	Size   int64
	Reader io.Reader
}

// The bytes that end a value and say what it is.
const (
	tagBytes = ','
	tagText  = ';'
	tagInt   = '#'
	tagFloat = '^'
	tagBool  = '!'
	tagNull  = '~'
	tagList  = ']'
	tagDict  = '}'
)

// maxDepth bounds how deep lists and dictionaries stand in each other. A flow needs six.
const maxDepth = 64

var (
	// ErrSyntax means that bytes are no tagged netstring.
	ErrSyntax = errors.New("not a tagged netstring")
	// ErrLimit means that a value is larger, or deeper, than is read.
	ErrLimit = errors.New("value over the limit")
)

// syntaxError tells what is wrong with the bytes at an offset.
func syntaxError(offset int, format string, args ...any) error {
	return fmt.Errorf("%s at byte %d: %w", fmt.Sprintf(format, args...), offset, ErrSyntax)
}
