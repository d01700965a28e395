package facts

import (
	"fmt"
	"strconv"

	flowpb "weir/proto"
	"weir/tui/content"
	"weir/tui/widget"
)

// maxRecords bounds the records of one section that are shown.
const maxRecords = 1000

// DNS is one DNS message (RFC 1035, section 4).
func DNS(m *flowpb.DnsMessage) *content.Document {
	t := newTable(nil)
	t.heading("DNS message")
	t.row("id", strconv.FormatUint(uint64(m.GetId()), 10))
	t.row("operation", strconv.FormatUint(uint64(m.GetOpCode()), 10))
	t.row("code", responseCode(m.GetResponseCode()))
	t.row("flags", flags(m))
	if q := m.GetQuestions(); len(q) > 0 {
		t.heading("Questions")
		q = q[:min(len(q), maxRecords)]
		width := 0
		for _, q := range q {
			width = nameWidth(width, q.GetName())
		}
		for _, q := range q {
			t.name(q.GetName(), width)
			t.b.Say(content.Number, recordType(q.GetType()))
			t.b.Newline()
		}
	}
	t.records("Answers", m.GetAnswers())
	t.records("Authorities", m.GetAuthorities())
	t.records("Additional", m.GetAdditionals())
	return t.b.Document()
}

func (t *table) records(heading string, records []*flowpb.DnsRecord) {
	if len(records) == 0 {
		return
	}
	t.heading(heading)
	records = records[:min(len(records), maxRecords)]
	width := 0
	for _, r := range records {
		width = nameWidth(width, r.GetName())
	}
	for _, r := range records {
		t.name(r.GetName(), width)
		life := fmt.Sprintf("%ds", r.GetTtl())
		if r.GetType() == typeOPT { // the field has another meaning there
			life = ""
		}
		t.b.Say(content.Number, widget.Pad(recordType(r.GetType()), 6, ""))
		t.b.Say(content.Dim, " "+widget.PadLeft(life, 8, "")+"  ")
		t.b.Put(content.String, []byte(recordData(r)))
		t.b.Newline()
	}
}

// maxNameWidth is how wide the column of names gets, in cells.
const maxNameWidth = 40

// nameWidth returns the larger of width and what name takes, as far as the column goes.
func nameWidth(width int, name []byte) int {
	return max(width, min(widget.Width(widget.Sanitize(name)), maxNameWidth))
}

// name writes the first column of a row.
func (t *table) name(name []byte, width int) {
	t.b.Say(content.Plain, "  ")
	t.b.Put(content.Plain, name)
	t.b.Say(content.Plain, widget.Space(max(0, width-widget.Width(widget.Sanitize(name)))+2))
}

func flags(m *flowpb.DnsMessage) string {
	s := ""
	for _, f := range []struct {
		set  bool
		name string
	}{
		{m.GetAuthoritative(), "authoritative"},
		{m.GetTruncated(), "truncated"},
		{m.GetRecursionDesired(), "recursion-desired"},
		{m.GetRecursionAvailable(), "recursion-available"},
	} {
		if f.set {
			s += " " + f.name
		}
	}
	if s == "" {
		return ""
	}
	return s[1:]
}
