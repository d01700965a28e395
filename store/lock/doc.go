// Package lock decides who writes to a session, by the -lock file beside it
// (docs/session-format.md): who captures into it, which is one process at a time, and of
// all who write whose turn it is.
//
// It knows nothing of what is written and does not touch the session's own file, which
// has SQLite's locks. A [Lock] ends with its process at the latest; what is left of the
// file then means nothing.
package lock

import "errors"

// Suffix is on the name of the file that says who captures into a session.
const Suffix = "-lock"

// ErrCapturing means that somebody else captures into a session.
var ErrCapturing = errors.New("another capture writes to this session")
