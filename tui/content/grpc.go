package content

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"weir/proto/coding"
)

// grpcPrefix is what stands before each message of gRPC: whether it is
// compressed, and its length.
const grpcPrefix = 5

// maxGRPCMessage is how much of a compressed message is shown, in bytes.
const maxGRPCMessage = 1 << 20

// renderGRPC shows the messages of a gRPC body ("gRPC over HTTP/2",
// Length-Prefixed-Message), each as protocol buffers without a schema. How they
// are compressed stands in a header that is not here: gzip is told by its first
// bytes, and anything else is shown as it is.
func renderGRPC(b *Builder, in *Input) error {
	p := in.Data
	for n := 1; len(p) > 0 && !b.Full(); n++ {
		if len(p) < grpcPrefix {
			return cutGRPC(b, in, n)
		}
		flag, length := p[0], uint64(binary.BigEndian.Uint32(p[1:]))
		if flag > 1 {
			if n == 1 {
				return &SyntaxError{Msg: fmt.Sprintf("the first byte is %#02x, which begins no message", flag)}
			}
			b.Say(Fault, fmt.Sprintf("the byte %#02x begins no message", flag))
			b.Newline()
			return nil
		}
		p = p[grpcPrefix:]
		message := p[:min(uint64(len(p)), length)]
		p = p[len(message):]
		if n > 1 {
			b.Newline()
		}
		compressed := ""
		if flag == 1 {
			compressed = ", compressed"
		}
		b.Say(Tag, fmt.Sprintf("message %d", n))
		b.Say(Dim, fmt.Sprintf(" · %d bytes%s", length, compressed))
		b.Newline()
		if uint64(len(message)) < length {
			return cutGRPC(b, in, n)
		}
		putGRPC(b, message, flag == 1)
	}
	return nil
}

// cutGRPC says that message n is not whole.
func cutGRPC(b *Builder, in *Input, n int) error {
	if !in.More {
		b.Say(Fault, fmt.Sprintf("the body ends inside message %d", n))
		b.Newline()
	}
	return nil
}

// putGRPC shows one message.
func putGRPC(b *Builder, message []byte, compressed bool) {
	const gzipMagic = "\x1f\x8b"
	if compressed && strings.HasPrefix(string(message[:min(len(message), 2)]), gzipMagic) {
		plain, err := coding.Decode(message, []string{"gzip"}, maxGRPCMessage)
		if err != nil && !errors.Is(err, coding.ErrTooLarge) {
			b.Say(Fault, "it does not decompress: "+err.Error())
			b.Newline()
		}
		if err == nil || len(plain) > 0 {
			putProtobuf(b, plain)
		}
		return
	}
	putProtobuf(b, message)
}
