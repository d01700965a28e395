package main

import (
	"fmt"
	"io"
	"time"
)

// progress tells a person how far something is that takes long: a line a second, and
// none of what takes less.
type progress struct {
	to   io.Writer
	told time.Time
}

func newProgress(std stdio) *progress { return &progress{to: std.err, told: time.Now()} }

// of says how many of how many; a total of 0 is not known.
func (p *progress) of(what string, done, total uint64) {
	switch {
	case time.Since(p.told) < time.Second:
		return
	case total == 0:
		fmt.Fprintln(p.to, what)
	default:
		fmt.Fprintf(p.to, "%s: %d of %d\n", what, done, total)
	}
	p.told = time.Now()
}
