package tui

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"weir/tui/widget"
)

// smallest is the screen below which nothing sensible can be drawn.
const (
	smallestWidth  = 20
	smallestHeight = 6
)

// View draws the screen.
func (a *App) View() tea.View {
	v := tea.NewView(a.screen())
	v.AltScreen = true
	v.WindowTitle = "weir " + widget.Sanitize(a.stats.Session)
	if a.mouse {
		v.MouseMode = tea.MouseModeCellMotion
	}
	if x, y, ok := a.cursor(); ok && x < a.w && y < a.h {
		v.Cursor = tea.NewCursor(x, y)
		v.Cursor.Blink = false
	}
	return v
}

func (a *App) screen() string {
	if a.w < smallestWidth || a.h < smallestHeight {
		return widget.Fit("weir: this screen is too small", a.w, a.h)
	}
	f := a.frame()
	a.bar.SetProgress(a.progress(), a.filterTags()...)
	parts := []string{a.topBar(), a.bar.View()}
	switch a.view {
	case ViewHelp:
		parts = append(parts, a.help.View())
	case ViewLog:
		parts = append(parts, a.log.View())
	case ViewSessions:
		parts = append(parts, a.sessions.View())
	default:
		parts = append(parts, a.panesView(f))
	}
	parts = append(parts, a.statusLine())
	if f.footer {
		parts = append(parts, a.footer())
	}
	screen := widget.Fit(strings.Join(parts, "\n"), a.w, a.h)
	if box, x, y := a.box(f); box != "" {
		screen = widget.Overlay(screen, box, x, y)
	}
	return screen
}

// box is the menu or palette over the screen, if one is open, and its place.
func (a *App) box(f frame) (box string, x, y int) {
	switch {
	case a.menu != nil:
		box = a.menu.View(a.w, f.h, a.theme)
		w, h := size(box)
		return box, (a.w - w) / 2, f.y + max(0, (f.h-h)/3)
	case a.view == ViewPalette:
		box = a.palette.View(a.w, f.h)
		w, _ := size(box)
		return box, (a.w - w) / 2, f.y
	}
	return "", 0, 0
}

func size(block string) (w, h int) {
	lines := strings.Split(block, "\n")
	for _, l := range lines {
		w = max(w, widget.Width(l))
	}
	return w, len(lines)
}

// cursor is the cell in which the next typed character goes.
func (a *App) cursor() (x, y int, ok bool) {
	f := a.frame()
	switch {
	case a.menu != nil:
		return 0, 0, false
	case a.view == ViewFilter:
		x, ok = a.bar.Cursor()
		return x, 1, ok
	case a.view == ViewLine:
		_, x = a.lineView()
		return x, f.y + f.h, true
	case a.view == ViewPalette:
		_, left, top := a.box(f)
		x, y = a.palette.Cursor(a.w)
		return left + x, top + y, true
	case a.view == ViewHelp:
		x, y, ok = a.help.Cursor()
		return x, f.y + y, ok
	case a.view == ViewSessions:
		x, y, ok = a.sessions.Cursor()
		return x, f.y + y, ok
	case a.view == ViewDetail && f.detail.h > 0:
		x, y, ok = a.detail.Cursor()
		return f.detail.x + x, f.detail.y + y, ok
	}
	return 0, 0, false
}
