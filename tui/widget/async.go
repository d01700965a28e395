package widget

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"
)

// Async makes commands out of work that may block. It carries the context in
// which the work runs, so that a program that ends, or a [Scope] that is left,
// ends the work with it.
type Async struct {
	ctx func() context.Context
}

// NewAsync returns an Async whose work runs in ctx.
func NewAsync(ctx context.Context) Async {
	return Async{ctx: func() context.Context { return ctx }}
}

// Do is the command that does the work and answers with its message.
func (a Async) Do(work func(ctx context.Context) tea.Msg) tea.Cmd {
	return func() tea.Msg { return work(a.ctx()) }
}

// Scope returns an Async whose work also ends when cancel is called.
func (a Async) Scope() (scoped Async, cancel context.CancelFunc) {
	ctx, cancel := context.WithCancel(a.ctx())
	return NewAsync(ctx), cancel
}

// After is the command that answers with msg when d has passed.
func (a Async) After(d time.Duration, msg tea.Msg) tea.Cmd {
	return tea.Tick(d, func(time.Time) tea.Msg { return msg })
}
