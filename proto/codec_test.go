package flowpb

import (
	"bytes"
	"errors"
	"os"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"pgregory.net/rapid"
)

// sampleFlow uses every part of the schema that an HTTP flow can, so that the
// kept blob notices a number that was used for something else.
func sampleFlow() *Flow {
	raw := []byte("X-Odd :\tvalue \n")
	return &Flow{
		Id: 7, State: StateComplete, CreatedNs: 1_700_000_000_000_000_001, ClientConn: 1, ServerConn: 2,
		Uid:    &Uid{Session: bytes.Repeat([]byte{0xa5}, 16), Sequence: 9},
		Error:  &Error{Code: CodeServerGone, Message: "server closed the connection", Hint: "try again", AtNs: 1_700_000_000_000_000_900, Side: SideResponse},
		Replay: ReplayRequest, Client: []byte("127.0.0.1:50000"), Server: []byte("shop.test:443"),
		Meta: []*Meta{{Key: "k", Value: "v"}}, Gaps: []*Gap{{Side: SideResponse, Offset: 3, Length: 4}},
		Protocol: &Flow_Http{Http: &Http{
			Request: &Request{
				Method: []byte("POST"), Scheme: []byte("https"), Host: []byte("shop.test"), Port: 443,
				Authority: []byte("shop.test"), Target: []byte("/a?b"), Path: []byte("/a?b"), Version: []byte("HTTP/1.1"),
				Headers: []*Field{
					{Name: []byte("hOsT"), Value: []byte("shop.test")},
					{Name: []byte("X-Odd"), Value: []byte("value"), Raw: raw},
					{Name: []byte("x-bytes"), Value: []byte{0xff, 0x00, 0x1b}},
					{Name: []byte("Content-Type"), Value: []byte("application/json")},
				},
				Body:      &Body{State: BodyComplete, Size: 0},
				StartedNs: 1_700_000_000_000_000_001, EndedNs: 1_700_000_000_000_000_100,
			},
			Response: &Response{
				Version: []byte("HTTP/1.1"), Status: 200, Reason: []byte{},
				Headers: []*Field{{Name: []byte("Content-Type"), Value: []byte("text/event-stream")}},
				Body: &Body{
					State: BodyCut, Size: 12, Chunked: true,
					ChunkExtensions: []*ChunkExtension{{Offset: 5, Extension: []byte(";a=b")}},
				},
				Trailers:  []*Field{{Name: []byte("Checksum"), Value: []byte("1")}},
				StartedNs: 1_700_000_000_000_000_500, EndedNs: 1_700_000_000_000_000_800,
				StartLine: []byte("HTTP/1.1  200"),
			},
			Informational: []*Response{{Status: 103, Version: []byte("HTTP/1.1")}},
		}},
	}
}

// TestKeptSample reads the blob that the first format wrote. UPDATE_SAMPLE=1
// rewrites it, which is right only before a release that nobody has used yet.
func TestKeptSample(t *testing.T) {
	const name = "testdata/flow-1.blob"
	if os.Getenv("UPDATE_SAMPLE") != "" {
		p, err := Encode(nil, sampleFlow())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, p, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var got Flow
	if err := Decode(p, &got); err != nil {
		t.Fatal(err)
	}
	if want := sampleFlow(); !proto.Equal(&got, want) {
		t.Errorf("kept sample reads as\n%v\nwant\n%v", &got, want)
	}
}

// anyMessage draws a message of m's type with any of its fields set to anything.
func anyMessage(t *rapid.T, m protoreflect.Message, depth int) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		fd := fields.Get(i)
		if depth > 4 && fd.Message() != nil || !rapid.Bool().Draw(t, "set") {
			continue
		}
		if !fd.IsList() {
			m.Set(fd, anyValue(t, m.NewField(fd), fd, depth))
			continue
		}
		list := m.Mutable(fd).List()
		for range rapid.IntRange(0, 2).Draw(t, "len") {
			var elem protoreflect.Value
			if fd.Message() != nil {
				elem = list.NewElement()
			}
			list.Append(anyValue(t, elem, fd, depth))
		}
	}
}

func anyValue(t *rapid.T, fresh protoreflect.Value, fd protoreflect.FieldDescriptor, depth int) protoreflect.Value {
	switch fd.Kind() {
	case protoreflect.MessageKind:
		anyMessage(t, fresh.Message(), depth+1)
		return fresh
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes(rapid.SliceOfN(rapid.Byte(), 0, 12).Draw(t, "bytes"))
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(rapid.StringN(0, 5, -1).Draw(t, "string"))
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(rapid.Bool().Draw(t, "bool"))
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(protoreflect.EnumNumber(rapid.Int32Range(0, 99).Draw(t, "enum")))
	case protoreflect.Int64Kind:
		return protoreflect.ValueOfInt64(rapid.Int64().Draw(t, "int64"))
	case protoreflect.Uint32Kind:
		return protoreflect.ValueOfUint32(rapid.Uint32().Draw(t, "uint32"))
	case protoreflect.Uint64Kind:
		return protoreflect.ValueOfUint64(rapid.Uint64().Draw(t, "uint64"))
	default:
		t.Fatalf("field %s: the generator does not know kind %s", fd.FullName(), fd.Kind())
		return fresh
	}
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var want, got Flow
		anyMessage(t, want.ProtoReflect(), 0)
		p, err := Encode([]byte("before"), &want)
		if err != nil {
			t.Fatal(err)
		}
		if err := Decode(p[len("before"):], &got); err != nil {
			t.Fatal(err)
		}
		if !proto.Equal(&got, &want) {
			t.Errorf("decoded\n%v\nwant\n%v", &got, &want)
		}
		Summarize(&got)
	})
}

// A blob of a later schema may carry fields and enum values this one has no
// name for; they must still be there when it is written again.
func TestUnknownFieldsSurvive(t *testing.T) {
	later := []byte{Version, 0x18, 99 /* state 99 */, 0xfa, 0x3f, 3, 'n', 'e', 'w' /* field 1023 */}
	var f Flow
	if err := Decode(later, &f); err != nil {
		t.Fatal(err)
	}
	got, err := Encode(nil, &f)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, later) {
		t.Errorf("rewritten as % x, want % x", got, later)
	}
}

func TestDecodeErrors(t *testing.T) {
	whole, err := Encode(nil, sampleFlow())
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		blob []byte
		want error
	}{
		{"empty", nil, ErrBlob},
		{"newer", append([]byte{Version + 1}, whole[1:]...), ErrVersion},
		{"cut", whole[:len(whole)-1], ErrBlob},
		{"noise", []byte{Version, 0xff, 0xff, 0xff}, ErrBlob},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Decode(tt.blob, new(Flow)); !errors.Is(got, tt.want) {
				t.Errorf("Decode: %v, want %v", got, tt.want)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	whole, err := Encode(nil, sampleFlow())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add([]byte{Version})
	f.Add([]byte{Version, 0xa2, 0x01, 0x00})
	f.Fuzz(func(t *testing.T, p []byte) {
		var flow Flow
		if Decode(p, &flow) != nil {
			return
		}
		s := Summarize(&flow)
		_ = s.URL()
		again, err := Encode(nil, &flow)
		if err != nil {
			return // a string field that is not UTF-8 cannot have come from Encode
		}
		var twice Flow
		if err := Decode(again, &twice); err != nil || !proto.Equal(&flow, &twice) {
			t.Errorf("second round differs: %v", err)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	f := sampleFlow()
	buf := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Encode(buf[:0], f); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	p, err := Encode(nil, sampleFlow())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := Decode(p, new(Flow)); err != nil {
			b.Fatal(err)
		}
	}
}
