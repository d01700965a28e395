package pager

import "github.com/charmbracelet/x/ansi"

// wrap returns where the rows of a line begin, in bytes, when a row has at most w
// cells. There is always a first row, and a character wider than w has its own.
func wrap(text string, w int) []int {
	w = max(1, w)
	rows := []int{0}
	if ascii(text) {
		for at := w; at < len(text); at += w {
			rows = append(rows, at)
		}
		return rows
	}
	used := 0
	for at := 0; at < len(text); {
		cluster, width := ansi.FirstGraphemeCluster(text[at:], ansi.GraphemeWidth)
		if len(cluster) == 0 {
			break
		}
		if used > 0 && used+width > w {
			rows = append(rows, at)
			used = 0
		}
		used += width
		at += len(cluster)
	}
	return rows
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
