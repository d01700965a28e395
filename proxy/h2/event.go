package h2

import "golang.org/x/net/http2/hpack"

// Role is an end of a connection.
type Role uint8

// The two ends.
const (
	Client Role = iota + 1
	Server
)

// String returns the word used in errors.
func (r Role) String() string {
	if r == Server {
		return "server"
	}
	return "client"
}

// Kind is the kind of an Event.
type Kind uint8

// The kinds of events, each with the fields of Event that it fills beside Kind
// and Stream.
const (
	NeedMore     Kind = iota // all input is taken; feed more
	Message                  // Head, Fields, Priority, End: a request, or a final response
	Interim                  // Head, Fields: a 1xx response
	Trailers                 // Fields, Priority: the end of a message
	Data                     // Data, Refund, End: a piece of the content
	Reset                    // Code: the peer gave the stream up
	WindowUpdate             // Increment; Stream is 0 for the connection
	Priority                 // Priority: the PRIORITY frame
	Settings                 // Settings
	SettingsAck              // one of our settings is in force
	Ping                     // Data: 8 bytes
	PingAck                  // Data: 8 bytes
	GoAway                   // Code, Last, Data: the debug data
	Unknown                  // Type, Flags, Data: a frame of an extension
	StreamError              // Err, Refund; of a message that cannot be read also Head and Fields
	Discarded                // Refund: a frame on a stream that is closed
	Promise                  // Promised, Head, Fields: a request that the server makes up itself; observers only
)

// Field is a header field, or a pseudo-header field, whose name begins with a
// colon. Sensitive is that it was sent to be never indexed (RFC 7541 §7.1.3).
type Field = hpack.HeaderField

// Dependency is the priority of RFC 7540 §5.3, which RFC 9113 deprecates and
// peers still send.
type Dependency struct {
	Stream    uint32
	Exclusive bool
	Weight    uint8 // as on the wire: 0 is a weight of 1
}

// Head is what the pseudo-header fields of a message say (§8.3).
type Head struct {
	Method, Scheme, Authority, Path, Protocol string // of a request; Protocol by RFC 8441
	Status                                    int    // of a response, 100–999
	Pseudo                                    int    // how many Fields are pseudo-header fields; they come first
}

// Event is one thing that the peer said. Slices are valid until the next Feed.
type Event struct {
	Kind   Kind
	Stream uint32
	End    bool // the peer's half of the stream is over with this (END_STREAM)
	Head   Head
	// Fields are all fields in the order sent, pseudo-header fields first.
	Fields   []Field
	Data     []byte
	Settings []Setting // in the order sent
	Priority *Dependency
	Err      *Error
	Code     ErrCode
	Last     uint32 // of GOAWAY: the last stream that was or may be acted on
	// Increment is what WINDOW_UPDATE adds. Refund is how many bytes of DATA
	// counted against the windows and are not in Event.Data: padding, or all of a
	// frame that is discarded. On a stream that goes on both windows are owed
	// them, else the connection's.
	Increment uint32
	Refund    int
	Type      FrameType
	Flags     uint8
	// Promised is the stream that will answer a [Promise]. Unread is, to an observer, what
	// is known of fields whose names are not: their values, "" where those are not either.
	Promised uint32
	Unread   []string
}
