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
// A value that is larger than the limit is passed over.
func (r *Reader) Next() (any, error) {
	at := r.offset
	raw, err := r.raw()
	if errors.Is(err, io.EOF) {
		return nil, io.EOF
	}
	if err != nil {
		return nil, fmt.Errorf("read value at byte %d of the dump: %w", at, err)
	}
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
	}
	want := int64(s.at) + size + 1
	if size > r.limit {
		return nil, r.pass(want)
	}
	out, err := r.take(want)
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%d of its %d bytes: %w", len(out), want, io.ErrUnexpectedEOF)
	}
	return out, err
}

// believed is how much memory is given for what was announced and has not come, in bytes.
const believed = 64 << 10

// take reads n bytes, or as many as there are. Memory grows with what comes; once much did
// of what is large, the rest is believed too, so that no more is copied.
func (r *Reader) take(n int64) ([]byte, error) {
	const much = 16 << 20
	var buf bytes.Buffer
	buf.Grow(int(min(n, believed)))
	if _, err := io.CopyN(&buf, r.r, min(n, much)); err != nil || n <= much {
		return buf.Bytes(), err
	}
	out := make([]byte, n)
	got, err := io.ReadFull(r.r, out[copy(out, buf.Bytes()):])
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return out[:buf.Len()+got], err
}

// pass passes over a value of n bytes, which is more than the limit. Where it is none,
// the offset stays where it began.
func (r *Reader) pass(n int64) error {
	large := fmt.Errorf("%d bytes, the limit is %d: %w", n, r.limit, ErrLimit)
	if _, err := io.CopyN(io.Discard, r.r, n-1); err != nil {
		return fmt.Errorf("%w: %w", large, unexpected(err))
	}
	tag, err := r.r.ReadByte()
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", large, unexpected(err))
	case bytes.IndexByte([]byte(",;#^!~]}"), tag) < 0:
		return fmt.Errorf("%w: %w", large, ErrSyntax)
	}
	r.offset += n
	return large
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
