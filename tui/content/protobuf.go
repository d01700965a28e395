package content

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

const (
	// maxNesting is how deep messages inside messages are looked for.
	maxNesting = 24
	// maxBytesField is how much of a field that is no text is shown, in bytes.
	maxBytesField = 32
)

// renderProtobuf shows a message of protocol buffers without its schema: the
// numbers of its fields, and what their values could be.
func renderProtobuf(b *Builder, in *Input) error {
	if !isMessage(in.Data, 0) && !in.More {
		return &SyntaxError{Msg: "the bytes are no fields of a message"}
	}
	putProtobuf(b, in.Data)
	return nil
}

// putProtobuf shows p as a message where it can be one, else as bytes.
func putProtobuf(b *Builder, p []byte) {
	if len(p) == 0 {
		b.Say(Dim, "an empty message")
		b.Newline()
		return
	}
	putFields(b, p, 0)
}

// putFields shows the fields of a message, one a line.
func putFields(b *Builder, p []byte, depth int) {
	for len(p) > 0 && !b.Full() {
		number, kind, n := protowire.ConsumeTag(p)
		size := -1
		if n > 0 {
			size = protowire.ConsumeFieldValue(number, kind, p[n:])
		}
		b.Say(Plain, strings.Repeat("  ", depth))
		if size < 0 {
			b.Say(Fault, "no field: ")
			putBytes(b, p)
			b.Newline()
			return
		}
		b.Say(Key, strconv.Itoa(int(number)))
		b.Say(Punct, ": ")
		putField(b, kind, p[n:n+size], depth)
		p = p[n+size:]
	}
}

// putField shows one value and ends the line.
func putField(b *Builder, kind protowire.Type, p []byte, depth int) {
	switch kind {
	case protowire.VarintType:
		v, _ := protowire.ConsumeVarint(p)
		b.Say(Number, strconv.FormatUint(v, 10))
		if int64(v) < 0 {
			b.Say(Dim, fmt.Sprintf(" or %d", int64(v)))
		}
	case protowire.Fixed32Type:
		v, _ := protowire.ConsumeFixed32(p)
		b.Say(Number, strconv.FormatUint(uint64(v), 10))
		b.Say(Dim, fmt.Sprintf(" or %g, of 4 bytes", math.Float32frombits(v)))
	case protowire.Fixed64Type:
		v, _ := protowire.ConsumeFixed64(p)
		b.Say(Number, strconv.FormatUint(v, 10))
		b.Say(Dim, fmt.Sprintf(" or %g, of 8 bytes", math.Float64frombits(v)))
	case protowire.BytesType:
		v, _ := protowire.ConsumeBytes(p)
		putLengthDelimited(b, v, depth)
		return
	default:
		b.Say(Dim, "a group, ")
		putBytes(b, p)
	}
	b.Newline()
}

// putLengthDelimited shows what may be text, a message or bytes: the first that fits.
func putLengthDelimited(b *Builder, p []byte, depth int) {
	switch {
	case isText(p):
		b.Say(Punct, `"`)
		b.Put(String, p)
		b.Say(Punct, `"`)
	case isMessage(p, depth+1):
		b.Say(Punct, "{")
		b.Newline()
		putFields(b, p, depth+1)
		b.Say(Plain, strings.Repeat("  ", depth))
		b.Say(Punct, "}")
	default:
		putBytes(b, p)
	}
	b.Newline()
}

// putBytes shows bytes as hexadecimal digits, the first of them.
func putBytes(b *Builder, p []byte) {
	b.Say(Escape, fmt.Sprintf("%x", p[:min(len(p), maxBytesField)]))
	if len(p) > maxBytesField {
		b.Say(Dim, fmt.Sprintf("… %d bytes", len(p)))
	}
}

// isText reports whether p reads as text: UTF-8 without control characters other
// than white space.
func isText(p []byte) bool {
	control := bytes.ContainsFunc(p, func(r rune) bool { return r < ' ' && r != '\n' && r != '\r' && r != '\t' || r == 0x7f })
	return utf8.Valid(p) && !control
}

// isMessage reports whether p is fields from end to end. Each level is looked at
// once where it is shown, so that the time is linear in the bytes and the depth.
func isMessage(p []byte, depth int) bool {
	if depth > maxNesting || len(p) == 0 {
		return false
	}
	for len(p) > 0 {
		_, _, n := protowire.ConsumeField(p)
		if n < 0 {
			return false
		}
		p = p[n:]
	}
	return true
}
