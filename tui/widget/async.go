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
	tag int
}

// Tagged is a message of an [Async] with a tag.
type Tagged struct {
	Tag int
	Msg tea.Msg
}

// NewAsync returns an Async whose work runs in ctx.
func NewAsync(ctx context.Context) Async {
	return Async{ctx: func() context.Context { return ctx }}
}

// Tagged returns an Async whose messages come as [Tagged], so that who gets them can tell
// which are answers to what nobody waits for any more. With 0 they come as they are.
func (a Async) Tagged(tag int) Async {
	a.tag = tag
	return a
}

// Do is the command that does the work and answers with its message.
func (a Async) Do(work func(ctx context.Context) tea.Msg) tea.Cmd {
	return func() tea.Msg { return a.tagged(work(a.ctx())) }
}

func (a Async) tagged(msg tea.Msg) tea.Msg {
	if a.tag == 0 || msg == nil {
		return msg
	}
	return Tagged{a.tag, msg}
}

// Scope returns an Async whose work also ends when cancel is called.
func (a Async) Scope() (scoped Async, cancel context.CancelFunc) {
	ctx, cancel := context.WithCancel(a.ctx())
	return NewAsync(ctx).Tagged(a.tag), cancel
}

// After is the command that answers with msg when d has passed.
func (a Async) After(d time.Duration, msg tea.Msg) tea.Cmd {
	return tea.Tick(d, func(time.Time) tea.Msg { return a.tagged(msg) })
}
