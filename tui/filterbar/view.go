package filterbar

import (
	"strconv"
	"strings"

	"weir/tui/widget"
)

const label = " filter "

// View draws the line.
func (m *Model) View() string {
	line, _ := m.draw()
	return line
}

// Cursor is the cell in which the next character goes, while the line is typed in.
func (m *Model) Cursor() (x int, ok bool) {
	_, x = m.draw()
	return x, m.typing
}

func (m *Model) draw() (line string, cursor int) {
	t := m.theme
	head := t.Dim.Render(label) + t.Key.Render(t.Glyphs.Prompt) + " "
	room := max(0, m.w-widget.Width(head))
	if !m.typing {
		text := t.Text.Render(widget.Sanitize(m.applied))
		switch {
		case m.applied == "":
			text = t.Dim.Render("/ to filter")
		case m.off:
			text = t.Dim.Render(widget.Sanitize(m.applied) + "  (off, * switches it on)")
		}
		return widget.Truncate(head+widget.Spread(text, m.status()+" ", room, t.Glyphs.Ellipsis), m.w, ""), 0
	}
	right := m.status()
	if m.wrong != nil {
		right = t.Error.Render(t.Glyphs.Wrong + " " + widget.Sanitize(m.wrong.Msg))
	} else if len(m.comp.items) > 0 {
		right = m.completing()
	}
	// The text being typed has precedence, and at least a third of the line.
	typed := widget.Width(widget.Sanitize(m.input.Value())) + 1
	w := max(room/3, min(typed, room))
	right = widget.Truncate(right, room-w-2, t.Glyphs.Ellipsis)
	var from, to int
	if m.wrong != nil {
		from, to = m.wrong.Pos, m.wrong.End
		if from == 0 && to == 0 {
			to = min(1, len(m.input.Value()))
		}
	}
	text, at := m.input.View(w, t, from, to)
	line = head + widget.Spread(text, right+" ", room, "")
	return widget.Truncate(line, m.w, ""), min(widget.Width(head)+at, max(0, m.w-1))
}

// completing is the item that tab has put in, and how many there are.
func (m *Model) completing() string {
	item := m.comp.items[m.comp.at]
	place := strconv.Itoa(m.comp.at+1) + "/" + strconv.Itoa(len(m.comp.items))
	return m.theme.Dim.Render(strings.TrimSpace(place + "  " + widget.Sanitize(item.Help)))
}

// status is how the filter runs and what it found.
func (m *Model) status() string {
	t, p := m.theme, m.progress
	parts := make([]string, 0, len(m.tags)+2)
	for _, tag := range m.tags {
		parts = append(parts, t.Mark.Render(tag))
	}
	switch {
	case p.How == "":
	case p.Building:
		doing := "scanning " + p.How
		if m.Shown() == "" {
			doing = "sorting" // there is nothing to look for
		}
		parts = append(parts, t.Warn.Render(doing+" "+strconv.Itoa(p.Percent)+" %"))
	case m.Shown() != "":
		parts = append(parts, t.Dim.Render(p.How+" ")+t.Good.Render(t.Glyphs.Good))
	}
	if m.Shown() != "" && p.How != "" {
		parts = append(parts, widget.Group(uint64(max(0, p.Hits)))+t.Dim.Render(" hits"))
	}
	return strings.Join(parts, "  ")
}

// Hint is what to write instead of what is wrong, "" where nobody knows.
func (m *Model) Hint() string {
	if m.wrong == nil {
		return ""
	}
	return widget.Sanitize(m.wrong.Hint)
}

// Invalid is the message of the error in the text, "" if it parses.
func (m *Model) Invalid() string {
	if m.wrong == nil {
		return ""
	}
	return widget.Sanitize(m.wrong.Msg)
}
