package tnetstring

import (
	"bytes"
	"errors"
	"io"
	"math"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// samples are values beside what Python's tnetstring modules make of them.
var samples = []struct {
	text  string
	value any
}{
	{"0:~", nil},
	{"4:true!", true},
	{"5:false!", false},
	{"1:0#", int64(0)},
	{"20:-9223372036854775808#", int64(math.MinInt64)},
	{"3:1.5^", 1.5},
	{"18:1700000000.1234567^", 1700000000.1234567},
	{"3:0.0^", 0.0},
	{"5:1e+16^", 1e16},
	{"5:1e-05^", 1e-05},
	{"3:inf^", math.Inf(1)},
	{"4:-inf^", math.Inf(-1)},
	{"0:,", []byte{}},
	{"5:a\x00\xff:,,", []byte("a\x00\xff:,")},
	{"0:;", ""},
	{"6:grün;;", "grün;"},
	{"0:]", List{}},
	{"0:}", Dict{}},
	{"8:1:a;1:b,]", List{"a", []byte("b")}},
	{"11:1:a;4:true!}", Dict{{"a", true}}},
	{"15:1:a,1:1#1:a;0:~}", Dict{{[]byte("a"), int64(1)}, {"a", nil}}},
	{"6:3:0:~]]", List{List{nil}}},
}

// alike compares values; NaN is itself.
func alike(a, b any) bool { return cmp.Equal(a, b, cmpopts.EquateNaNs()) }

func TestSamples(t *testing.T) {
	for _, c := range samples {
		got, rest, err := Parse([]byte(c.text + "rest"))
		if err != nil || !alike(got, c.value) || string(rest) != "rest" {
			t.Errorf("parse %q: got %#v, %q, %v, want %#v and the rest", c.text, got, rest, err, c.value)
		}
		if p, err := Append([]byte("before "), c.value); err != nil || string(p) != "before "+c.text {
			t.Errorf("append %#v: got %q, %v, want %q", c.value, p, err, c.text)
		}
		var w bytes.Buffer
		if err := Write(&w, c.value); err != nil || w.String() != c.text {
			t.Errorf("write %#v: got %q, %v, want %q", c.value, w.String(), err, c.text)
		}
	}
}

// TestRefused tells what is read as damage, and where it is found.
func TestRefused(t *testing.T) {
	for _, c := range []struct {
		text, want string
	}{
		{"", "cut off in a size at byte 0"},
		{"12", "cut off in a size at byte 0"},
		{":,", `':' in a size at byte 0`},
		{"-1:,", `'-' in a size at byte 0`},
		{"01:a,", `'1' in a size at byte 1`},
		{"5:abc,", "5 bytes announced, 3 there at byte 0"},
		{"3:abc", "3 bytes announced, 2 there at byte 0"},
		{"1234567890123:", "a size of more than 12 digits at byte 0"},
		{"1:a?", `unknown tag '?' at byte 0`},
		{"1:x#", `"x" for an integer at byte 0`},
		{"20:99999999999999999999#", "for an integer at byte 0"},
		{"1:x^", `"x" for a float at byte 0`},
		{"4:True!", `"True" for a boolean at byte 0`},
		{"1:x~", "1 bytes of nothing at byte 0"},
		{"2:\xff\xff;", "text that is not UTF-8 at byte 0"},
		{"4:1:a,}", "a dictionary with a key and no value at byte 6"},
		{"6:0:]0:~}", "a dictionary with a tnetstring.List for a key at byte 8"},
		{"4:9:a,]", "9 bytes announced, 1 there at byte 2"},
	} {
		_, _, err := Parse([]byte(c.text))
		if !errors.Is(err, ErrSyntax) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("parse %q: got %v, want %q", c.text, err, c.want)
		}
	}
}

func TestDepthIsBounded(t *testing.T) {
	var v any
	for range maxDepth {
		v = List{v}
	}
	p, err := Append(nil, v)
	if err != nil {
		t.Fatalf("append %d levels: %v", maxDepth, err)
	}
	if _, _, err := Parse(p); err != nil {
		t.Errorf("parse %d levels: %v", maxDepth, err)
	}
	if _, err := Append(nil, List{v}); !errors.Is(err, ErrLimit) {
		t.Errorf("append a level more: got %v, want %v", err, ErrLimit)
	}
	deep := append([]byte(strconv.Itoa(len(p))+":"), append(p, ']')...)
	if _, _, err := Parse(deep); !errors.Is(err, ErrLimit) {
		t.Errorf("parse a level more: got %v, want %v", err, ErrLimit)
	}
}

func TestGet(t *testing.T) {
	d := Dict{{"a", int64(1)}, {[]byte("b"), int64(2)}, {"a", int64(3)}, {int64(4), int64(4)}}
	for key, want := range map[string]any{"a": int64(3), "b": int64(2), "c": nil} {
		if got := d.Get(key); got != want {
			t.Errorf("get %q: got %v, want %v", key, got, want)
		}
	}
}

func TestReader(t *testing.T) {
	var dump []byte
	for _, c := range samples {
		dump = append(dump, c.text...)
	}
	for name, r := range map[string]io.Reader{"whole": bytes.NewReader(dump), "byte by byte": iotest.OneByteReader(bytes.NewReader(dump))} {
		read := NewReader(r, 0)
		for _, c := range samples {
			if got, err := read.Next(); err != nil || !alike(got, c.value) {
				t.Fatalf("%s: got %#v, %v, want %#v", name, got, err, c.value)
			}
		}
		if got, err := read.Next(); !errors.Is(err, io.EOF) {
			t.Errorf("%s: after the last one: got %v, %v, want %v", name, got, err, io.EOF)
		}
		if got := read.Offset(); got != int64(len(dump)) {
			t.Errorf("%s: offset: got %d, want %d", name, got, len(dump))
		}
	}
}

// TestReaderStops sees that what comes before the damage is read, and that the
// place of the damage is told.
func TestReaderStops(t *testing.T) {
	broken := errors.New("broken disk")
	for _, c := range []struct {
		name string
		r    io.Reader
		want error
	}{
		{"cut off", strings.NewReader("1:a,9:abc"), io.ErrUnexpectedEOF},
		{"cut off in the size", strings.NewReader("1:a,9"), io.ErrUnexpectedEOF},
		{"no value", strings.NewReader("1:a,hello, this is no dump"), ErrSyntax},
		{"over the limit, and no value", strings.NewReader("1:a,1001:" + strings.Repeat("x", 1002) + ","), ErrLimit},
		{"over the limit, and not whole", strings.NewReader("1:a,1001:" + strings.Repeat("x", 100)), io.ErrUnexpectedEOF},
		{"over any limit", strings.NewReader("1:a,999999999999:"), ErrLimit},
		{"the reader", io.MultiReader(strings.NewReader("1:a,99:x"), iotest.ErrReader(broken)), broken},
	} {
		r := NewReader(c.r, 1000)
		if v, err := r.Next(); err != nil || !alike(v, []byte("a")) {
			t.Errorf("%s: before the damage: got %v, %v, want a", c.name, v, err)
		}
		v, err := r.Next()
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), "byte 4 of the dump") || r.Offset() != 4 {
			t.Errorf("%s: got %v, %v at %d, want %v at byte 4", c.name, v, err, r.Offset(), c.want)
		}
	}
}

// TestReaderPasses sees that a value over the limit keeps none from being read behind it,
// and that one of many megabytes is read like others.
func TestReaderPasses(t *testing.T) {
	large := strings.Repeat("x", 20<<20)
	dump := "1:a,20971521:" + large + "x,1:b,20971520:" + large + ",1:c,"
	r := NewReader(strings.NewReader(dump), 20<<20)
	for _, want := range []string{"a", "", "b", large, "c"} {
		v, err := r.Next()
		if want == "" {
			if !errors.Is(err, ErrLimit) || errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "byte 4 of the dump") {
				t.Errorf("got %v, want %v at byte 4", err, ErrLimit)
			}
			continue
		}
		if got, ok := v.([]byte); err != nil || !ok || string(got) != want {
			t.Fatalf("got %d bytes, %v, want %d", len(got), err, len(want))
		}
	}
	if got := r.Offset(); got != int64(len(dump)) {
		t.Errorf("offset: got %d, want %d", got, len(dump))
	}
}

// TestAnnouncedIsNotAllocated sees that a short dump that promises much costs little.
func TestAnnouncedIsNotAllocated(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := NewReader(strings.NewReader("1000000000:short"), 0).Next(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v, want %v", err, io.ErrUnexpectedEOF)
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
		t.Errorf("allocated for a dump of 16 bytes: %d bytes, want less than 1 MB", got)
	}
}

func TestStream(t *testing.T) {
	body := strings.Repeat("body", 10_000)
	v := func(content any) Dict { return Dict{{"content", content}, {"n", int64(1)}} }
	var streamed, whole bytes.Buffer
	if err := Write(&streamed, v(Stream{int64(len(body)), strings.NewReader(body + "more")})); err != nil {
		t.Fatal(err)
	}
	if err := Write(&whole, v([]byte(body))); err != nil || !bytes.Equal(streamed.Bytes(), whole.Bytes()) {
		t.Errorf("a stream and its bytes: got %d and %d bytes, %v, want the same", streamed.Len(), whole.Len(), err)
	}
	if err := Write(io.Discard, v(Stream{99, strings.NewReader("short")})); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a stream that ends early: got %v, want %v", err, io.ErrUnexpectedEOF)
	}
	if _, err := Append(nil, Stream{}); err == nil {
		t.Error("append a stream: got nil, want an error")
	}
	if _, err := Append(nil, List{42}); err == nil || !strings.Contains(err.Error(), "type int") {
		t.Errorf("append an int: got %v, want an error that names the type", err)
	}
	failed := errors.New("no space")
	if err := Write(failing{failed}, v([]byte(body))); !errors.Is(err, failed) {
		t.Errorf("write to a full disk: got %v, want %v", err, failed)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// values draws any value.
func values() *rapid.Generator[any] {
	scalars := rapid.OneOf(
		rapid.Just[any](nil), rapid.Bool().AsAny(), rapid.Int64().AsAny(), rapid.Float64().AsAny(),
		rapid.String().AsAny(), rapid.SliceOf(rapid.Byte()).AsAny(),
	)
	var nest func(depth int) *rapid.Generator[any]
	nest = func(depth int) *rapid.Generator[any] {
		if depth == 0 {
			return scalars
		}
		in := nest(depth - 1)
		return rapid.OneOf(scalars,
			rapid.Custom(func(t *rapid.T) any { return List(rapid.SliceOfN(in, 0, 5).Draw(t, "list")) }),
			rapid.Custom(func(t *rapid.T) any {
				d := Dict{}
				for range rapid.IntRange(0, 5).Draw(t, "entries") {
					d = append(d, Entry{scalars.Draw(t, "key"), in.Draw(t, "value")})
				}
				return d
			}))
	}
	return nest(3)
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := values().Draw(t, "value")
		p, err := Append(nil, want)
		if err != nil {
			t.Fatal(err)
		}
		got, rest, err := Parse(p)
		if err != nil || len(rest) > 0 || !cmp.Equal(got, want, cmpopts.EquateNaNs(), cmpopts.EquateEmpty()) {
			t.Fatalf("%q: got %#v, %q, %v, want %#v", p, got, rest, err, want)
		}
		var w bytes.Buffer
		if err := Write(&w, want); err != nil || !bytes.Equal(w.Bytes(), p) {
			t.Fatalf("write: got %q, %v, want what append makes, %q", w.Bytes(), err, p)
		}
	})
}

// FuzzParse sees that whatever is read is written so that it reads back the same,
// and that a reader finds the same as Parse however the bytes arrive.
func FuzzParse(f *testing.F) {
	for _, c := range samples {
		f.Add([]byte(c.text))
	}
	f.Add([]byte("999999999999:x"))
	f.Fuzz(func(t *testing.T, p []byte) {
		v, rest, err := Parse(p)
		streamed, readErr := NewReader(iotest.HalfReader(bytes.NewReader(p)), 0).Next()
		if (err == nil) != (readErr == nil) || err == nil && !alike(v, streamed) {
			t.Errorf("parse: %#v, %v; read: %#v, %v, want the same", v, err, streamed, readErr)
		}
		if err != nil {
			return
		}
		if len(rest) >= len(p) {
			t.Errorf("a value of %d bytes", len(p)-len(rest))
		}
		again, err := Append(nil, v)
		if err != nil {
			t.Fatal(err)
		}
		if back, _, err := Parse(again); err != nil || !alike(back, v) {
			t.Errorf("%#v reads back as %#v, %v", v, back, err)
		}
	})
}
