package flowlist

import (
	"strconv"
	"strings"

	"charm.land/lipgloss/v2"

	flowpb "weir/proto"
	"weir/tui/theme"
	"weir/tui/widget"
)

// Indexes into columns that code has to name.
const (
	cellHost    = 3
	cellPath    = 4
	cellSession = 9
)

// across is the columns as they stand on the screen, from left to right.
var across = []int{0, cellSession, 1, 2, cellHost, cellPath, 5, 6, 7, 8, 10}

// column is one column of the list. Its number for the user is its index plus 1,
// also where it is not in sight.
type column struct {
	name  string // for people: "status"
	title string // the header
	width int    // cells; host and path share what the others leave
	right bool   // numbers stand on the right
	drop  int    // goes n-th where space is short; 0: never
	sort  string // the sort key, as on the command line; "": none
	// several says that the column is there only in a list of several sessions.
	several bool
	text    func(m *Model, r *flowpb.Row) (string, lipgloss.Style)
	// filter is the expression that keeps the flows with this row's value; nil
	// where the language has none.
	filter func(r *flowpb.Row) string
}

var columns = []column{
	{name: "id", title: "#", width: 9, right: true, drop: 1, sort: "id", text: idText},
	{name: "time", title: "time", width: 11, drop: 3, sort: "started", text: timeText},
	{name: "method", title: "meth", width: 7, drop: 6, sort: "method", text: methodText, filter: methodFilter},
	{name: "host", title: "host", sort: "host", text: hostText, filter: hostFilter},
	{name: "path", title: "path", sort: "path", text: pathText, filter: pathFilter},
	{name: "status", title: "st", width: 4, right: true, sort: "status", text: statusText, filter: statusFilter},
	{name: "type", title: "type", width: 7, drop: 2, sort: "type", text: typeText, filter: typeFilter},
	{name: "size", title: "size", width: 7, right: true, drop: 5, sort: "response_size", text: sizeText},
	{name: "duration", title: "dur", width: 7, right: true, drop: 4, sort: "duration", text: durationText},
	{name: "session", title: "session", width: 16, several: true, text: sessionText, filter: sessionFilter},
	{name: "agent", title: "agent", width: 14, drop: 1, several: true, text: agentText, filter: agentFilter},
}

// Column is a column as menus and messages name it.
type Column struct{ Name, Sort string }

// Columns returns all columns in the order of their numbers.
func Columns() []Column {
	out := make([]Column, len(columns))
	for i, c := range columns {
		out[i] = Column{Name: c.name, Sort: c.sort}
	}
	return out
}

// Cell is the column that cell commands act on.
func (m *Model) Cell() Column { return Column{Name: columns[m.cell].name, Sort: columns[m.cell].sort} }

// CellFilter is the expression that keeps the flows with the same value in the
// current cell as the focus, or "" and the reason why there is none.
func (m *Model) CellFilter() (expr, reason string) {
	c, row := columns[m.cell], m.Focus()
	switch {
	case row == nil:
		return "", "no flow has the focus"
	case c.filter == nil:
		return "", "the column " + c.name + " has no single value to filter by; h and l choose another"
	}
	if expr = c.filter(row); expr == "" {
		return "", "this flow has no " + c.name
	}
	return expr, ""
}

func idText(m *Model, r *flowpb.Row) (string, lipgloss.Style) {
	_, number := flowpb.Placed(r.ID)
	return widget.Group(number), m.theme.Dim
}

func sessionText(m *Model, r *flowpb.Row) (string, lipgloss.Style) {
	return widget.Sanitize(r.Session), m.theme.Text
}

func agentText(m *Model, r *flowpb.Row) (string, lipgloss.Style) {
	return widget.Sanitize(r.Agent), m.theme.Dim
}

func timeText(m *Model, r *flowpb.Row) (string, lipgloss.Style) {
	return widget.Clock(r.Started, m.zone), m.theme.Dim
}

func methodText(m *Model, r *flowpb.Row) (string, lipgloss.Style) {
	if r.Kind != flowpb.KindHTTP {
		return strings.ToUpper(r.Kind.String()), m.theme.Dim
	}
	return widget.Sanitize(r.Method), m.theme.Method(r.Method)
}

func hostText(m *Model, r *flowpb.Row) (string, lipgloss.Style) {
	return widget.Sanitize(r.HostPort()), m.theme.Host
}

func pathText(m *Model, r *flowpb.Row) (string, lipgloss.Style) {
	return widget.Sanitize(r.Path), m.theme.Path
}

func statusText(m *Model, r *flowpb.Row) (string, lipgloss.Style) {
	switch {
	case r.Error != "" || r.Flags&flowpb.FlagError != 0:
		return "err", m.theme.Error
	case r.Status != 0:
		return strconv.FormatUint(uint64(r.Status), 10), m.theme.Status(r.Status)
	case r.Flags&flowpb.FlagFailed != 0:
		return m.theme.Glyphs.Wrong, m.theme.Error
	case r.State == flowpb.StateComplete:
		return m.theme.Glyphs.Good, m.theme.Good
	default:
		return m.theme.Glyphs.Pending, m.theme.Dim
	}
}

func typeText(m *Model, r *flowpb.Row) (string, lipgloss.Style) {
	if r.Flags&flowpb.FlagWebSocket != 0 {
		return "ws", m.theme.Dim
	}
	return widget.Sanitize(shortType(r.ContentType)), m.theme.Dim
}

func sizeText(m *Model, r *flowpb.Row) (string, lipgloss.Style) {
	return widget.Size(r.ResponseSize), m.theme.Text
}

func durationText(m *Model, r *flowpb.Row) (string, lipgloss.Style) {
	if r.Duration == flowpb.Absent {
		return m.theme.Glyphs.Pending, m.theme.Dim
	}
	return widget.Duration(r.Duration), slow(m.theme, r.Duration)
}

// slow makes what takes long stand out: from one second, and from five.
func slow(t *theme.Theme, ns int64) lipgloss.Style {
	const second = 1e9
	switch {
	case ns >= 5*second:
		return t.Error
	case ns >= second:
		return t.Warn
	default:
		return t.Text
	}
}

// shortType is the part of a media type that tells types apart at a glance:
// "json", "html", "png", "grpc"; parameters and the "x-", "vnd." trees' common
// prefixes go, and a structured suffix wins ("application/vnd.api+json").
func shortType(contentType string) string {
	mediaType, _, _ := strings.Cut(contentType, ";")
	mediaType, _, _ = strings.Cut(mediaType, ",")
	_, sub, ok := strings.Cut(mediaType, "/")
	if !ok {
		return strings.TrimSpace(mediaType)
	}
	sub = strings.ToLower(strings.TrimSpace(sub))
	switch sub {
	case "javascript", "x-javascript", "ecmascript":
		return "js"
	case "octet-stream":
		return "binary"
	case "x-www-form-urlencoded":
		return "form"
	case "event-stream":
		return "sse"
	case "plain":
		return "text"
	}
	if i := strings.LastIndexByte(sub, '+'); i >= 0 && i+1 < len(sub) {
		sub = sub[i+1:]
	}
	return strings.TrimPrefix(sub, "x-")
}
