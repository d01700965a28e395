package har

import (
	"errors"
	"fmt"
	"io"

	flowpb "weir/proto"
)

// maxConns bounds how many connections a Reader remembers. A flow of a forgotten
// one gets a connection of its own.
const maxConns = 4096

// Reader reads the entries of a HAR file.
type Reader struct {
	s     *scanner
	found bool
	index int
	conns map[connKey]*flowpb.Conn
	err   error // no more after this
}

// connKey is what makes two entries share a connection: the number that the
// browser gives, and where it leads.
type connKey struct{ id, server string }

// NewReader reads r, a HAR file as JSON: compression around it is the caller's to undo.
func NewReader(r io.Reader) *Reader {
	return &Reader{s: newScanner(r), conns: map[connKey]*flowpb.Conn{}}
}

// Next returns the next entry as a flow. The error is io.EOF after the last one,
// a [flowpb.SkipError] for one that is skipped, or what is wrong with the file: its
// place, and that nothing can be read behind it.
func (r *Reader) Next() (*flowpb.Whole, error) {
	if r.err != nil {
		return nil, r.err
	}
	if !r.found {
		if err := r.s.find(); err != nil {
			return nil, r.stop(fmt.Errorf("not a HAR file: %w", err))
		}
		r.found = true
	}
	raw, at, err := r.s.element()
	switch {
	case errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return nil, r.stop(io.EOF)
	case err != nil && !errors.Is(err, errTooLong):
		return nil, r.stop(fmt.Errorf("after entry %d: %w", r.index, err))
	}
	r.index++
	if err == nil {
		err = check(raw)
	}
	if err != nil {
		return nil, &flowpb.SkipError{Index: r.index, Offset: at, Err: err}
	}
	w, err := r.entry(raw)
	if err != nil {
		return nil, &flowpb.SkipError{Index: r.index, Offset: at, Err: err}
	}
	return w, nil
}

func (r *Reader) stop(err error) error {
	r.err = err
	return err
}
