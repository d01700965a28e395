package dns

import (
	"encoding/binary"
	"net/netip"
)

// Types of records that hold addresses (RFC 1035 §3.4.1, RFC 3596 §2.1), and the
// class of the Internet.
const (
	TypeA         = 1
	TypeAAAA      = 28
	ClassInternet = 1
)

// Addresses returns the answer of a resolver to a query for the addresses of a name:
// those of all that are of the type that is asked for, which may be none. They hold
// for ttl seconds. It returns nil where the query is for anything else.
func Addresses(query []byte, ttl uint32, all []netip.Addr) []byte {
	m, err := Parse(query)
	if err != nil || len(m.Questions) != 1 || m.Questions[0].Class != ClassInternet {
		return nil
	}
	asked := m.Questions[0].Type
	if asked != TypeA && asked != TypeAAAA {
		return nil
	}
	const noError = 0
	out := Failure(query, noError)
	if len(out) == headerSize { // a name that goes on in the header
		return nil
	}
	count := uint16(0)
	for _, a := range all {
		if a.Is4() != (asked == TypeA) {
			continue
		}
		const theQuestion = 0xc000 | headerSize // a pointer to its name
		out = binary.BigEndian.AppendUint16(out, theQuestion)
		out = binary.BigEndian.AppendUint16(out, asked)
		out = binary.BigEndian.AppendUint16(out, ClassInternet)
		out = binary.BigEndian.AppendUint32(out, ttl)
		data := a.AsSlice()
		out = append(binary.BigEndian.AppendUint16(out, uint16(len(data))), data...)
		count++
	}
	binary.BigEndian.PutUint16(out[6:], count)
	return out
}
