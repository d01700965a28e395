package facts

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	flowpb "weir/proto"
	"weir/tui/content"
	"weir/tui/widget"
)

// TimingOptions says how the timing is drawn.
type TimingOptions struct {
	Width int    // of the window, in cells
	Fill  string // the glyph of a bar
	Track string // the glyph at the two ends of the scale
	Zone  *time.Location
}

// phase is a part of a flow's life. A start or end of 0 did not happen.
type phase struct {
	name       string
	start, end int64
}

// moment is one point of it.
type moment struct {
	name string
	at   int64
}

// Timing is where a flow's time went, as bars on one scale, and every moment that
// was recorded, in order.
func Timing(f *flowpb.Flow, client, server *flowpb.Conn, o TimingOptions) *content.Document {
	t := newTable(o.Zone)
	phases := phases(f, server)
	moments := moments(f, client, server)
	if len(moments) == 0 {
		t.b.Say(content.Comment, "no times were recorded")
		t.b.Newline()
		return t.b.Document()
	}
	t.heading("Where the time went")
	t.bars(phases, o)
	if at := server.GetConnectedNs(); at != 0 && at < f.GetCreatedNs() {
		t.b.Say(content.Comment, "  the server connection was there already; it was opened "+widget.Duration(f.GetCreatedNs()-server.GetStartedNs())+" before")
		t.b.Newline()
	}
	if f.GetState() == flowpb.StateWaiting {
		t.b.Say(content.Comment, "  still waiting for the response")
		t.b.Newline()
	}
	t.heading("What happened when")
	first := f.GetCreatedNs()
	for _, m := range moments {
		since := "+" + span(m.at-first)
		if m.at < first {
			since = "-" + span(first-m.at)
		}
		t.b.Say(content.Plain, "  ")
		t.b.Say(content.Number, widget.PadLeft(since, 8, ""))
		t.b.Say(content.Dim, "  "+time.Unix(0, m.at).In(t.zone).Format("15:04:05.000000"))
		t.b.Say(content.Plain, "  "+m.name)
		t.b.Newline()
	}
	return t.b.Document()
}

// phases are the parts that belong to this flow: setting up a connection that
// was there before does not.
func phases(f *flowpb.Flow, server *flowpb.Conn) []phase {
	p, broken := setUp(f, server)
	q, r := f.GetHttp().GetRequest(), f.GetHttp().GetResponse()
	ready := q.GetEndedNs()
	for _, p := range p {
		ready = max(ready, p.end)
	}
	p = append(p, phase{"send", q.GetStartedNs(), q.GetEndedNs()})
	if !broken && q.GetEndedNs() != 0 {
		p = append(p, phase{"wait", ready, or(r.GetStartedNs(), f.GetError().GetAtNs())})
	}
	p = append(p,
		phase{"receive", r.GetStartedNs(), or(r.GetEndedNs(), f.GetError().GetAtNs())},
		phase{"open", opened(f), closed(f)},
		phase{"answer", f.GetDns().GetRequest().GetAtNs(), f.GetDns().GetResponse().GetAtNs()})
	return slices.DeleteFunc(p, phase.unknown)
}

// setUp is how the server connection came to be, if this flow caused it. The
// phase in which that failed ends with the flow's error; then it is broken.
func setUp(f *flowpb.Flow, server *flowpb.Conn) (p []phase, broken bool) {
	if at := server.GetStartedNs(); at == 0 || server.GetConnectedNs() != 0 && server.GetConnectedNs() < f.GetCreatedNs() {
		return nil, false
	}
	failed := or(server.GetError().GetAtNs(), f.GetError().GetAtNs())
	p = []phase{{"DNS", server.GetStartedNs(), server.GetResolvedNs()}}
	switch {
	case server.GetConnectedNs() != 0:
		p = append(p, phase{"connect", or(server.GetResolvedNs(), server.GetStartedNs()), server.GetConnectedNs()})
	case server.GetResolvedNs() != 0:
		return append(p, phase{"connect", server.GetResolvedNs(), failed}), true
	default:
		return []phase{{"connect", server.GetStartedNs(), failed}}, true
	}
	if server.GetTlsNs() == 0 && server.GetError() != nil {
		return append(p, phase{"TLS", server.GetConnectedNs(), failed}), true
	}
	return append(p, phase{"TLS", server.GetConnectedNs(), server.GetTlsNs()}), false
}

// unknown reports whether the phase did not happen, or not to its end.
func (p phase) unknown() bool { return p.start == 0 || p.end == 0 || p.end < p.start }

// opened and closed bound the life of a stream or an upgraded connection.
func opened(f *flowpb.Flow) int64 {
	switch {
	case f.GetTcp() != nil, f.GetUdp() != nil, f.GetTls() != nil:
		return f.GetCreatedNs()
	case f.GetHttp().GetUpgrade() != nil, f.GetHttp().GetWebsocket() != nil:
		return or(f.GetHttp().GetResponse().GetEndedNs(), f.GetHttp().GetResponse().GetStartedNs())
	}
	return 0
}

func closed(f *flowpb.Flow) int64 {
	return max(f.GetTcp().GetEndedNs(), f.GetUdp().GetEndedNs(), f.GetTls().GetEndedNs(),
		f.GetHttp().GetUpgrade().GetEndedNs(), f.GetHttp().GetWebsocket().GetEndedNs())
}

func or(a, b int64) int64 {
	if a != 0 {
		return a
	}
	return b
}

// bars draws the phases on a scale from the first start to the last end.
func (t *table) bars(phases []phase, o TimingOptions) {
	if len(phases) == 0 {
		t.b.Say(content.Comment, "  nothing has ended yet")
		t.b.Newline()
		return
	}
	from, to := phases[0].start, phases[0].end
	for _, p := range phases {
		from, to = min(from, p.start), max(to, p.end)
	}
	const name, figure = 9, 8
	scale := max(8, o.Width-name-figure-6)
	cell := func(at int64) int {
		return int(float64(at-from) / float64(max(1, to-from)) * float64(scale))
	}
	for _, p := range append(phases, phase{"total", from, to}) {
		start := min(cell(p.start), scale-1)
		n := max(1, min(cell(p.end), scale)-start)
		t.b.Say(content.Plain, "  ")
		t.b.Say(content.Key, widget.Pad(p.name, name, ""))
		t.b.Say(content.Dim, o.Track)
		t.b.Say(content.Plain, widget.Space(start))
		t.b.Say(barKind(p.name), strings.Repeat(o.Fill, n))
		t.b.Say(content.Plain, widget.Space(scale-start-n))
		t.b.Say(content.Dim, o.Track)
		t.b.Say(content.Number, widget.PadLeft(span(p.end-p.start), figure, ""))
		t.b.Newline()
	}
}

// span is a time of ns nanoseconds, in microseconds where milliseconds are too coarse.
func span(ns int64) string {
	if ns < int64(time.Millisecond) {
		return strconv.FormatInt(ns/int64(time.Microsecond), 10) + "µs"
	}
	return widget.Duration(ns)
}

func barKind(name string) content.Kind {
	switch name {
	case "wait", "answer":
		return content.Keyword
	case "receive", "open":
		return content.String
	case "total":
		return content.Dim
	}
	return content.Key
}

// moments is all that was recorded, in the order in which it happened.
func moments(f *flowpb.Flow, client, server *flowpb.Conn) []moment {
	q, r := f.GetHttp().GetRequest(), f.GetHttp().GetResponse()
	m := []moment{
		{"client connected", client.GetStartedNs()},
		{"TLS with the client done", client.GetTlsNs()},
		{"flow began", f.GetCreatedNs()},
		{"server connection began", server.GetStartedNs()},
		{"name resolved", server.GetResolvedNs()},
		{"server connected", server.GetConnectedNs()},
		{"TLS with the server done", server.GetTlsNs()},
		{"request, first byte", q.GetStartedNs()},
		{"request, last byte", q.GetEndedNs()},
		{"response, first byte", r.GetStartedNs()},
		{"response, last byte", r.GetEndedNs()},
		{"question", f.GetDns().GetRequest().GetAtNs()},
		{"answer", f.GetDns().GetResponse().GetAtNs()},
		{"connection or stream closed", closed(f)},
		{"failed", f.GetError().GetAtNs()},
		{"server connection closed", server.GetEndedNs()},
		{"client connection closed", client.GetEndedNs()},
	}
	for _, i := range f.GetHttp().GetInformational() {
		m = append(m, moment{"informational response", i.GetStartedNs()})
	}
	m = slices.DeleteFunc(m, func(m moment) bool { return m.at == 0 })
	slices.SortStableFunc(m, func(a, b moment) int { return cmp.Compare(a.at, b.at) })
	return m
}
