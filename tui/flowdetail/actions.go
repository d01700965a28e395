package flowdetail

import (
	tea "charm.land/bubbletea/v2"

	"weir/tui/content"
	"weir/tui/flowdetail/stream"
	"weir/tui/widget"
)

// moveTab goes to the next tab, or to the one before, round the ends.
func (m *Model) moveTab(step int) tea.Cmd {
	tabs := m.tabs()
	for i, tab := range tabs {
		if tab == m.tab {
			return m.SelectTab(tabs[(i+step+len(tabs))%len(tabs)].title())
		}
	}
	return nil
}

// Tab is the title of the tab that is shown.
func (m *Model) Tab() string { return m.tab.title() }

// SelectTab shows the tab of that title, if the flow has it.
func (m *Model) SelectTab(title string) tea.Cmd {
	for _, tab := range m.tabs() {
		if tab.title() != title {
			continue
		}
		m.stop()
		m.tab, m.notice = tab, ""
		m.search.current, m.search.hits = -1, nil
		m.search.started = m.pane().pager.Line()
		m.stale[tab] = true
		m.resize()
		return tea.Batch(m.ensure(), m.ensureMessages(false))
	}
	return nil
}

// top goes to the beginning, and so brings the window back to it.
func (m *Model) top() tea.Cmd {
	m.notice = ""
	p := m.pane()
	if b := p.body; b != nil && b.loaded && (b.part.Base > 0 || b.loading && b.base > 0) {
		return m.load(m.tab, b, window{size: firstWindow}, after{kind: atTop})
	}
	p.pager.Goto(0)
	return nil
}

// bottom goes to the end of what is shown, or in a windowed view to the end of
// the body. The end of decoded content is only known to who walks there.
func (m *Model) bottom() tea.Cmd {
	m.notice = ""
	p := m.pane()
	b := p.body
	if b == nil || !b.loaded || !b.part.More || !b.windowed() {
		p.pager.End()
		return m.extend()
	}
	if o := b.source(); len(o.Codings) > 0 {
		return m.start(&stream.Walk{Origin: o, To: -1}, false)
	}
	return m.showEnd(b.origin.Size)
}

// showEnd loads the last window of content of that size.
func (m *Model) showEnd(size int64) tea.Cmd {
	b := m.pane().body
	if b == nil {
		return nil
	}
	base := max(0, size-firstWindow+15) &^ 15
	return m.load(m.tab, b, window{base: base, size: firstWindow, ragged: true}, after{kind: atEnd})
}

// toggleBody shows the body from its first line, or all from the head's.
func (m *Model) toggleBody() tea.Cmd {
	m.notice = ""
	m.atBody = !m.atBody
	if !m.atBody {
		return m.top()
	}
	p := m.pane()
	switch b := p.body; {
	case !b.loaded:
		b.follow = after{kind: atOffset}
	case b.part.Base > 0:
		return m.load(m.tab, b, window{size: firstWindow}, after{kind: atOffset})
	default:
		p.pager.Goto(p.pager.Lines() - b.shown.Doc.Len())
	}
	return nil
}

func (m *Model) chooseView() tea.Cmd {
	items := []widget.Item{{Key: "a", Name: content.Auto, Text: "auto        whatever fits"}}
	for i, v := range content.Views() {
		key := string("123456789bcdefghi"[i])
		items = append(items, widget.Item{Key: key, Name: v.Name, Text: widget.Pad(v.Name, 11, "") + " " + v.Help})
	}
	m.menu = widget.NewMenu("View the body as", items, m.pane().body.view)
	m.choose = m.setView
	return nil
}

// setView shows the body in another view, where it was if that is possible.
func (m *Model) setView(name string) tea.Cmd {
	b := m.pane().body
	if b == nil {
		return nil
	}
	var at int64
	w := window{size: firstWindow}
	if b.loaded && b.windowed() {
		first, _ := m.bodyLines()
		at, w.base, w.ragged = b.offset(first), b.part.Base&^15, true
	}
	then := m.bodyStart()
	if b.view = name; !b.windowed() {
		return m.load(m.tab, b, window{size: firstWindow}, then)
	}
	if then.kind == atOffset {
		then.offset = at
	}
	return m.load(m.tab, b, w, then)
}

func (m *Model) toggleRaw() tea.Cmd {
	b := m.pane().body
	if b.view == "raw" {
		return m.setView(content.Auto)
	}
	return m.setView("raw")
}

// bodyStart is where to go when the body becomes another: stay where the head is
// in sight, else its first line.
func (m *Model) bodyStart() after {
	p := m.pane()
	if b := p.body; b.loaded && (b.part.Base > 0 || p.pager.Line() >= p.pager.Lines()-b.shown.Doc.Len()) {
		return after{kind: atOffset}
	}
	return after{}
}

func (m *Model) toggleDecode() tea.Cmd {
	b := m.pane().body
	then := m.bodyStart()
	b.asSent = !b.asSent
	return m.load(m.tab, b, window{size: firstWindow}, then)
}

func (m *Model) loadFull() tea.Cmd {
	return m.load(m.tab, m.pane().body, window{size: fullWindow}, after{})
}

func (m *Model) openSearch() tea.Cmd {
	m.stop()
	m.beginSearch()
	return nil
}

func (m *Model) toggleLong() tea.Cmd {
	m.full = !m.full
	m.rebuild()
	return m.ensure()
}

// stepOut ends the innermost thing that goes on: a walk, a search, the screen.
func (m *Model) stepOut() (Result, tea.Cmd) {
	switch {
	case m.stop():
		m.notice = "stopped"
		return nil, nil
	case m.search.needle != nil:
		return nil, m.seek("")
	}
	return Close{}, nil
}

// Typing reports whether keys belong to an input or a menu: Update takes them.
func (m *Model) Typing() bool { return m.search.typing || m.menu != nil }

// typed takes input while Typing.
func (m *Model) typed(msg tea.Msg) tea.Cmd {
	if m.menu == nil {
		if m.search.typing {
			return m.searchKey(msg)
		}
		return nil
	}
	press, ok := msg.(tea.KeyPressMsg)
	if !ok {
		return nil
	}
	chosen, done := m.menu.Update(press)
	if done {
		m.menu = nil
	}
	switch {
	case chosen == nil:
		return nil
	case chosen.Off != "":
		m.notice = chosen.Off
		return nil
	}
	return m.choose(chosen.Name)
}
