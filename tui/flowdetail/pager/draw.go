package pager

import (
	"sort"
	"strings"

	"charm.land/lipgloss/v2"

	"weir/tui/content"
	"weir/tui/theme"
)

// Styles is the style of each kind of text.
type Styles struct {
	kinds          [content.Fault + 1]lipgloss.Style
	match, current lipgloss.Style
}

// NewStyles takes the styles from a theme.
func NewStyles(t *theme.Theme) Styles {
	s := Styles{match: t.Match, current: t.TabOn}
	s.kinds = [...]lipgloss.Style{
		content.Plain: t.Text, content.Dim: t.Dim, content.Key: t.Field, content.String: t.String,
		content.Number: t.Number, content.Keyword: t.Keyword, content.Punct: t.Punct, content.Tag: t.Keyword,
		content.Comment: t.Comment, content.Escape: t.Escape, content.Fault: t.Warn,
	}
	return s
}

// View draws the window: as many lines as it is high, none wider than it.
func (p *Pager) View(s Styles) string {
	var b strings.Builder
	line, row := p.line, p.row
	for i := range p.h {
		if i > 0 {
			b.WriteByte('\n')
		}
		if line < 0 || line >= p.Lines() {
			continue
		}
		p.draw(&b, s, line, row)
		line, row = p.next(line, row)
	}
	return b.String()
}

// draw writes one row of a line.
func (p *Pager) draw(b *strings.Builder, s Styles, line, row int) {
	doc, i := p.Locate(line)
	rows := wrap(p.docs[doc].Text(i), p.w)
	from, to := rows[row], int(^uint(0)>>1)
	if row+1 < len(rows) {
		to = rows[row+1]
	}
	at := 0
	first := sort.Search(len(p.hits), func(i int) bool { return p.hits[i].Line >= line })
	for _, span := range p.docs[doc].Line(i) {
		end := at + len(span.Text)
		if end > from && at < to {
			lo, hi := max(at, from), min(end, to)
			p.span(b, s, line, first, lo, span.Text[lo-at:hi-at], s.kinds[min(span.Kind, content.Fault)])
		}
		at = end
	}
}

// span writes a piece of text of one kind that begins at a byte of a line, and
// highlights the hits in it, of which the line's first is given.
func (p *Pager) span(b *strings.Builder, s Styles, line, hit, at int, text string, style lipgloss.Style) {
	for ; hit < len(p.hits) && p.hits[hit].Line == line && text != ""; hit++ {
		from := min(max(p.hits[hit].From-at, 0), len(text))
		to := min(max(p.hits[hit].To-at, 0), len(text))
		if from >= to {
			continue
		}
		ink(b, style, text[:from])
		mark := s.match
		if hit == p.current {
			mark = s.current
		}
		b.WriteString(mark.Render(text[from:to]))
		at += to
		text = text[to:]
	}
	ink(b, style, text)
}

// ink writes text in a style that colours letters only, so that blanks, of which
// pretty views are full, need none of its bytes on the line.
func ink(b *strings.Builder, style lipgloss.Style, text string) {
	letters := strings.TrimLeft(text, " ")
	b.WriteString(text[:len(text)-len(letters)])
	if letters != "" {
		b.WriteString(style.Render(letters))
	}
}
