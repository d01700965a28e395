package pack

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	flowpb "weir/proto"
)

const largest = 64 << 10

func newPair(t testing.TB) (*Packer, *Unpacker) {
	t.Helper()
	k, err := NewPacker(largest)
	if err != nil {
		t.Fatal(err)
	}
	u, err := NewUnpacker(2, largest)
	if err != nil {
		t.Fatal(err)
	}
	return k, u
}

func TestRoundTrip(t *testing.T) {
	k, u := newPair(t)
	var buf []byte
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.SliceOfN(rapid.Byte(), 1, 40).Draw(t, "word")
		p := bytes.Repeat(word, rapid.IntRange(1, largest/len(word)).Draw(t, "times"))
		frame := k.Pack(p)
		if (frame == nil) != (len(p) < From) && len(p) > 2*From {
			t.Fatalf("%d bytes of one word: packed %v, want it from %d bytes on", len(p), frame != nil, From)
		}
		if frame == nil {
			return
		}
		if len(frame) > len(p)-len(p)/gain {
			t.Fatalf("%d bytes became %d, want at least an eighth less", len(p), len(frame))
		}
		got, err := u.Unpack(frame, len(p), buf)
		if err != nil || !bytes.Equal(got, p) {
			t.Fatalf("unpacked: got %d bytes, %v, want the %d that were packed", len(got), err, len(p))
		}
		buf = got
		if _, err := u.Unpack(frame, len(p)-1, nil); !errors.Is(err, ErrFrame) {
			t.Fatalf("as one byte less: got %v, want %v", err, ErrFrame)
		}
	})
}

func TestNoiseStaysAsItIs(t *testing.T) {
	k, _ := newPair(t)
	p := make([]byte, largest)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(p)
	for _, n := range []int{From, 2*sample + 1, largest} {
		if got := k.Pack(p[:n]); got != nil {
			t.Errorf("%d bytes of noise: packed into %d, want them left alone", n, len(got))
		}
	}
}

func TestWorth(t *testing.T) {
	for _, c := range []struct {
		headers string // "name: value", a comma between
		want    bool
	}{
		{"", true},
		{"content-type: text/html; charset=utf-8", true},
		{"Content-Type: image/PNG", false},
		{"content-type: image/svg+xml", true},
		{"content-type: application/zip", false},
		{"content-type: text/plain,Content-Encoding: gzip", false},
	} {
		var fields []*flowpb.Field
		for _, line := range strings.Split(c.headers, ",") {
			name, value, _ := strings.Cut(line, ": ")
			fields = append(fields, &flowpb.Field{Name: []byte(name), Value: []byte(value)})
		}
		h := &flowpb.Http{Request: &flowpb.Request{Headers: fields}, OriginalResponse: &flowpb.Response{Headers: fields}}
		f := &flowpb.Flow{Protocol: &flowpb.Flow_Http{Http: h}}
		for _, side := range []flowpb.Side{flowpb.SideRequest, flowpb.SideOriginalResponse} {
			if got := Worth(f, side); got != c.want {
				t.Errorf("%q on side %v: got %v, want %v", c.headers, side, got, c.want)
			}
		}
		if !Worth(f, flowpb.SideResponse) {
			t.Errorf("%q: the response without headers is not worth it", c.headers)
		}
	}
}

// FuzzUnpack sees that what claims to be a frame yields what was expected or an error.
func FuzzUnpack(f *testing.F) {
	k, u := newPair(f)
	text := bytes.Repeat([]byte("some text, "), 500)
	f.Add(k.Pack(text), uint16(len(text)))
	f.Add([]byte("\x28\xb5\x2f\xfd\x20\x00\x01\x00\x00"), uint16(0))
	f.Add([]byte("\x28\xb5\x2f\xfd\xe0\xff\xff\xff\xff\xff\xff\xff\x7f"), uint16(100))
	f.Fuzz(func(t *testing.T, frame []byte, size uint16) {
		out, err := u.Unpack(frame, int(size), nil)
		if err == nil && len(out) != int(size) || err != nil && !errors.Is(err, ErrFrame) {
			t.Errorf("got %d bytes, %v, want %d or %v", len(out), err, size, ErrFrame)
		}
	})
}
