package facts

import (
	"encoding/hex"
	"net/netip"
	"strconv"

	flowpb "weir/proto"
)

// recordType is the name of a record type in IANA's registry, as far as they are
// common, else "TYPE7" (RFC 3597, section 5).
func recordType(n uint32) string {
	switch n {
	case 1:
		return "A"
	case 2:
		return "NS"
	case 5:
		return "CNAME"
	case 6:
		return "SOA"
	case 12:
		return "PTR"
	case 15:
		return "MX"
	case 16:
		return "TXT"
	case 28:
		return "AAAA"
	case 33:
		return "SRV"
	case 41:
		return "OPT"
	case 43:
		return "DS"
	case 46:
		return "RRSIG"
	case 48:
		return "DNSKEY"
	case 64:
		return "SVCB"
	case 65:
		return "HTTPS"
	case 255:
		return "ANY"
	case 257:
		return "CAA"
	}
	return "TYPE" + strconv.FormatUint(uint64(n), 10)
}

// responseCode is the name of a response code (RFC 1035, section 4.1.1; RFC 2136).
func responseCode(n uint32) string {
	switch n {
	case 0:
		return "NOERROR"
	case 1:
		return "FORMERR"
	case 2:
		return "SERVFAIL"
	case 3:
		return "NXDOMAIN"
	case 4:
		return "NOTIMP"
	case 5:
		return "REFUSED"
	}
	return "RCODE" + strconv.FormatUint(uint64(n), 10)
}

// recordData is the data of a record: addresses as such, text as it is, the rest
// in hexadecimal, at most 256 bytes of it.
func recordData(r *flowpb.DnsRecord) string {
	data := r.GetData()
	switch r.GetType() {
	case 1, 28:
		if a, ok := netip.AddrFromSlice(data); ok {
			return a.String()
		}
	case 16:
		if len(data) > 1 {
			return string(data[1:min(len(data), 256)])
		}
	}
	return hex.EncodeToString(data[:min(len(data), 256)])
}
