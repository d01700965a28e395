package tui

import (
	"strconv"

	tea "charm.land/bubbletea/v2"
)

// maxViews bounds how many views are remembered.
const maxViews = 100

// shownView is what the list shows, as one comes back to it.
type shownView struct {
	filter string
	on     bool
	order  order
}

// viewHistory is the views that were shown, the one that is shown among them.
type viewHistory struct {
	views []shownView
	at    int
}

// see notes the view that is shown now. What was ahead of the one before is forgotten.
func (h *viewHistory) see(v shownView) {
	if len(h.views) > 0 {
		if h.views[h.at] == v {
			return
		}
		h.views = h.views[:h.at+1]
	}
	h.views = append(h.views, v)
	if len(h.views) > maxViews {
		h.views = append([]shownView(nil), h.views[1:]...)
	}
	h.at = len(h.views) - 1
}

// beside reports whether there is a view so many steps away.
func (h *viewHistory) beside(step int) bool {
	at := h.at + step
	return at >= 0 && at < len(h.views)
}

// remember notes what is shown, unless it is only being tried while a filter is typed.
func (a *App) remember() {
	if a.view != ViewFilter {
		a.history.see(shownView{filter: a.bar.Expr(), on: a.bar.On(), order: a.order})
	}
}

// walkViews shows a view that was shown before, or after that, again.
func (a *App) walkViews(step int) tea.Cmd {
	a.history.at += step
	v := a.history.views[a.history.at]
	if err := a.bar.Set(v.filter, v.on); err != nil {
		a.fail("show the view", err, "")
		return nil
	}
	a.order = v.order
	a.say(Info, "view "+strconv.Itoa(a.history.at+1)+" of "+strconv.Itoa(len(a.history.views)), "")
	return a.open()
}
