package flowdetail

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strconv"

	tea "charm.land/bubbletea/v2"

	flowpb "weir/proto"
	"weir/proto/export"
	"weir/tui/content"
	"weir/tui/widget"
)

// copied is the answer to a read of what is to be copied.
type copied struct {
	opened uint64
	result Result
}

func (m *Model) copied(msg copied) tea.Cmd {
	return func() tea.Msg { return msg.result }
}

// chooseCopy opens the menu of what can be copied.
func (m *Model) chooseCopy() tea.Cmd {
	http := ""
	if m.flow().GetHttp() == nil {
		http = "not HTTP"
	}
	items := []widget.Item{
		{Key: "b", Name: "body", Text: "body, as shown", Off: needBody(m)},
		{Key: "s", Name: "sent", Text: "body, as sent", Off: needBody(m)},
		{Key: "h", Name: "headers", Text: "start line and headers", Off: m.needHead()},
		{Key: "l", Name: "line", Text: "the first line shown, or the hit"},
		{Key: "u", Name: "url", Text: "URL", Off: http},
	}
	for _, f := range export.Formats() {
		off := ""
		if f.HTTP {
			off = http
		}
		if f.Key != "" {
			items = append(items, widget.Item{Key: f.Key, Name: f.Name, Text: f.What, Off: off})
		}
	}
	m.menu = widget.NewMenu("Copy", items, "")
	m.choose = m.copy
	return nil
}

func (m *Model) needHead() string {
	switch {
	case m.tab != tabRequest && m.tab != tabResponse:
		return "in Request and Response only"
	case m.flow().GetHttp() == nil:
		return "not HTTP"
	case m.tab == tabResponse && m.waitsForResponse():
		return m.noResponse()
	}
	return ""
}

// copy answers with what was chosen, at once or when it has been read.
func (m *Model) copy(name string) tea.Cmd {
	c := Copy{Flow: m.id}
	switch name {
	case "body", "sent":
		return m.copyBody(name == "sent")
	case "headers":
		c.What, c.Data = m.tab.title()+" headers", m.headBytes()
	case "line":
		c.What, c.Data = "line", []byte(m.currentLine())
	case "url":
		s := flowpb.Summarize(m.flow())
		c.What, c.Data = "URL", []byte(s.URL())
	default:
		f, ok := export.Find(name)
		if !ok {
			return nil
		}
		c.What, c.Format = f.What, f.Name
	}
	return func() tea.Msg { return c }
}

// copyBody reads the body, decoded unless it is wanted as sent. In a view that
// arranges it anew, and of which all is shown, "as shown" is the view's text.
func (m *Model) copyBody(sent bool) tea.Cmd {
	b := m.pane().body
	c := Copy{Flow: m.id, What: m.tab.title() + " body"}
	if !sent && b.loaded && !b.part.More && !b.windowed() && !b.shown.Doc.Cut() {
		c.What += " as " + b.name()
		c.Data = documentText(b.shown.Doc)
		return func() tea.Msg { return c }
	}
	o := b.source()
	if sent {
		o.Codings = nil
	}
	opened := m.opened
	return m.scope.Do(func(ctx context.Context) tea.Msg {
		r, err := o.Open(ctx, func(int64) {})
		if err != nil {
			return copied{opened: opened, result: Problem{Err: err}}
		}
		defer r.Close()
		c.Data, err = io.ReadAll(io.LimitReader(r, maxCopy+1))
		switch {
		case len(c.Data) > maxCopy:
			return copied{opened: opened, result: Problem{Err: errTooLong}}
		case err != nil:
			return copied{opened: opened, result: Problem{Err: err}}
		}
		return copied{opened: opened, result: c}
	})
}

var errTooLong = errors.New("copy body: it is longer than 8 MB; save it instead (b)")

// documentText is the lines of a document as text; a line that was cut in pieces
// is whole again.
func documentText(d *content.Document) []byte {
	var out bytes.Buffer
	for i := range d.Len() {
		if i > 0 && !d.Continued(i) {
			out.WriteByte('\n')
		}
		out.WriteString(d.Text(i))
	}
	return out.Bytes()
}

// currentLine is the line of the current hit, or the first one shown.
func (m *Model) currentLine() string {
	p := m.pane()
	line := p.pager.Line()
	if s := &m.search; s.current >= 0 && s.current < len(s.hits) {
		line = s.hits[s.current].Line
	}
	doc, i := p.pager.Locate(line)
	if doc < 0 || i >= p.docs[doc].Len() {
		return ""
	}
	return p.docs[doc].Text(i)
}

// headBytes is the message head as it was sent, but for secrets that are hidden.
func (m *Model) headBytes() []byte {
	h := m.flow().GetHttp()
	var out []byte
	var fields []*flowpb.Field
	if m.tab == tabRequest {
		q := h.GetRequest()
		out = q.GetStartLine()
		if q.StartLine == nil {
			out = bytes.Join([][]byte{q.GetMethod(), q.GetTarget(), q.GetVersion()}, []byte{' '})
		}
		fields = q.GetHeaders()
	} else {
		out, fields = statusLine(h.GetResponse()), h.GetResponse().GetHeaders()
	}
	out = append(bytes.Clone(out), "\r\n"...)
	for _, f := range fields {
		if m.masked && flowpb.Secret(f.GetName()) {
			out = append(append(out, f.GetName()...), ": (hidden)\r\n"...)
			continue
		}
		if f.Raw != nil {
			out = append(out, f.GetRaw()...)
			continue
		}
		out = append(append(append(append(out, f.GetName()...), ": "...), f.GetValue()...), "\r\n"...)
	}
	return out
}

func statusLine(r *flowpb.Response) []byte {
	if r.StartLine != nil {
		return r.GetStartLine()
	}
	line := strconv.AppendUint(append(bytes.Clone(r.GetVersion()), ' '), uint64(r.GetStatus()), 10)
	if r.Reason != nil {
		line = append(append(line, ' '), r.GetReason()...)
	}
	return line
}
