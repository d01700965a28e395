// Package help is the screen of keys: those of the view it was opened from, then
// those that work everywhere, with what they do and why one is off just now.
//
// It has no list of its own. The rows are made from the table that dispatches the
// keys, so neither can be newer than the other. Typing searches them.
//
// Concurrency: used by the event loop alone.
//
// Invariant: every row given is found by its name, its keys and its text.
package help

import (
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"weir/tui/theme"
	"weir/tui/widget"
)

// Row is one binding.
type Row struct {
	Section string // rows of one section stand together
	Keys    string // as people write them: "ctrl-p"
	Name    string // of the command
	Text    string
	Tip     string // a sentence more, "" for none
	Off     string // why it is off now, "" if it works
}

// Model is the screen. Use New.
type Model struct {
	theme *theme.Theme
	w, h  int
	title string
	rows  []Row
	top   int

	input  widget.Input
	search bool
}

// New returns a screen without rows.
func New(t *theme.Theme) *Model { return &Model{theme: t, input: widget.NewInput()} }

// SetTheme changes the looks.
func (m *Model) SetTheme(t *theme.Theme) { m.theme = t }

// SetSize gives the screen w cells and h lines.
func (m *Model) SetSize(w, h int) { m.w, m.h = w, h }

// Open shows rows from the top, with no search.
func (m *Model) Open(title string, rows []Row) {
	m.title, m.rows, m.top, m.search = title, rows, 0, false
	m.input.SetValue("")
}

// Typing reports whether keys are text for the search.
func (m *Model) Typing() bool { return m.search }

// Clear leaves the search and reports whether there was one.
func (m *Model) Clear() bool {
	had := m.search || m.input.Value() != ""
	m.search = false
	m.input.SetValue("")
	m.top = 0
	return had
}

// Update takes the text of the search.
func (m *Model) Update(msg tea.Msg) {
	if m.input.Update(msg) {
		m.top = 0
	}
}

// Commands returns what the screen can do.
func Commands() []widget.Command {
	return append(widget.ScrollCommands(),
		widget.Command{Name: "search", Keys: []string{"/"}, Help: "search the keys", Hint: "search"})
}

// Do runs a command of the screen by its name; an unknown name does nothing.
func (m *Model) Do(name string) {
	if name == "search" {
		m.search = true
		return
	}
	m.Scroll(widget.ScrollBy(name, m.Page(), len(m.lines())))
}

// Keep ends typing and keeps what the search found.
func (m *Model) Keep() { m.search = false }

// Scroll moves the view by n lines, down for a positive n.
func (m *Model) Scroll(n int) {
	m.top = max(0, min(m.top+n, len(m.lines())-m.body()))
}

// Page is the number of lines that a page moves.
func (m *Model) Page() int { return max(1, m.body()-1) }

func (m *Model) body() int { return max(1, m.h-3) }

// Found returns the rows that the search leaves.
func (m *Model) Found() []Row {
	words := strings.Fields(strings.ToLower(m.input.Value()))
	var out []Row
	for _, r := range m.rows {
		all := strings.ToLower(strings.Join([]string{r.Section, r.Keys, r.Name, r.Text, r.Tip}, " "))
		found := true
		for _, w := range words {
			found = found && strings.Contains(all, w)
		}
		if found {
			out = append(out, r)
		}
	}
	return out
}

// View draws the screen.
func (m *Model) View() string {
	lines := m.lines()
	m.top = max(0, min(m.top, len(lines)-m.body()))
	shown := lines[m.top:min(len(lines), m.top+m.body())]
	for len(shown) < m.body() {
		shown = append(shown, "")
	}
	text, _ := m.searchLine()
	return widget.Fit(widget.Box(m.title, append([]string{text}, shown...), m.w, m.theme), m.w, m.h)
}

// Cursor is where the next character of the search goes.
func (m *Model) Cursor() (x, y int, ok bool) {
	_, at := m.searchLine()
	return 2 + at, 1, m.search
}

func (m *Model) searchLine() (line string, cursor int) {
	if !m.search && m.input.Value() == "" {
		return m.theme.Dim.Render("/ searches, esc goes back"), 0
	}
	head := m.theme.Key.Render("/") + " "
	text, at := m.input.View(max(1, m.w-8), m.theme, 0, 0)
	return head + text, widget.Width(head) + at
}

func (m *Model) lines() []string {
	t := m.theme
	var out []string
	section, inner := "", max(0, m.w-4)
	for _, r := range m.Found() {
		if r.Section != section {
			section = r.Section
			if len(out) > 0 {
				out = append(out, "")
			}
			out = append(out, t.Title.Render(section))
		}
		out = append(out, m.row(r, inner)...)
	}
	if len(out) == 0 {
		out = append(out, t.Dim.Render("no key matches; esc clears the search"))
	}
	return out
}

// The widths of help: keys stand beside what they do where there is room for both, and
// names beside that where there is room for all.
const (
	keysWidth = 22
	besides   = 50
	names     = 70
)

// row is a key's lines of at most inner cells. Nothing is cut that a longer page can say.
func (m *Model) row(r Row, inner int) (out []string) {
	t, indent := m.theme, keysWidth+1
	keys := r.Keys
	if keys == "" && inner < names {
		keys = ":" + r.Name
	}
	first, name := t.Key.Render(widget.Pad(keys, keysWidth, t.Glyphs.Ellipsis))+" ", ""
	switch {
	case inner < besides:
		indent = 2
		out = append(out, t.Key.Render(widget.Truncate(keys, inner, t.Glyphs.Ellipsis)))
		first = widget.Space(indent)
	case inner >= names:
		name = t.Dim.Render(":" + r.Name)
	}
	text, style := r.Text, t.Text
	if r.Off != "" {
		text, style = text+"  ("+r.Off+")", t.Dim
	}
	for _, part := range wrap(text, inner-indent-widget.Width(name)-1) {
		line := first + style.Render(part)
		out = append(out, widget.Spread(line, name, inner, t.Glyphs.Ellipsis))
		first, name = widget.Space(indent), ""
	}
	if r.Tip != "" {
		for _, part := range wrap(r.Tip, inner-indent) {
			out = append(out, widget.Space(indent)+t.Dim.Render(part))
		}
	}
	return out
}

func wrap(text string, w int) []string {
	return strings.Split(ansi.Wordwrap(text, max(10, w), ""), "\n")
}
