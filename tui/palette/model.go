// Package palette is the box in which a command is found by a few of its letters
// and run.
//
// Its items are made from the table of bindings; it runs nothing itself. A
// command that is off keeps its place and shows its reason.
//
// Concurrency: used by the event loop alone.
//
// Invariant: with nothing typed, all items stand in the order they were given.
package palette

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"weir/tui/theme"
	"weir/tui/widget"
)

// Item is one command.
type Item struct {
	Name string
	Keys string // as people write them
	Text string
	Off  string // why it is off now, "" if it works
}

// Model is the box. Use New.
type Model struct {
	theme *theme.Theme
	items []Item
	found []int // indexes into items, best first
	at    int
	top   int
	input widget.Input
	draft string // typed and left by esc
}

// New returns an empty palette.
func New(t *theme.Theme) *Model { return &Model{theme: t, input: widget.NewInput()} }

// SetTheme changes the looks.
func (m *Model) SetTheme(t *theme.Theme) { m.theme = t }

// Open shows items, with the text that esc left the last time.
func (m *Model) Open(items []Item) {
	m.items = items
	m.input.SetValue(m.draft)
	m.search()
}

// Update takes text: keys that are no command of the palette, and pastes.
func (m *Model) Update(msg tea.Msg) {
	if m.input.Update(msg) {
		m.search()
	}
}

// Commands returns what the palette can do while it is open.
func Commands() []widget.Command {
	return []widget.Command{
		{Name: "accept", Keys: []string{"enter"}, Help: "run the command", Hint: "run"},
		{Name: "cancel", Keys: []string{"esc", "ctrl+c"}, Help: "leave; the text is kept for the next time", Hint: "back"},
		{Name: "down", Keys: []string{"down", "ctrl+n", "tab"}, Help: "next command", Hint: "choose"},
		{Name: "up", Keys: []string{"up", "ctrl+p", "shift+tab"}, Help: "previous command"},
		{Name: "page-down", Keys: []string{"pgdown"}, Help: "ten commands down"},
		{Name: "page-up", Keys: []string{"pgup"}, Help: "ten commands up"},
	}
}

// Do runs a command of the palette by its name. It answers with the name of the
// item that was chosen, "" for none, and whether the palette is done.
func (m *Model) Do(name string) (chosen string, done bool) {
	last := max(0, len(m.found)-1)
	switch name {
	case "cancel":
		m.draft = m.input.Value()
		return "", true
	case "accept":
		if m.at < len(m.found) {
			m.draft = ""
			return m.items[m.found[m.at]].Name, true
		}
	case "down":
		m.at = min(m.at+1, last)
	case "up":
		m.at = max(m.at-1, 0)
	case "page-down":
		m.at = min(m.at+10, last)
	case "page-up":
		m.at = max(m.at-10, 0)
	}
	return "", false
}

func (m *Model) search() {
	type hit struct{ index, score int }
	var hits []hit
	for i, item := range m.items {
		s, ok := Score(m.input.Value(), item.Name+" "+item.Text)
		if name, named := Score(m.input.Value(), item.Name); named {
			s = max(s, name+ofName)
		}
		if ok {
			hits = append(hits, hit{i, s})
		}
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return b.score - a.score })
	m.found = m.found[:0]
	for _, h := range hits {
		m.found = append(m.found, h.index)
	}
	m.at, m.top = 0, 0
}

// ofName is what it counts that all letters are found in a command's name, as much as the
// start of one more word: who types them mostly means the name.
const ofName = 10

// View draws the box in at most w cells and h lines.
func (m *Model) View(w, h int) string {
	t := m.theme
	w = min(w, 76)
	n := max(1, min(h-4, 16))
	m.top = widget.Window(m.top, m.at, len(m.found), n)
	text, _ := m.line(w)
	lines := []string{text, t.Rule.Render(widget.Truncate(strings.Repeat(t.Glyphs.H, max(0, w)), w-4, ""))}
	for i := m.top; i < m.top+n; i++ {
		if i < len(m.found) {
			lines = append(lines, m.row(i, w-4))
		} else if i == 0 {
			lines = append(lines, t.Dim.Render("no command matches"))
		} else {
			lines = append(lines, "")
		}
	}
	return widget.Box("commands", lines, w, t)
}

// Cursor is the cell of the box in which the next character goes.
func (m *Model) Cursor(w int) (x, y int) {
	_, at := m.line(min(w, 76))
	return 2 + at, 1
}

func (m *Model) line(w int) (string, int) {
	head := m.theme.Key.Render(m.theme.Glyphs.Prompt) + " "
	text, at := m.input.View(max(1, w-7), m.theme, 0, 0)
	return head + text, 2 + at
}

func (m *Model) row(i, w int) string {
	t, item := m.theme, m.items[m.found[i]]
	gutter := "  "
	if i == m.at {
		gutter = t.Focus.Render(t.Glyphs.Focus) + " "
	}
	text := t.Text.Render(item.Text)
	if item.Off != "" {
		text = t.Dim.Render(item.Text + " (" + item.Off + ")")
	}
	left := gutter + t.Key.Render(widget.Pad(item.Name, 18, t.Glyphs.Ellipsis)) + " " + text
	keys := t.Dim.Render(item.Keys)
	return widget.Spread(widget.Truncate(left, w-widget.Width(keys)-1, t.Glyphs.Ellipsis), keys, w, "")
}
