package export

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	flowpb "weir/proto"
	"weir/proto/mitmdump"
)

// FuzzFormats holds of every format that any flow, with any value in any of its fields,
// is written or refused without harm to it; that JSON stays JSON; and that a dump can be
// read again. The input decides on the format, which fields there are, and what is in them.
func FuzzFormats(f *testing.F) {
	for i := range Formats() {
		f.Add(append([]byte{byte(i)}, bytes.Repeat([]byte("\x01\x05\xf0\x0b\x83"), 60)...))
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		d := &drawing{p: p}
		format := Formats()[d.under(len(Formats()))]
		if format.New == nil {
			return
		}
		whole := d.whole()
		before := proto.CloneOf(whole.Flow)
		var out bytes.Buffer
		w, err := format.New(&out, "test")
		if err != nil {
			t.Fatal(err)
		}
		err = w.Write(whole)
		if unfit := (*flowpb.UnfitError)(nil); err != nil && !errors.Is(err, flowpb.ErrNoForm) && !errors.As(err, &unfit) {
			t.Fatalf("%s: %v", format.Name, err)
		}
		if err := w.Close(); err != nil {
			t.Fatalf("%s: %v", format.Name, err)
		}
		if !proto.Equal(before, whole.Flow) {
			t.Fatalf("%s changed the flow", format.Name)
		}
		switch format.Name {
		case "har", "openapi":
			if !json.Valid(out.Bytes()) {
				t.Fatalf("%s is no JSON: %q", format.Name, out.Bytes())
			}
		case "mitm":
			if _, bad := mitmdump.NewReader(&out).Next(); err == nil && bad != nil {
				t.Fatalf("the dump cannot be read: %v", bad)
			}
		}
	})
}

// drawing makes messages out of bytes that decide. When they are used up, nothing more
// is set.
type drawing struct{ p []byte }

// under returns a number from 0 to below n.
func (d *drawing) under(n int) int {
	if len(d.p) == 0 {
		return 0
	}
	b := int(d.p[0])
	d.p = d.p[1:]
	return b % n
}

// whole is a flow with all that is beside it; the sizes of bodies are right, as a store
// has them.
func (d *drawing) whole() *flowpb.Whole {
	f, client, server := &flowpb.Flow{}, &flowpb.Conn{}, &flowpb.Conn{}
	for _, m := range []proto.Message{f, client, server} {
		d.fill(m.ProtoReflect(), 6)
	}
	var messages []*flowpb.Message
	for range d.under(4) {
		m := &flowpb.Message{}
		d.fill(m.ProtoReflect(), 5)
		messages = append(messages, m)
	}
	body := d.bytes()
	h := f.GetHttp()
	for _, b := range []*flowpb.Body{
		h.GetRequest().GetBody(), h.GetResponse().GetBody(), h.GetOriginalRequest().GetBody(), h.GetOriginalResponse().GetBody(),
	} {
		if b != nil {
			b.Size = uint64(len(body))
		}
	}
	return &flowpb.Whole{
		Flow: f, Client: client, Server: server, Note: flowpb.Note{Marked: "x", Comment: string(d.bytes()), Tags: []string{"a|b", "c"}},
		Body: func(flowpb.Side) (io.Reader, error) { return bytes.NewReader(body), nil },
		Messages: func(yield func(*flowpb.Message, error) bool) {
			for _, m := range messages {
				if !yield(m, nil) {
					return
				}
			}
		},
	}
}

// fill sets some of a message's fields.
func (d *drawing) fill(m protoreflect.Message, depth int) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		if depth == 0 || d.under(3) == 0 {
			continue
		}
		if of := field.ContainingOneof(); of != nil && !of.IsSynthetic() && m.WhichOneof(of) != nil {
			continue
		}
		if field.IsList() {
			list := m.Mutable(field).List()
			for range d.under(4) {
				list.Append(d.value(field, list.NewElement, depth))
			}
			continue
		}
		m.Set(field, d.value(field, func() protoreflect.Value { return m.NewField(field) }, depth))
	}
}

func (d *drawing) value(field protoreflect.FieldDescriptor, element func() protoreflect.Value, depth int) protoreflect.Value {
	switch field.Kind() {
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(d.under(2) == 1)
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(protoreflect.EnumNumber(d.under(12) - 1))
	case protoreflect.Int32Kind:
		return protoreflect.ValueOfInt32(int32(d.number()))
	case protoreflect.Uint32Kind:
		return protoreflect.ValueOfUint32(uint32(d.number()))
	case protoreflect.Int64Kind:
		return protoreflect.ValueOfInt64(int64(d.number()))
	case protoreflect.Uint64Kind:
		return protoreflect.ValueOfUint64(d.number())
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(string(bytes.ToValidUTF8(d.bytes(), []byte("?"))))
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes(d.bytes())
	default:
		v := element()
		d.fill(v.Message(), depth-1)
		return v
	}
}

func (d *drawing) number() uint64 {
	return []uint64{0, 1, 99, 101, 200, 443, 65536, 1 << 31, 1_700_000_000_000_000_000, 1 << 63, ^uint64(0)}[d.under(11)]
}

// words mean something to one format or another.
var words = []string{
	"", "GET", "POST", "CONNECT", "http", "https", "HTTP/1.1", "HTTP/2", "a.test", "/x?a=1&b=%zz", "content-type", "application/json",
	"text/html; charset=utf-16", "content-encoding", "gzip", "transfer-encoding", "chunked", "content-length", "18446744073709551615", "-1", "host",
	"cookie", "a=b; c=\"d", "authorization", "Basic !!!", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "upgrade",
	"permessage-deflate", "::1", "[::1]:80", "'", "\"", "`$(x)`", "\r\n", "\x00", "\xff\xfe", "\u202e", "\x1b[2J", `{"a":[1,{"b":null}]}`, "@'\n'@",
}

func (d *drawing) bytes() []byte {
	if d.under(4) == 3 {
		n := min(d.under(40), len(d.p))
		raw := d.p[:n]
		d.p = d.p[n:]
		return bytes.Clone(raw)
	}
	return []byte(words[d.under(len(words))])
}
