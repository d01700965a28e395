package facts

import (
	"fmt"
	"strconv"

	flowpb "weir/proto"
	"weir/tui/content"
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
		for _, q := range q[:min(len(q), maxRecords)] {
			t.b.Put(content.Plain, append([]byte("  "), q.GetName()...))
			t.b.Say(content.Number, "  "+recordType(q.GetType()))
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
	for _, r := range records[:min(len(records), maxRecords)] {
		t.b.Put(content.Plain, append([]byte("  "), r.GetName()...))
		t.b.Say(content.Number, "  "+recordType(r.GetType()))
		t.b.Say(content.Dim, fmt.Sprintf("  %ds  ", r.GetTtl()))
		t.b.Put(content.String, []byte(recordData(r)))
		t.b.Newline()
	}
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
