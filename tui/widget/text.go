package widget

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Width is the cells that one line of text occupies, styles not counted.
func Width(s string) int {
	if plain(s) {
		return len(s)
	}
	return ansi.StringWidth(s)
}

// Truncate cuts one line to at most w cells, styles kept, and ends it in tail
// where something was cut.
func Truncate(s string, w int, tail string) string {
	if w <= 0 {
		return ""
	}
	if Width(s) <= w {
		return s
	}
	if Width(tail) > w {
		tail = ""
	}
	return ansi.Truncate(s, w, tail)
}

// TruncateLeft cuts one line to at most w cells by leaving out its start.
func TruncateLeft(s string, w int, head string) string {
	over := Width(s) - w
	switch {
	case w <= 0:
		return ""
	case over <= 0:
		return s
	case Width(head) >= w:
		head = ""
	}
	return head + from(s, over+Width(head))
}

// from is one line from cell x on; half a wide character there becomes a blank.
func from(s string, x int) string {
	rest, want := ansi.TruncateLeft(s, x, ""), max(0, Width(s)-x)
	if Width(rest) > want {
		rest = " " + ansi.TruncateLeft(s, x+1, "")
	}
	return PadLeft(rest, want, "")
}

// Pad makes one line exactly w cells wide: cut with tail, or filled up at its end.
func Pad(s string, w int, tail string) string {
	s = Truncate(s, w, tail)
	return s + Space(w-Width(s))
}

// PadLeft makes one line exactly w cells wide: cut with tail, or filled up at its start.
func PadLeft(s string, w int, tail string) string {
	s = Truncate(s, w, tail)
	return Space(w-Width(s)) + s
}

// Space is n blanks, none for a negative n.
func Space(n int) string {
	return strings.Repeat(" ", max(0, n))
}

// Spread puts left and right at the two ends of a line of w cells. Where both do
// not fit with a blank between, the right end goes.
func Spread(left, right string, w int, tail string) string {
	if right == "" || Width(left)+1+Width(right) > w {
		return Pad(left, w, tail)
	}
	return left + Space(w-Width(left)-Width(right)) + right
}

// Fit makes text exactly h lines of at most w cells each.
func Fit(text string, w, h int) string {
	if h <= 0 {
		return ""
	}
	lines := strings.Split(text, "\n")
	if len(lines) > h {
		lines = lines[:h]
	}
	for i, line := range lines {
		lines[i] = Truncate(line, w, "")
	}
	for len(lines) < h {
		lines = append(lines, "")
	}
	return strings.Join(lines, "\n")
}
