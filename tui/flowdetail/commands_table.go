package flowdetail

import (
	tea "charm.land/bubbletea/v2"

	flowpb "weir/proto"
	"weir/tui/widget"
)

// command is one thing the screen can do.
type command struct {
	widget.Command
	do  func(m *Model) (Result, tea.Cmd)
	off func(m *Model) string // the reason why it cannot be done now; nil: it always can
}

// Commands returns what the screen can do by itself.
func Commands() []widget.Command {
	var all []widget.Command
	for _, c := range commands() {
		all = append(all, c.Command)
	}
	return all
}

func commands() []command {
	return []command{
		{widget.Command{Name: "next-tab", Keys: []string{"tab", "right", "l"}, Help: "next tab"}, tabbed(1), nil},
		{widget.Command{Name: "prev-tab", Keys: []string{"shift+tab", "left", "h"}, Help: "previous tab"}, tabbed(-1), nil},
		{widget.Command{Name: "down", Keys: []string{"j", "down"}, Help: "one line down"}, scrolled(rows(1)), nil},
		{widget.Command{Name: "up", Keys: []string{"k", "up"}, Help: "one line up"}, scrolled(rows(-1)), nil},
		{widget.Command{Name: "page-down", Keys: []string{"ctrl+f", "pgdown"}, Help: "one page down"}, scrolled(pages(1)), nil},
		{widget.Command{Name: "page-up", Keys: []string{"ctrl+b", "pgup"}, Help: "one page up"}, scrolled(pages(-1)), nil},
		{widget.Command{Name: "half-down", Keys: []string{"ctrl+d"}, Help: "half a page down"}, scrolled(pages(0.5)), nil},
		{widget.Command{Name: "half-up", Keys: []string{"ctrl+u"}, Help: "half a page up"}, scrolled(pages(-0.5)), nil},
		{widget.Command{Name: "top", Keys: []string{"g", "home"}, Help: "start of the pane"}, quietly((*Model).top), nil},
		{widget.Command{Name: "bottom", Keys: []string{"G", "end"}, Help: "end of the pane", Tip: "In hex and raw this is the end of the body, however large it is."}, quietly((*Model).bottom), nil},
		{widget.Command{Name: "body", Keys: []string{"}"}, Help: "to the body, or back to the head", Tip: "The flows one goes to from there open on their bodies too."}, quietly((*Model).toggleBody), needBody},
		{widget.Command{Name: "next-flow", Keys: []string{"space"}, Help: "next flow of the list"}, answers(NextFlow{}), nil},
		{widget.Command{Name: "prev-flow", Keys: []string{"p"}, Help: "previous flow of the list"}, answers(PrevFlow{}), nil},
		{widget.Command{Name: "view", Keys: []string{"m"}, Help: "view the body as …", Hint: "view"}, quietly((*Model).chooseView), needBody},
		{widget.Command{Name: "raw", Keys: []string{"ctrl+r"}, Help: "body raw, or as before"}, quietly((*Model).toggleRaw), needBody},
		{widget.Command{Name: "decode", Keys: []string{"z"}, Help: "body decoded, or as sent"}, quietly((*Model).toggleDecode), needCoding},
		{
			widget.Command{
				Name: "full", Keys: []string{"f"}, Help: "load more of the body",
				Tip: "Views that arrange a body anew show its beginning: up to 1 MB as one scrolls, up to 2 MB with this key. hex and raw show any part of it.",
			}, quietly((*Model).loadFull), needMore,
		},
		{widget.Command{Name: "search", Keys: []string{"/"}, Help: "search in the pane and all of the body", Tip: "Text or a regular expression, upper and lower case alike. In the messages it goes on in those that follow.", Hint: "search"}, quietly((*Model).openSearch), nil},
		{widget.Command{Name: "next-hit", Keys: []string{"n"}, Help: "next hit of the search"}, quietly(func(m *Model) tea.Cmd { return m.nextHit(1) }), needSearch},
		{widget.Command{Name: "prev-hit", Keys: []string{"N"}, Help: "previous hit of the search"}, quietly(func(m *Model) tea.Cmd { return m.nextHit(-1) }), needSearch},
		{widget.Command{Name: "copy", Keys: []string{"y"}, Help: "copy …", Hint: "copy"}, quietly((*Model).chooseCopy), needFlow},
		{widget.Command{Name: "next-message", Keys: []string{"J"}, Help: "next message"}, quietly(func(m *Model) tea.Cmd { return m.moveMessage(1) }), needMessages},
		{widget.Command{Name: "prev-message", Keys: []string{"K"}, Help: "previous message"}, quietly(func(m *Model) tea.Cmd { return m.moveMessage(-1) }), needMessages},
		{widget.Command{Name: "first-message", Keys: []string{"<"}, Help: "first message"}, quietly((*Model).firstMessage), needMessages},
		{widget.Command{Name: "last-message", Keys: []string{">"}, Help: "last message so far"}, quietly((*Model).lastMessage), needMessages},
		{widget.Command{Name: "long-values", Keys: []string{"o"}, Help: "long header values to their end, or cut"}, quietly((*Model).toggleLong), nil},
		{widget.Command{Name: "step-out", Keys: []string{"esc"}, Help: "end the search that runs, then the search, then leave"}, (*Model).stepOut, nil},
		{widget.Command{Name: "close", Keys: []string{"q"}, Help: "back to the list"}, answers(Close{}), nil},
	}
}

// Do runs a command by its name. One that is off says why in the bar; an unknown
// name does nothing.
func (m *Model) Do(name string) (Result, tea.Cmd) {
	for _, c := range commands() {
		if c.Name != name {
			continue
		}
		if why := m.reason(c); why != "" {
			m.notice = why
			return nil, nil
		}
		return c.do(m)
	}
	return nil, nil
}

// Off is the reason why a command cannot run now, "" if it can.
func (m *Model) Off(name string) string {
	for _, c := range commands() {
		if c.Name == name {
			return m.reason(c)
		}
	}
	return ""
}

func (m *Model) reason(c command) string {
	if c.off == nil {
		return ""
	}
	return c.off(m)
}

func quietly(do func(*Model) tea.Cmd) func(*Model) (Result, tea.Cmd) {
	return func(m *Model) (Result, tea.Cmd) { return nil, do(m) }
}

func answers(r Result) func(*Model) (Result, tea.Cmd) {
	return func(*Model) (Result, tea.Cmd) { return r, nil }
}

func scrolled(by func(m *Model) int) func(*Model) (Result, tea.Cmd) {
	return quietly(func(m *Model) tea.Cmd {
		m.notice = ""
		m.pane().pager.Scroll(by(m))
		return m.extend()
	})
}

func rows(n int) func(*Model) int { return func(*Model) int { return n } }

func pages(n float64) func(*Model) int {
	return func(m *Model) int {
		by := int(n * float64(max(1, m.paneHeight()-1)))
		if by == 0 && n > 0 {
			return 1
		} else if by == 0 {
			return -1
		}
		return by
	}
}

func tabbed(step int) func(*Model) (Result, tea.Cmd) {
	return quietly(func(m *Model) tea.Cmd { return m.moveTab(step) })
}

func needFlow(m *Model) string {
	if m.detail == nil {
		return "the flow is not loaded yet"
	}
	return ""
}

func needBody(m *Model) string {
	b := m.pane().body
	switch {
	case m.detail == nil:
		return needFlow(m)
	case b == nil && m.tab == tabResponse && m.waitsForResponse():
		return m.noResponse()
	case b == nil:
		return "no body here"
	}
	return ""
}

// noResponse is why there is no response: one may come until the flow is over.
func (m *Model) noResponse() string {
	if over(m.flow()) {
		return "there was no response"
	}
	return "no response yet"
}

func over(f *flowpb.Flow) bool {
	return f.GetState() == flowpb.StateComplete || f.GetState() == flowpb.StateError
}

// waitsForResponse reports whether there is no response that a body could be of.
func (m *Model) waitsForResponse() bool {
	if d := m.flow().GetDns(); d != nil {
		return d.GetResponse() == nil
	}
	return m.flow().GetHttp().GetResponse() == nil
}

func needCoding(m *Model) string {
	if why := needBody(m); why != "" {
		return why
	}
	if len(m.pane().body.origin.Codings) == 0 {
		return "the body was not encoded"
	}
	return ""
}

func needMore(m *Model) string {
	if why := needBody(m); why != "" {
		return why
	}
	b := m.pane().body
	switch {
	case !b.loaded:
		return "the body is not loaded yet"
	case !b.part.More:
		return "all of the body is shown"
	case b.windowed():
		return b.name() + " shows any part: scroll, or G for the end"
	case b.size >= fullWindow:
		return "this is the most that " + b.name() + " shows; raw and hex show any part"
	}
	return ""
}

func needSearch(m *Model) string {
	if m.search.needle == nil {
		return "nothing is searched for; / searches"
	}
	return ""
}

func needMessages(m *Model) string {
	switch {
	case m.detail == nil:
		return needFlow(m)
	case !m.hasMessages():
		return "this flow has no messages"
	}
	return ""
}
