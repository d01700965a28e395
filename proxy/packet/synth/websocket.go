package synth

import (
	"encoding/binary"

	flowpb "weir/proto"
	"weir/proxy/ws"
)

// upgraded says what passed after a connection, or a stream of HTTP/2, changed what it
// speaks.
func (x *script) upgraded(h *flowpb.Http) error {
	frames := frames{}
	err := x.messages(func(m *flowpb.Message) error {
		if h.GetWebsocket() == nil || m.GetType() == flowpb.MessageData {
			return x.raw(m)
		}
		return x.raw(&flowpb.Message{Side: m.GetSide(), AtNs: m.GetAtNs(), Content: frames.of(m)})
	})
	if err != nil || x.talk.h2 != nil {
		return err
	}
	first := flowpb.SideResponse
	if h.GetWebsocket().GetClosedByClient() {
		first = flowpb.SideRequest
	}
	if ended := max(h.GetUpgrade().GetEndedNs(), h.GetWebsocket().GetEndedNs()); ended > 0 {
		return x.end(first, ended)
	}
	return x.shut(0)
}

// frames makes the frames of messages (RFC 6455 section 5.2).
type frames struct {
	inside [2]bool // a message of that side goes on with the next row
	masks  uint32
}

// opcodes are those of the types of messages.
var opcodes = map[flowpb.MessageType]ws.Opcode{
	flowpb.MessageText: ws.Text, flowpb.MessageBinary: ws.Binary,
	flowpb.MessagePing: ws.Ping, flowpb.MessagePong: ws.Pong, flowpb.MessageClose: ws.Close,
}

// of is the frames of a message, or of the part of one that a row is.
func (f *frames) of(m *flowpb.Message) (out []byte) {
	opcode, p := opcodes[m.GetType()], m.GetContent()
	control := opcode >= ws.Close
	going := &f.inside[side(m.GetSide())]
	if *going && !control {
		opcode = ws.Continuation
	}
	if !control {
		defer func() { *going = m.GetContinues() }()
	}
	if !m.GetCompressed() && !*going && adds(m.GetFrames(), len(p)) {
		for i, n := range m.GetFrames() {
			out = f.append(out, m, opcode, i == len(m.GetFrames())-1, p[:n])
			opcode, p = ws.Continuation, p[n:]
		}
		return out
	}
	return f.append(out, m, opcode, !m.GetContinues(), p)
}

// adds reports whether there are lengths of frames, and they are those of n bytes.
func adds(frames []uint64, n int) bool {
	left := uint64(n)
	for _, f := range frames {
		if f > left {
			return false
		}
		left -= f
	}
	return len(frames) > 0 && left == 0
}

// append appends one frame, masked where a client sends it.
func (f *frames) append(dst []byte, m *flowpb.Message, opcode ws.Opcode, final bool, p []byte) []byte {
	first := byte(opcode) & 0xf
	if final {
		first |= 0x80
	}
	dst = append(dst, first)
	masked := byte(0)
	if m.GetSide() == flowpb.SideRequest {
		masked = 0x80
	}
	switch n := len(p); {
	case n < 126:
		dst = append(dst, masked|byte(n))
	case n <= 0xffff:
		dst = binary.BigEndian.AppendUint16(append(dst, masked|126), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, masked|127), uint64(n))
	}
	if masked == 0 {
		return append(dst, p...)
	}
	f.masks = f.masks*1664525 + 1013904223
	at := len(dst)
	dst = binary.BigEndian.AppendUint32(dst, f.masks)
	key := dst[at : at+4 : at+4]
	for i, c := range p {
		dst = append(dst, c^key[i%4])
	}
	return dst
}
