package tnetstring

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// DefaultLimit is how large a value a [Reader] reads unless told otherwise, in bytes.
const DefaultLimit = 1 << 30

// Reader reads the values of a dump one after the other. Of the dump only the present
// value is in memory.
type Reader struct {
	r      *bufio.Reader
	limit  int64
	offset int64
}

// NewReader reads values from r of at most limit bytes each; 0 is [DefaultLimit].
func NewReader(r io.Reader, limit int64) *Reader {
	if limit <= 0 {
		limit = DefaultLimit
	}
	return &Reader{r: bufio.NewReaderSize(r, 64<<10), limit: limit}
}

// Offset is where the next value begins, in bytes. After an error it is where the
// value began whose end could not be found; where what is inside a value is wrong, it
// is behind that, and the next value can be read.
func (r *Reader) Offset() int64 { return r.offset }

// Next returns the next value, which shares no memory with the one before, and
// [io.EOF] after the last one. A dump that ends within a value gives
// [io.ErrUnexpectedEOF]; other errors wrap [ErrSyntax], [ErrLimit] or are the reader's.
func (r *Reader) Next() (any, error) {
	raw, err := r.raw()
	if errors.Is(err, io.EOF) {
		return nil, io.EOF
	}
	if err != nil {
		return nil, fmt.Errorf("read value at byte %d of the dump: %w", r.offset, err)
	}
	at := r.offset
	r.offset += int64(len(raw))
	v, _, err := Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("byte %d of the dump: %w", at, err)
	}
	return v, nil
}

// raw reads the bytes of one value, from its size to its tag.
func (r *Reader) raw() ([]byte, error) {
	head, err := r.r.Peek(maxDigits + 1)
	if len(head) == 0 {
		return nil, err
	}
	s := parser{data: head}
	size, err := s.size(len(head))
	switch {
	case err != nil && len(head) <= maxDigits:
		return nil, fmt.Errorf("%w: %w", err, io.ErrUnexpectedEOF)
	case err != nil:
		return nil, err
	case size > r.limit:
		return nil, fmt.Errorf("%d bytes, the limit is %d: %w", size, r.limit, ErrLimit)
	}
	want := int64(s.at) + size + 1
	var buf bytes.Buffer // it grows with what comes, whatever was announced
	buf.Grow(int(min(want, 64<<10)))
	n, err := io.CopyN(&buf, r.r, want)
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%d of its %d bytes: %w", n, want, io.ErrUnexpectedEOF)
	}
	return buf.Bytes(), err
}
