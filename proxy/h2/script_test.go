package h2

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http2/hpack"
)

// script writes frames from text, the peer's half of a conversation.
type script struct {
	enc *hpack.Encoder
	out bytes.Buffer
}

func newScript() *script {
	s := &script{}
	s.enc = hpack.NewEncoder(&s.out)
	return s
}

// words is one line taken apart: TYPE STREAM FLAG… key=value… "text" | field | field.
type words struct {
	kind   string
	stream uint32
	flags  []string
	pairs  [][2]string // key=value, in order
	text   string
	fields []Field
}

func parseWords(line string) (w words, err error) {
	line, fields, _ := strings.Cut(line, " | ")
	if i := strings.IndexByte(line, '"'); i >= 0 {
		if w.text, err = strconv.Unquote(line[i:]); err != nil {
			return w, err
		}
		line = line[:i]
	}
	for i, word := range strings.Fields(line) {
		key, value, pair := strings.Cut(word, "=")
		n, nerr := strconv.ParseUint(word, 10, 32)
		switch {
		case i == 0:
			w.kind = word
		case pair:
			w.pairs = append(w.pairs, [2]string{key, value})
		case nerr == nil && i == 1:
			w.stream = uint32(n)
		default:
			w.flags = append(w.flags, word)
		}
	}
	if fields == "" {
		return w, nil
	}
	for f := range strings.SplitSeq(fields, " | ") {
		name, value, _ := strings.Cut(f, "=")
		name, sensitive := strings.CutPrefix(name, "!")
		for _, p := range []*string{&name, &value} {
			if *p, err = strconv.Unquote(`"` + *p + `"`); err != nil {
				return w, err
			}
		}
		w.fields = append(w.fields, Field{Name: name, Value: value, Sensitive: sensitive})
	}
	return w, nil
}

func (w words) has(flag string) bool { return slices.Contains(w.flags, flag) }

func (w words) number(key string) (uint32, bool) {
	for _, p := range w.pairs {
		if p[0] == key {
			n, err := strconv.ParseUint(p[1], 0, 32)
			return uint32(n), err == nil
		}
	}
	return 0, false
}

// settings are the pairs whose keys are numbers.
func (w words) settings() (all []Setting) {
	for _, p := range w.pairs {
		id, err := strconv.ParseUint(p[0], 0, 16)
		value, verr := strconv.ParseUint(p[1], 0, 32)
		if err == nil && verr == nil {
			all = append(all, Setting{SettingID(id), uint32(value)})
		}
	}
	return all
}

// frame encodes one line:
//
//	PREFACE · "bytes" as they are
//	SETTINGS 1=0 4=100 · SETTINGS 0 ACK
//	HEADERS 1 END_STREAM OPEN on=3 weight=7 EXCLUSIVE pad=2 block=8286 | :method=GET | a=b     OPEN: no END_HEADERS
//	CONTINUATION 1 OPEN | a=b
//	DATA 1 END_STREAM pad=3 "text" · DATA 1 fill=100
//	RST_STREAM 1 code=8 · WINDOW_UPDATE 1 by=7 · PRIORITY 3 on=1 weight=2 · PING 0 ACK "12345678" · GOAWAY 0 last=1 code=0 "debug"
//	PUSH_PROMISE 1 promised=2 | :method=GET
//	FRAME 0 type=200 flags=3 length=9 "payload"
func (s *script) frame(line string) ([]byte, error) {
	w, err := parseWords(line)
	if err != nil {
		return nil, err
	}
	if w.kind == "PREFACE" {
		return []byte(Preface), nil
	}
	if w.kind == "" {
		return []byte(w.text), nil
	}
	kind := slices.Index(frameNames[:], w.kind)
	if w.kind == "FRAME" {
		n, _ := w.number("type")
		kind = int(n)
	}
	if kind < 0 {
		return nil, fmt.Errorf("no frame %q", w.kind)
	}
	flags, _ := w.number("flags")
	for name, flag := range map[string]uint32{"END_STREAM": flagEndStream, "ACK": flagAck} {
		if w.has(name) {
			flags |= flag
		}
	}
	payload, more, err := s.payload(w, FrameType(kind))
	if err != nil {
		return nil, err
	}
	flags |= more
	if pad, ok := w.number("pad"); ok {
		flags |= flagPadded
		payload = append(append([]byte{byte(pad)}, payload...), make([]byte, pad)...)
	}
	length := len(payload)
	if n, ok := w.number("length"); ok {
		length = int(n)
	}
	return append(appendFrame(nil, length, FrameType(kind), uint8(flags), w.stream), payload...), nil
}

// payload encodes what is special to a type, and its flags.
func (s *script) payload(w words, kind FrameType) (p []byte, flags uint32, err error) {
	p = []byte(w.text)
	code, _ := w.number("code")
	if w.kind == "FRAME" {
		return p, 0, nil
	}
	switch kind {
	case FrameSettings:
		for _, x := range w.settings() {
			p = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint16(p, uint16(x.ID)), x.Value)
		}
	case FrameData:
		n, _ := w.number("fill")
		p = append(p, bytes.Repeat([]byte{'x'}, int(n))...)
	case FrameReset:
		p = binary.BigEndian.AppendUint32(p, code)
	case FrameWindowUpdate:
		by, _ := w.number("by")
		p = binary.BigEndian.AppendUint32(p, by)
	case FramePriority:
		p = append(w.dependency().append(nil), p...)
	case FrameGoAway:
		last, _ := w.number("last")
		p = binary.BigEndian.AppendUint32(nil, last)
		p = append(binary.BigEndian.AppendUint32(p, code), w.text...)
	case FramePushPromise:
		id, _ := w.number("promised")
		block, flags, err := s.headers(w)
		return append(binary.BigEndian.AppendUint32(nil, id), block...), flags, err
	case FrameHeaders, FrameContinuation:
		return s.headers(w)
	}
	return p, 0, nil
}

func (w words) dependency() *Dependency {
	on, _ := w.number("on")
	weight, _ := w.number("weight")
	return &Dependency{Stream: on, Weight: uint8(weight), Exclusive: w.has("EXCLUSIVE")}
}

func (s *script) headers(w words) (p []byte, flags uint32, err error) {
	s.out.Reset()
	if !w.has("OPEN") {
		flags |= flagEndHeaders
	}
	if _, ok := w.number("on"); ok {
		flags |= flagPriority
		s.out.Write(w.dependency().append(nil))
	}
	for _, pair := range w.pairs {
		if pair[0] == "block" {
			raw, err := unhex(pair[1])
			if err != nil {
				return nil, 0, err
			}
			s.out.Write(raw)
		}
	}
	for _, f := range w.fields {
		times := 1
		if n, ok := w.number("times"); ok {
			times = int(n)
		}
		for range times {
			if err := s.enc.WriteField(f); err != nil {
				return nil, 0, err
			}
		}
	}
	return bytes.Clone(s.out.Bytes()), flags, nil
}

// say makes c send one line, in the same words as script.frame.
func say(c *Conn, line string) error {
	w, err := parseWords(line)
	if err != nil {
		return err
	}
	code, _ := w.number("code")
	by, _ := w.number("by")
	switch w.kind {
	case "CALM":
		c.Calm()
	case "JOIN":
		c.Join()
	case "LOSE":
		if behind, _ := w.number("behind"); c.Lose(int64(by)) != int64(behind) {
			return fmt.Errorf("%q ends elsewhere", line)
		}
	case "FORGET":
		c.Forget(w.stream)
	case "SETTINGS":
		c.AppendSettings(nil, w.settings())
	case "HEADERS":
		c.AppendHeaders(nil, w.stream, w.fields, nil, w.has("END_STREAM"))
	case "DATA":
		c.AppendData(nil, w.stream, []byte(w.text), w.has("END_STREAM"))
	case "RST_STREAM":
		c.AppendReset(nil, w.stream, ErrCode(code))
	case "WINDOW_UPDATE":
		c.AppendWindowUpdate(nil, w.stream, by)
	default:
		return fmt.Errorf("cannot say %q", line)
	}
	return nil
}
