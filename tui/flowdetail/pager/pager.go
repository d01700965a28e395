package pager

import (
	"sort"

	"weir/tui/content"
)

// Pager is a window over documents. The zero value has no size and shows nothing.
type Pager struct {
	w, h      int
	docs      []*content.Document
	line, row int // the first row shown: of all lines, and of its rows
	hits      []content.Hit
	current   int // index in hits, -1 for none
}

// SetSize sets the window in cells.
func (p *Pager) SetSize(w, h int) {
	if w != p.w {
		p.row = 0
	}
	p.w, p.h = max(1, w), max(0, h)
	p.settle()
}

// SetDocuments replaces what is shown; nil documents have no lines. The position
// stays as far as there are lines. The hits go, as they are about other lines.
func (p *Pager) SetDocuments(docs ...*content.Document) {
	p.docs = docs
	p.SetHits(nil, -1)
	p.settle()
}

// SetHits says which places to highlight, in order, by lines of all documents
// counted together, and which of them is the current one.
func (p *Pager) SetHits(hits []content.Hit, current int) {
	p.hits, p.current = hits, current
}

// Lines is the number of lines of all documents.
func (p *Pager) Lines() int {
	n := 0
	for _, d := range p.docs {
		n += d.Len()
	}
	return n
}

// Line is the first line that is shown, at least in part.
func (p *Pager) Line() int { return p.line }

// Locate returns the document a line belongs to and its number there.
func (p *Pager) Locate(line int) (doc, i int) {
	for doc, d := range p.docs {
		if line < d.Len() {
			return doc, line
		}
		line -= d.Len()
	}
	return len(p.docs) - 1, 0
}

// Last is the last line that is shown, at least in part.
func (p *Pager) Last() int {
	line, left := p.line, p.h+p.row
	for line < p.Lines() {
		left -= len(wrap(p.text(line), p.w))
		if left <= 0 {
			return line
		}
		line++
	}
	return max(0, p.Lines()-1)
}

// Scroll moves the window by rows, down for a positive number, and stops when
// the last row is at its foot.
func (p *Pager) Scroll(rows int) {
	switch {
	case rows > 0:
		p.down(rows)
	case rows < 0:
		p.up(-rows)
	}
}

// Goto shows a line at the head of the window, or as near as the end allows.
func (p *Pager) Goto(line int) {
	p.line, p.row = min(max(0, line), max(0, p.Lines()-1)), 0
	p.settle()
}

// Reveal moves the window so that a byte of a line is in it, with some rows
// around it, and not at all if it is already.
func (p *Pager) Reveal(line, at int) {
	row := p.rowOf(line, at)
	l, r := p.line, p.row
	for range p.h {
		if l == line && r == row {
			return
		}
		if l, r = p.next(l, r); l < 0 {
			break
		}
	}
	p.line, p.row = line, row
	p.up(p.h / 3)
	p.settle()
}

// End shows the last rows.
func (p *Pager) End() {
	p.line = max(0, p.Lines()-1)
	p.row = 0
	if p.Lines() > 0 {
		p.row = len(wrap(p.text(p.line), p.w)) - 1
	}
	p.up(p.h - 1)
}

// AtEnd reports whether the last row is in sight.
func (p *Pager) AtEnd() bool {
	l, r := p.line, p.row
	for range p.h {
		if l, r = p.next(l, r); l < 0 {
			return true
		}
	}
	return false
}

func (p *Pager) down(rows int) {
	for range rows {
		l, r := p.next(p.line, p.row)
		if l < 0 {
			break
		}
		p.line, p.row = l, r
	}
	p.settle()
}

func (p *Pager) up(rows int) {
	for range rows {
		switch {
		case p.row > 0:
			p.row--
		case p.line > 0:
			p.line--
			p.row = len(wrap(p.text(p.line), p.w)) - 1
		default:
			return
		}
	}
}

// next returns the row after a row, -1 behind the last.
func (p *Pager) next(line, row int) (int, int) {
	if line >= p.Lines() {
		return -1, 0
	}
	if row+1 < len(wrap(p.text(line), p.w)) {
		return line, row + 1
	}
	if line+1 < p.Lines() {
		return line + 1, 0
	}
	return -1, 0
}

// settle moves the window back to where there are lines, and up until it is full.
func (p *Pager) settle() {
	n := p.Lines()
	if n == 0 {
		p.line, p.row = 0, 0
		return
	}
	if p.line >= n {
		p.line, p.row = n-1, 0
	}
	p.row = min(p.row, len(wrap(p.text(p.line), p.w))-1)
	shown := 1
	for l, r := p.line, p.row; shown < p.h; shown++ {
		if l, r = p.next(l, r); l < 0 {
			p.up(p.h - shown)
			return
		}
	}
}

func (p *Pager) text(line int) string {
	doc, i := p.Locate(line)
	if doc < 0 || i >= p.docs[doc].Len() {
		return ""
	}
	return p.docs[doc].Text(i)
}

// rowOf returns the row of a line in which a byte of it stands.
func (p *Pager) rowOf(line, at int) int {
	rows := wrap(p.text(line), p.w)
	return max(0, sort.SearchInts(rows, at+1)-1)
}
