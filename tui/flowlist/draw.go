package flowlist

import (
	"slices"
	"strconv"
	"strings"

	"charm.land/lipgloss/v2"

	flowpb "weir/proto"
	"weir/tui/widget"
)

// Widths, in cells.
const (
	gutterWidth = 3  // focus, mark, replay
	minAddress  = 30 // host and path keep this much before columns are dropped for them
	twoLines    = 60 // below this a row takes two lines
)

// shape is how the list is laid out in its size. It changes only with the size,
// so that columns never jump while flows arrive.
type shape struct {
	visible []int // indexes into columns, host standing for host and path
	address int   // cells for host and path
	lines   int   // of a row
	above   int   // lines of rule and header
	below   int   // lines of rule
	rows    int   // rows in sight
}

// arrange lays the list out in w cells and h lines, with the columns of several
// sessions where it has such.
func arrange(w, h int, several bool) shape {
	s := shape{lines: 1, above: 2, below: 1}
	if w < twoLines {
		s.lines, s.above = 2, 1
	}
	if h < 8 {
		s.above, s.below = 0, 0
	}
	s.rows = max(0, (h-s.above-s.below)/s.lines)
	for _, i := range across {
		if i != cellPath && (several || !columns[i].several) {
			s.visible = append(s.visible, i)
		}
	}
	for drop := 1; ; drop++ {
		s.address = w - gutterWidth
		for _, i := range s.visible {
			s.address -= 1 + columns[i].width
		}
		at := slices.IndexFunc(s.visible, func(i int) bool { return columns[i].drop >= drop })
		if s.address >= minAddress || at < 0 {
			break
		}
		s.visible = slices.DeleteFunc(s.visible, func(i int) bool { return columns[i].drop == drop })
	}
	s.address = max(1, s.address)
	return s
}

// cellBeside is the column that is step columns away from the current one and in
// sight; the current one where there is none.
func (m *Model) cellBeside(step int) int {
	for at := slices.Index(across, m.cell) + step; at >= 0 && at < len(across); at += step {
		if i := across[at]; i == cellPath || slices.Contains(m.shape.visible, i) {
			return i
		}
	}
	return m.cell
}

// header is the lines above the rows.
func (m *Model) header() []string {
	switch {
	case m.shape.above == 0:
		return nil
	case m.shape.lines == 2:
		return []string{widget.Rule(m.w, "", nil, "", m.theme)}
	}
	line := m.theme.Dim.Render(" M ")
	for _, i := range m.shape.visible {
		line += m.theme.Rule.Render(m.theme.Glyphs.V) + m.headerCell(i)
	}
	return []string{widget.Rule(m.w, m.theme.Glyphs.TeeDown, m.tees(), "", m.theme), line}
}

// tees is the cells in which column rules stand.
func (m *Model) tees() []int {
	var at []int
	x := gutterWidth
	for _, i := range m.shape.visible {
		at = append(at, x)
		x += 1 + m.columnWidth(i)
	}
	return at
}

func (m *Model) columnWidth(i int) int {
	if i == cellHost {
		return m.shape.address
	}
	return columns[i].width
}

func (m *Model) headerCell(i int) string {
	w := m.columnWidth(i)
	if i == cellHost {
		both := " " + m.title(cellHost) + m.theme.Dim.Render(" / ") + m.title(cellPath)
		return widget.Pad(both, w, "")
	}
	if columns[i].right {
		return widget.PadLeft(m.title(i), w, "")
	}
	return widget.Pad(m.title(i), w, "")
}

// title is a column's title with the arrow of the order, underlined where cell
// commands act on it.
func (m *Model) title(i int) string {
	style := m.theme.Dim
	if i == m.cell {
		style = m.theme.Cell
	}
	text := style.Render(columns[i].title)
	if (columns[i].sort == "" || columns[i].sort != m.order) && !(m.order == "url" && i == cellHost) {
		return text
	}
	arrow := m.theme.Glyphs.Up
	if m.rev {
		arrow = m.theme.Glyphs.Down
	}
	return text + m.theme.Title.Render(arrow)
}

func (m *Model) footRule() string {
	text := ""
	if n := m.Fresh(); n > 0 {
		text = m.theme.Title.Render(m.theme.Glyphs.Down + " " + strconv.Itoa(n) + " new")
	} else if m.follow {
		text = m.theme.Dim.Render(m.theme.Glyphs.Down + " following")
	}
	var tees []int
	if m.shape.lines == 1 {
		tees = m.tees()
	}
	return widget.Rule(m.w, m.theme.Glyphs.TeeUp, tees, text, m.theme)
}

// placard puts the text for an empty list into the lines of the rows.
func (m *Model) placard(lines []string) {
	from := m.shape.above + max(0, (m.shape.rows*m.shape.lines-len(m.empty))/2)
	for i, text := range m.empty {
		if from+i < len(lines) {
			text = widget.Truncate(text, m.w-2, m.theme.Glyphs.Ellipsis)
			lines[from+i] = widget.Space((m.w-widget.Width(text))/2) + m.theme.Dim.Render(text)
		}
	}
}

// rowLines is the lines of the row at a position: blank past the end, nearly so
// where the row is not here yet, and of the list before until this one answers.
func (m *Model) rowLines(pos int) []string {
	i := pos - m.first
	here := i >= 0 && i < len(m.page)
	if pos >= m.length && (m.fresh || !here) {
		return make([]string, m.shape.lines)
	}
	if !here {
		return append([]string{m.gutter(pos, nil)}, make([]string, m.shape.lines-1)...)
	}
	if m.lines[i] == nil {
		m.lines[i] = m.draw(&m.page[i])
	}
	out := slices.Clone(m.lines[i])
	out[0] = m.gutter(pos, &m.page[i]) + out[0]
	return out
}

// gutter is the row's first cells. The focus is shown here only: moving it then
// costs a few bytes, where a highlighted row would cost two lines.
func (m *Model) gutter(pos int, r *flowpb.Row) string {
	g := m.theme.Glyphs
	focus := " "
	first, last, ranged := m.Range()
	switch {
	case pos == m.pos:
		focus = m.theme.Focus.Render(g.Focus)
	case ranged && pos >= first && pos <= last:
		focus = m.theme.Select.Render(g.Select)
	}
	return focus + m.signs(r)
}

func (m *Model) signs(r *flowpb.Row) string {
	g := m.theme.Glyphs
	if r == nil {
		return m.theme.Dim.Render(g.Pending) + " "
	}
	note, replay := " ", " "
	switch {
	case r.Marked != "":
		note = m.theme.Mark.Render(g.Mark)
	case r.Comment != "" || len(r.Tags) > 0:
		note = m.theme.Mark.Render(g.Comment)
	}
	if r.Replay != flowpb.ReplayNone {
		replay = m.theme.Info.Render(g.Replay)
	}
	return note + replay
}

// draw is the row without its gutter.
func (m *Model) draw(r *flowpb.Row) []string {
	if m.shape.lines == 2 {
		return m.drawTwo(r)
	}
	rule := m.theme.Rule.Render(m.theme.Glyphs.V)
	var b strings.Builder
	for _, i := range m.shape.visible {
		b.WriteString(rule)
		if i == cellHost {
			b.WriteString(" " + widget.Pad(m.address(r, m.shape.address-1), m.shape.address-1, ""))
			continue
		}
		text, style := columns[i].text(m, r)
		b.WriteString(m.fixed(text, style, columns[i].width, columns[i].right))
	}
	return []string{b.String()}
}

func (m *Model) fixed(text string, style lipgloss.Style, w int, right bool) string {
	tail := m.theme.Glyphs.Ellipsis
	if right {
		text = widget.Truncate(text, w, tail)
		return widget.Space(w-widget.Width(text)) + style.Render(text)
	}
	// The last cell of a column that stands on the left stays blank.
	text = widget.Truncate(text, w-1, tail)
	return style.Render(text) + widget.Space(w-widget.Width(text))
}

// address is host and path in at most w cells; the path keeps at least a third.
func (m *Model) address(r *flowpb.Row, w int) string {
	tail := m.theme.Glyphs.Ellipsis
	host, hostStyle := hostText(m, r)
	path, pathStyle := pathText(m, r)
	if path == "" {
		return hostStyle.Render(widget.Truncate(host, w, tail))
	}
	room := max(w*2/3, w-1-widget.Width(path))
	host = widget.Truncate(host, room, tail)
	path = widget.Truncate(path, w-1-widget.Width(host), tail)
	return hostStyle.Render(host) + " " + pathStyle.Render(path)
}

// twoLineWidth is the width of a column in the second line of a row: numbers
// need no blank before them there, and texts bring the one behind them.
func (m *Model) twoLineWidth(i int) int {
	if columns[i].right {
		return columns[i].width - 1
	}
	return columns[i].width
}

// drawTwo is a row on a narrow screen: what it is, and below how it went.
func (m *Model) drawTwo(r *flowpb.Row) []string {
	w := max(1, m.w-gutterWidth)
	method, style := methodText(m, r)
	method = widget.Truncate(method, 7, m.theme.Glyphs.Ellipsis)
	first := style.Render(method) + " " + m.address(r, max(1, w-1-widget.Width(method)))
	second := widget.Space(gutterWidth)
	cells := []int{5, 7, 8, 6, 1} // status, size, duration, type, time
	if m.several {
		cells = []int{5, 8, cellSession, 1, 7, 6}
	}
	for _, i := range cells {
		text, style := columns[i].text(m, r)
		second += m.fixed(text, style, m.twoLineWidth(i), columns[i].right) + " "
	}
	return []string{widget.Truncate(first, w, ""), widget.Truncate(second, m.w, "")}
}
