package tui

import (
	"context"
	"errors"
	"time"

	tea "charm.land/bubbletea/v2"

	"weir/filter"
	flowpb "weir/proto"
	"weir/tui/filterbar"
	"weir/tui/flowlist"
	"weir/tui/widget"
)

// showAfter is how long a job runs before it is shown.
const showAfter = 200 * time.Millisecond

// listing is the list that is shown, and what ends its commands.
type listing struct {
	List
	async  widget.Async
	cancel context.CancelFunc
}

// close ends what waits for the list and gives it back.
func (l *listing) close() {
	l.cancel()
	_ = l.Close() // a list that will not be read again has nothing to tell
}

// Messages about the list; gen is the one that was asked for.
type (
	opened struct {
		gen int
		*listing
		err error
	}
	listed struct {
		gen    int
		status Status
		err    error
	}
	slowBuild struct{ gen int }
)

// query is the list that the user wants to see.
func (a *App) query() Query {
	return Query{
		Filter: a.bar.Shown(), Order: a.order.Key, Reverse: a.order.Reverse, MarkedOnly: a.order.MarkedOnly,
	}
}

// open asks for the list as it is wanted now. What is on the screen stays until
// the new list answers.
func (a *App) open() tea.Cmd {
	a.remember()
	a.gen++
	a.loading, a.slow = true, false
	gen, src, q := a.gen, a.src, a.query()
	scope, cancel := a.async.Scope()
	ask := scope.Do(func(ctx context.Context) tea.Msg {
		list, err := src.List(ctx, q)
		if err != nil {
			cancel()
			return opened{gen: gen, err: err}
		}
		return opened{gen: gen, listing: &listing{List: list, async: scope, cancel: cancel}}
	})
	return tea.Batch(ask, a.async.After(showAfter, slowBuild{gen}))
}

// opened shows a new list, unless another was asked for meanwhile.
func (a *App) opened(msg opened) tea.Cmd {
	if msg.gen != a.gen {
		return closing(msg.listing)
	}
	a.loading = false
	if msg.err != nil {
		var wrong *filter.Error
		hint := "E shows the event log"
		if errors.As(msg.err, &wrong) && wrong.Hint != "" {
			hint = wrong.Hint
		}
		a.fail("show the list", msg.err, hint)
		if a.listing == nil {
			a.list.SetEmpty("the list could not be opened")
		}
		return nil
	}
	old := a.listing
	a.listing = msg.listing
	a.list.SetOrder(a.order.Key, a.order.Reverse)
	a.list.SetRows(msg.List, msg.async)
	return tea.Batch(closing(old), a.await(0))
}

func closing(l *listing) tea.Cmd {
	if l == nil {
		return nil
	}
	return func() tea.Msg {
		l.close()
		return nil
	}
}

// await waits for the list to change.
func (a *App) await(seen uint64) tea.Cmd {
	gen, l := a.gen, a.listing
	return l.async.Do(func(ctx context.Context) tea.Msg {
		s, err := l.Wait(ctx, seen)
		return listed{gen, s, err}
	})
}

// listed takes the list's new state, and waits for the next.
func (a *App) listed(msg listed) tea.Cmd {
	if msg.gen != a.gen || a.listing == nil {
		return nil
	}
	if msg.err != nil {
		a.fail("follow the list", msg.err, "v twice opens it again")
		return nil
	}
	failed := msg.status.Err != nil && a.status.Err == nil
	a.status = msg.status
	if failed {
		a.fail("filter", msg.status.Err, "what was found so far is shown")
	}
	a.describeEmpty()
	return tea.Batch(a.list.SetStatus(msg.status.Len, msg.status.Building), a.await(msg.status.Version))
}

// describeEmpty says what stands in a list without rows.
func (a *App) describeEmpty() {
	switch {
	case a.listing == nil:
	case a.status.Version == 0:
		a.list.SetEmpty("opening" + a.theme.Glyphs.Ellipsis)
	case a.status.Building:
		a.list.SetEmpty("nothing found so far" + a.theme.Glyphs.Ellipsis)
	case a.status.Total > 0 && a.order.MarkedOnly:
		a.list.SetEmpty("no marked flow matches", "M shows all flows again")
	case a.status.Total > 0:
		a.list.SetEmpty("no flow matches the filter", "* switches the filter off, / changes it")
	case a.stats.Mode == Live && len(a.stats.Listen) > 0:
		listen := widget.Sanitize(a.stats.Listen[0])
		a.list.SetEmpty("no flows yet", "use the proxy at "+listen, "for example:  curl -x http://"+listen+" http://example.com/", "https, trusting weir:  weir ca trust-help")
	default:
		a.list.SetEmpty("no flows in this session")
	}
}

// progress is how the filter in force runs, for the filter line.
func (a *App) progress() filterbar.Progress {
	s := a.status
	return filterbar.Progress{
		How: s.How, Building: s.Building && a.slow, Percent: s.Progress, Hits: s.Len,
	}
}

// filterResult does what the filter line asks for.
func (a *App) filterResult(r filterbar.Result) tea.Cmd {
	switch r {
	case filterbar.Accept, filterbar.Cancel:
		a.view = ViewList
		return a.open()
	case filterbar.Try:
		return a.open()
	default:
		return nil
	}
}

// listEvent says what happened in the list, and shows the focused flow where the
// detail is open.
func (a *App) listEvent(e flowlist.Event) tea.Cmd {
	switch {
	case e.Err != nil:
		a.fail("read the list", e.Err, "what is shown may be old")
	case e.Left != 0 && !a.message.removal:
		a.say(Info, "flow "+flowNumber(e.Left)+" is not in this list; the focus is on its neighbour", "")
	}
	if !e.Moved || !a.panes.open {
		return nil
	}
	return a.settle()
}

// flowNumber is the number of a flow in its session, as people read it.
func flowNumber(id uint64) string {
	_, number := flowpb.Placed(id)
	return "#" + widget.Group(number)
}

func isCancelled(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
