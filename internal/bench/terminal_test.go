package main

import (
	"errors"
	"regexp"
	"testing"
	"time"
)

func TestEscapes(t *testing.T) {
	in := "\x1b[2J\x1b[1;38;2;1;2;3mweir\x1b[0m\x1b]0;title\x07 \x1b]8;;http://x\x1b\\GET\x1bP+q\x1b\\\x1b(B\x1b7!"
	if got, want := escapes.ReplaceAllString(in, ""), "weir GET!"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A program on the terminal is seen to print, is answered, and its answers to
// keys are measured.
func TestTerminal(t *testing.T) {
	// cat -v echoes what it gets, as the terminal's own echo does.
	term, err := openTerminal(t.Context(), "sh", "-c", `printf 'we\033[1mir'; read x; exec cat`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := term.waitFor(anyText, 5*time.Second); err != nil {
		t.Error(err)
	}
	if r, err := term.press("hello\r", 50*time.Millisecond, 5*time.Second); err != nil || r.bytes < 5 || r.latency <= 0 {
		t.Errorf("press: got %+v, %v", r, err)
	}
	if _, err := term.waitFor(regexp.MustCompile("never"), 50*time.Millisecond); !errors.Is(err, errQuiet) {
		t.Errorf("got %v, want errQuiet", err)
	}
	if err := term.close("\x04"); err != nil {
		t.Errorf("close: %v", err)
	}
}
