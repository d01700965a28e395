package h1

import (
	"bytes"
	"fmt"
)

// Code groups the reasons for which a message cannot be read, as far as a
// caller answers them differently.
type Code uint8

// The codes of an [Error].
const (
	Malformed    Code = iota + 1 // not HTTP/1, or framing that cannot be trusted
	LineTooLong                  // Limits.StartLine
	HeadTooLarge                 // Limits.HeadBytes, Fields or Trailer
	Truncated                    // the input ended inside a message
)

// Error says what is wrong with a message and where.
type Error struct {
	Code   Code
	Role   Role   // whose message it is
	Part   string // "start line", "header", "body", "trailer"
	Line   int    // line of the head or trailer section, from 1; 0 in a body
	Offset int64  // bytes of the direction before the place, from 0
	Reason string
	Odd    bool // a lenient Reader reads it, see [Limits.Lenient]
}

// Error returns one line that names the message, the place and the reason.
func (e *Error) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("read %s %s, line %d (byte %d): %s", e.Role, e.Part, e.Line, e.Offset, e.Reason)
	}
	return fmt.Sprintf("read %s %s (byte %d): %s", e.Role, e.Part, e.Offset, e.Reason)
}

// fault is an error before its place in the stream is known: at is an offset
// into the head or trailer section under examination.
type fault struct {
	code   Code
	part   string
	at     int
	reason string
	odd    bool // an oddity that is refused
}

func malformed(part string, at int, reason string) *fault {
	return &fault{code: Malformed, part: part, at: at, reason: reason}
}

func tooLarge(part string, at int, what string, limit int) *fault {
	return &fault{code: HeadTooLarge, part: part, at: at, reason: fmt.Sprintf("%s over the limit of %d", what, limit)}
}

// place turns a fault inside section, which began at offset start, into an Error.
func (r *Reader) place(f *fault, section []byte, start int64) *Error {
	at := min(f.at, len(section))
	return &Error{
		Code: f.code, Role: r.role, Part: f.part, Reason: f.reason, Odd: f.odd,
		Line:   1 + bytes.Count(section[:at], []byte{'\n'}),
		Offset: start + int64(at),
	}
}

// bodyError is an Error at the current offset of a body plus at bytes.
func (r *Reader) bodyError(code Code, at int, reason string) *Error {
	return &Error{Code: code, Role: r.role, Part: "body", Offset: r.offset + int64(at), Reason: reason}
}
