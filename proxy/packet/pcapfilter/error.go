package pcapfilter

import (
	"fmt"
	"unicode/utf8"
)

// Error is why an expression is no filter, and where.
type Error struct {
	Src string // the whole expression
	// Pos and End are the byte offsets of what is wrong, 0 <= Pos <= End <= len(Src);
	// they are equal where something is missing.
	Pos, End int
	Msg      string
	Hint     string // what to write instead, "" where nobody knows
	Err      error  // of the lookup of a name; may be nil
}

func (e *Error) Error() string {
	return fmt.Sprintf("capture filter %q: column %d: %s", e.Src, utf8.RuneCountInString(e.Src[:e.Pos])+1, e.Msg)
}

func (e *Error) Unwrap() error { return e.Err }
