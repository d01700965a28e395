package flowdetail

import (
	"context"
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	flowpb "weir/proto"
	"weir/tui/content"
	"weir/tui/flowdetail/stream"
	"weir/tui/widget"
)

// body is the content below a head, as far as it is shown.
type body struct {
	origin stream.Origin
	media  string
	query  []byte
	live   bool // more of it may arrive
	cut    bool // more of it should have arrived

	view   string // the view that was asked for; content.Auto leaves it open
	asSent bool   // content codings are not undone

	base int64 // the window: where it begins
	size int   // and how much was asked for

	asked   uint64 // generation of the window that is awaited
	loading bool
	slow    bool  // it takes so long that it shows
	follow  after // what to do when it is here

	stale   bool // there is more to show than when it was loaded
	loaded  bool
	part    stream.Part
	shown   content.Result
	err     error
	columns int // the width that it was made for
}

// after is where to go in a window when it is loaded.
type after struct {
	kind   afterKind
	offset int64
	hit    int // index
}

type afterKind uint8

const (
	stay     afterKind = iota // where one is
	atTop                     // to the first line
	atOffset                  // to the line of an offset
	atEnd                     // to the last line
	atHit                     // to the hit at or behind offset
	nextHit                   // to the hit with an index
)

// bodyLoaded is the answer to a window that was asked for.
type bodyLoaded struct {
	flow, asked uint64
	tab         tabID
	part        stream.Part
	shown       content.Result
	columns     int
	err         error
}

// bodySlow says that a window has been waited for for a while.
type bodySlow struct {
	flow, asked uint64
	tab         tabID
}

// windowed reports whether the view can show any part of the content.
func (b *body) windowed() bool {
	name := b.view
	if b.loaded && name == content.Auto {
		name = b.shown.View
	}
	v, ok := content.Find(name)
	return ok && v.Windowed
}

// source is where the content comes from, decoded or as sent.
func (b *body) source() stream.Origin {
	o := b.origin
	if b.asSent {
		o.Codings = nil
	}
	return o
}

// window says which part of a content to load.
type window struct {
	base   int64
	size   int
	ragged bool // base is no start of a line
}

// load asks for a window. What is shown stays until it is here.
func (m *Model) load(tab tabID, b *body, w window, then after) tea.Cmd {
	m.generation++
	b.base, b.size, b.follow = w.base, w.size, then
	b.asked, b.loading, b.slow = m.generation, true, false
	o, view, input := b.source(), b.view, b.input(stream.Part{}, m.w)
	flow, asked, columns := m.opened, b.asked, m.w
	ragged := w.ragged && w.base > 0 && b.name() != "hex"
	work := func(ctx context.Context) tea.Msg {
		p, err := o.Window(ctx, w.base, w.size)
		if err != nil {
			return bodyLoaded{flow: flow, asked: asked, tab: tab, err: err}
		}
		if ragged {
			p = p.Aligned()
		}
		ctx, cancel := context.WithTimeout(ctx, renderTime)
		defer cancel()
		input.Data, input.Base, input.More = p.Data, p.Base, p.More
		shown := content.Render(ctx, view, input)
		return bodyLoaded{flow: flow, asked: asked, tab: tab, part: p, shown: shown, columns: columns}
	}
	return tea.Batch(m.scope.Do(work), m.scope.After(quiet, bodySlow{flow: flow, asked: asked, tab: tab}))
}

// misfit reports whether the window was laid out for another width.
func (b *body) misfit(w int) bool {
	return b.name() == "hex" && content.HexRow(b.columns) != content.HexRow(w)
}

// input is what the views get of a window.
func (b *body) input(p stream.Part, columns int) content.Input {
	media := b.media
	if b.asSent {
		media = "" // it is about what is inside
	}
	return content.Input{Data: p.Data, Base: p.Base, More: p.More, Type: media, Query: b.query, Columns: columns}
}

// name is the view that is shown, or was asked for.
func (b *body) name() string {
	if b.view == content.Auto && b.loaded {
		return b.shown.View
	}
	return b.view
}

// received takes an answer; false if it is not the one that is awaited.
func (b *body) received(msg bodyLoaded) bool {
	if msg.asked != b.asked || !b.loading {
		return false
	}
	b.loading, b.slow = false, false
	b.err = msg.err
	if msg.err == nil {
		b.part, b.shown, b.columns, b.loaded = msg.part, msg.shown, msg.columns, true
	}
	return true
}

// bar says what is shown of the content: view, codings, size, part.
func (b *body) bar() string {
	if b == nil {
		return ""
	}
	var parts []string
	switch {
	case b.view == content.Auto && b.loaded:
		parts = append(parts, b.shown.View+" (auto)")
	default:
		parts = append(parts, b.view)
	}
	parts = append(parts, b.codingBar(), b.shown.Note)
	if b.origin.Size > 0 {
		parts = append(parts, widget.Size(b.origin.Size)+" bytes")
	}
	if b.live {
		parts = append(parts, "still arriving")
	}
	if b.cut {
		parts = append(parts, "cut off by the sender")
	}
	if b.loaded {
		parts = append(parts, b.partBar())
	}
	if b.loading && b.slow {
		parts = append(parts, "loading…")
	}
	parts = nonEmpty(parts)
	return strings.Join(parts, " · ")
}

func nonEmpty(parts []string) []string {
	out := parts[:0]
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return out
}

func (b *body) codingBar() string {
	switch {
	case len(b.origin.Codings) == 0:
		return ""
	case b.asSent:
		return "[as sent: " + widget.Sanitize(strings.Join(b.origin.Codings, ", ")) + "]"
	case b.loaded && b.part.Fault != nil:
		return "[cannot decode: " + widget.Sanitize(b.part.Fault.Error()) + "]"
	}
	return "[decoded " + widget.Sanitize(strings.Join(b.origin.Codings, ", ")) + "]"
}

// partBar says which part of the content is shown, if not all.
func (b *body) partBar() string {
	decoded := len(b.origin.Codings) > 0 && !b.asSent
	of := ""
	if !decoded {
		of = " of " + widget.Size(b.origin.Size)
	}
	switch {
	case b.shown.Doc.Cut():
		return "stopped early, at the view's limits"
	case b.part.Base > 0:
		return "from " + widget.Group(uint64(b.part.Base)) + of
	case !b.part.More:
		return ""
	case b.windowed():
		return fmt.Sprintf("first %s%s", widget.Size(b.part.End()), of)
	case b.size >= fullWindow:
		return fmt.Sprintf("first %s%s, the most %s shows", widget.Size(b.part.End()), of, b.name())
	}
	return fmt.Sprintf("first %s%s, f more", widget.Size(b.part.End()), of)
}

// extend asks for what is next to the window when the first or last line shown
// is near its edge.
func (m *Model) extend() tea.Cmd {
	b := m.pane().body
	if b == nil || !b.loaded || b.loading {
		return nil
	}
	first, last := m.bodyLines()
	n := b.shown.Doc.Len()
	// What is near one edge must not be near the other after the window moved:
	// lines may be few and long.
	near := min(m.paneHeight(), n/8)
	switch {
	case last+1 >= n-near && b.part.More && b.windowed():
		return m.slide(b, max(0, first-4*near))
	case last+1 >= n-near && b.part.More && b.size < autoWindow:
		return m.load(m.tab, b, window{size: min(4*b.size, autoWindow)}, after{})
	case first <= near && b.part.Base > 0 && n > 0:
		base := max(0, b.offset(first)-3*firstWindow/4)
		return m.load(m.tab, b, window{base: base &^ 15, size: firstWindow, ragged: true}, after{kind: atOffset, offset: b.offset(first)})
	}
	return nil
}

// slide moves the window of a windowed view so that it begins at one of its lines.
func (m *Model) slide(b *body, line int) tea.Cmd {
	first, _ := m.bodyLines()
	base := b.offset(line)
	if base <= b.part.Base {
		return nil
	}
	return m.load(m.tab, b, window{base: base, size: firstWindow}, after{kind: atOffset, offset: b.offset(first)})
}

// offset is where in the content a line comes from.
func (b *body) offset(line int) int64 {
	if n := b.shown.Doc.Len(); n == 0 {
		return b.part.Base
	} else if line >= n {
		line = n - 1
	}
	return max(0, b.shown.Doc.Offset(line))
}

// bodyOf describes the body of one half of an HTTP flow; nil where there is
// nothing to load.
func (m *Model) bodyOf(side flowpb.Side, b *flowpb.Body, fields []*flowpb.Field) *body {
	if b == nil || b.GetSize() == 0 || b.GetState() == flowpb.BodyDropped {
		return nil
	}
	source, id := m.source, m.id
	return &body{
		origin: stream.Origin{
			Read: func(ctx context.Context, off int64, n int) ([]byte, error) {
				return source.Body(ctx, id, side, off, n)
			},
			Size:    int64(b.GetSize()),
			Codings: codings(b, fields),
		},
		media: mediaType(fields),
		live:  b.GetState() == flowpb.BodyStreaming,
		cut:   b.GetState() == flowpb.BodyCut,
		view:  content.Auto,
		size:  firstWindow,
	}
}
