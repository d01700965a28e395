package flowdetail

import (
	"context"
	"fmt"
	"math"
	"strings"

	tea "charm.land/bubbletea/v2"

	flowpb "weir/proto"
	"weir/tui/content"
	"weir/tui/flowdetail/facts"
	"weir/tui/flowdetail/stream"
	"weir/tui/widget"
)

// messages is the list of a flow's messages: a page of them around the one that
// is chosen, whose content the pane below shows.
type messages struct {
	total    uint64 // as far as known; not all sorts of messages are counted
	more     bool   // the page was full: there may be more than total
	selected uint64 // 1-based; 0: none yet
	first    uint64 // sequence of rows[0]
	rows     []messageRow
	asked    uint64
	loading  bool
	again    bool // the page will be old when it is here
	err      error
	shown    uint64 // the message whose content is in the pane
	arrive   after  // where to go in the next one that is shown
}

// messageRow is what the list keeps of a message.
type messageRow struct {
	sequence          uint64
	side              flowpb.Side
	kind              flowpb.MessageType
	at                int64
	size              int64
	preview           string // sanitised
	dropped, injected bool
	message           *flowpb.Message // the beginning of its content, and what else there is to say
}

// messagesLoaded is the answer to a page that was asked for.
type messagesLoaded struct {
	opened, asked uint64
	first         uint64
	rows          []messageRow
	err           error
}

// messageTotal is how many messages the head says there are.
func messageTotal(f *flowpb.Flow) uint64 {
	return max(f.GetHttp().GetWebsocket().GetMessages(), f.GetTcp().GetMessages(), f.GetUdp().GetMessages())
}

// hasMessages reports whether the flow is of a sort that has messages.
func (m *Model) hasMessages() bool {
	h := m.flow().GetHttp()
	return m.flow().GetTcp() != nil || m.flow().GetUdp() != nil || m.flow().GetDns() != nil || h.GetWebsocket() != nil || h.GetUpgrade() != nil ||
		strings.HasPrefix(strings.ToLower(mediaType(h.GetResponse().GetHeaders())), "text/event-stream")
}

// ensureMessages asks for the page around the chosen message if it is not here;
// with refresh also if it may have changed.
func (m *Model) ensureMessages(refresh bool) tea.Cmd {
	s := &m.msgs
	if m.tab != tabMessages || m.detail == nil || !m.hasMessages() {
		return nil
	}
	if s.loading {
		s.again = s.again || refresh
		return nil
	}
	want := max(1, s.selected)
	have := len(s.rows) > 0 && want >= s.first && want < s.first+uint64(len(s.rows))
	if have && !(refresh && len(s.rows) < messagePage) {
		return m.showMessage()
	}
	m.generation++
	s.asked, s.loading, s.again = m.generation, true, false
	first := uint64(1)
	switch {
	case want == lastOne:
		first = 0
	case want > messagePage/2:
		first = want - messagePage/2
	}
	source, id, opened, asked := m.source, m.id, m.opened, s.asked
	return m.scope.Do(func(ctx context.Context) tea.Msg {
		got, err := source.Messages(ctx, id, first, messagePage)
		rows := make([]messageRow, 0, len(got))
		for _, g := range got {
			rows = append(rows, rowOf(g))
		}
		if len(rows) > 0 {
			first = rows[0].sequence
		}
		return messagesLoaded{opened: opened, asked: asked, first: first, rows: rows, err: err}
	})
}

func rowOf(g *flowpb.Message) messageRow {
	return messageRow{
		sequence: g.GetSequence(), side: g.GetSide(), kind: g.GetType(), at: g.GetAtNs(),
		size:    max(int64(len(g.GetContent())), int64(g.GetSize())),
		preview: preview(g), dropped: g.GetDropped(), injected: g.GetInjected(), message: g,
	}
}

// preview is the beginning of a message on one line.
func preview(g *flowpb.Message) string {
	p := g.GetContent()
	p = p[:min(len(p), previewSize)]
	text := widget.Sanitize(p)
	switch {
	case g.GetType() == flowpb.MessageClose && len(p) >= 2:
		text = facts.CloseCode(p) + " " + widget.Sanitize(p[2:])
	case len(g.GetEvent().GetType()) > 0:
		text = widget.Sanitize(g.GetEvent().GetType()) + ": " + text
	}
	return strings.TrimRight(text, " ")
}

func (m *Model) messagesLoaded(msg messagesLoaded) tea.Cmd {
	s := &m.msgs
	if msg.opened != m.opened || msg.asked != s.asked {
		return nil
	}
	s.loading, s.err = false, msg.err
	if msg.err == nil {
		s.first, s.rows, s.more = msg.first, msg.rows, len(msg.rows) == messagePage && s.selected != lastOne
		if n := uint64(len(s.rows)); n > 0 {
			s.total = max(s.total, s.first+n-1)
			s.selected = min(max(1, s.selected), s.first+n-1)
		}
	}
	return tea.Batch(m.showMessage(), m.ensureMessages(s.again))
}

// row returns the row of a message, nil if it is not here.
func (s *messages) row(sequence uint64) *messageRow {
	if sequence < s.first || sequence >= s.first+uint64(len(s.rows)) {
		return nil
	}
	return &s.rows[sequence-s.first]
}

// firstMessage and lastMessage choose the ends of the list.
func (m *Model) firstMessage() tea.Cmd {
	if m.tab != tabMessages {
		return m.SelectTab(tabMessages.title())
	}
	m.msgs.selected = 1
	return m.ensureMessages(false)
}

func (m *Model) lastMessage() tea.Cmd {
	if m.tab != tabMessages {
		return m.SelectTab(tabMessages.title())
	}
	m.msgs.selected = lastOne
	return m.ensureMessages(false)
}

// lastOne stands for the last message as long as its number is not known.
const lastOne = math.MaxUint64

// moveMessage chooses another message.
func (m *Model) moveMessage(step int) tea.Cmd {
	s := &m.msgs
	if m.tab != tabMessages {
		return m.SelectTab(tabMessages.title())
	}
	to := int64(s.selected) + int64(step)
	if to < 1 || uint64(to) > s.total && !s.more {
		return nil
	}
	s.selected = uint64(to)
	m.notice = ""
	return m.ensureMessages(false)
}

// showMessage puts the chosen message's content into the pane.
func (m *Model) showMessage() tea.Cmd {
	s := &m.msgs
	row := s.row(s.selected)
	if row == nil || s.shown == s.selected {
		return nil
	}
	s.shown = s.selected
	p := &m.panes[tabMessages]
	view := content.Auto
	if p.body != nil {
		view = p.body.view
	}
	p.head = facts.Message(row.message)
	p.body, p.hint = nil, says(content.Dim, "empty message")
	if row.size > 0 {
		p.hint = nil
		p.body = m.messageBody(*row, view)
		p.body.follow, s.arrive = s.arrive, after{}
	}
	m.relay(tabMessages)
	p.pager.Goto(0)
	return m.ensure()
}

// messageBody describes the content of one message as a body.
func (m *Model) messageBody(row messageRow, view string) *body {
	source, id := m.source, m.id
	read := func(ctx context.Context, off int64, n int) ([]byte, error) {
		got, err := source.Message(ctx, id, row.sequence)
		if err != nil {
			return nil, err
		}
		all := got.GetContent()
		off = min(off, int64(len(all)))
		return all[off:min(off+int64(n), int64(len(all)))], nil
	}
	return &body{origin: stream.Origin{Read: read, Size: row.size}, view: view, size: firstWindow}
}

// messageList draws the list, h lines high.
func (m *Model) messageList(h int) []string {
	s := &m.msgs
	g := m.theme.Glyphs
	switch {
	case s.err != nil:
		return []string{m.theme.Error.Render(g.Wrong + " the messages cannot be read: " + widget.Sanitize(s.err.Error()))}
	case len(s.rows) == 0 && s.loading:
		return []string{m.theme.Dim.Render("loading…")}
	case len(s.rows) == 0:
		return []string{m.theme.Dim.Render("no messages yet")}
	}
	at := int(s.selected - s.first)
	first := widget.Window(0, at-h/2+h-1, len(s.rows), h)
	var lines []string
	for i := first; i < min(first+h, len(s.rows)); i++ {
		lines = append(lines, m.messageLine(&s.rows[i]))
	}
	return lines
}

func (m *Model) messageLine(r *messageRow) string {
	t := m.theme
	gutter := "  "
	if r.sequence == m.msgs.selected {
		gutter = t.Focus.Render(t.Glyphs.Focus) + " "
	}
	direction := t.Info.Render(t.Glyphs.Out)
	if r.side == flowpb.SideResponse {
		direction = t.Good.Render(t.Glyphs.In)
	}
	mark := ""
	switch {
	case r.message.GetNote() != "":
		mark = t.Warn.Render("! ")
	case r.dropped:
		mark = t.Warn.Render("[dropped] ")
	case r.injected:
		mark = t.Warn.Render("[injected] ")
	}
	line := gutter + t.Dim.Render(fmt.Sprintf("%5d %s ", r.sequence, widget.Clock(r.at, m.zone))) + direction + " " +
		t.Text.Render(widget.Pad(kindName(r.kind), 6, "")) + " " +
		t.Number.Render(widget.PadLeft(widget.Size(r.size), widget.NumberWidth, "")) + " " + mark + t.Text.Render(r.preview)
	return widget.Truncate(line, m.w, t.Glyphs.Ellipsis)
}

func kindName(k flowpb.MessageType) string {
	switch k {
	case flowpb.MessageText:
		return "text"
	case flowpb.MessageBinary:
		return "binary"
	case flowpb.MessagePing:
		return "ping"
	case flowpb.MessagePong:
		return "pong"
	case flowpb.MessageClose:
		return "close"
	case flowpb.MessageEvent:
		return "event"
	}
	return "data"
}
