package ws

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// conversation is one case of testdata/*.txt: a name, a direction, what was
// agreed on, the frames that come in and the events that go out.
//
//	== name
//	client | server
//	offer | accept FIELD
//	< [fin] [rsv1] [rsv2] [rsv3] [mask] [key=HEX] [len=16|64] OPCODE ["payload" | deflate "payload"]
//	< raw "bytes"
//	< EOF
//	> event
//
// Payloads may be repeated: "abc"*1000. A deflate payload is compressed with the
// context of those before it, unless the direction has none.
type conversation struct {
	name             string
	role             Role
	offers, accepted [][]byte
	input            []byte
	eof              bool
	want             string
}

func (c *conversation) extensions() Extensions { return Negotiate(c.offers, c.accepted) }

func readConversations(t testing.TB, file string) []conversation {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []conversation
	var packer *compressor
	for i, line := range strings.Split(string(text), "\n") {
		if name, ok := strings.CutPrefix(line, "== "); ok {
			all = append(all, conversation{name: name})
			packer = nil
			continue
		}
		if line == "" || line[0] == '#' {
			continue
		}
		c := &all[len(all)-1]
		switch word, rest, _ := strings.Cut(line, " "); word {
		case "client":
			c.role = Client
		case "server":
			c.role = Server
		case "offer":
			c.offers = append(c.offers, []byte(rest))
		case "accept":
			c.accepted = append(c.accepted, []byte(rest))
		case "<":
			if c.eof = rest == "EOF"; c.eof {
				continue
			}
			if packer == nil {
				packer = newCompressor(newDeflation(c.role, c.extensions()).alone)
			}
			frame, err := writeFrame(rest, packer)
			if err != nil {
				t.Fatalf("%s:%d: %v", file, i+1, err)
			}
			c.input = append(c.input, frame...)
		case ">":
			c.want += rest + "\n"
		default:
			t.Fatalf("%s:%d: %q", file, i+1, line)
		}
	}
	return all
}

// writeFrame makes the frame that a line describes.
func writeFrame(line string, packer *compressor) ([]byte, error) {
	words, payload, err := cutPayload(line)
	if err != nil {
		return nil, err
	}
	var first, long byte
	key, masked := [4]byte{0x12, 0x34, 0x56, 0x78}, false
	for _, w := range words {
		switch {
		case w == "raw":
			return payload, nil
		case w == "deflate":
			payload = packer.message(payload)
		case w == "fin":
			first |= 0x80
		case w == "rsv1", w == "rsv2", w == "rsv3":
			first |= 0x80 >> (w[3] - '0')
		case w == "mask":
			masked = true
		case strings.HasPrefix(w, "key="):
			_, err = hex.Decode(key[:], []byte(w[4:]))
		case w == "len=16":
			long = 126
		case w == "len=64":
			long = 127
		default:
			code, ok := map[string]byte{"continuation": 0, "text": 1, "binary": 2, "close": 8, "ping": 9, "pong": 10}[w]
			if n, nerr := strconv.ParseUint(w, 0, 4); !ok && nerr == nil {
				code, ok = byte(n), true
			}
			if !ok {
				err = fmt.Errorf("what is %q", w)
			}
			first |= code
		}
	}
	return appendFrame(nil, first, long, masked, key, payload), err
}

// appendFrame writes a frame; long forces a form of the length.
func appendFrame(dst []byte, first, long byte, masked bool, key [4]byte, payload []byte) []byte {
	var mask byte
	if masked {
		mask = 0x80
	}
	switch n := len(payload); {
	case n < 126 && long == 0:
		dst = append(dst, first, mask|byte(n))
	case n < 1<<16 && long != 127:
		dst = binary.BigEndian.AppendUint16(append(dst, first, mask|126), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, first, mask|127), uint64(n))
	}
	if !masked {
		return append(dst, payload...)
	}
	dst = append(dst, key[:]...)
	for i, b := range payload {
		dst = append(dst, b^key[i&3])
	}
	return dst
}

// cutPayload takes the quoted payload off the end of a line.
func cutPayload(line string) (words []string, payload []byte, err error) {
	from := strings.IndexByte(line, '"')
	if from < 0 {
		return strings.Fields(line), nil, nil
	}
	quoted, times, repeated := line[from:], "1", false
	if i := strings.LastIndexByte(line, '"'); i+1 < len(line) {
		quoted, times, repeated = line[from:i+1], strings.TrimPrefix(line[i+1:], "*"), true
	}
	s, err := strconv.Unquote(quoted)
	if err != nil {
		return nil, nil, err
	}
	n, err := strconv.Atoi(times)
	if err != nil && repeated {
		return nil, nil, err
	}
	return strings.Fields(line[:from]), []byte(strings.Repeat(s, n)), nil
}

// compressor makes the payloads of one direction.
type compressor struct {
	out   bytes.Buffer
	w     *flate.Writer
	alone bool
}

func newCompressor(alone bool) *compressor {
	c := &compressor{alone: alone}
	c.w, _ = flate.NewWriter(&c.out, flate.BestCompression) // the level is a good one
	return c
}

func (c *compressor) message(p []byte) []byte {
	c.out.Reset()
	if c.alone {
		c.w.Reset(&c.out)
	}
	_, _ = c.w.Write(p) // into memory
	_ = c.w.Flush()
	return bytes.TrimSuffix(bytes.Clone(c.out.Bytes()), deflateTail)
}

// events feeds input in the given pieces and renders what comes out. Adjacent
// pieces of content are one line, since how they are cut is up to the input.
func (c *conversation) events(pieces ...[]byte) string {
	r := NewReader(c.role, c.extensions(), Limits{Frames: 4, Inflated: 100_000})
	var out transcript
	for _, in := range pieces {
		in = bytes.Clone(in) // what Feed was given is gone afterwards
		for rest := in; ; {
			n, ev, err := r.Feed(rest)
			rest = rest[n:]
			if err != nil {
				return out.fail(err)
			}
			if ev.Kind == NeedMore {
				break
			}
			out.add(ev)
		}
		clear(in)
	}
	if c.eof {
		for ev := r.End(); ev.Kind != NeedMore; ev = r.End() {
			out.add(ev)
		}
	}
	return out.String()
}

// transcript is the events of a conversation as text.
type transcript struct {
	lines   strings.Builder
	data    string
	control bool
}

func (o *transcript) add(ev Event) {
	if ev.Kind == Data && (o.data == "" || o.control == ev.Control) {
		o.control = ev.Control
		o.data += string(ev.Data)
		return
	}
	o.flush()
	switch ev.Kind {
	case Data:
		o.control, o.data = ev.Control, string(ev.Data)
	case FrameHead:
		fmt.Fprintf(&o.lines, "frame %s", ev.Frame.Opcode)
		for i, name := range []string{" rsv3", " rsv2", " rsv1"} {
			if ev.Frame.RSV>>i&1 != 0 {
				o.lines.WriteString(name)
			}
		}
		if ev.Frame.Fin {
			o.lines.WriteString(" fin")
		}
		fmt.Fprintf(&o.lines, " of %d\n", ev.Frame.Length)
	case MessageEnd:
		o.message(ev.Message)
	}
}

func (o *transcript) message(m *Message) {
	fmt.Fprintf(&o.lines, "message %s of %d, frames %v", m.Opcode, m.Size, m.Frames)
	if m.FrameCount > uint64(len(m.Frames)) {
		fmt.Fprintf(&o.lines, " of %d", m.FrameCount)
	}
	if m.Compressed {
		o.lines.WriteString(", compressed")
	}
	if m.Opcode == Close {
		fmt.Fprintf(&o.lines, ", code %d %q", m.Code, m.Text)
	}
	o.lines.WriteString("\n")
	if note := m.Note(); note != "" {
		fmt.Fprintf(&o.lines, "note %s\n", note)
	}
}

func (o *transcript) flush() {
	if o.data == "" {
		return
	}
	kind := "data"
	if o.control {
		kind = "control"
	}
	if len(o.data) > 200 {
		fmt.Fprintf(&o.lines, "%s %q… %d\n", kind, o.data[:20], len(o.data))
	} else {
		fmt.Fprintf(&o.lines, "%s %q\n", kind, o.data)
	}
	o.data = ""
}

func (o *transcript) fail(err error) string {
	o.flush()
	fmt.Fprintf(&o.lines, "error %v\n", err)
	if _, ok := errors.AsType[*Error](err); !ok {
		o.lines.WriteString("which is no *Error\n")
	}
	return o.String()
}

func (o *transcript) String() string {
	o.flush()
	return o.lines.String()
}

// corpus returns every case of testdata.
func corpus(t testing.TB) (all []conversation) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no test data: %v", err)
	}
	for _, f := range files {
		all = append(all, readConversations(t, f)...)
	}
	return all
}
