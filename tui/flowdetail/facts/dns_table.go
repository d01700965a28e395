package facts

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"

	flowpb "weir/proto"
)

// typeOPT is the type of the record that carries EDNS (RFC 6891), in which class
// and time to live mean something else.
const typeOPT = 41

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

// shapes are the parts that the data of a record has, in order: n a name, 1 2 4 a
// number of so many bytes, s a string with its length, t strings to the end, r what is
// left as text, x as hexadecimal digits. Where a type is not here, or its data is not
// as it should be, all of it is hexadecimal.
var shapes = map[uint32]string{
	2: "n", 5: "n", 6: "nn44444", 12: "n", 13: "ss", 15: "2n", 16: "t", 17: "nn", 18: "2n", 33: "222n", 35: "22sssn", 39: "n",
	43: "211x", 48: "211x", 64: "2nx", 65: "2nx", 257: "1sr",
}

// recordData is the data of a record: addresses as such, the rest by the table of
// shapes, or in hexadecimal, at most 256 bytes of it.
func recordData(r *flowpb.DnsRecord) string {
	data := r.GetData()
	switch r.GetType() {
	case 1, 28:
		if a, ok := netip.AddrFromSlice(data); ok {
			return a.String()
		}
	case typeOPT:
		return fmt.Sprintf("datagrams of %d bytes, %d bytes of options", r.GetClass(), len(data))
	}
	if text, ok := readData(shapes[r.GetType()], data); ok {
		return text
	}
	return hex.EncodeToString(data[:min(len(data), 256)])
}
