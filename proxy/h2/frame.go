package h2

import "encoding/binary"

// FrameType is the type of a frame (RFC 9113 §6).
type FrameType uint8

// The frame types that RFC 9113 defines.
const (
	FrameData FrameType = iota
	FrameHeaders
	FramePriority
	FrameReset
	FrameSettings
	FramePushPromise
	FramePing
	FrameGoAway
	FrameWindowUpdate
	FrameContinuation
)

// frameNames are the names of the types as the RFC writes them.
var frameNames = [...]string{
	"DATA", "HEADERS", "PRIORITY", "RST_STREAM", "SETTINGS", "PUSH_PROMISE", "PING", "GOAWAY", "WINDOW_UPDATE", "CONTINUATION",
}

// String returns the name of the type.
func (t FrameType) String() string {
	if int(t) < len(frameNames) {
		return frameNames[t]
	}
	return "unknown frame"
}

// The flags, which mean different things on different types.
const (
	flagEndStream  = 0x1
	flagAck        = 0x1
	flagEndHeaders = 0x4
	flagPadded     = 0x8
	flagPriority   = 0x20
)

const (
	frameHeader      = 9       // bytes before every payload
	defaultFrameSize = 1 << 14 // of a payload, until settings say otherwise (§4.2)
	largestFrameSize = 1<<24 - 1
	maxStream        = 1<<31 - 1
)

// Preface is what a client sends before its first frame (§3.4).
const Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// frame is the header of a frame.
type frame struct {
	length int
	kind   FrameType
	flags  uint8
	stream uint32
}

func (f frame) has(flag uint8) bool { return f.flags&flag != 0 }

// parseFrame reads the nine bytes of a frame header. The reserved bit is ignored.
func parseFrame(p []byte) frame {
	return frame{
		length: int(p[0])<<16 | int(p[1])<<8 | int(p[2]),
		kind:   FrameType(p[3]), flags: p[4],
		stream: binary.BigEndian.Uint32(p[5:]) & maxStream,
	}
}

// appendFrame appends a frame header.
func appendFrame(dst []byte, length int, kind FrameType, flags uint8, stream uint32) []byte {
	dst = append(dst, byte(length>>16), byte(length>>8), byte(length), byte(kind), flags)
	return binary.BigEndian.AppendUint32(dst, stream)
}
