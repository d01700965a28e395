// Package fault names what goes wrong with a session's file: errors that callers branch on,
// and what SQLite's result codes amount to among them.
//
// The packages below store return these errors; store, whose callers meet them too, has
// them under its own name beside those that it alone returns. [Classify] is for whoever talks to SQLite: it adds to the driver's error
// the one of these that it is a case of, and keeps the driver's words. It holds no state
// and is safe anywhere.
package fault

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"
)

var (
	// ErrNewer means that a session, or something in it, was written by a newer weir.
	ErrNewer = errors.New("made by a newer weir")
	// ErrDamaged means that a session's file is broken; `weir session repair` saves what can be.
	ErrDamaged = errors.New("damaged session")
	// ErrNotFound means that the session has no such flow, connection or body.
	ErrNotFound = errors.New("not found")
	// ErrFull means that there is no room left on the disk.
	ErrFull = errors.New("the disk is full")
)

// SQLite's primary result codes that decide what is said (sqlite.org/rescode.html).
const (
	CodeError    = 1  // a statement that does not fit the file's tables
	CodeBusy     = 5  // somebody else has the lock
	CodeCantOpen = 14 // a file that is needed cannot be opened or made

	codeCorrupt = 11
	codeFull    = 13
	codeNotADB  = 26

	// codeNoShm is an extended one: there is no room for the -shm file.
	codeNoShm = 10 | 19<<8
)

// Code is SQLite's primary result code in err, 0 if there is none.
func Code(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code() & 0xff
	}
	return 0
}

// Classify adds to err the sentinel that SQLite's code in it amounts to, if it has one.
func Classify(err error) error {
	switch Code(err) {
	case codeCorrupt, codeNotADB:
		if !errors.Is(err, ErrDamaged) {
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		}
	case codeFull:
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok && e.Code() == codeNoShm {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return err
}
