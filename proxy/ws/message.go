package ws

import (
	"fmt"
	"strings"
)

// Message is what there is to say of a message beyond its bytes.
type Message struct {
	Opcode     Opcode // of its first frame
	Size       int64  // bytes of Data
	Compressed bool   // it came compressed; Data was not, up to RawFrom
	// Frames are the payload lengths of its frames as they came, as many as
	// Limits.Frames allows, and FrameCount how many there were.
	Frames     []uint64
	FrameCount uint64
	Faults     Fault
	TextUntil  int64  // with NotUTF8: how many bytes were, those of a close's code not counted
	RawFrom    int64  // with Damaged: from where on Data is as it came
	Reason     string // with Damaged: why
	// Code and Text are the content of a close; Code is 0 where it has none.
	Code uint16
	Text []byte
}

// Note says in one line what is wrong with the message, "" where nothing is.
func (m *Message) Note() string {
	words := m.Faults.String()
	if m.Faults.Has(NotUTF8) {
		words += fmt.Sprintf("; UTF-8 ends at byte %d", m.TextUntil)
	}
	if m.Faults.Has(Damaged) {
		words += fmt.Sprintf("; from byte %d on as it came: %s", m.RawFrom, m.Reason)
	}
	return strings.TrimPrefix(words, "; ")
}

// building is a message on its way.
type building struct {
	Message
	open  bool
	text  textCheck
	close [maxControl]byte // payload of a close, as far as it may go
	n     int              // bytes of close
}

// begin starts a message with its first frame.
func (b *building) begin(f *Frame) {
	frames := b.Frames[:0]
	*b = building{Message: Message{Opcode: f.Opcode, Frames: frames}, open: true}
}

// frame notes one more frame.
func (b *building) frame(f *Frame, most int) {
	if len(b.Frames) < most {
		b.Frames = append(b.Frames, f.Length)
	}
	b.FrameCount++
}

// data notes a piece of content.
func (b *building) data(p []byte) {
	b.Size += int64(len(p))
	switch b.Opcode {
	case Text:
		b.text.add(p)
	case Close:
		b.n += copy(b.close[b.n:], p)
	}
}

// finish draws the conclusions that only a whole message allows.
func (b *building) finish() {
	b.open = false
	if b.Opcode == Close {
		b.finishClose()
	}
	at, ok := b.text.end()
	halved := !b.text.bad && b.Faults&(Cut|Unfinished|Unfolded) != 0 // the rest of a character may have been missed
	if !ok && !halved && !(b.Faults.Has(Damaged) && at >= b.RawFrom) {
		b.Faults |= NotUTF8
		b.TextUntil = at
	}
}

func (b *building) finishClose() {
	switch {
	case b.n == 0:
	case b.n == 1:
		b.Faults |= CloseLength
	default:
		b.Code = uint16(b.close[0])<<8 | uint16(b.close[1])
		b.Text = b.close[2:b.n]
		b.text.add(b.Text)
		if !sendable(b.Code) {
			b.Faults |= CloseCode
		}
	}
}

// sendable reports whether a close may carry the code: those defined, except for
// the three that stand for something seen (RFC 6455 §7.4.1 and the registry
// of §11.7), and those for libraries and applications (§7.4.2).
func sendable(code uint16) bool {
	switch {
	case code == 1004, code == 1005, code == 1006, code == 1015:
		return false
	case code >= 1000 && code <= 1014:
		return true
	}
	return code >= 3000 && code <= 4999
}
