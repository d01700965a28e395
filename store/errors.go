package store

import (
	"errors"

	"weir/store/fault"
)

var (
	// ErrNotSession means that a file is something else than a weir session.
	ErrNotSession = errors.New("not a weir session")
	// ErrNewer means that a session was written by a newer weir.
	ErrNewer = fault.ErrNewer
	// ErrOlder means that a session must be brought up to date, but cannot be written.
	ErrOlder = errors.New("of an older format, and read-only")
	// ErrDamaged means that a session's file is broken; `weir session repair` saves what can be.
	ErrDamaged = fault.ErrDamaged
	// ErrReadOnly means that something was to be written to a session opened read-only.
	ErrReadOnly = errors.New("session is read-only")
	// ErrNotFound means that the session has no such flow, connection or body.
	ErrNotFound = fault.ErrNotFound
	// ErrClosed means that the session or the writer was closed.
	ErrClosed = errors.New("closed")
	// ErrMoved means that a session's file was removed, renamed or replaced while it was open.
	ErrMoved = errors.New("the session file was removed or replaced")
	// ErrFull means that there is no room left on the disk.
	ErrFull = fault.ErrFull
	// ErrWrite means that the disk refuses what is to be recorded. The call that failed
	// with it recorded nothing; later ones may do again.
	ErrWrite = errors.New("the session cannot be written")
	// ErrLimit means that something is larger than a session holds.
	ErrLimit = errors.New("over the session's limit")
)

// classify adds the sentinel that an error of SQLite amounts to.
func classify(err error) error { return fault.Classify(err) }
