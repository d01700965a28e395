package coding

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

const (
	// maxStack bounds the codings of one body. Two are rare already.
	maxStack = 5
	// maxBetween bounds what an outer coding may hand to an inner one, in
	// bytes. A reader that is waiting for output cannot be stopped while there
	// is input left, and each layer can multiply its input by thousands.
	maxBetween = 256 << 20
)

var errClosed = errors.New("read after close")

// NewReader returns a reader of what r holds once the content codings, given
// in the order in which they were applied, are undone: gzip, x-gzip, deflate
// (with or without its zlib header), br, zstd and identity, in any case, at
// most five. Nothing is read from r yet. Input without a single byte decodes
// to nothing, because answers to HEAD carry the header too.
//
// Reads return all that can be decoded and only then an error, with
// ErrTruncated in its chain if the input was cut. Any other coding is an
// *UnknownError at once. The output is not bounded: that is for the caller to
// do, or for Decode. Close frees the decoders; it does not close r.
func NewReader(r io.Reader, contentEncoding []string) (io.ReadCloser, error) {
	return newStack(r, contentEncoding, maxBetween)
}

// stack is the decoders of one body, the last to be applied first.
type stack struct {
	io.Reader
	layers []*layer
}

func newStack(r io.Reader, codings []string, between int64) (*stack, error) {
	s := &stack{Reader: r}
	for i := len(codings) - 1; i >= 0; i-- {
		open, ok := find(codings[i])
		switch {
		case !ok:
			return nil, &UnknownError{Coding: codings[i]}
		case open == nil:
			continue
		case len(s.layers) == maxStack:
			return nil, fmt.Errorf("decode body: %w: more than %d", ErrTooMany, maxStack)
		case len(s.layers) > 0:
			s.Reader = &capped{r: s.Reader, left: between}
		}
		l := &layer{coding: codings[i], open: open, src: bufio.NewReader(s.Reader)}
		s.layers = append(s.layers, l)
		s.Reader = l
	}
	return s, nil
}

// Close frees the decoders. Reads fail afterwards.
func (s *stack) Close() error {
	var err error
	for _, l := range s.layers {
		err = errors.Join(err, l.close())
	}
	s.layers, s.Reader = nil, failing{errClosed}
	return err
}

// layer undoes one coding. It starts its decoder at the first Read, so that
// making a reader never blocks.
type layer struct {
	coding string
	open   opener
	src    *bufio.Reader
	dec    io.Reader
	err    error // sticky
}

// Read turns a panic of a decoder into an error: the libraries are good, but
// the input is made by others, and what is looked at must not end the program.
func (l *layer) Read(p []byte) (n int, err error) {
	if l.err != nil {
		return 0, l.err
	}
	defer func() {
		if r := recover(); r != nil {
			n, l.err = 0, fmt.Errorf("decode %s: decoder gave up: %v", l.coding, r)
		}
		err = l.err
	}()
	if l.dec == nil {
		if _, err := l.src.Peek(1); err != nil {
			l.err = err // No input at all, or none that can be read.
			return 0, err
		}
		dec, err := l.open(l.src)
		if err != nil {
			l.err = l.explain(err)
			return 0, l.err
		}
		l.dec = dec
	}
	n, err = l.dec.Read(p)
	l.err = l.explain(err)
	return n, l.err
}

// explain names the coding in an error, and says of input that stops in the
// middle just that, whatever the decoder calls it.
func (l *layer) explain(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("decode %s: %w", l.coding, ErrTruncated)
	case errors.Is(err, io.EOF):
		return io.EOF
	}
	return fmt.Errorf("decode %s: %w", l.coding, err)
}

func (l *layer) close() error {
	if c, ok := l.dec.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// capped passes on at most left bytes and then fails with ErrTooLarge.
type capped struct {
	r    io.Reader
	left int64
}

func (c *capped) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, ErrTooLarge
	}
	if int64(len(p)) > c.left {
		p = p[:c.left]
	}
	n, err := c.r.Read(p)
	c.left -= int64(n)
	return n, err
}

// failing is a reader that has nothing but an error.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
