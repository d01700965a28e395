package widget

import (
	tea "charm.land/bubbletea/v2"

	"weir/tui/theme"
)

// Item is one row of a Menu.
type Item struct {
	Key  string // chooses it at once; "" only by the cursor
	Name string // what Menu.Update answers with
	Text string
	Off  string // why it cannot be chosen, "" if it can
}

// Menu is a short list to choose one item from. It is shown in a box over the
// screen; every key it knows is its own while it is open.
type Menu struct {
	title string
	items []Item
	at    int
}

// NewMenu returns a menu with the cursor on the item named start, else on the first.
func NewMenu(title string, items []Item, start string) *Menu {
	m := &Menu{title: title, items: items}
	for i, item := range items {
		if item.Name == start {
			m.at = i
		}
	}
	return m
}

// Update takes a key. It answers with the item that was chosen, nil for none,
// and whether the menu is done. An item that is off can be chosen: the caller
// shows the reason.
func (m *Menu) Update(press tea.KeyPressMsg) (chosen *Item, done bool) {
	switch k := press.String(); k {
	case "esc", "q", "ctrl+c":
		return nil, true
	case "down", "tab", "ctrl+n":
		m.at = (m.at + 1) % max(1, len(m.items))
		return nil, false
	case "up", "shift+tab", "ctrl+p":
		m.at = (m.at + len(m.items) - 1) % max(1, len(m.items))
		return nil, false
	case "enter":
		if m.at < len(m.items) {
			return &m.items[m.at], true
		}
		return nil, true
	default:
		for i := range m.items {
			if m.items[i].Key == k {
				return &m.items[i], true
			}
		}
		switch k { // only where no item has these keys
		case "j":
			m.at = (m.at + 1) % max(1, len(m.items))
		case "k":
			m.at = (m.at + len(m.items) - 1) % max(1, len(m.items))
		}
		return nil, false
	}
}

// View draws the menu's box in at most w cells and h lines.
func (m *Menu) View(w, h int, t *theme.Theme) string {
	widest := Width(m.title) + 6
	for _, item := range m.items {
		widest = max(widest, Width(item.Text)+Width(item.Key)+Width(reason(item))+9)
	}
	n := min(len(m.items), max(1, h-2))
	first := Window(0, m.at, len(m.items), n)
	lines := make([]string, 0, n)
	for i := first; i < first+n; i++ {
		lines = append(lines, m.row(i, t))
	}
	return Box(m.title, lines, min(widest, w), t)
}

func (m *Menu) row(i int, t *theme.Theme) string {
	item := m.items[i]
	gutter := "  "
	if i == m.at {
		gutter = t.Focus.Render(t.Glyphs.Focus) + " "
	}
	style := t.Text
	if item.Off != "" {
		style = t.Dim
	}
	return gutter + t.Key.Render(Pad(item.Key, 2, "")) + " " + style.Render(item.Text) + t.Dim.Render(reason(item))
}

func reason(item Item) string {
	if item.Off == "" {
		return ""
	}
	return "  (" + item.Off + ")"
}
