package facts

import (
	"testing"

	flowpb "weir/proto"
)

func TestRecordData(t *testing.T) {
	for _, c := range []struct {
		typ        uint32
		data, want string
	}{
		{1, "\xc0\x00\x02\x01", "192.0.2.1"},
		{28, "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01", "2001:db8::1"},
		{1, "\xc0\x00\x02", "c00002"},
		{5, "\x04host\x07example\x03com\x00", "host.example.com"},
		{5, "\x04host\xc0\x0c", "04686f7374c00c"},
		{2, "\x00", "."},
		{6, "\x02ns\x00\x01a\x00\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03\x00\x00\x00\x04\x00\x00\x00\x05", "ns a 1 2 3 4 5"},
		{15, "\x00\x0a\x04mail\x00", "10 mail"},
		{15, "\x00\x0a\x04mail\x00extra", "000a046d61696c006578747261"},
		{16, "\x06v=spf1\x04-all", `"v=spf1" "-all"`},
		{16, "\x06cut", "06637574"},
		{33, "\x00\x01\x00\x02\x13\xc4\x04host\x00", "1 2 5060 host"},
		{65, "\x00\x01\x00\x00\x01\x00\x03\x02h2", "1 . 00010003026832"},
		{257, "\x00\x05issueca.test", `0 "issue" "ca.test"`},
		{65280, "\x01\x02", "0102"},
	} {
		r := &flowpb.DnsRecord{Type: c.typ, Data: []byte(c.data)}
		if got := recordData(r); got != c.want {
			t.Errorf("type %d %q: got %s, want %s", c.typ, c.data, got, c.want)
		}
	}
	opt := &flowpb.DnsRecord{Type: 41, Class: 1232, Data: []byte{0, 10, 0, 0}}
	if got, want := recordData(opt), "datagrams of 1232 bytes, 4 bytes of options"; got != want {
		t.Errorf("OPT: got %s, want %s", got, want)
	}
}
