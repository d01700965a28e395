package flowdetail

import (
	"fmt"
	"strconv"
	"strings"

	flowpb "weir/proto"
	"weir/tui/widget"
)

// narrow is below how many cells the tabs have short names.
const narrow = 56

// oneLine is from how many cells on title and tabs share a line.
const oneLine = 140

// header is how many lines stand above the pane.
func (m *Model) header() int {
	n := 2
	if m.w >= oneLine || m.h < 8 {
		n = 1
	}
	if m.h >= 6 {
		n += len(m.errorLines())
	}
	return min(n, max(0, m.h-2))
}

// listHeight is how many lines of the messages tab are its list, the rule below
// it counted.
func (m *Model) listHeight() int {
	rest := m.h - m.header() - 1
	return min(max(2, rest/3), max(0, rest-1))
}

// heightOf is how many lines a tab's pane has.
func (m *Model) heightOf(tab tabID) int {
	h := m.h - m.header() - 1
	if tab == tabMessages {
		h -= m.listHeight()
	}
	return max(0, h)
}

func (m *Model) paneHeight() int { return max(1, m.heightOf(m.tab)) }

// View draws the screen: as many lines as it is high, none wider than it.
func (m *Model) View() string {
	lines := m.headerLines()
	lines = append(lines[:min(len(lines), m.header())], m.paneLines()...)
	lines = append(lines[:min(len(lines), max(0, m.h-1))], make([]string, max(0, m.h-1-len(lines)))...)
	lines = append(lines, m.bar())
	screen := widget.Fit(strings.Join(lines, "\n"), m.w, m.h)
	if m.menu == nil {
		return screen
	}
	return widget.Fit(widget.Overlay(screen, m.menu.View(max(0, m.w-2), max(0, m.h-1), m.theme), 2, 1), m.w, m.h)
}

func (m *Model) headerLines() []string {
	var lines []string
	switch {
	case m.h < 8:
		lines = append(lines, m.tabLine())
	case m.w >= oneLine:
		tabs := m.tabLine()
		title := widget.Truncate(m.title(), m.w-widget.Width(tabs)-2, m.theme.Glyphs.Ellipsis)
		lines = append(lines, widget.Spread(title, tabs, m.w, ""))
	default:
		lines = append(lines, widget.Truncate(m.title(), m.w, m.theme.Glyphs.Ellipsis), m.tabLine())
	}
	return append(lines, m.errorLines()...)
}

// errorLines say why the flow failed and what to do about it: on one line where
// that is room enough, else on two where the screen has them.
func (m *Model) errorLines() []string {
	e := m.flow().GetError()
	if e == nil {
		return nil
	}
	text := m.theme.Error.Render(m.theme.Glyphs.Wrong + " " + widget.Sanitize(e.GetMessage()))
	if e.GetHint() == "" {
		return []string{widget.Truncate(text, m.w, m.theme.Glyphs.Ellipsis)}
	}
	hint := widget.Sanitize(e.GetHint())
	whole := text + m.theme.Dim.Render(" "+m.theme.Glyphs.Sep+" "+hint)
	if widget.Width(whole) <= m.w || m.h < 10 {
		return []string{widget.Truncate(whole, m.w, m.theme.Glyphs.Ellipsis)}
	}
	return []string{
		widget.Truncate(text, m.w, m.theme.Glyphs.Ellipsis),
		widget.Truncate(m.theme.Dim.Render("  "+hint), m.w, m.theme.Glyphs.Ellipsis),
	}
}

// title names the flow.
func (m *Model) title() string {
	t := m.theme
	if m.id == 0 {
		return t.Dim.Render("no flow")
	}
	_, number := flowpb.Placed(m.id)
	id := t.Dim.Render("#" + strconv.FormatUint(number, 10))
	if m.detail == nil {
		return id
	}
	s := flowpb.Summarize(m.flow())
	parts := []string{id}
	switch s.Kind {
	case flowpb.KindHTTP:
		parts = append(parts, t.Method(s.Method).Render(widget.Sanitize(s.Method)), t.Text.Render(widget.Sanitize(s.URL())))
		if s.Version != "HTTP/1.1" {
			parts = append(parts, t.Dim.Render(widget.Sanitize(s.Version)))
		}
	case flowpb.KindTCP, flowpb.KindUDP:
		parts = append(parts, t.Text.Render(strings.ToUpper(s.Kind.String())),
			t.Text.Render(widget.Sanitize(s.Client)+" to "+widget.Sanitize(s.Server)))
	default:
		parts = append(parts, t.Text.Render(strings.ToUpper(s.Kind.String())), t.Text.Render(widget.Sanitize(s.Host+" "+s.Path)))
	}
	// The status stands before the URL, so that no URL is so long as to hide it.
	parts = append(parts[:1], append([]string{m.status(&s)}, parts[1:]...)...)
	return strings.Join(nonEmpty(parts), " ")
}

func (m *Model) status(s *flowpb.Summary) string {
	switch {
	case s.Status != 0:
		return m.theme.Status(s.Status).Render(fmt.Sprint(s.Status))
	case s.Flags&flowpb.FlagError != 0:
		return m.theme.Error.Render("err")
	case s.Flags&flowpb.FlagFailed != 0:
		return m.theme.Error.Render(m.theme.Glyphs.Wrong)
	case s.Kind == flowpb.KindHTTP:
		return m.theme.Dim.Render(m.theme.Glyphs.Pending)
	}
	return ""
}

func (m *Model) tabLine() string {
	if m.id == 0 {
		return ""
	}
	g := m.theme.Glyphs
	var tabs []string
	for _, tab := range m.tabs() {
		title := tab.title()
		if m.w < narrow {
			title = tab.short()
		} else if tab == tabMessages && m.hasMessages() && m.msgs.total > 0 {
			title += " " + widget.Count(m.msgs.total)
		}
		if tab == m.tab {
			tabs = append(tabs, m.theme.TabOn.Render(g.Left+title+g.Right))
		} else {
			tabs = append(tabs, m.theme.TabOff.Render(" "+title+" "))
		}
	}
	return widget.Truncate(strings.Join(tabs, ""), m.w, g.Ellipsis)
}

func (m *Model) paneLines() []string {
	switch {
	case m.id == 0:
		return nil
	case m.err != nil:
		return []string{m.theme.Error.Render(m.theme.Glyphs.Wrong + " the flow cannot be read: " + widget.Sanitize(m.err.Error()))}
	case m.detail == nil && m.slow:
		return []string{m.theme.Dim.Render("loading…")}
	case m.detail == nil:
		return nil
	case m.tab == tabMessages && !m.hasMessages():
		return []string{m.theme.Dim.Render("this flow has no messages")}
	}
	pane := strings.Split(m.pane().pager.View(m.styles), "\n")
	if m.tab != tabMessages {
		return pane
	}
	h := m.listHeight()
	list := m.messageList(max(1, h-1))
	list = append(list, make([]string, max(0, h-1-len(list)))...)
	count := ""
	if s := &m.msgs; s.selected > 0 {
		count = m.theme.Dim.Render(widget.Group(min(s.selected, s.total)) + " of " + widget.Group(s.total) + " " + m.theme.Glyphs.Sep + " J K < >")
	}
	return append(append(list, widget.Rule(m.w, m.theme.Glyphs.H, nil, count, m.theme)), pane...)
}

// bar is the line at the foot: what is being typed, what is going on, what is shown.
func (m *Model) bar() string {
	t := m.theme
	s := &m.search
	if s.typing {
		view, _ := s.input.View(max(0, m.w-1-20), t, 0, 0)
		return widget.Spread(t.Key.Render("/")+view, t.Dim.Render(m.hitCount()), m.w, "")
	}
	left := m.pane().body.bar()
	if m.detail == nil {
		left = ""
	}
	var right string
	switch {
	case s.walking != 0:
		return widget.Pad(t.Info.Render(m.walkText()), m.w, t.Glyphs.Ellipsis)
	case m.notice != "":
		return widget.Pad(t.Warn.Render(m.notice), m.w, t.Glyphs.Ellipsis)
	case s.needle != nil:
		right = t.Match.Render("/"+widget.Truncate(widget.Sanitize(s.text), 20, t.Glyphs.Ellipsis)) + " " + t.Dim.Render(m.hitCount())
	default:
		right = t.Dim.Render(m.place())
	}
	left = widget.Truncate(left, max(0, m.w-widget.Width(right)-1), t.Glyphs.Ellipsis)
	return widget.Spread(t.Dim.Render(left), right, m.w, "")
}

func (m *Model) walkText() string {
	what := "going to the end of the body"
	if m.search.needle != nil {
		what = "searching the rest of the body"
	}
	return fmt.Sprintf("%s %d %% %s esc stops", what, m.search.progress, m.theme.Glyphs.Sep)
}

func (m *Model) hitCount() string {
	s := &m.search
	switch {
	case s.needle == nil:
		return ""
	case len(s.hits) == 0:
		return "no hits here"
	case s.current < 0:
		return fmt.Sprintf("%d here", len(s.hits))
	case len(s.hits) >= maxHits:
		return fmt.Sprintf("%d of %d+", s.current+1, maxHits)
	}
	return fmt.Sprintf("%d of %d", s.current+1, len(s.hits))
}

// place is where in the pane the window is.
func (m *Model) place() string {
	p := m.pane()
	n := p.pager.Lines()
	whole := p.body == nil || !p.body.loaded || !p.body.part.More
	switch {
	case m.detail == nil || n == 0:
		return ""
	case p.pager.AtEnd() && whole && p.pager.Line() == 0:
		return "all"
	case p.pager.AtEnd() && whole:
		return "end"
	case p.body != nil && p.body.loaded && p.body.windowed() && p.body.origin.Size > 0 && p.body.source().Codings == nil:
		first, _ := m.bodyLines()
		return fmt.Sprintf("%d %%", 100*p.body.offset(first)/p.body.origin.Size)
	}
	return fmt.Sprintf("%d %%", 100*p.pager.Line()/n)
}

// Cursor is where the terminal's cursor belongs while the user is typing.
func (m *Model) Cursor() (x, y int, ok bool) {
	if !m.search.typing || m.menu != nil || m.h == 0 {
		return 0, 0, false
	}
	_, x = m.search.input.View(max(0, m.w-1-20), m.theme, 0, 0)
	return 1 + x, m.h - 1, true
}
