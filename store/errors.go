package store

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"
)

var (
	// ErrNotSession means that a file is something else than a weir session.
	ErrNotSession = errors.New("not a weir session")
	// ErrNewer means that a session was written by a newer weir.
	ErrNewer = errors.New("made by a newer weir")
	// ErrOlder means that a session must be brought up to date, but cannot be written.
	ErrOlder = errors.New("of an older format, and read-only")
	// ErrDamaged means that a session's file is broken; `weir session repair` saves what can be.
	ErrDamaged = errors.New("damaged session")
	// ErrReadOnly means that something was to be written to a session opened read-only.
	ErrReadOnly = errors.New("session is read-only")
	// ErrNotFound means that the session has no such flow, connection or body.
	ErrNotFound = errors.New("not found")
	// ErrClosed means that the session or the writer was closed.
	ErrClosed = errors.New("closed")
	// ErrMoved means that a session's file was removed, renamed or replaced while it was open.
	ErrMoved = errors.New("the session file was removed or replaced")
	// ErrFull means that there is no room left on the disk.
	ErrFull = errors.New("the disk is full")
	// ErrWrite means that the disk refuses what is to be recorded. The call that failed
	// with it recorded nothing; later ones may do again.
	ErrWrite = errors.New("the session cannot be written")
	// ErrLimit means that something is larger than a session holds.
	ErrLimit = errors.New("over the session's limit")
)

// SQLite's primary result codes that decide what is said (sqlite.org/rescode.html).
const (
	codeError    = 1
	codeBusy     = 5
	codeCorrupt  = 11
	codeFull     = 13
	codeCantOpen = 14
	codeNotADB   = 26

	// codeNoShm is an extended one: there is no room for the -shm file.
	codeNoShm = 10 | 19<<8
)

// resultCode is SQLite's primary result code in err, 0 if there is none.
func resultCode(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code() & 0xff
	}
	return 0
}

// classify adds the sentinel that a SQLite error amounts to.
func classify(err error) error {
	switch resultCode(err) {
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
