package flowdetail

import (
	"context"
	"fmt"
	"regexp"
	"sort"

	tea "charm.land/bubbletea/v2"

	"weir/tui/content"
	"weir/tui/flowdetail/stream"
	"weir/tui/widget"
)

// search is what the user looks for in the panes.
type search struct {
	input   widget.Input
	typing  bool
	history []string

	text    string
	needle  *stream.Needle // nil: nothing is looked for
	asked   uint64         // the newest look at what is shown
	hits    []content.Hit
	current int   // index in hits, -1 for none
	started int   // the line from which typing searches
	eager   bool  // the first hit is to be shown
	looking bool  // hits are awaited, and if there are none
	onward  bool  // what is not shown is to be searched
	then    after // where to go when the hits are known

	walking  uint64 // the walk through what is not shown; 0: none
	scope    widget.Async
	cancel   context.CancelFunc
	progress int  // per cent of the walk
	turned   bool // the other side of the window has been walked before
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
	s.looking, s.onward = false, false
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
			m.endTyping()
			return m.seek("")
		case "enter":
			m.endTyping()
			s.onward = s.looking
			if !s.looking && len(s.hits) == 0 && s.needle != nil {
				return m.beyond(1)
			}
			return nil
		case "up":
			return m.recall(-1)
		case "down":
			return m.recall(1)
		}
	}
	if !s.input.Update(msg) {
		return nil
	}
	return m.seek(s.input.Value())
}

// recall looks for an older (-1) or newer (1) text of the history.
func (m *Model) recall(step int) tea.Cmd {
	if !m.search.input.Walk(step) {
		return nil
	}
	return m.seek(m.search.input.Value())
}

// endTyping closes the input line; its text stays in the history.
func (m *Model) endTyping() {
	s := &m.search
	s.typing = false
	s.history = widget.Remember(s.history, s.input.Value(), maxHistory)
}

// seek looks for another text from where the search was begun.
func (m *Model) seek(text string) tea.Cmd {
	s := &m.search
	m.stop()
	s.text, s.needle, s.hits, s.current = text, nil, nil, -1
	s.eager, s.looking, s.onward = true, false, false
	if text != "" {
		s.needle = stream.NewNeedle(text)
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
	s.asked, s.looking = m.generation, true
	p, re := m.pane(), s.needle.Re
	docs := p.docs
	var hex *content.Input
	if b := p.body; b != nil && b.loaded && b.shown.View == "hex" {
		in := b.input(b.part, b.columns)
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
	then, eager, onward := s.then, s.eager, s.onward
	s.hits, s.then, s.eager, s.looking, s.onward = msg.hits, after{}, false, false, false
	s.current = min(s.current, len(s.hits)-1)
	switch {
	case len(s.hits) == 0:
		m.pane().pager.SetHits(nil, -1)
		if onward {
			return m.beyond(1)
		}
		return nil
	case then.kind == nextHit:
		m.jump(min(then.hit, len(s.hits)-1))
	case then.kind == atHit:
		m.jump(m.hitFrom(m.lineOf(then.offset)))
	case eager:
		m.jump(m.hitFrom(s.started))
	default:
		m.pane().pager.SetHits(s.hits, s.current)
		return nil
	}
	return m.extend()
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
	if s.current < 0 && len(s.hits) > 0 {
		m.jump(m.hitFrom(m.pane().pager.Line()))
		return m.extend()
	}
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
	ahead := step > 0 || b.part.Base == 0
	if w := m.leg(b, ahead, step < 0); w != nil {
		return m.start(w, false)
	}
	if w := m.leg(b, !ahead, step < 0); w != nil {
		return m.start(w, true)
	}
	return m.wrapped(step)
}

// leg is the walk through what comes behind the window, or before it; nil if
// there is nothing.
func (m *Model) leg(b *body, ahead, last bool) *stream.Walk {
	switch {
	case ahead && b.part.More:
		return &stream.Walk{Origin: b.source(), Needle: m.search.needle, From: max(0, b.part.End()-stream.Overlap), To: -1, Known: b.part.End(), Last: last}
	case !ahead && b.part.Base > 0:
		return &stream.Walk{Origin: b.source(), Needle: m.search.needle, To: b.part.Base, Last: last}
	}
	return nil
}

// wrapped goes on in the other messages, or at the other end of what is shown.
func (m *Model) wrapped(step int) tea.Cmd {
	if m.tab == tabMessages && m.hasMessages() {
		return m.beginHunt(step)
	}
	return m.around(step)
}

// around goes on at the other end of what is shown.
func (m *Model) around(step int) tea.Cmd {
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
	return m.extend()
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
