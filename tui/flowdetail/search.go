package flowdetail

import (
	"context"
	"fmt"
	"regexp"
	"sort"

	tea "charm.land/bubbletea/v2"

	"weir/tui/content"
	"weir/tui/widget"
)

// search is what the user looks for in the panes.
type search struct {
	input   widget.Input
	typing  bool
	history []string

	text    string
	needle  *needle // nil: nothing is looked for
	asked   uint64         // the newest look at what is shown
	hits    []content.Hit
	current int   // index in hits, -1 for none
	started int   // the line from which typing searches
	then    after // where to go when the hits are known

	walking  uint64 // the walk through what is not shown; 0: none
	scope    widget.Async
	cancel   context.CancelFunc
	progress int // per cent of the walk
}

// found is the answer to a look at what a pane shows.
type found struct {
	opened, asked uint64
	tab           tabID
	hits          []content.Hit
}

func newSearch() search {
	return search{input: widget.NewInput(), current: -1, cancel: func() {}}
}

// leave forgets what belongs to the flow that was open. What is looked for stays.
func (s *search) leave() {
	s.cancel()
	s.walking, s.hits, s.current, s.then = 0, nil, -1, after{}
}

// beginSearch opens the input line.
func (m *Model) beginSearch() {
	m.search.typing = true
	m.search.input.SetHistory(m.search.history)
	m.search.input.SetValue("")
	m.search.started = m.pane().pager.Line()
	m.notice = ""
}

// searchKey takes a key or a paste while the input line is open.
func (m *Model) searchKey(msg tea.Msg) tea.Cmd {
	s := &m.search
	if press, ok := msg.(tea.KeyPressMsg); ok {
		switch press.String() {
		case "esc", "ctrl+c":
			s.typing = false
			return m.seek("")
		case "enter":
			s.typing = false
			s.history = widget.Remember(s.history, s.input.Value(), 100)
			if len(s.hits) == 0 && s.needle != nil {
				return m.beyond(1)
			}
			return nil
		}
	}
	if !s.input.Update(msg) {
		return nil
	}
	return m.seek(s.input.Value())
}

// seek looks for another text from where the search was begun.
func (m *Model) seek(text string) tea.Cmd {
	s := &m.search
	m.stop()
	s.text, s.needle, s.hits, s.current = text, nil, nil, -1
	if text != "" {
		s.needle = newNeedle(text)
	}
	for tab := range m.stale {
		m.stale[tab] = true
		m.panes[tab].pager.SetHits(nil, -1)
	}
	return m.look()
}

// look asks where the documents of the pane match, if that is not known yet.
func (m *Model) look() tea.Cmd {
	s := &m.search
	if s.needle == nil || !m.stale[m.tab] {
		return nil
	}
	m.stale[m.tab] = false
	m.generation++
	s.asked = m.generation
	p, re := m.pane(), s.needle.re
	docs := p.documents()
	var hex *content.Input
	if b := p.body; b != nil && b.loaded && b.shown.View == "hex" {
		in := b.part.input("", nil, b.columns)
		hex = &in
	}
	answer := found{opened: m.opened, asked: s.asked, tab: m.tab}
	return m.scope.Do(func(context.Context) tea.Msg {
		answer.hits = hitsIn(docs, hex, re)
		return answer
	})
}

// hitsIn searches documents, counting their lines together. Of a hex dump it is
// the bytes that are searched, not the digits.
func hitsIn(docs []*content.Document, hex *content.Input, re *regexp.Regexp) []content.Hit {
	var all []content.Hit
	above := 0
	for i, d := range docs {
		var hits []content.Hit
		if hex != nil && i == len(docs)-1 {
			hits = content.FindHex(*hex, re, maxHits-len(all))
		} else if d != nil {
			hits = d.Find(re, maxHits-len(all))
		}
		for _, h := range hits {
			h.Line += above
			all = append(all, h)
		}
		above += d.Len()
	}
	return all
}

// found takes the hits in what is shown and goes to the one that is wanted.
func (m *Model) found(msg found) tea.Cmd {
	s := &m.search
	if msg.opened != m.opened || msg.asked != s.asked || msg.tab != m.tab {
		return nil
	}
	before := s.current >= 0
	then := s.then
	s.hits, s.then = msg.hits, after{}
	if len(s.hits) == 0 {
		s.current = -1
		m.pane().pager.SetHits(nil, -1)
		return nil
	}
	switch {
	case then.kind == nextHit:
		m.jump(min(then.hit, len(s.hits)-1))
	case then.kind == atHit:
		m.jump(m.hitFrom(m.lineOf(then.offset)))
	case before && !s.typing:
		s.current = min(s.current, len(s.hits)-1)
		m.pane().pager.SetHits(s.hits, s.current)
	default:
		m.jump(m.hitFrom(s.started))
	}
	return nil
}

// lineOf is the pager's line that shows an offset of the body.
func (m *Model) lineOf(offset int64) int {
	p := m.pane()
	if p.body == nil {
		return 0
	}
	return p.pager.Lines() - p.body.shown.Doc.Len() + p.body.shown.Doc.LineAt(offset)
}

// hitFrom is the first hit at a line or below, else the first of all.
func (m *Model) hitFrom(line int) int {
	i := sort.Search(len(m.search.hits), func(i int) bool { return m.search.hits[i].Line >= line })
	if i == len(m.search.hits) {
		return 0
	}
	return i
}

// jump makes a hit the current one and shows it.
func (m *Model) jump(i int) {
	s := &m.search
	s.current = i
	p := m.pane()
	p.pager.SetHits(s.hits, i)
	p.pager.Reveal(s.hits[i].Line, s.hits[i].From)
}

// nextHit goes to the next hit (1) or the one before (-1).
func (m *Model) nextHit(step int) tea.Cmd {
	s := &m.search
	m.notice = ""
	if i := s.current + step; s.current >= 0 && i >= 0 && i < len(s.hits) {
		m.jump(i)
		return m.extend()
	}
	return m.beyond(step)
}

// beyond searches what is not shown, first in the direction of the search, then
// from the other end.
func (m *Model) beyond(step int) tea.Cmd {
	b := m.pane().body
	if b == nil || !b.loaded || b.loading {
		return m.wrapped(step)
	}
	w := &walk{origin: b.source(), needle: m.search.needle, to: -1, known: b.end(), from: max(0, b.end()-overlap), last: step < 0}
	before := &walk{origin: b.source(), needle: m.search.needle, to: b.part.base, last: step < 0}
	switch {
	case step > 0 && b.part.more, step < 0 && b.part.base == 0 && b.part.more:
		return m.start(w)
	case b.part.base > 0:
		return m.start(before)
	}
	return m.wrapped(step)
}

// wrapped goes on at the other end of what is shown.
func (m *Model) wrapped(step int) tea.Cmd {
	s := &m.search
	switch {
	case len(s.hits) == 0:
		m.notice = "not found: " + widget.Sanitize(s.text)
	case step > 0:
		m.jump(0)
		m.notice = "the search went on at the top"
	default:
		m.jump(len(s.hits) - 1)
		m.notice = "the search went on at the end"
	}
	return nil
}

// walked takes the report of a step through what is not shown.
func (m *Model) walked(msg walked) tea.Cmd {
	s := &m.search
	if msg.opened != m.opened || msg.asked != s.walking {
		return nil
	}
	w := msg.walk
	s.progress = int(100 * w.passed / max(1, w.origin.size))
	switch {
	case msg.err != nil:
		m.stop()
		m.notice = "the body cannot be read: " + widget.Sanitize(msg.err.Error())
		return nil
	case !msg.done:
		return m.step(w)
	}
	m.stop()
	switch {
	case w.needle == nil:
		return m.showEnd(msg.size)
	case msg.match >= 0:
		return m.arrive(msg.match)
	case w.to < 0 && m.pane().body != nil && m.pane().body.part.base > 0:
		return m.start(&walk{origin: w.origin, needle: w.needle, to: m.pane().body.part.base, last: w.last})
	}
	step := 1
	if w.last {
		step = -1
	}
	return m.wrapped(step)
}

// arrive loads the window that shows a match which is not shown yet.
func (m *Model) arrive(offset int64) tea.Cmd {
	b := m.pane().body
	if b == nil {
		return nil
	}
	if !b.windowed() && offset+firstWindow <= fullWindow {
		return m.load(m.tab, b, window{size: int(offset) + firstWindow}, after{kind: nextHit, hit: len(m.search.hits)})
	}
	if !b.windowed() {
		m.notice = fmt.Sprintf("byte %s is beyond what %s shows: this is raw", widget.Group(uint64(offset)), b.name())
		b.view = "raw"
	}
	base := max(0, offset-firstWindow/4) &^ 15
	return m.load(m.tab, b, window{base: base, size: firstWindow, ragged: true}, after{kind: atHit, offset: offset})
}
