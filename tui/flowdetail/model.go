package flowdetail

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	flowpb "weir/proto"
	"weir/tui/flowdetail/pager"
	"weir/tui/theme"
	"weir/tui/widget"
)

// Options is what the screen needs.
type Options struct {
	Source Source
	Async  widget.Async
	Theme  *theme.Theme
	Zone   *time.Location // of the times shown; nil: UTC
}

// Model is the screen. Use New.
type Model struct {
	source Source
	async  widget.Async
	theme  *theme.Theme
	styles pager.Styles
	zone   *time.Location
	w, h   int

	id         uint64 // of the flow that is open; 0: none
	generation uint64 // the last one given to anything
	opened     uint64 // when this flow was opened
	asked      uint64 // the newest read of its head
	scope      widget.Async
	cancel     context.CancelFunc // ends the work for the flow
	detail     *Detail            // nil while it is loading
	slow       bool               // it takes so long that it shows
	err        error

	tab    tabID
	panes  [tabCount]pane
	stale  [tabCount]bool // the hits are of other documents
	msgs   messages
	full   bool // long field values to their end
	masked bool // secrets are hidden
	atBody bool // panes open on their bodies, not on their heads

	search search
	menu   *widget.Menu
	choose func(name string) tea.Cmd // what to do with the menu's choice
	notice string                    // one line about what was just done
}

// detailLoaded is the answer to a read of the flow's head.
type detailLoaded struct {
	opened, asked uint64
	detail        *Detail
	err           error
}

// detailSlow says that the flow's head has been waited for for a while.
type detailSlow struct{ opened uint64 }

// New returns a screen without a flow.
func New(o Options) *Model {
	m := &Model{source: o.Source, async: o.Async, zone: o.Zone, cancel: func() {}, search: newSearch()}
	m.scope = o.Async
	m.SetTheme(o.Theme)
	m.SetSize(80, 24)
	return m
}

// SetTheme changes the looks.
func (m *Model) SetTheme(t *theme.Theme) {
	m.theme = t
	m.styles = pager.NewStyles(t)
	m.retime()
	m.relay(tabTiming)
}

// SetSize gives the screen w cells and h lines.
func (m *Model) SetSize(w, h int) tea.Cmd {
	m.w, m.h = max(0, w), max(0, h)
	m.retime()
	m.relay(tabTiming)
	m.resize()
	return m.ensure()
}

// resize gives the panes their share of the screen.
func (m *Model) resize() {
	for tab := range m.panes {
		m.panes[tab].pager.SetSize(m.w, m.heightOf(tabID(tab)))
	}
}

// Open shows another flow: what is known of it comes later, by the command.
func (m *Model) Open(id uint64) tea.Cmd {
	m.begin(id)
	return m.Refresh()
}

// Refresh reads the flow's head again, because it has changed.
func (m *Model) Refresh() tea.Cmd {
	if m.id == 0 {
		return nil
	}
	m.generation++
	m.asked = m.generation
	source, id, opened, asked := m.source, m.id, m.opened, m.asked
	read := m.scope.Do(func(ctx context.Context) tea.Msg {
		d, err := source.Flow(ctx, id)
		return detailLoaded{opened: opened, asked: asked, detail: d, err: err}
	})
	return tea.Batch(read, m.scope.After(quiet, detailSlow{opened: opened}))
}

// SetDetail shows a flow that the caller has read already. If it is the flow that
// is open, tab, position, view and search stay.
func (m *Model) SetDetail(d *Detail) tea.Cmd {
	if d == nil || d.Flow == nil {
		return nil
	}
	if d.Flow.GetId() != m.id || m.opened == 0 {
		m.begin(d.Flow.GetId())
	}
	return m.show(d)
}

// Close forgets the flow and ends all work for it.
func (m *Model) Close() { m.begin(0) }

// ID is the flow that is open, 0 for none.
func (m *Model) ID() uint64 { return m.id }

// SetNote shows the flow's note as it now is.
func (m *Model) SetNote(note flowpb.Note) tea.Cmd {
	if m.detail == nil {
		return nil
	}
	d := *m.detail
	d.Note = note
	return m.show(&d)
}

// SetMasked hides the values of fields that carry credentials, or shows them.
func (m *Model) SetMasked(masked bool) tea.Cmd {
	m.masked = masked
	m.rebuild()
	return m.ensure()
}

// begin leaves the flow that was open.
func (m *Model) begin(id uint64) {
	m.cancel()
	m.scope, m.cancel = m.async.Scope()
	m.generation++
	m.opened = m.generation
	m.id, m.detail, m.err, m.slow = id, nil, nil, false
	m.msgs = messages{}
	m.menu, m.notice = nil, ""
	m.search.leave()
	for tab := range m.panes {
		m.panes[tab] = pane{}
	}
	m.resize()
}

// show takes over a head that was read.
func (m *Model) show(d *Detail) tea.Cmd {
	first := m.detail == nil
	m.detail, m.err = d, nil
	m.msgs.total = max(m.msgs.total, messageTotal(d.Flow))
	if first {
		m.settleTab()
	}
	m.resize()
	m.rebuild()
	return tea.Batch(m.ensure(), m.ensureMessages(true))
}

// settleTab stays on the tab that was open if this flow has it.
func (m *Model) settleTab() {
	for _, tab := range m.tabs() {
		if tab == m.tab {
			return
		}
	}
	m.tab = m.tabs()[0]
}

// flow is the head, nil while it is loading; its getters bear that.
func (m *Model) flow() *flowpb.Flow {
	if m.detail == nil {
		return nil
	}
	return m.detail.Flow
}

func (m *Model) pane() *pane { return &m.panes[m.tab] }

// Update takes the answers to what the screen asked for, and input while the user
// is typing. Results come as messages of type Result.
func (m *Model) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case detailLoaded:
		return m.detailLoaded(msg)
	case bodyLoaded:
		return m.bodyLoaded(msg)
	case detailSlow:
		m.slow = m.slow || msg.opened == m.opened
	case bodySlow:
		m.bodySlow(msg)
	case messagesLoaded:
		return m.messagesLoaded(msg)
	case found:
		return m.found(msg)
	case walked:
		return m.walked(msg)
	case hunted:
		return m.hunted(msg)
	case copied:
		if msg.opened == m.opened {
			return m.copied(msg)
		}
	case tea.KeyPressMsg:
		return m.typed(msg)
	case tea.PasteMsg:
		return m.typed(msg)
	}
	return nil
}

func (m *Model) detailLoaded(msg detailLoaded) tea.Cmd {
	if msg.opened != m.opened || msg.asked != m.asked {
		return nil
	}
	if msg.err != nil {
		m.err = msg.err
		return nil
	}
	if msg.detail == nil || msg.detail.Flow == nil {
		return nil
	}
	return m.show(msg.detail)
}

// ensure asks for the body of the tab that is shown if it is not here, and for
// the hits of a search in what is.
func (m *Model) ensure() tea.Cmd {
	p := m.pane()
	var cmd tea.Cmd
	if b := p.body; b != nil && !b.loading {
		switch {
		case !b.loaded && b.err == nil:
			if m.atBody && m.tab != tabMessages {
				b.follow = after{kind: atOffset}
			}
			cmd = m.load(m.tab, b, window{size: b.size}, b.follow)
		case b.loaded && (b.stale || b.misfit(m.w)):
			b.stale = false
			cmd = m.load(m.tab, b, window{base: b.part.Base, size: b.size}, after{})
		}
	}
	return tea.Batch(cmd, m.look())
}

func (m *Model) bodyLoaded(msg bodyLoaded) tea.Cmd {
	p := &m.panes[msg.tab]
	if msg.flow != m.opened || p.body == nil || !p.body.received(msg) {
		return nil
	}
	then := p.body.follow
	m.relay(msg.tab)
	if msg.err == nil {
		m.goTo(p, then)
	}
	return m.ensure()
}

func (m *Model) bodySlow(msg bodySlow) {
	b := m.panes[msg.tab].body
	if b == nil || msg.flow != m.opened || b.asked != msg.asked || !b.loading {
		return
	}
	b.slow = true
	if !b.loaded {
		m.relay(msg.tab)
	}
}

// goTo moves to where a window that was loaded is wanted.
func (m *Model) goTo(p *pane, then after) {
	above := p.pager.Lines() - p.body.shown.Doc.Len()
	switch then.kind {
	case atTop:
		p.pager.Goto(0)
	case atOffset:
		p.pager.Goto(above + p.body.shown.Doc.LineAt(then.offset))
	case atEnd:
		p.pager.End()
	case atHit:
		p.pager.Goto(above + p.body.shown.Doc.LineAt(then.offset))
		m.search.then = then
	case nextHit:
		m.search.then = then
	}
}

// bodyLines are the first and last line of the body that are shown, counted in
// its document.
func (m *Model) bodyLines() (first, last int) {
	p := m.pane()
	above := p.pager.Lines() - p.body.shown.Doc.Len()
	return max(0, p.pager.Line()-above), max(0, p.pager.Last()-above)
}
