package h1

import "strings"

// Oddity is a set of ways in which a message departs from what every reader
// understands alike. Most are the means of request smuggling (RFC 9112 §11.2).
type Oddity uint16

// The oddities.
const (
	BareLF           Oddity = 1 << iota // a line ends in LF without CR
	Folded                              // a field goes on in the next line (obs-fold)
	SpaceBeforeColon                    // white space between a field name and its colon
	NoField                             // a line that is no field
	Control                             // a NUL byte, or a CR without LF
	LengthAndCoding                     // both Content-Length and Transfer-Encoding
	RepeatedLength                      // the same Content-Length more than once
	ManyLengths                         // different values of Content-Length
	BadLength                           // a Content-Length that is no decimal number below 2^63
	BadCoding                           // Transfer-Encoding more than once, or chunked twice or not at the end
	CodingIn10                          // Transfer-Encoding in an HTTP/1.0 message
	OddFramingField                     // Content-Length or Transfer-Encoding folded, or with stray bytes beside the name
	ConnectBody                         // a body on CONNECT
	BadChunk                            // chunked framing that cannot be followed
	ManyHosts                           // Host more than once in a request
)

const (
	// framing is what makes the end of a message uncertain.
	framing = LengthAndCoding | RepeatedLength | ManyLengths | BadLength | BadCoding | CodingIn10 | OddFramingField | ConnectBody | BadChunk | Control
	// tolerated is what is read in any message: nobody takes it for a framing.
	tolerated = NoField
	// toleratedInResponses is what servers do and clients put up with.
	toleratedInResponses = tolerated | BareLF | Folded | SpaceBeforeColon | RepeatedLength
)

// oddityTexts names each oddity, in the order of the bits.
var oddityTexts = [...]string{
	"a line ends in LF without CR", "a folded field (obs-fold)", "white space before a colon", "a line that is no field",
	"NUL or CR without LF", "both Transfer-Encoding and Content-Length", "Content-Length more than once",
	"different values of Content-Length", "Content-Length that is no number", "odd Transfer-Encoding",
	"Transfer-Encoding in HTTP/1.0", "Content-Length or Transfer-Encoding written oddly", "a body on CONNECT",
	"broken chunked framing", "Host more than once",
}

// String lists what o holds, for people: "a line ends in LF without CR; …".
func (o Oddity) String() string {
	var parts []string
	for i, text := range oddityTexts {
		if o&(1<<i) != 0 {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, "; ")
}

// notes collects the oddities of one message, and the fault that the first one
// is which is refused.
type notes struct {
	seen, refused Oddity
	fault         *fault
}

// refusedBy is what a reader of that role does not read.
func refusedBy(role Role, lenient bool) Oddity {
	switch {
	case lenient:
		return 0
	case role == Response:
		return ^toleratedInResponses
	}
	return ^tolerated
}

// add notes what stands at offset at of a part of the message. reason says it in
// the words of an error.
func (n *notes) add(o Oddity, part string, at int, reason string) {
	n.seen |= o
	if n.fault == nil && o&n.refused != 0 {
		n.fault = malformed(part, at, reason)
		n.fault.odd = true
	}
}
