package filter

import (
	"encoding/hex"
	"net/netip"
	"strings"

	flowpb "weir/proto"
)

// The types of DNS records whose data is shown as more than hexadecimal digits
// (RFC 1035 section 3.2.2, RFC 3596).
const (
	dnsA     = 1
	dnsNS    = 2
	dnsCNAME = 5
	dnsPTR   = 12
	dnsTXT   = 16
	dnsAAAA  = 28
)

// dnsText is a DNS message as the body operators see it: the names asked for and
// the data of the records, a line each.
func dnsText(m *flowpb.DnsMessage) []byte {
	var lines []string
	for _, q := range m.GetQuestions() {
		lines = append(lines, string(q.GetName()))
	}
	for _, records := range [][]*flowpb.DnsRecord{m.GetAnswers(), m.GetAuthorities(), m.GetAdditionals()} {
		for _, r := range records {
			lines = append(lines, recordText(r))
		}
	}
	return []byte(strings.Join(lines, "\r\n"))
}

// recordText is the data of a record: an address, a name, a text, else its bytes
// in hexadecimal.
func recordText(r *flowpb.DnsRecord) string {
	data := r.GetData()
	switch r.GetType() {
	case dnsA, dnsAAAA:
		if a, ok := netip.AddrFromSlice(data); ok {
			return a.String()
		}
	case dnsNS, dnsCNAME, dnsPTR:
		if name, ok := stringsOf(data, "."); ok {
			return name
		}
	case dnsTXT:
		if text, ok := stringsOf(data, ""); ok {
			return text
		}
		return string(data)
	}
	return "0x" + hex.EncodeToString(data)
}

// stringsOf joins the length-prefixed strings of a name or a text; a name ends with
// an empty one. It is false if data is anything else, such as a compressed name.
func stringsOf(data []byte, separator string) (string, bool) {
	var parts []string
	for len(data) > 0 {
		n := int(data[0])
		if n >= len(data) || separator != "" && n > 63 {
			return "", false
		}
		if n > 0 {
			parts = append(parts, string(data[1:1+n]))
		}
		data = data[1+n:]
	}
	return strings.Join(parts, separator), true
}
