package dns

import (
	"net/netip"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// TestAddresses has another's parser read the answers.
func TestAddresses(t *testing.T) {
	all := []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("192.0.2.2")}
	for _, c := range []struct {
		kind  dnsmessage.Type
		class dnsmessage.Class
		have  []netip.Addr
		want  int // answers; -1: no answer at all
	}{
		{dnsmessage.TypeA, dnsmessage.ClassINET, all, 2},
		{dnsmessage.TypeAAAA, dnsmessage.ClassINET, all, 1},
		{dnsmessage.TypeAAAA, dnsmessage.ClassINET, all[:1], 0},
		{dnsmessage.TypeMX, dnsmessage.ClassINET, all, -1},
		{dnsmessage.TypeA, dnsmessage.ClassCHAOS, all, -1},
	} {
		q := dnsmessage.Message{
			Header:    dnsmessage.Header{ID: 7, RecursionDesired: true},
			Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName("a.Test."), Type: c.kind, Class: c.class}},
		}
		query, err := q.Pack()
		if err != nil {
			t.Fatal(err)
		}
		out := Addresses(query, 60, c.have)
		if c.want < 0 {
			if out != nil {
				t.Errorf("%v %v: got %x, want nothing", c.kind, c.class, out)
			}
			continue
		}
		var m dnsmessage.Message
		if err := m.Unpack(out); err != nil {
			t.Fatalf("%v: %v in %x", c.kind, err, out)
		}
		if !m.Response || m.ID != 7 || !m.RecursionAvailable || len(m.Questions) != 1 || m.Questions[0] != q.Questions[0] || len(m.Answers) != c.want {
			t.Errorf("%v: got %v, want %d answers", c.kind, m, c.want)
		}
		for _, a := range m.Answers {
			if a.Header.Name != q.Questions[0].Name || a.Header.TTL != 60 || a.Header.Type != c.kind {
				t.Errorf("%v: got %v", c.kind, a)
			}
		}
	}
	if out := Addresses([]byte("short"), 60, all); out != nil {
		t.Errorf("no query: got %x", out)
	}
}

// FuzzAddresses holds every answer to be one to its query.
func FuzzAddresses(f *testing.F) {
	f.Add([]byte("\x00\x07\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x04test\x00\x00\x01\x00\x01"))
	for _, to := range []string{"\x04", "\x07"} { // names in the header, which an answer changes
		f.Add([]byte("\x00\x07\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\xc0" + to + "\x00\x1c\x00\x01"))
	}
	all := []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")}
	f.Fuzz(func(t *testing.T, query []byte) {
		out := Addresses(query, 1, all)
		if out == nil {
			return
		}
		asked, err := Parse(query)
		if err != nil {
			t.Fatalf("an answer to %x, which cannot be read: %v", query, err)
		}
		m, err := Parse(out)
		if err != nil || !m.Response || m.ID != asked.ID || len(m.Questions) != 1 || len(m.Answers) != 1 || m.Trailing != 0 {
			t.Fatalf("to %x: got %+v, %v", query, m, err)
		}
		if q := m.Questions[0]; string(q.Name) != string(asked.Questions[0].Name) || string(m.Answers[0].Name) != string(q.Name) {
			t.Errorf("to %s: got an answer for %s", asked.Questions[0].Name, m.Answers[0].Name)
		}
	})
}
