package tui

import (
	"context"

	tea "charm.land/bubbletea/v2"

	"weir/tui/filterbar"
	"weir/tui/widget"
)

// job is work the user waits for and can give up with esc.
type job struct {
	what   string
	cancel context.CancelFunc
	shown  bool
}

// start makes a command out of work, to be shown once it takes long. Work that
// was started before is given up.
func (a *App) start(what string, work func(ctx context.Context) tea.Msg) tea.Cmd {
	a.stopJob()
	scope, cancel := a.async.Scope()
	j := &job{what: what, cancel: cancel}
	a.job = j
	return tea.Batch(scope.Do(work), a.async.After(showAfter, asked{slow: j}))
}

// stopJob gives the job up and reports whether there was one.
func (a *App) stopJob() bool {
	if a.job == nil {
		return false
	}
	a.say(Info, "gave up: "+a.job.what, "")
	a.endJob()
	return true
}

func (a *App) endJob() {
	if a.job != nil {
		a.job.cancel()
	}
	a.job = nil
}

// asked tells of a job: that it has become slow, or how many marks there are.
type asked struct {
	slow  *job
	marks int
	err   error
}

func (a *App) asked(msg asked) tea.Cmd {
	if msg.slow != nil {
		msg.slow.shown = true
		return nil
	}
	a.endJob()
	switch {
	case msg.err != nil:
		a.fail("count the marks", msg.err, "")
	case msg.marks == 0:
		a.say(Info, "no flow is marked", "")
	default:
		a.confirm("remove "+widget.Group(uint64(msg.marks))+" marks?", "remove", (*App).unmarkAll)
	}
	return nil
}

// countMarks counts the marked flows, to ask whether to unmark them.
func (a *App) countMarks() tea.Cmd {
	src := a.src
	return a.start("counting the marks", func(ctx context.Context) tea.Msg {
		list, s, err := built(ctx, src, Query{MarkedOnly: true})
		if err != nil {
			return asked{err: err}
		}
		return asked{marks: s.Len, err: list.Close()}
	})
}

func (a *App) unmarkAll() tea.Cmd {
	src := a.src
	return a.async.Do(func(ctx context.Context) tea.Msg {
		n, err := src.Unmark(ctx)
		return unmarked{n, err}
	})
}

// unmarked is how many marks were removed.
type unmarked struct {
	n   int
	err error
}

func (a *App) unmarked(msg unmarked) tea.Cmd {
	if msg.err != nil {
		a.fail("remove the marks", msg.err, "")
		return nil
	}
	a.say(Info, "removed "+widget.Group(uint64(msg.n))+" marks", "")
	return a.open()
}

// built returns a list when it is complete. The caller closes it.
func built(ctx context.Context, src Source, q Query) (List, Status, error) {
	list, err := src.List(ctx, q)
	if err != nil {
		return nil, Status{}, err
	}
	var s Status
	for seen := uint64(0); ; seen = s.Version {
		if s, err = list.Wait(ctx, seen); err == nil {
			err = s.Err
		}
		if err != nil {
			return nil, s, closeAfter(list, err)
		}
		if !s.Building {
			return list, s, nil
		}
	}
}

func closeAfter(list List, err error) error {
	_ = list.Close() // the first error is the one that tells what happened
	return err
}

// errorFound is where the next failed flow stands in the list.
type errorFound struct {
	gen   int
	pos   int
	found bool
	err   error
}

// failed is the flows that ctrl-e goes to, in the filter language.
const failed = "(~e | ~c 400-599)"

// nextError goes to the next failed flow after the focus. It asks for a list of
// the failed ones in the same order, finds the focus's place in it, and then the
// place of the flow found there in the list that is shown.
func (a *App) nextError() tea.Cmd {
	src, shown, gen := a.src, a.listing.List, a.gen
	q, id, pos := a.query(), a.list.FocusID(), a.list.Position()
	q.Filter = filterbar.Join(q.Filter, failed)
	return a.start("looking for the next error", func(ctx context.Context) tea.Msg {
		list, s, err := built(ctx, src, q)
		if err != nil {
			return errorFound{gen: gen, err: err}
		}
		at, found, err := after(ctx, list, shown, s.Len, id, pos)
		return errorFound{gen: gen, pos: at, found: found, err: closeJoin(list, err)}
	})
}

func closeJoin(list List, err error) error {
	if closing := list.Close(); err == nil {
		return closing
	}
	return err
}

// after returns the position in shown of the first flow of list, n long, that
// stands behind pos there; of the first flow at all if none does.
func after(ctx context.Context, list, shown List, n int, id uint64, pos int) (at int, found bool, err error) {
	if n == 0 {
		return 0, false, nil
	}
	near, _, err := list.Find(ctx, id)
	if err != nil {
		return 0, false, err
	}
	// The neighbour that Find names may stand before or behind the focus.
	rows, err := list.Page(ctx, max(0, near-1), 4)
	if err != nil {
		return 0, false, err
	}
	for _, r := range rows {
		at, found, err := shown.Find(ctx, r.ID)
		if err != nil || found && at > pos {
			return at, found, err
		}
	}
	rows, err = list.Page(ctx, 0, 1)
	if err != nil || len(rows) == 0 {
		return 0, false, err
	}
	return shown.Find(ctx, rows[0].ID)
}

func (a *App) errorFound(msg errorFound) tea.Cmd {
	a.endJob()
	switch {
	case msg.err != nil:
		a.fail("look for errors", msg.err, "")
	case msg.gen != a.gen:
	case !msg.found:
		a.say(Info, "no flow in this list failed", "")
	default:
		return a.moveTo(msg.pos)
	}
	return nil
}
