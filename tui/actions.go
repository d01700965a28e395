package tui

import (
	"context"
	"errors"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"weir/filter"
	flowpb "weir/proto"
	"weir/tui/filterbar"
	"weir/tui/theme"
	"weir/tui/widget"
)

// doList runs a command of the list.
func (a *App) doList(name string) tea.Cmd {
	event, cmd := a.list.Do(name)
	return tea.Batch(cmd, a.listEvent(event))
}

func (a *App) doFilter(name string) tea.Cmd {
	result, cmd := a.bar.Do(name)
	if result == filterbar.None && name == "accept" && a.bar.Invalid() != "" {
		a.say(Info, a.bar.Invalid(), a.bar.Hint())
	}
	return tea.Batch(cmd, a.filterResult(result))
}

func (a *App) doHelp(name string) tea.Cmd {
	a.help.Do(name)
	return nil
}

func (a *App) doLog(name string) tea.Cmd {
	a.log.Do(name)
	return nil
}

// filter opens the filter line, or sets the filter given.
func (a *App) filter(expr string) tea.Cmd {
	if expr != "" {
		return a.setFilter(expr)
	}
	a.view = ViewFilter
	a.bar.Open()
	return nil
}

func (a *App) setFilter(expr string) tea.Cmd {
	return a.openIf(a.bar.Set(expr, true))
}

// openIf shows the list anew, unless the filter for it was refused.
func (a *App) openIf(refused error) tea.Cmd {
	if refused == nil {
		return a.open()
	}
	hint := ""
	if wrong := (*filter.Error)(nil); errors.As(refused, &wrong) {
		hint = wrong.Hint
	}
	a.say(Error, refused.Error(), hint)
	return nil
}

// filterCell narrows the list by the value in the current column, or leaves the
// flows with that value out.
func (a *App) filterCell(exclude bool) tea.Cmd {
	expr, reason := a.list.CellFilter()
	if reason != "" {
		a.say(Info, reason, "")
		return nil
	}
	if exclude {
		expr = "!" + expr
	}
	return a.openIf(a.bar.Add(expr))
}

// explained is how an expression would run.
type explained struct {
	how string
	err error
}

func (a *App) explain() tea.Cmd {
	src, expr := a.src, a.bar.Shown()
	return a.async.Do(func(context.Context) tea.Msg {
		how, err := src.Explain(expr)
		return explained{how, err}
	})
}

func (a *App) explained(msg explained) tea.Cmd {
	if msg.err != nil {
		a.fail("explain the filter", msg.err, "")
		return nil
	}
	a.say(Info, "the filter in force reads: "+msg.how, "")
	return nil
}

func (a *App) sort(key string, reverse bool) tea.Cmd {
	a.order.Key, a.order.Reverse = key, reverse
	return a.open()
}

// sortByColumn sorts by a key; by the same key again, the other way round.
func (a *App) sortByColumn(key string) tea.Cmd {
	return a.sort(key, a.order.Key == key && !a.order.Reverse)
}

func (a *App) sortByName(name string) tea.Cmd {
	for _, key := range sortKeys() {
		if key == name {
			return a.sort(key, false)
		}
	}
	a.say(Error, "sort: no key "+strconv.Quote(name), "one of "+strings.Join(sortKeys(), " "))
	return nil
}

func (a *App) chooseTheme(name string) tea.Cmd {
	look := a.look
	look.Name = name
	if _, err := theme.New(look); err != nil {
		a.say(Error, err.Error(), "")
		return nil
	}
	return a.setTheme(look)
}

// mask hides credentials, or shows them.
func (a *App) mask(masked bool) tea.Cmd {
	a.masked = masked
	if masked {
		a.say(Info, "credentials are hidden, on the screen and in what is copied", "")
	} else {
		a.say(Info, "credentials are shown", "")
	}
	return a.detail.SetMasked(masked)
}

func (a *App) toggleMouse() tea.Cmd {
	a.mouse = !a.mouse
	if a.mouse {
		a.say(Info, "mouse on: click a row, turn the wheel", "shift-drag selects text")
	} else {
		a.say(Info, "mouse off", "")
	}
	return nil
}

// jumped is where a flow stands that was asked for by number.
type jumped struct {
	gen   int
	id    uint64
	pos   int
	found bool
	err   error
}

func (a *App) goTo(arg string) tea.Cmd {
	id, err := strconv.ParseUint(strings.TrimPrefix(strings.ReplaceAll(arg, ",", ""), "#"), 10, 64)
	if err != nil {
		a.say(Error, "go: "+strconv.Quote(arg)+" is no flow number", "for example :go 1042")
		return nil
	}
	if session, _ := flowpb.Placed(a.list.FocusID()); session > 0 {
		id = flowpb.Place(session, id)
	}
	gen, l := a.gen, a.listing
	return l.async.Do(func(ctx context.Context) tea.Msg {
		pos, found, err := l.Find(ctx, id)
		return jumped{gen, id, pos, found, err}
	})
}

func (a *App) jumped(msg jumped) tea.Cmd {
	switch {
	case msg.gen != a.gen:
		return nil
	case msg.err != nil:
		a.fail("find the flow", msg.err, "")
		return nil
	case !msg.found:
		a.say(Info, "flow "+flowNumber(msg.id)+" is not in this list", "* switches the filter off")
		return nil
	}
	return a.moveTo(msg.pos)
}

func (a *App) moveTo(pos int) tea.Cmd {
	cmd := a.list.Select(pos)
	if a.panes.open {
		return tea.Batch(cmd, a.settle())
	}
	return cmd
}

// escape steps one level out.
func (a *App) escape() tea.Cmd {
	switch {
	case a.view == ViewHelp && a.help.Clear():
	case a.view == ViewSessions && (a.stopJob() || a.sessions.Clear()):
	case a.overlaid():
		a.view = a.under
	case a.stopJob():
	case a.view == ViewDetail:
		return a.closeDetail()
	case a.list.ClearRange():
	case a.panes.open:
		return a.closeDetail()
	}
	return nil
}

// overlaid reports whether a screen stands over the panes.
func (a *App) overlaid() bool {
	return a.view == ViewHelp || a.view == ViewLog || a.view == ViewSessions
}

// back leaves what is open; from the list alone it goes back to the session before,
// and from the first one it asks whether to leave weir.
func (a *App) back() tea.Cmd {
	switch {
	case a.overlaid():
		a.view = a.under
		return nil
	case a.view == ViewDetail || a.panes.open:
		return a.closeDetail()
	case len(a.behind) > 0:
		return a.comeBack()
	}
	return a.askQuit()
}

func (a *App) askQuit() tea.Cmd {
	title := "leave weir?"
	if a.stats.Mode == Live || a.capturingBehind() {
		title = "stop capturing and leave weir?"
	}
	a.confirm(title, "leave", func(*App) tea.Cmd { return tea.Quit })
	return nil
}

func (a *App) openHelp(all bool) tea.Cmd {
	v := a.view
	if v == ViewHelp || v == ViewLog {
		v = a.under
	}
	if all {
		a.help.Open("keys", a.helpRows(viewOrder()...))
	} else {
		a.help.Open("keys: "+string(v), a.helpRows(a.helpViews(v)...))
	}
	a.enter(ViewHelp)
	return nil
}

// helpViews is the views whose keys matter in a view.
func (a *App) helpViews(v View) []View {
	views := []View{v, ViewGlobal}
	if v == ViewList {
		views = []View{ViewList, ViewCopy, ViewFilter, ViewGlobal}
	}
	return views
}

func (a *App) openLog() tea.Cmd {
	a.enter(ViewLog)
	return nil
}

// enter shows a screen over the panes; leaving it gives the keys back to the pane
// that had them.
func (a *App) enter(v View) {
	if a.view == ViewList || a.view == ViewDetail {
		a.under = a.view
	}
	a.view = v
}

func (a *App) openPalette() tea.Cmd {
	a.enter(ViewPalette)
	a.palette.Open(a.paletteItems())
	return nil
}

func (a *App) doPalette(name string) tea.Cmd {
	chosen, done := a.palette.Do(name)
	if !done {
		return nil
	}
	a.view = a.under
	b := a.named(chosen)
	switch {
	case b == nil:
		return nil
	case b.Arg != "" && len(b.Keys) == 0:
		return a.openCommand(b.Name + " ")
	}
	a.message = message{}
	return a.run(b, "")
}

// target names the flows that an action is for.
func (a *App) target() string {
	if first, last, ok := a.list.Range(); ok && last > first {
		return widget.Group(uint64(last-first+1)) + " flows"
	}
	return "flow " + flowNumber(a.list.FocusID())
}
