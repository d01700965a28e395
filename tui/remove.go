package tui

import (
	"context"
	"strconv"

	tea "charm.land/bubbletea/v2"

	"weir/tui/widget"
)

// removed is how many flows were removed, also where that was given up on the way.
type removed struct {
	n   int
	err error
}

// undone is how many flows were brought back.
type undone struct {
	n   int
	err error
}

// total is the number of flows in the session. A list that follows the session
// knows best; one that is being built is behind, and the figures may be as well.
func (a *App) total() uint64 {
	listed := uint64(max(0, a.status.Total))
	if a.status.Version > 0 && !a.status.Building {
		return listed
	}
	return max(a.stats.Total, listed)
}

// hidden is the number of flows that are not in the list that is shown.
func (a *App) hidden() uint64 { return a.total() - min(a.total(), uint64(a.list.Len())) }

// remove deletes the flows of the action, or the marked ones if those are named. It
// does not ask, for it can be undone; of several it says at once how many.
func (a *App) remove(arg string) tea.Cmd {
	switch rest, marked := cutMarked(arg); {
	case marked && rest == "":
		return a.removeMarked()
	case arg != "":
		a.say(Error, "delete: what is "+strconv.Quote(arg)+"?", "nothing, or "+markedFlows)
		return nil
	}
	src, targets := a.src, a.targets()
	n := uint64(1)
	if first, last, ok := a.list.Range(); ok {
		n = uint64(last - first + 1)
	}
	a.list.ClearRange()
	return a.removing(n, func(ctx context.Context) (int, error) {
		found, err := targets(ctx)
		if err != nil {
			return 0, err
		}
		return src.Remove(ctx, found.ids)
	})
}

// marksFound is the marked flows, to be deleted.
type marksFound struct {
	ids []uint64
	err error
}

// removeMarked finds the marked flows first, so that it can say how many there are.
func (a *App) removeMarked() tea.Cmd {
	marked := a.marked()
	return a.start("finding the marked flows", func(ctx context.Context) tea.Msg {
		found, err := marked(ctx)
		return marksFound{found.ids, err}
	})
}

func (a *App) marksFound(msg marksFound) tea.Cmd {
	a.endJob()
	switch {
	case msg.err != nil:
		a.fail("find the marked flows", msg.err, "nothing was deleted")
		return nil
	case len(msg.ids) == 0:
		a.say(Info, "no flow is marked", "")
		return nil
	}
	src := a.src
	return a.removing(uint64(len(msg.ids)), func(ctx context.Context) (int, error) { return src.Remove(ctx, msg.ids) })
}

func (a *App) removeAll() tea.Cmd { return a.removing(a.total(), a.src.RemoveAll) }

// removeHidden deletes what the list as it is shown leaves out.
func (a *App) removeHidden() tea.Cmd {
	src, q := a.src, a.query()
	return a.removing(a.hidden(), func(ctx context.Context) (int, error) { return src.RemoveOthers(ctx, q) })
}

// removing removes about n flows, as a job: of many it takes seconds, during which
// the list grows shorter.
func (a *App) removing(n uint64, act func(context.Context) (int, error)) tea.Cmd {
	what := "deleting " + flowCount(n)
	cmd := a.start(what, func(ctx context.Context) tea.Msg {
		n, err := act(ctx)
		return removed{n, err}
	})
	a.message = message{removal: true}
	if n > 1 {
		a.message.text, a.message.hint = what+a.theme.Glyphs.Ellipsis, "esc gives it up"
	}
	return cmd
}

func (a *App) removed(msg removed) tea.Cmd {
	a.endJob()
	them := "them"
	if msg.n == 1 {
		them = "it"
	}
	switch {
	case msg.err != nil && msg.n == 0:
		a.message = message{}
		a.fail("delete", msg.err, "nothing was deleted")
		return nil
	case msg.err != nil && !isCancelled(msg.err):
		a.fail("delete", msg.err, flowCount(uint64(msg.n))+" were deleted, u brings "+them+" back")
		return nil
	case msg.n == 0:
		a.say(Info, "nothing to delete: it is gone already", "")
		return nil
	}
	a.say(Info, flowCount(uint64(msg.n))+" deleted "+a.theme.Glyphs.Sep+" u brings "+them+" back", "")
	a.message.removal = true
	return nil
}

func (a *App) undo() tea.Cmd {
	src := a.src
	return a.start("bringing back what was deleted", func(ctx context.Context) tea.Msg {
		n, err := src.Undo(ctx)
		return undone{n, err}
	})
}

func (a *App) undone(msg undone) tea.Cmd {
	a.endJob()
	switch {
	case msg.err != nil && !isCancelled(msg.err):
		a.fail("bring back what was deleted", msg.err, "")
	case msg.n == 0:
		a.say(Info, "nothing was deleted that could be brought back", "")
	case msg.n == 1:
		a.say(Info, "1 flow is back", "")
	default:
		a.say(Info, flowCount(uint64(msg.n))+" are back", "")
	}
	return nil
}

// flowCount is a number of flows in words.
func flowCount(n uint64) string {
	if n == 1 {
		return "1 flow"
	}
	return widget.Group(n) + " flows"
}
