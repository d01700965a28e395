package sessions

import (
	"slices"
	"strconv"
	"time"

	"charm.land/lipgloss/v2"

	"weir/tui/widget"
)

// column is one column of the list; the name has what the others leave.
type column struct {
	title string
	width int
	right bool
	drop  int // goes n-th where space is short; 0: never
	text  func(m *Model, e *Entry, f described, known bool) (string, lipgloss.Style)
}

var columns = []column{
	{title: "flows", width: 10, right: true, text: flowsText},
	{title: "size", width: 8, right: true, text: sizeText},
	{title: "first flow", width: 18, drop: 2, text: dateText(func(f described) int64 { return f.First })},
	{title: "last flow", width: 18, drop: 1, text: dateText(func(f described) int64 { return f.Last })},
	{title: "marks", width: 7, right: true, drop: 3, text: marksText},
}

// leastName is what the name keeps before columns are dropped for it, in cells.
const leastName = 22

// mostName is what it has at most: what belongs to it should not be far away.
const mostName = 64

const gutterWidth = 3 // focus, mark, live

// rows is how many sessions are in sight: what frame, header and foot leave.
func (m *Model) rows() int { return max(1, m.h-5) }

// visible are the columns for which there is room, and the width of the name.
func (m *Model) visible() (shown []column, name int) {
	shown = slices.Clone(columns)
	inner := max(0, m.w-4)
	for drop := 1; ; drop++ {
		name = inner - gutterWidth
		for _, c := range shown {
			name -= c.width
		}
		if name >= leastName || !slices.ContainsFunc(shown, func(c column) bool { return c.drop >= drop }) {
			return shown, max(4, min(name, mostName))
		}
		shown = slices.DeleteFunc(shown, func(c column) bool { return c.drop == drop })
	}
}

// View draws the screen.
func (m *Model) View() string {
	t := m.theme
	shown, name := m.visible()
	header := widget.Space(gutterWidth) + widget.Pad(t.Dim.Render("session"), name, "")
	for _, c := range shown {
		header += cellOf(t.Dim.Render(c.title), c)
	}
	text, _ := m.searchLine()
	lines := []string{text, header}
	for _, e := range m.inSight() {
		lines = append(lines, m.line(e, shown, name))
	}
	if len(m.shown) == 0 {
		lines = append(lines, m.placard())
	}
	for len(lines) < m.rows()+2 {
		lines = append(lines, "")
	}
	lines = append(lines, m.foot())
	return widget.Fit(widget.Box("sessions", lines, m.w, t), m.w, m.h)
}

// line is one session.
func (m *Model) line(e *Entry, shown []column, width int) string {
	t, g := m.theme, m.theme.Glyphs
	focus, mark, live := " ", " ", " "
	if f := m.focused(); f != nil && f.Path == e.Path {
		focus = t.Focus.Render(g.Focus)
	}
	if m.marked[e.Path] {
		mark = t.Mark.Render(g.Mark)
	}
	if e.Live {
		live = t.Live.Render(g.Live)
	}
	style := t.Text
	if e.Path == m.current {
		style = t.Title
	}
	f, known := m.facts[e.Path]
	if f.err != nil {
		style = t.Dim
	}
	name := widget.Truncate(widget.Sanitize(e.Name), width-1, g.Ellipsis)
	out := focus + mark + live + widget.Pad(style.Render(name), width, "")
	for _, c := range shown {
		text, style := c.text(m, e, f, known)
		out += cellOf(style.Render(widget.Truncate(text, c.width-1, g.Ellipsis)), c)
	}
	return out
}

func cellOf(text string, c column) string {
	if c.right {
		return widget.PadLeft(text, c.width, "")
	}
	return widget.Pad("  "+text, c.width, "")
}

func flowsText(m *Model, _ *Entry, f described, known bool) (string, lipgloss.Style) {
	switch {
	case !known:
		return m.theme.Glyphs.Pending, m.theme.Dim
	case f.err != nil:
		return m.theme.Glyphs.Wrong, m.theme.Error
	}
	return widget.Group(f.Flows), m.theme.Text
}

func sizeText(m *Model, e *Entry, _ described, _ bool) (string, lipgloss.Style) {
	return widget.Size(e.Bytes), m.theme.Text
}

func marksText(m *Model, _ *Entry, f described, _ bool) (string, lipgloss.Style) {
	if f.Marked == 0 {
		return "", m.theme.Dim
	}
	return strconv.Itoa(f.Marked), m.theme.Mark
}

func dateText(of func(described) int64) func(*Model, *Entry, described, bool) (string, lipgloss.Style) {
	return func(m *Model, _ *Entry, f described, _ bool) (string, lipgloss.Style) {
		if of(f) == 0 {
			return "", m.theme.Dim
		}
		return time.Unix(0, of(f)).In(m.zone).Format("2006-01-02 15:04"), m.theme.Dim
	}
}

// placard is what stands where there are no sessions.
func (m *Model) placard() string {
	t := m.theme
	switch {
	case m.loading:
		return t.Dim.Render("looking for sessions" + t.Glyphs.Ellipsis)
	case m.err != nil:
		return t.Error.Render(widget.Sanitize(m.err.Error()))
	case len(m.entries) > 0:
		return t.Dim.Render("no name matches; esc clears the search")
	}
	return t.Dim.Render("no sessions in the folder of this one, nor in the data directory")
}

// foot is what there is to say: how many are marked, and where the one in focus is, or
// what is wrong with it.
func (m *Model) foot() string {
	t := m.theme
	e := m.focused()
	if e == nil {
		return ""
	}
	arrow := t.Glyphs.Down
	if m.rev != (m.order == byName) {
		arrow = t.Glyphs.Up
	}
	right := t.Dim.Render("by " + m.order.String() + " " + arrow)
	if n := len(m.marked); n > 0 {
		right = t.Mark.Render(strconv.Itoa(n)+" marked") + "  " + right
	}
	inner := max(0, m.w-4)
	room := max(0, inner-widget.Width(right)-2)
	if err := m.facts[e.Path].err; err != nil {
		return widget.Spread(t.Error.Render(widget.Truncate(widget.Sanitize(err.Error()), room, t.Glyphs.Ellipsis)), right, inner, "")
	}
	path := widget.TruncateLeft(widget.Sanitize(e.Path), room, t.Glyphs.Ellipsis)
	return widget.Spread(t.Dim.Render(path), right, inner, "")
}

// Cursor is where the next character of the search goes.
func (m *Model) Cursor() (x, y int, ok bool) {
	_, at := m.searchLine()
	return 2 + at, 1, m.search
}

func (m *Model) searchLine() (line string, cursor int) {
	if !m.search && m.input.Value() == "" {
		return m.theme.Dim.Render("/ searches, space marks, enter opens, q goes back"), 0
	}
	head := m.theme.Key.Render("/") + " "
	text, at := m.input.View(max(1, m.w-8), m.theme, 0, 0)
	return head + text, widget.Width(head) + at
}
