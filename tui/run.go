package tui

import (
	"context"
	"errors"
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"
)

// flushWithin is how long the last state may take to be written after the user
// has left.
const flushWithin = 2 * time.Second

// Run shows the session on a terminal until the user leaves, which is no error,
// or ctx ends, which is ctx's. It returns after the view's state has been written
// and the list closed; the Source stays open.
func Run(ctx context.Context, src Source, o Options) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	a, err := New(ctx, src, o)
	if err != nil {
		return err
	}
	defer func() { a.cancel() }() // of the visit that is the last
	p := tea.NewProgram(a, a.programOptions()...)
	// Asked to leave, the program ends what it reads and draws. With tea.WithContext it would be
	// torn off, and could still be reading the terminal after Run.
	stay := context.AfterFunc(ctx, p.Quit)
	_, err = p.Run()
	stay()
	last, done := context.WithTimeout(context.WithoutCancel(ctx), flushWithin)
	defer done()
	if saveErr := a.flush(last); saveErr != nil && err == nil {
		err = fmt.Errorf("save the view: %w", saveErr)
	}
	if a.listing != nil {
		a.listing.close()
	}
	if closeErr := a.closeVisits(); closeErr != nil && err == nil {
		err = closeErr
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, tea.ErrInterrupted):
		return nil
	}
	return err
}

// framesPerSecond is how often the screen is looked at for changes: a key waits half of
// that on average. What has not changed is not drawn.
const framesPerSecond = 120

func (a *App) programOptions() []tea.ProgramOption {
	opts := []tea.ProgramOption{tea.WithFPS(framesPerSecond)}
	if a.opts.In != nil {
		opts = append(opts, tea.WithInput(a.opts.In))
	}
	if a.opts.Out != nil {
		opts = append(opts, tea.WithOutput(a.opts.Out))
	}
	if a.opts.Env != nil {
		opts = append(opts, tea.WithEnvironment(a.opts.Env))
	}
	return opts
}
