package filter

import (
	"fmt"
	"unicode/utf8"
)

// Error is why an expression is not one. The caret line of an interface is made
// from Pos and End; Error alone names the place in words.
type Error struct {
	Src string // the whole expression
	// Pos and End are the byte offsets of what is wrong, 0 <= Pos <= End <=
	// len(Src); they are equal where something is missing.
	Pos, End int
	Msg      string // what is wrong and what was expected
	Hint     string // what to write instead, "" where nobody knows
}

// Error is one line: the message and the column, counted in characters from 1.
func (e *Error) Error() string {
	return fmt.Sprintf("filter %q: column %d: %s", e.Src, utf8.RuneCountInString(e.Src[:e.Pos])+1, e.Msg)
}
