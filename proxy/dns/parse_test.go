package dns

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/dns/dnsmessage"
)

// render is a message as text, a line each thing.
func render(m *Message) string {
	var s strings.Builder
	fmt.Fprintf(&s, "id %d op %d code %d", m.ID, m.OpCode, m.Code)
	for _, f := range []struct {
		set  bool
		name string
	}{{m.Response, "qr"}, {m.Authoritative, "aa"}, {m.Truncated, "tc"}, {m.RecursionDesired, "rd"}, {m.RecursionAvailable, "ra"}} {
		if f.set {
			s.WriteString(" " + f.name)
		}
	}
	if m.Reserved != 0 || m.Trailing != 0 {
		fmt.Fprintf(&s, " reserved %d trailing %d", m.Reserved, m.Trailing)
	}
	s.WriteString("\n")
	for _, q := range m.Questions {
		fmt.Fprintf(&s, "question %s %d %d\n", q.Name, q.Type, q.Class)
	}
	for i, section := range [][]Record{m.Answers, m.Authorities, m.Additionals} {
		for _, r := range section {
			fmt.Fprintf(&s, "%s %s %d %d %d %q\n", []string{"answer", "authority", "additional"}[i], r.Name, r.Type, r.Class, r.TTL, r.Data)
		}
	}
	return s.String()
}

// name is a name of the other implementation, whose data is as on the wire.
func name(s string) dnsmessage.Name { return dnsmessage.MustNewName(s) }

// built is an answer as another implementation writes it, its names compressed.
func built(t testing.TB) []byte {
	header := func(s string) dnsmessage.ResourceHeader {
		return dnsmessage.ResourceHeader{Name: name(s), Class: dnsmessage.ClassINET, TTL: 300}
	}
	var opt dnsmessage.ResourceHeader
	if err := opt.SetEDNS0(1232, dnsmessage.RCode(16), true); err != nil {
		t.Fatal(err)
	}
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: 4660, Response: true, Authoritative: true, RecursionDesired: true, RecursionAvailable: true, RCode: dnsmessage.RCodeNameError},
		Questions: []dnsmessage.Question{{Name: name("www.example.com."), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}},
		Answers: []dnsmessage.Resource{
			{Header: header("www.example.com."), Body: &dnsmessage.CNAMEResource{CNAME: name("host.example.com.")}},
			{Header: header("host.example.com."), Body: &dnsmessage.AResource{A: [4]byte{192, 0, 2, 1}}},
			{Header: header("example.com."), Body: &dnsmessage.MXResource{Pref: 10, MX: name("mail.example.com.")}},
			{Header: header("_sip._tcp.example.com."), Body: &dnsmessage.SRVResource{Priority: 1, Weight: 2, Port: 5060, Target: name("host.example.com.")}},
			{Header: header("example.com."), Body: &dnsmessage.TXTResource{TXT: []string{"v=spf1", "-all"}}},
		},
		Authorities: []dnsmessage.Resource{{Header: header("example.com."), Body: &dnsmessage.SOAResource{NS: name("ns.example.com."), MBox: name("admin.example.com."), Serial: 1, Refresh: 2, Retry: 3, Expire: 4, MinTTL: 5}}},
		Additionals: []dnsmessage.Resource{
			{Header: header("a.example.com."), Body: &dnsmessage.UnknownResource{Type: 65280, Data: []byte{1, 2, 0xc0, 0x0c}}},
			{Header: opt, Body: &dnsmessage.OPTResource{}},
		},
	}
	p, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestParse(t *testing.T) {
	m, err := Parse(built(t))
	if err != nil {
		t.Fatal(err)
	}
	const want = `id 4660 op 0 code 19 qr aa rd ra
question www.example.com 1 1
answer www.example.com 5 1 300 "\x04host\aexample\x03com\x00"
answer host.example.com 1 1 300 "\xc0\x00\x02\x01"
answer example.com 15 1 300 "\x00\n\x04mail\aexample\x03com\x00"
answer _sip._tcp.example.com 33 1 300 "\x00\x01\x00\x02\x13\xc4\x04host\aexample\x03com\x00"
answer example.com 16 1 300 "\x06v=spf1\x04-all"
authority example.com 6 1 300 "\x02ns\aexample\x03com\x00\x05admin\aexample\x03com\x00\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03\x00\x00\x00\x04\x00\x00\x00\x05"
additional a.example.com 65280 1 300 "\x01\x02\xc0\f"
additional . 41 1232 16809984 ""
`
	if diff := cmp.Diff(want, render(m)); diff != "" {
		t.Errorf("message (-want +got):\n%s", diff)
	}
}

// header is a message's header with these counts.
func header(questions, answers, authorities, additionals byte) string {
	return "\x00\x07\x01\x00\x00" + string([]byte{questions, 0, answers, 0, authorities, 0, additionals})
}

// wrongs are messages with something wrong, and what is read of them.
var wrongs = []struct{ name, input, want string }{
	{"shorter than a header", "\x00\x07\x01\x00", "error read DNS message (byte 0): shorter than its header\n"},
	{"nothing in it", header(0, 0, 0, 0), "id 7 op 0 code 0 rd\n"},
	{"the root", header(1, 0, 0, 0) + "\x00\x00\x02\x00\x01", "id 7 op 0 code 0 rd\nquestion . 2 1\n"},
	{"a name to be escaped", header(1, 0, 0, 0) + "\x05a.b\\ \x02\xff\x00\x00\x00\x01\x00\x01", "id 7 op 0 code 0 rd\nquestion a\\.b\\\\\\032.\\255\\000 1 1\n"},
	{"bytes behind", header(0, 0, 0, 0) + "xyz", "id 7 op 0 code 0 rd reserved 0 trailing 3\n"},
	{"all bits", "\x00\x07\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00", "id 7 op 15 code 15 qr aa tc rd ra reserved 7 trailing 0\n"},
	{"a pointer to itself", header(1, 0, 0, 0) + "\xc0\x0c\x00\x01\x00\x01", "id 7 op 0 code 0 rd\nerror read DNS message (byte 12): a pointer that does not lead backwards\n"},
	{"a pointer forwards", header(1, 0, 0, 0) + "\xc0\x10\x00\x01\x00\x01\x00", "id 7 op 0 code 0 rd\nerror read DNS message (byte 12): a pointer that does not lead backwards\n"},
	{"pointers in a circle", header(2, 0, 0, 0) + "\x01a\x00\x00\x01\x00\x01\x01b\xc0\x13", "id 7 op 0 code 0 rd\nquestion a 1 1\nerror read DNS message (byte 19): a pointer that does not lead backwards\n"},
	{"a pointer into the header", header(1, 0, 0, 0) + "\xc0\x00\x00\x01\x00\x01", "id 7 op 0 code 0 rd\nquestion . 1 1\n"},
	{"half a pointer", header(1, 0, 0, 0) + "\x01a\xc0", "id 7 op 0 code 0 rd\nerror read DNS message (byte 12): a pointer that is not whole\n"},
	{"a label that is cut", header(1, 0, 0, 0) + "\x05ab", "id 7 op 0 code 0 rd\nerror read DNS message (byte 12): a label that is not whole\n"},
	{"an unknown label", header(1, 0, 0, 0) + "\x41a", "id 7 op 0 code 0 rd\nerror read DNS message (byte 12): a label of a kind that does not exist\n"},
	{"a name without end", header(1, 0, 0, 0) + "\x01a", "id 7 op 0 code 0 rd\nerror read DNS message (byte 12): a name that is not whole\n"},
	{"a name too long", header(1, 0, 0, 0) + strings.Repeat("\x3f"+strings.Repeat("x", 63), 4) + "\x00\x00\x01\x00\x01", "id 7 op 0 code 0 rd\nerror read DNS message (byte 12): a name of more than 255 bytes\n"},
	{"half a question", header(1, 0, 0, 0) + "\x00\x00\x01", "id 7 op 0 code 0 rd\nerror read DNS message (byte 13): a question that is not whole\n"},
	{"half a record", header(0, 1, 0, 0) + "\x00\x00\x01\x00\x01\x00\x00", "id 7 op 0 code 0 rd\nerror read DNS message (byte 13): a record that is not whole\n"},
	{"half its data", header(0, 2, 0, 0) + "\x00\x00\x01\x00\x01\x00\x00\x00\x09\x00\x02ab" + "\x00\x00\x01\x00\x01\x00\x00\x00\x09\x00\x05ab", "id 7 op 0 code 0 rd\nanswer . 1 1 9 \"ab\"\nerror read DNS message (byte 36): data that is not whole\n"},
	{"data that is not as its type says", header(0, 2, 0, 0) + "\x00\x00\x05\x00\x01\x00\x00\x00\x09\x00\x02\xc0\xff" + "\x00\x00\x0f\x00\x01\x00\x00\x00\x09\x00\x01x", "id 7 op 0 code 0 rd\nanswer . 5 1 9 \"\\xc0\\xff\"\nanswer . 15 1 9 \"x\"\n"},
	{"fewer records than counted", header(0, 0, 0, 1), "id 7 op 0 code 0 rd\nerror read DNS message (byte 12): a name that is not whole\n"},
	{"NAPTR", header(0, 1, 0, 0) + "\x00\x00\x23\x00\x01\x00\x00\x00\x09\x00\x0f\x00\x01\x00\x02\x01s\x03sip\x00\x01a\x00\x00", "id 7 op 0 code 0 rd\nanswer . 35 1 9 \"\\x00\\x01\\x00\\x02\\x01s\\x03sip\\x00\\x01a\\x00\\x00\"\n"},
}

func TestParseWhatIsWrong(t *testing.T) {
	for _, c := range wrongs {
		m, err := Parse([]byte(c.input))
		var got string
		if m != nil {
			got = render(m)
		}
		if err != nil {
			got += "error " + err.Error() + "\n"
			if _, ok := errors.AsType[*Error](err); !ok {
				t.Errorf("%s: the error is no *Error", c.name)
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// TestNamesAreBounded has a message of 64 KB whose pointers expand to far more.
func TestNamesAreBounded(t *testing.T) {
	p := []byte("\x00\x07\x01\x00\xff\xff\x00\x00\x00\x00\x00\x00")
	for range 3 {
		p = append(append(p, 63), bytes.Repeat([]byte{0}, 63)...)
	}
	p = append(p, 0, 0, 1, 0, 1)
	for len(p)+6 <= maxMessage {
		p = append(p, 0xc0, 0x0c, 0, 1, 0, 1)
	}
	m, err := Parse(p)
	if err == nil || !strings.Contains(err.Error(), "expand to more") {
		t.Errorf("got %v, want an error about names", err)
	}
	total := 0
	for _, q := range m.Questions {
		total += len(q.Name)
	}
	if total > maxExpanded {
		t.Errorf("names: got %d bytes, want at most %d", total, maxExpanded)
	}
}

func TestFailure(t *testing.T) {
	query := "\x12\x34\x01\x10\x00\x01\x00\x00\x00\x00\x00\x01\x01a\x00\x00\x01\x00\x01" + "\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x00"
	m, err := Parse(Failure([]byte(query), 2))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := render(m), "id 4660 op 0 code 2 qr rd ra\nquestion a 1 1\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := Failure([]byte("short"), 2); got != nil {
		t.Errorf("of no query: got %q, want nothing", got)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(built(f))
	for _, c := range wrongs {
		f.Add([]byte(c.input))
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		m, err := Parse(p)
		if (m == nil) != (len(p) < headerSize || len(p) > maxMessage) {
			t.Errorf("got %v, %v", m, err)
		}
		if m == nil {
			return
		}
		if answer := Failure(p, 2); len(answer) > len(p) {
			t.Errorf("a failure of %d bytes for a query of %d", len(answer), len(p))
		} else if _, err := Parse(answer); err != nil {
			t.Errorf("failure: %v", err)
		}
		var other dnsmessage.Message
		if err != nil || other.Unpack(p) != nil {
			return
		}
		if len(other.Questions) != len(m.Questions) || len(other.Answers) != len(m.Answers) || len(other.Additionals) != len(m.Additionals) {
			t.Errorf("got %s, want as %v", render(m), other)
		}
	})
}
