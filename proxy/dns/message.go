// Package dns reads DNS messages (RFC 1035 §4) without doing any I/O, as they
// come in a datagram, or in a stream behind two bytes of length.
//
// [Parse] turns one message into a [Message]; a [Splitter] finds the messages
// of a stream. What is captured may be anything: a message that is wrong
// somewhere is returned as far as it could be read, with an [*Error] that tells
// the place. Types, classes and codes that are not known are kept as numbers,
// and data as bytes.
//
// # Names
//
// A name is its presentation form (RFC 1035 §5.1), without the dot at the end:
// bytes that are not printable ASCII are \DDD, and a dot or a backslash inside a
// label has a backslash before it. The root is ".". A compressed name is followed
// through its pointers, which must lead backwards, so that none can go in
// circles; those in the data of a record are expanded for the types that may
// have them (RFC 3597 §4), so that data has a meaning without its message.
//
// # Memory
//
// Everything is a function of its input, and for one goroutine at a time. A
// message has at most 64 KB, and what its names expand to at most 256 KB.
package dns

// Message is one DNS message.
type Message struct {
	ID                                   uint16
	Response                             bool
	OpCode                               uint8
	Authoritative, Truncated             bool
	RecursionDesired, RecursionAvailable bool
	Reserved                             uint8  // the three bits between those and Code (two of them by RFC 4035 §3.2)
	Code                                 uint16 // with the upper bits of an OPT record (RFC 6891 §6.1.3)
	Questions                            []Question
	Answers, Authorities, Additionals    []Record
	Trailing                             int // bytes behind the last record
}

// Question is what is asked.
type Question struct {
	Name        []byte
	Type, Class uint16
}

// Record is one resource record.
type Record struct {
	Name        []byte
	Type, Class uint16
	TTL         uint32
	Data        []byte // names in it expanded
}

// TypeOPT is the type of the record that carries EDNS (RFC 6891).
const TypeOPT = 41

// headerSize is the size of a message's header, in bytes.
const headerSize = 12

// Bounds of what is read of one message.
const (
	maxMessage  = 64 << 10
	maxExpanded = 256 << 10 // bytes of all names together
	maxName     = 255       // bytes of one name on the wire (RFC 1035 §3.1)
)
