package union

import (
	"context"
	"errors"
	"fmt"
)

// brokenError says which session of a set could not be read.
type brokenError struct {
	session int // from 0
	err     error
}

func (e *brokenError) Error() string { return fmt.Sprintf("session %d: %v", e.session+1, e.err) }
func (e *brokenError) Unwrap() error { return e.err }

// reading runs what reads the lists as they stand. Where one of the sessions cannot be
// read its flows leave the view, which says why in its status, and it is run again:
// what is wrong with one must not hide the others.
func (v *View) reading(ctx context.Context, do func(f *frozen, total int) error) error {
	for {
		f, total := v.now()
		err := do(f, total)
		broken, ok := errors.AsType[*brokenError](err)
		if !ok || ctx.Err() != nil || !v.leave(broken) {
			return err
		}
	}
}

// leave takes a session out of the view, and reports whether it was in it.
func (v *View) leave(broken *brokenError) bool {
	v.mu.Lock()
	_, left := v.broken[broken.session]
	if !left {
		v.broken[broken.session] = broken.err
	}
	v.mu.Unlock()
	if !left {
		v.refresh()
	}
	return !left
}
