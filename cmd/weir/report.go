package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"weir/filter"
	"weir/proxy/packet/pcapfilter"
	"weir/store"
	"weir/store/lock"
	"weir/tui/widget"
)

// How weir speaks to a person when something is wrong: one line that says what,
// with the object's name, and a line that says what to do, where there is
// something. Nothing else in the program prints an error.
//
//	weir: open session "x.weir": not a weir session
//	hint: weir import reads captures of other tools

// personError is an error with a next step, or one that is the caller's usage.
type personError struct {
	err   error
	hint  string
	usage bool
}

func (e *personError) Error() string { return e.err.Error() }
func (e *personError) Unwrap() error { return e.err }

// usagef makes an error that ends the program with exit code 2.
func usagef(format string, args ...any) *personError {
	return &personError{err: fmt.Errorf(format, args...), usage: true}
}

// withHint adds the next step.
func (e *personError) withHint(hint string) *personError {
	e.hint = hint
	return e
}

// hinted adds the next step to any error.
func hinted(err error, hint string) error {
	return &personError{err: err, hint: hint}
}

// report prints err the way described above. Text of an error may quote bytes
// of a file or of the wire, so it passes the sanitiser.
func report(w io.Writer, err error) {
	var syntax *filter.Error
	if errors.As(err, &syntax) {
		reportPlace(w, "filter", *syntax)
		return
	}
	var capture *pcapfilter.Error
	if errors.As(err, &capture) {
		reportPlace(w, "capture filter", filter.Error{Src: capture.Src, Pos: capture.Pos, End: capture.End, Msg: capture.Msg, Hint: capture.Hint})
		return
	}
	if errors.Is(err, context.Canceled) {
		err = errors.New("interrupted")
	}
	fmt.Fprintln(w, "weir:", widget.Sanitize(err.Error()))
	if hint := hintFor(err); hint != "" {
		fmt.Fprintln(w, "hint:", hint)
	}
}

// reportPlace shows the place of a syntax error under the expression; what says of
// which kind that is.
func reportPlace(w io.Writer, what string, e filter.Error) {
	fmt.Fprintf(w, "weir: %s: %s at position %d\n", what, widget.Sanitize(e.Msg), e.Pos+1)
	before := widget.Sanitize(e.Src[:e.Pos])
	width := max(1, widget.Width(widget.Sanitize(e.Src[e.Pos:e.End])))
	fmt.Fprintf(w, "  %s\n  %s%s\n", widget.Sanitize(e.Src), strings.Repeat(" ", widget.Width(before)), strings.Repeat("^", width))
	if e.Hint != "" {
		fmt.Fprintln(w, "hint:", widget.Sanitize(e.Hint))
	}
}

// hintFor is the next step for errors of other packages, which do not know what
// the program can do about them.
func hintFor(err error) string {
	var person *personError
	var knows interface{ Hint() string }
	switch {
	case errors.As(err, &person) && person.hint != "":
		return person.hint
	case errors.As(err, &knows) && knows.Hint() != "":
		return knows.Hint()
	case errors.Is(err, store.ErrNotSession):
		return "a session is a file that weir made, usually named *.weir; 'weir session list' shows those in the data directory"
	case errors.Is(err, store.ErrNewer):
		return "a newer weir wrote it; update weir to open it"
	case errors.Is(err, store.ErrDamaged):
		return "nothing was changed; " + repairHint
	case errors.Is(err, lock.ErrCapturing):
		return "another weir captures into it; 'weir open' can look at it meanwhile"
	case errors.Is(err, fs.ErrExist):
		return "choose another name, or look at it with 'weir open'"
	case errors.Is(err, fs.ErrPermission):
		return "check who owns the file and its folder"
	default:
		return ""
	}
}

// counted is "1 flow" or "2 flows".
func counted[N int | int64 | uint64](n N, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
