package sessions

import (
	"slices"

	tea "charm.land/bubbletea/v2"

	"weir/tui/widget"
)

// Commands returns what the screen can do.
func Commands() []widget.Command {
	return []widget.Command{
		{Name: "open", Keys: []string{"enter"}, Help: "open the session, or the marked ones as one list", Hint: "open"},
		{Name: "open-read-only", Keys: []string{"r"}, Help: "open without writing anything, marks and comments neither", Hint: "read-only"},
		{Name: "mark", Keys: []string{"space", "m"}, Help: "mark, or remove the mark, and go on to the next", Hint: "mark"},
		{Name: "mark-all", Keys: []string{"a"}, Help: "mark all that are shown, or none", Hint: "all"},
		{Name: "order", Keys: []string{"o"}, Help: "sort by last change, name or size", Hint: "sort"},
		{Name: "reverse", Keys: []string{"v"}, Help: "reverse the order"},
		{Name: "search", Keys: []string{"/"}, Help: "search the names", Hint: "search"},
		{Name: "refresh", Keys: []string{"ctrl+r"}, Help: "look at the folders again"},
		{Name: "down", Keys: []string{"j", "down"}, Help: "next session"},
		{Name: "up", Keys: []string{"k", "up"}, Help: "previous session"},
		{Name: "page-down", Keys: []string{"ctrl+f", "pgdown"}, Help: "one page down"},
		{Name: "page-up", Keys: []string{"ctrl+b", "pgup"}, Help: "one page up"},
		{Name: "half-down", Keys: []string{"ctrl+d"}, Help: "half a page down"},
		{Name: "half-up", Keys: []string{"ctrl+u"}, Help: "half a page up"},
		{Name: "top", Keys: []string{"g", "home"}, Help: "first session"},
		{Name: "bottom", Keys: []string{"G", "end"}, Help: "last session"},
	}
}

// NeedsOne reports whether a command acts on sessions, so that there has to be one.
func NeedsOne(name string) bool {
	return slices.Contains([]string{"open", "open-read-only", "mark", "mark-all"}, name)
}

// Off is why a command cannot run now, "" if it can.
func (m *Model) Off(name string) string {
	if NeedsOne(name) && len(m.shown) == 0 {
		return "no session is here"
	}
	return ""
}

// Do runs a command of the screen by its name; an unknown name does nothing.
func (m *Model) Do(name string) (Result, tea.Cmd) {
	switch name {
	case "open", "open-read-only":
		if paths := m.chosen(); len(paths) > 0 {
			return Opening{Paths: paths, ReadOnly: name == "open-read-only"}, nil
		}
	case "mark":
		m.mark()
	case "mark-all":
		m.markAll()
	case "order":
		m.order, m.rev = (m.order+1)%orders, false
		m.arrange()
	case "reverse":
		m.rev = !m.rev
		m.arrange()
	case "search":
		m.search = true
	case "refresh":
		return nil, m.Open(m.current)
	default:
		m.moveTo(m.at() + widget.ScrollBy(name, max(1, m.rows()-1), len(m.shown)))
	}
	return nil, m.describe()
}

// chosen are the marked sessions in the order of the list, else the one in focus.
func (m *Model) chosen() []string {
	var paths []string
	for _, i := range m.shown {
		if path := m.entries[i].Path; m.marked[path] {
			paths = append(paths, path)
		}
	}
	if e := m.focused(); len(paths) == 0 && e != nil {
		paths = []string{e.Path}
	}
	return paths
}

func (m *Model) mark() {
	e := m.focused()
	if e == nil {
		return
	}
	if m.marked[e.Path] {
		delete(m.marked, e.Path)
	} else {
		m.marked[e.Path] = true
	}
	m.moveTo(m.at() + 1)
}

// markAll marks what is shown, or, where all of it is marked, nothing.
func (m *Model) markAll() {
	all := true
	for _, i := range m.shown {
		all = all && m.marked[m.entries[i].Path]
	}
	for _, i := range m.shown {
		if all {
			delete(m.marked, m.entries[i].Path)
		} else {
			m.marked[m.entries[i].Path] = true
		}
	}
}
