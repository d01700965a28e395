package flowpb

import (
	"errors"
	"fmt"
	"io"
	"iter"
)

// Whole is a flow with all that is kept beside its head, as formats other than
// weir's hold it: in one piece. It is what the translators below this package
// read and write; ids in it mean nothing outside the file it came from.
type Whole struct {
	Flow *Flow
	// Client and Server are the connections; nil where nothing is known of them.
	// Flows of one connection share the value.
	Client, Server *Conn
	Note           Note
	// Body opens a body as stored, content coding kept unless [Body.Decoded]. It is
	// asked only for bodies that the head has and that were not dropped. A nil
	// function means that there are none. Each call starts at the body's beginning.
	Body func(Side) (io.Reader, error)
	// Messages is what the flow's messages are, in order; nil: none. A pair with
	// an error is the last.
	Messages iter.Seq2[*Message, error]
}

// SkipError is one flow of a file that could not be read. Whoever reads the file
// can go on behind it.
type SkipError struct {
	Index  int   // among the file's flows; 1 is the first
	Offset int64 // where it begins, in bytes
	Err    error
}

func (e *SkipError) Error() string {
	return fmt.Sprintf("flow %d at byte %d: %v", e.Index, e.Offset, e.Err)
}

func (e *SkipError) Unwrap() error { return e.Err }

// ErrNoForm is returned by what writes flows in another format, for a flow of a kind
// that the format does not have.
var ErrNoForm = errors.New("the format has no form for such a flow")

// UnfitError is returned by what writes flows in another format, for a flow that is not
// written although others of its kind can be. Whoever writes can go on behind it.
type UnfitError struct{ Err error }

func (e *UnfitError) Error() string { return e.Err.Error() }
func (e *UnfitError) Unwrap() error { return e.Err }
