package facts

import (
	"strconv"
	"strings"
	"time"

	flowpb "weir/proto"
	"weir/tui/content"
	"weir/tui/widget"
)

// labelWidth is the column of names in lists of facts, in cells.
const labelWidth = 14

// table writes names and values below headings.
type table struct {
	b     *content.Builder
	zone  *time.Location
	begun bool
}

func newTable(zone *time.Location) *table {
	if zone == nil {
		zone = time.UTC
	}
	return &table{b: content.NewBuilder(nil), zone: zone}
}

func (t *table) heading(text string) {
	if t.begun {
		t.b.Newline()
	}
	t.begun = true
	t.b.Say(content.Tag, text)
	t.b.Newline()
}

// row writes captured text beside a name of ours; nothing where there is none.
func (t *table) row(name, value string) { t.kind(content.Plain, name, value) }

func (t *table) kind(kind content.Kind, name, value string) {
	if value == "" {
		return
	}
	t.label(name)
	t.b.Put(kind, []byte(value))
	t.b.Newline()
}

func (t *table) label(name string) {
	t.begun = true
	t.b.Say(content.Plain, "  ")
	t.b.Put(content.Key, []byte(name))
	t.b.Say(content.Plain, widget.Space(max(1, labelWidth-widget.Width(widget.Sanitize(name)))))
}

// time writes a moment, in full.
func (t *table) time(name string, ns int64) {
	if ns != 0 {
		t.row(name, t.moment(ns))
	}
}

func (t *table) moment(ns int64) string {
	return time.Unix(0, ns).In(t.zone).Format("2006-01-02 15:04:05.000000 MST")
}

func address(a *flowpb.Address) string {
	if a == nil || len(a.GetHost()) == 0 && a.GetPort() == 0 {
		return ""
	}
	host := string(a.GetHost())
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return host + ":" + strconv.FormatUint(uint64(a.GetPort()), 10)
}

// failure writes an error and what to do about it.
func (t *table) failure(e *flowpb.Error) {
	if e == nil {
		return
	}
	t.kind(content.Fault, "error", e.GetMessage())
	t.row("hint", e.GetHint())
}
