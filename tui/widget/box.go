package widget

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"weir/tui/theme"
)

// Box draws lines in a frame with a title, w cells wide in all and two lines
// higher than there are lines.
func Box(title string, lines []string, w int, t *theme.Theme) string {
	g := t.Glyphs
	inner := max(0, w-4)
	head := Truncate(title, max(0, inner-2), g.Ellipsis)
	top := t.Rule.Render(g.Corner[0]+g.H) + " " + t.Title.Render(head) + " " +
		t.Rule.Render(strings.Repeat(g.H, max(0, w-5-Width(head)))+g.Corner[1])
	var b strings.Builder
	b.WriteString(Truncate(top, w, ""))
	side := t.Rule.Render(g.V)
	for _, line := range lines {
		b.WriteString("\n" + Truncate(side+" "+Pad(line, inner, g.Ellipsis)+" "+side, w, ""))
	}
	bottom := g.Corner[2] + strings.Repeat(g.H, max(0, w-2)) + g.Corner[3]
	b.WriteString("\n" + Truncate(t.Rule.Render(bottom), w, ""))
	return b.String()
}

// Overlay lays a block of text over a screen, its top left corner at cell x, line y.
func Overlay(screen, block string, x, y int) string {
	lines := strings.Split(screen, "\n")
	for i, part := range strings.Split(block, "\n") {
		if y+i < 0 || y+i >= len(lines) {
			continue
		}
		line := lines[y+i]
		left := Pad(ansi.Truncate(line, x, ""), x, "")
		lines[y+i] = left + part + from(line, x+Width(part))
	}
	return strings.Join(lines, "\n")
}

// Rule is a horizontal line of w cells with a tee at each of the columns given
// (cells, ascending), and text, if any, near its right end.
func Rule(w int, tee string, columns []int, text string, t *theme.Theme) string {
	cells := make([]string, max(0, w))
	for i := range cells {
		cells[i] = t.Glyphs.H
	}
	for _, c := range columns {
		if c >= 0 && c < len(cells) {
			cells[c] = tee
		}
	}
	line := strings.Join(cells, "")
	if text == "" || Width(text)+6 > w {
		return t.Rule.Render(line)
	}
	end := w - 3
	start := end - Width(text) - 2
	return t.Rule.Render(strings.Join(cells[:start], "")) + " " + text + " " +
		t.Rule.Render(strings.Join(cells[end:], ""))
}

// Window returns the first of h lines to show of n, so that line at is in sight
// and the window moves no more than it must from top.
func Window(top, at, n, h int) int {
	if at < top {
		top = at
	}
	if at >= top+h {
		top = at - h + 1
	}
	return max(0, min(top, n-h))
}
