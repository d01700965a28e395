package tui

import (
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"weir/tui/widget"
)

// The layouts: where the detail is while it is open.
const (
	layoutBottom = "below"
	layoutRight  = "beside"
	layoutFull   = "full"
)

func layoutNames() []string { return []string{layoutBottom, layoutRight, layoutFull} }

// settleAfter is how long the focus has to rest before the detail follows it, so
// that running through the list does not load every flow on the way.
const settleAfter = 60 * time.Millisecond

// Bounds of the detail's share of the screen, and how much one key changes it.
const (
	minShare  = 20 // per cent
	maxShare  = 80
	stepShare = 10
)

// panes is how list and detail share the screen.
type panes struct {
	layout    string
	share     int // per cent of the room that the detail gets
	open      bool
	maximised bool
	settling  int // generation of the wait before the detail follows the focus
}

// focusSettled says that the focus has rested.
type focusSettled struct{ gen int }

// alone reports whether one pane has the whole room.
func (p *panes) alone() bool { return !p.open || p.maximised || p.layout == layoutFull }

func (p *panes) restore(s viewState) {
	if slices.Contains(layoutNames(), s.Layout) {
		p.layout = s.Layout
	}
	if s.Share >= minShare && s.Share <= maxShare {
		p.share = s.Share
	}
	p.open = s.Open && p.layout != layoutFull
}

// frame is the screen divided up, in cells and lines.
type frame struct {
	y, h         int // the panes' room
	list, detail rect
	footer       bool
}

type rect struct{ x, y, w, h int }

// tallEnough is from how many lines on the footer has a line of its own.
const tallEnough = 16

// frame divides the screen: top bar, filter line, panes, status line, footer.
func (a *App) frame() frame {
	f := frame{y: 2, footer: a.quick && a.h >= tallEnough}
	f.h = max(0, a.h-f.y-1)
	if f.footer {
		f.h--
	}
	f.list = rect{0, f.y, a.w, f.h}
	f.detail = rect{0, f.y, a.w, f.h}
	share := f.h * a.panes.share / 100
	switch {
	case a.panes.alone():
		if !a.detailInSight() {
			f.detail = rect{}
		} else {
			f.list = rect{}
		}
	case a.panes.layout == layoutRight:
		w := a.w * a.panes.share / 100
		f.list.w = a.w - w - 1
		f.detail = rect{f.list.w + 1, f.y, w, f.h}
	default:
		f.list.h = f.h - share
		f.detail = rect{0, f.y + f.list.h, a.w, share}
	}
	return f
}

// detailInSight reports whether the detail is what a lone pane shows.
func (a *App) detailInSight() bool {
	return a.panes.open && a.pane() == ViewDetail
}

// pane is the pane that has the keys, or will have them again.
func (a *App) pane() View {
	switch a.view {
	case ViewList, ViewDetail:
		return a.view
	case ViewFilter:
		return ViewList
	default:
		return a.under
	}
}

// resize gives every screen its room.
func (a *App) resize() tea.Cmd {
	f := a.frame()
	a.bar.SetSize(a.w)
	a.help.SetSize(a.w, f.h)
	a.log.SetSize(a.w, f.h)
	cmds := []tea.Cmd{a.sessions.SetSize(a.w, f.h)}
	if f.list.h > 0 {
		cmds = append(cmds, a.list.SetSize(f.list.w, f.list.h))
	}
	if f.detail.h > 0 {
		cmds = append(cmds, a.detail.SetSize(f.detail.w, f.detail.h))
	}
	return tea.Batch(cmds...)
}

// openDetail shows the focused flow and gives the keys to its pane.
func (a *App) openDetail() tea.Cmd {
	a.panes.open = true
	a.view = ViewDetail
	return tea.Batch(a.resize(), a.showFocus())
}

func (a *App) closeDetail() tea.Cmd {
	a.panes.open, a.panes.maximised = false, false
	a.view = ViewList
	return a.resize()
}

func (a *App) nextPane() tea.Cmd {
	if a.view == ViewDetail {
		a.view = ViewList
	} else {
		a.view = ViewDetail
	}
	return a.resize()
}

// setLayout changes the layout to the one named, or to the next.
func (a *App) setLayout(name string) tea.Cmd {
	names := layoutNames()
	at := slices.Index(names, name)
	switch {
	case name == "":
		at = (slices.Index(names, a.panes.layout) + 1) % len(names)
	case at < 0:
		a.say(Error, "no layout "+name, "one of "+strings.Join(names, " "))
		return nil
	}
	a.panes.layout, a.panes.maximised = names[at], false
	a.say(Info, "detail: "+names[at], "")
	return a.resize()
}

func (a *App) growPane(step int) tea.Cmd {
	if a.view != ViewDetail {
		step = -step
	}
	a.panes.share = max(minShare, min(a.panes.share+step*stepShare, maxShare))
	return a.resize()
}

// settle lets the detail follow the focus when that rests.
func (a *App) settle() tea.Cmd {
	if !a.panes.open {
		return nil
	}
	a.panes.settling++
	return a.async.After(settleAfter, focusSettled{a.panes.settling})
}

func (a *App) settled(msg focusSettled) tea.Cmd {
	if msg.gen != a.panes.settling || !a.panes.open {
		return nil
	}
	return a.showFocus()
}

// showFocus shows the flow that has the focus in the detail, or what has become
// of it since.
func (a *App) showFocus() tea.Cmd {
	id := a.list.FocusID()
	if id == 0 {
		return nil
	}
	return a.detail.show(id)
}

// panesView draws list and detail.
func (a *App) panesView(f frame) string {
	switch {
	case f.detail.h == 0:
		return a.list.View()
	case f.list.h == 0:
		return a.detail.View()
	case a.panes.layout == layoutRight:
		return beside(a.list.View(), a.detail.View(), f, a.theme.Rule.Render(a.theme.Glyphs.V))
	default:
		return a.list.View() + "\n" + a.detail.View()
	}
}

// beside joins two panes of the same height with a rule between.
func beside(left, right string, f frame, rule string) string {
	l, r := strings.Split(left, "\n"), strings.Split(right, "\n")
	lines := make([]string, 0, f.h)
	for i := range f.h {
		var a, b string
		if i < len(l) {
			a = l[i]
		}
		if i < len(r) {
			b = r[i]
		}
		lines = append(lines, widget.Pad(a, f.list.w, "")+rule+b)
	}
	return strings.Join(lines, "\n")
}

// click moves the focus to the row under the mouse, and the keys to its pane.
func (a *App) click(m tea.Mouse) tea.Cmd {
	f := a.frame()
	if m.Button != tea.MouseLeft || a.menu != nil || a.view != ViewList && a.view != ViewDetail {
		return nil
	}
	switch {
	case f.list.holds(m):
		a.view = ViewList
		return tea.Batch(a.list.ClickRow(m.Y-f.list.y), a.settle())
	case f.detail.holds(m):
		a.view = ViewDetail
	}
	return nil
}

func (r rect) holds(m tea.Mouse) bool {
	return m.X >= r.x && m.X < r.x+r.w && m.Y >= r.y && m.Y < r.y+r.h
}

// wheel scrolls what is under the mouse, by running the commands for lines.
func (a *App) wheel(m tea.Mouse) tea.Cmd {
	name := "down"
	if m.Button == tea.MouseWheelUp {
		name = "up"
	}
	f := a.frame()
	switch {
	case a.menu != nil:
		return nil
	case a.view == ViewHelp:
		a.help.Do(name)
	case a.view == ViewLog:
		a.log.Do(name)
	case a.view == ViewSessions:
		return a.doSessions(name)
	case f.detail.holds(m):
		return a.doDetail(name)
	case f.list.holds(m):
		return a.doList(name)
	}
	return nil
}
