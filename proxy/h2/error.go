package h2

import "fmt"

// ErrCode is the code of RST_STREAM and GOAWAY (RFC 9113 §7).
type ErrCode uint32

// The codes.
const (
	NoError ErrCode = iota
	ProtocolError
	InternalError
	FlowControlError
	SettingsTimeout
	StreamClosed
	FrameSizeError
	RefusedStream
	Cancel
	CompressionError
	ConnectError
	EnhanceYourCalm
	InadequateSecurity
	HTTP11Required
)

// codeNames are the names of the codes as the RFC writes them.
var codeNames = [...]string{
	"NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED",
	"FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM",
	"INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
}

// String returns the name of the code, or its number where it has none.
func (c ErrCode) String() string {
	if int64(c) < int64(len(codeNames)) {
		return codeNames[c]
	}
	return fmt.Sprintf("error code %#x", uint32(c))
}

// Error says what the peer did wrong and where.
type Error struct {
	Code   ErrCode // to answer with
	Peer   Role    // who did it
	Stream uint32  // whose error it is; 0 for the connection
	Limit  string  // the field of Limits that was crossed, "" where it was none
	Offset int64   // of the frame in the peer's bytes, from 0
	Reason string
}

// Error returns one line that names the peer, the place and the reason.
func (e *Error) Error() string {
	if e.Stream == 0 {
		return fmt.Sprintf("read HTTP/2 of the %s (byte %d): %s", e.Peer, e.Offset, e.Reason)
	}
	return fmt.Sprintf("read HTTP/2 of the %s, stream %d (byte %d): %s", e.Peer, e.Stream, e.Offset, e.Reason)
}

// broken is a connection error of the frame at hand.
func (c *Conn) broken(code ErrCode, format string, args ...any) *Error {
	return &Error{Code: code, Peer: c.peer, Offset: c.at, Reason: fmt.Sprintf(format, args...)}
}

// flooded is a connection error for crossing one of the Limits.
func (c *Conn) flooded(limit, format string, args ...any) *Error {
	err := c.broken(EnhanceYourCalm, format, args...)
	err.Limit = limit
	return err
}

// fault is what is wrong with one stream, before its place is known.
type fault struct {
	code   ErrCode
	limit  string
	reason string
}

func malformed(format string, args ...any) *fault {
	return &fault{code: ProtocolError, reason: fmt.Sprintf(format, args...)}
}

// spoil gives up the stream and returns the event that says so.
func (c *Conn) spoil(id uint32, s *stream, f *fault) Event {
	if s != nil {
		s.lost = true
	}
	return Event{Kind: StreamError, Stream: id, Err: &Error{
		Code: f.code, Peer: c.peer, Stream: id, Limit: f.limit, Offset: c.at, Reason: f.reason,
	}}
}
