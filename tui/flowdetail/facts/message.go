package facts

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	flowpb "weir/proto"
	"weir/tui/content"
)

// maxFrames bounds the frames of a message whose lengths are shown.
const maxFrames = 20

// Message is what there is to say of a message beside its content; no lines where
// that is nothing.
func Message(m *flowpb.Message) *content.Document {
	t := newTable(nil)
	t.kind(content.Fault, "note", m.GetNote())
	if m.GetInjected() {
		t.row("made by", "weir")
	}
	if p := m.GetContent(); m.GetType() == flowpb.MessageClose && len(p) >= 2 {
		t.row("close code", CloseCode(p))
	}
	t.row("frames", frames(m.GetFrames()))
	if m.GetCompressed() {
		t.row("compressed", "on the wire, shown without")
	}
	if m.GetContinues() {
		t.row("continues", "in the next message from this side")
	}
	if e := m.GetEvent(); e != nil {
		t.row("event", string(e.GetType()))
		t.row("event id", string(e.GetId()))
		if e.RetryMs != nil {
			t.row("retry", strconv.FormatUint(e.GetRetryMs(), 10)+" ms")
		}
	}
	return t.b.Document()
}

// frames lists the lengths of a message's frames.
func frames(lengths []uint64) string {
	if len(lengths) == 0 {
		return ""
	}
	var parts []string
	for _, n := range lengths[:min(len(lengths), maxFrames)] {
		parts = append(parts, strconv.FormatUint(n, 10))
	}
	if len(lengths) > maxFrames {
		parts = append(parts, "…")
	}
	return fmt.Sprintf("%d, of %s bytes", len(lengths), strings.Join(parts, ", "))
}

// CloseCode names the code that the content of a close begins with, which has
// two bytes or more (RFC 6455, section 7.4.1, and its registry).
func CloseCode(p []byte) string { return closeCode(binary.BigEndian.Uint16(p)) }

func closeCode(code uint16) string {
	name := map[uint16]string{
		1000: "normal", 1001: "going away", 1002: "protocol error", 1003: "unsupported data", 1007: "invalid data",
		1008: "policy violation", 1009: "too big", 1010: "extension missing", 1011: "server error",
		1012: "restart", 1013: "try again later", 1014: "bad gateway",
	}[code]
	if name == "" {
		return strconv.Itoa(int(code))
	}
	return fmt.Sprintf("%d %s", code, name)
}
