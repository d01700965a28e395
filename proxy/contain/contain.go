// Package contain keeps a mistake of ours where it happens: a call that panics
// ends what it was made for, and not the process, which captures for everybody else.
//
// It is for the borders between what may fail by itself: a client's connection, one
// goroutine of it, one conversation of a capture file. Whoever calls decides what is
// lost with the call, closes that, and says so; see docs/design on containment. It is
// no way to handle errors, and nothing below a border recovers.
//
// Nothing can be done about what the runtime ends a process for without a panic: a
// deadlock, maps that are written by two at once, an exhausted stack or memory.
//
// Concurrency: the functions may be called by anybody; the goroutines that [Go]
// starts belong to the group that they are given.
package contain

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
)

// PanicError is what a call panicked with.
type PanicError struct {
	Value any
	// Place is the function that panicked, as package.Function.
	Place string
	// Stack is the stack of its goroutine, as the runtime prints it.
	Stack []byte
}

// Error says what went wrong and where, in one line.
func (p *PanicError) Error() string {
	const most = 200 // bytes of a value, which may quote what was captured
	text := strings.TrimPrefix(fmt.Sprint(p.Value), "runtime error: ")
	if len(text) > most {
		text = text[:most] + "…"
	}
	return fmt.Sprintf("%s in %s", text, p.Place)
}

// Call calls f and returns its error. Where f panics it returns what caught makes of that.
func Call(f func() error, caught func(*PanicError) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = caught(&PanicError{Value: v, Place: place(), Stack: debug.Stack()})
		}
	}()
	return f()
}

// Go starts a goroutine of wg that calls f. Where f panics it calls caught and ends.
func Go(wg *sync.WaitGroup, f func(), caught func(*PanicError)) {
	wg.Go(func() {
		defer func() {
			if v := recover(); v != nil {
				caught(&PanicError{Value: v, Place: place(), Stack: debug.Stack()})
			}
		}()
		f()
	})
}

// place returns who panicked. A deferred function that recovers calls it, so that
// the frames of the panic are above that one: those of the runtime, then the place.
func place() string {
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs)])
	for panicking := false; ; {
		frame, more := frames.Next()
		ours := !strings.HasPrefix(frame.Function, "runtime.")
		if panicking && ours {
			return frame.Function[strings.LastIndexByte(frame.Function, '/')+1:]
		}
		panicking = panicking || frame.Function == "runtime.gopanic"
		if !more {
			return "a place that is not known"
		}
	}
}
