package flowdetail

import (
	"context"
	"slices"

	flowpb "weir/proto"
	"weir/proto/coding"
	"weir/tui/content"
	"weir/tui/flowdetail/facts"
	"weir/tui/flowdetail/pager"
	"weir/tui/flowdetail/stream"
)

// tabID names a tab.
type tabID uint8

const (
	tabRequest tabID = iota
	tabResponse
	tabMessages
	tabTiming
	tabConnection
	tabNotes
	tabCount
)

// title is the tab's name on the screen.
func (t tabID) title() string {
	return [...]string{"Request", "Response", "Messages", "Timing", "Conn", "Notes"}[t]
}

// short is the tab's name on a narrow screen.
func (t tabID) short() string {
	return [...]string{"Req", "Resp", "Msgs", "Time", "Conn", "Note"}[t]
}

// tabs are those that the flow has, in order.
func (m *Model) tabs() []tabID {
	switch f := m.flow(); {
	case f.GetTcp() != nil, f.GetUdp() != nil:
		return []tabID{tabMessages, tabTiming, tabConnection, tabNotes}
	case f.GetDns() != nil:
		return []tabID{tabRequest, tabResponse, tabMessages, tabTiming, tabConnection, tabNotes}
	case f.GetTls() != nil:
		return []tabID{tabConnection, tabTiming, tabNotes}
	}
	return []tabID{tabRequest, tabResponse, tabMessages, tabTiming, tabConnection, tabNotes}
}

// pane is what a tab shows: a head and perhaps a body below it, or what stands
// for one.
type pane struct {
	pager pager.Pager
	head  *content.Document
	hint  *content.Document // stands where a body would: none, empty, not stored
	body  *body
	docs  []*content.Document // what the pager shows
}

// documents are what the pager of the pane shows. Once the window has left the
// body's beginning, the head, which is far above, goes.
func (p *pane) documents() []*content.Document {
	switch {
	case p.body == nil && p.hint == nil:
		return []*content.Document{p.head, nil, nil}
	case p.body == nil:
		return []*content.Document{p.head, gap(p.head), p.hint}
	case !p.body.loaded && p.body.err != nil:
		return []*content.Document{p.head, gap(p.head), says(content.Fault, "the body cannot be read: "+p.body.err.Error())}
	case !p.body.loaded && !p.body.slow:
		return []*content.Document{p.head, nil, nil}
	case !p.body.loaded:
		return []*content.Document{p.head, gap(p.head), says(content.Dim, "loading…")}
	case p.body.part.Base > 0:
		return []*content.Document{nil, nil, p.body.shown.Doc}
	case p.body.shown.Doc.Len() == 0:
		return []*content.Document{p.head, gap(p.head), says(content.Dim, "(nothing to show)")}
	}
	return []*content.Document{p.head, gap(p.head), p.body.shown.Doc}
}

// gap is the empty line below a head.
func gap(head *content.Document) *content.Document {
	if head.Len() == 0 {
		return nil
	}
	return says(content.Plain, " ")
}

// says is a document of one line; the text may hold captured bytes.
func says(kind content.Kind, text string) *content.Document {
	b := content.NewBuilder(nil)
	b.Put(kind, []byte(text))
	return b.Document()
}

// rebuild makes the panes' heads anew from the flow, and says what stands where a
// body would. Bodies are kept if they are still the same.
func (m *Model) rebuild() {
	if m.detail == nil {
		return
	}
	f := m.detail.Flow
	head := facts.HeadOptions{Full: m.full, Masked: m.masked}
	if h := f.GetHttp(); h != nil {
		q, r := h.GetRequest(), h.GetResponse()
		m.panes[tabRequest].head = facts.Request(h, head)
		m.panes[tabResponse].head = facts.Response(h, head)
		m.half(tabRequest, flowpb.SideRequest, q.GetBody(), q.GetHeaders(), requestHint(q))
		m.half(tabResponse, flowpb.SideResponse, r.GetBody(), r.GetHeaders(), responseHint(f))
	}
	if d := f.GetDns(); d != nil {
		m.panes[tabRequest].head = facts.DNS(d.GetRequest())
		m.panes[tabResponse].head, m.panes[tabResponse].hint = nil, responseHint(f)
		if d.GetResponse() != nil {
			m.panes[tabResponse].head, m.panes[tabResponse].hint = facts.DNS(d.GetResponse()), nil
		}
	}
	m.panes[tabConnection].head = facts.Connection(f, m.detail.Client, m.detail.Server, m.zone)
	m.panes[tabNotes].head = facts.Notes(f, &m.detail.Note, m.zone)
	m.retime()
	for tab := range m.panes {
		m.relay(tabID(tab))
	}
}

// retime draws the timing for the width of the screen.
func (m *Model) retime() {
	if m.detail == nil {
		return
	}
	g := m.theme.Glyphs
	m.panes[tabTiming].head = facts.Timing(m.detail.Flow, m.detail.Client, m.detail.Server,
		facts.TimingOptions{Width: m.w, Fill: g.ScrollOn, Track: g.V, Zone: m.zone})
}

// relay gives a pane's documents to its pager, if they are others than before.
func (m *Model) relay(tab tabID) {
	p := &m.panes[tab]
	docs := p.documents()
	if slices.EqualFunc(p.docs, docs, (*content.Document).Same) {
		return
	}
	p.docs = docs
	p.pager.SetDocuments(docs...)
	m.stale[tab] = true
}

// half puts the body of one half of an HTTP flow below its head. The body that is
// there stays, with its window and view, and learns how large it is by now.
func (m *Model) half(tab tabID, side flowpb.Side, b *flowpb.Body, fields []*flowpb.Field, hint *content.Document) {
	p := &m.panes[tab]
	fresh := m.bodyOf(side, b, fields)
	if side == flowpb.SideRequest && b.GetSize() == 0 && b.GetState() != flowpb.BodyStreaming {
		fresh = m.queryOf()
	}
	p.hint = hint
	switch {
	case fresh == nil || p.body == nil:
		p.body = fresh
	default:
		grown := fresh.origin.Size != p.body.origin.Size || fresh.live != p.body.live
		p.body.origin, p.body.media, p.body.live, p.body.cut = fresh.origin, fresh.media, fresh.live, fresh.cut
		p.body.stale = p.body.stale || grown && (p.body.part.More || p.body.part.End() < fresh.origin.Size || p.body.loading)
	}
}

// queryOf is a body without bytes that shows the query of the request's URL; nil
// where there is none.
func (m *Model) queryOf() *body {
	query := query(m.flow().GetHttp().GetRequest().GetPath())
	if len(query) == 0 {
		return nil
	}
	none := func(context.Context, int64, int) ([]byte, error) { return nil, nil }
	return &body{origin: stream.Origin{Read: none}, query: query, view: content.Auto, size: firstWindow}
}

func query(path []byte) []byte {
	for i, c := range path {
		if c == '?' {
			return path[i+1:]
		}
	}
	return nil
}

func requestHint(q *flowpb.Request) *content.Document {
	return bodyHint(q.GetBody(), q.GetEndedNs() == 0)
}

// responseHint says why there is no response, or no body in it; nil where there
// is one to show.
func responseHint(f *flowpb.Flow) *content.Document {
	r := f.GetHttp().GetResponse()
	switch {
	case r != nil:
		return bodyHint(r.GetBody(), r.GetEndedNs() == 0)
	case f.GetError() != nil:
		b := content.NewBuilder(nil)
		b.Put(content.Fault, []byte("no response: "+f.GetError().GetMessage()))
		if hint := f.GetError().GetHint(); hint != "" {
			b.Newline()
			b.Put(content.Plain, []byte(hint))
		}
		return b.Document()
	case over(f):
		return says(content.Dim, "there was no response")
	case f.GetState() == flowpb.StateRequest:
		return says(content.Dim, "no response yet: the request is still being sent…")
	}
	return says(content.Dim, "no response yet: waiting…")
}

func bodyHint(b *flowpb.Body, going bool) *content.Document {
	switch {
	case b == nil:
		return says(content.Dim, "no body")
	case b.GetState() == flowpb.BodyDropped:
		return says(content.Fault, "the body was passed on and, as asked, not stored")
	case b.GetSize() > 0:
		return nil
	case b.GetState() == flowpb.BodyCut:
		return says(content.Fault, "the body was cut off before its first byte")
	case b.GetState() == flowpb.BodyStreaming && going:
		return says(content.Dim, "nothing of the body yet: waiting…")
	}
	return says(content.Dim, "empty body")
}

func codings(b *flowpb.Body, fields []*flowpb.Field) []string {
	var out []string
	for _, c := range coding.Of(b, fields) {
		if c != "identity" {
			out = append(out, c)
		}
	}
	return out
}

func mediaType(fields []*flowpb.Field) string {
	if v := flowpb.Get(fields, "content-type"); len(v) > 0 {
		return string(v[0])
	}
	return ""
}
