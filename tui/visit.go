package tui

import (
	"context"

	tea "charm.land/bubbletea/v2"

	"weir/tui/sessions"
	"weir/tui/widget"
)

// Library is the sessions that can be looked at beside the one that is open.
type Library interface {
	sessions.Source
	// Open opens sessions, several as one list.
	Open(ctx context.Context, paths []string, readOnly bool) (Opened, error)
}

// Opened is a session that was opened from the sessions screen, or several.
type Opened struct {
	Source
	Exporter Exporter
	Close    func() error // the sessions, when they are left
}

// visit is a session that the user looks at, or has left for another and comes back to.
type visit struct {
	src   Source
	opts  Options
	close func() error // nil: whoever called Run does that
	live  bool         // this process captures into it
	state []byte       // of the view, as it was left; nil: it is new
}

// Messages about visits.
type (
	visited struct {
		opened Opened
		err    error
	}
	departed struct{ err error }
)

// openSessions shows the sessions screen.
func (a *App) openSessions() tea.Cmd {
	a.enter(ViewSessions)
	return a.sessions.Open(a.stats.Path)
}

func (a *App) doSessions(name string) tea.Cmd {
	result, cmd := a.sessions.Do(name)
	if o, ok := result.(sessions.Opening); ok {
		return tea.Batch(cmd, a.openOther(o))
	}
	return cmd
}

// openOther opens what was chosen; the screen stays until it is open.
func (a *App) openOther(o sessions.Opening) tea.Cmd {
	what := "opening a session"
	if n := len(o.Paths); n > 1 {
		what = "opening " + widget.Group(uint64(n)) + " sessions as one list"
	}
	library := a.opts.Library
	return a.start(what, func(ctx context.Context) tea.Msg {
		opened, err := library.Open(ctx, o.Paths, o.ReadOnly)
		return visited{opened, err}
	})
}

// visited goes to what was opened. The session that is left stays open: q comes back.
func (a *App) visited(msg visited) tea.Cmd {
	a.endJob()
	if msg.err != nil {
		a.fail("open", msg.err, "")
		return nil
	}
	opts := a.opts
	opts.Exporter, opts.Proxy, opts.Filter = msg.opened.Exporter, nil, ""
	behind := append(a.behind, visit{
		src: a.src, opts: a.opts, close: a.closeSession, live: a.stats.Mode == Live, state: a.encodeState(),
	})
	return a.lookAt(visit{src: msg.opened.Source, opts: opts, close: msg.opened.Close}, behind, nil)
}

// comeBack goes back to the session before this one, which is closed.
func (a *App) comeBack() tea.Cmd {
	last := len(a.behind) - 1
	to := a.behind[last]
	to.opts.Filter = ""
	return a.lookAt(to, a.behind[:last], a.closeSession)
}

// lookAt shows another session: the App begins anew, with what belongs to the user and not
// to a session. close is of the session that is left, nil if it stays open.
func (a *App) lookAt(to visit, behind []visit, closing func() error) tea.Cmd {
	leave := a.depart(closing)
	next, err := newApp(a.root, a.visit+1, to.src, to.opts)
	if err != nil { // a theme or a filter that does not exist, and both did
		a.fail("open", err, "")
		return leave
	}
	next.behind, next.closeSession, next.left = behind, to.close, to.state
	next.w, next.h, next.now, next.term, next.mouse, next.quick = a.w, a.h, a.now, a.term, a.mouse, a.quick
	next.log, next.typed, next.drafts, next.masked = a.log, a.typed, a.drafts, a.masked
	look := a.look
	*a = *next
	themed := a.setTheme(look)
	return tea.Batch(leave, themed, a.resize(), a.begin())
}

// depart ends what goes on in a session, writes the state of its view, and closes it.
func (a *App) depart(closing func() error) tea.Cmd {
	save := a.unsaved()
	a.cancel()
	left := a.listing
	return a.root.Do(func(ctx context.Context) tea.Msg {
		err := save(ctx)
		if left != nil {
			left.close()
		}
		if closing != nil {
			if e := closing(); err == nil {
				err = e
			}
		}
		return departed{err}
	})
}

func (a *App) departed(msg departed) tea.Cmd {
	if msg.err != nil {
		a.fail("leave the session", msg.err, "")
	}
	return nil
}

// stray takes the answer to a question that was asked in a session that was left.
func (a *App) stray(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case opened:
		return closing(msg.listing)
	case visited:
		if msg.err == nil {
			return a.root.Do(func(context.Context) tea.Msg { return departed{msg.opened.Close()} })
		}
	}
	return nil
}

// closeVisits closes the sessions that were opened on the way.
func (a *App) closeVisits() error {
	var first error
	for _, v := range append(a.behind, visit{close: a.closeSession}) {
		if v.close == nil {
			continue
		}
		if err := v.close(); first == nil {
			first = err
		}
	}
	return first
}

// capturingBehind reports whether this process captures into a session that was left.
func (a *App) capturingBehind() bool {
	for _, v := range a.behind {
		if v.live {
			return true
		}
	}
	return false
}
