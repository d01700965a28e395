package h1

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

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

// TestAnyCutGivesTheSameEvents is the law that makes the Reader usable from
// sockets and from packets alike.
func TestAnyCutGivesTheSameEvents(t *testing.T) {
	all := corpus(t)
	t.Run("bytes", func(t *testing.T) {
		for _, c := range all {
			if diff := cmp.Diff(c.want, c.events(strings.Split(c.input, ""))); diff != "" {
				t.Errorf("%s, byte by byte (-want +got):\n%s", c.name, diff)
			}
		}
	})
	t.Run("random", rapid.MakeCheck(func(t *rapid.T) {
		c := rapid.SampledFrom(all).Draw(t, "case")
		var pieces []string
		for rest := c.input; rest != ""; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "piece")
			pieces, rest = append(pieces, rest[:n]), rest[n:]
		}
		if diff := cmp.Diff(c.want, c.events(pieces)); diff != "" {
			t.Errorf("%s in %q (-want +got):\n%s", c.name, pieces, diff)
		}
	}))
}

// FuzzReader holds the cutting law for any bytes, and that the head's bytes and
// fields put together again are what came in.
func FuzzReader(f *testing.F) {
	for _, c := range corpus(f) {
		f.Add([]byte(c.input), c.role == Response, c.soft, c.to, uint16(3))
	}
	f.Fuzz(func(t *testing.T, input []byte, response, lenient bool, to string, cut uint16) {
		c := conversation{role: Request, soft: lenient, to: to, eof: true}
		if response {
			c.role = Response
		}
		at := int(cut) % (len(input) + 1)
		whole := c.events([]string{string(input)})
		if diff := cmp.Diff(whole, c.events([]string{string(input[:at]), string(input[at:])})); diff != "" {
			t.Errorf("cut at %d (-whole +cut):\n%s", at, diff)
		}
		checkRebuild(t, c.role, input)
	})
}

// checkRebuild reads the first head of input and rebuilds it from its parts.
func checkRebuild(t *testing.T, role Role, input []byte) {
	r := NewReader(role, Limits{})
	_, ev, err := r.Feed(input)
	if p := r.Partial(); err != nil && p != nil && !bytes.HasPrefix(p.Raw, p.Start) {
		t.Errorf("partial head: start line %q of %q", p.Start, p.Raw)
	}
	if err != nil || ev.Kind != MessageHead {
		return
	}
	h := ev.Head
	if !bytes.Contains(input, h.Raw) {
		t.Errorf("raw head %q is no part of the input %q", h.Raw, input)
	}
	end := len(h.Start) + bytes.IndexByte(h.Raw[len(h.Start):], '\n') + 1
	rebuilt := append([]byte(nil), h.Raw[:end]...)
	for i := range h.Fields {
		rebuilt = h.Fields[i].Append(rebuilt)
	}
	rebuilt = append(rebuilt, emptyLine(h.Raw)...)
	if !bytes.Equal(rebuilt, h.Raw) {
		t.Errorf("rebuilt head: got %q, want %q", rebuilt, h.Raw)
	}
	target, err := ParseTarget(h.Method, h.Target)
	rw := ToOrigin(h, target)
	if out := rw.Append(nil, h); err == nil && target.Form != AbsoluteForm && !bytes.Equal(out, h.Raw) {
		t.Errorf("forwarded head: got %q, want %q", out, h.Raw)
	}
}

func TestErrorsAreFinal(t *testing.T) {
	r := NewReader(Request, Limits{})
	_, _, first := r.Feed([]byte("nonsense\r\n\r\n"))
	_, _, second := r.Feed([]byte("GET / HTTP/1.1\r\n\r\n"))
	if first == nil || !errors.Is(second, first) {
		t.Errorf("second call: got %v, want %v", second, first)
	}
	if _, err := r.End(); !errors.Is(err, first) {
		t.Errorf("End: got %v, want %v", err, first)
	}
}

// TestLimits crosses each limit by one byte or field, and stays at it.
func TestLimits(t *testing.T) {
	lim := Limits{StartLine: 20, HeadBytes: 60, Fields: 3, ChunkLine: 10, Trailer: 20, BlankLines: 1}
	chunked := "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
	for _, tt := range []struct {
		name, within, over string
		code               Code
	}{
		{"start line", "GET /3456 HTTP/1.1\r\n\r\n", "GET /34567 HTTP/1.1\r\n\r\n", LineTooLong},
		{"head", "GET / HTTP/1.1\r\nA: " + strings.Repeat("x", 37) + "\r\n\r\n", "GET / HTTP/1.1\r\nA: " + strings.Repeat("x", 50), HeadTooLarge},
		{"fields", "GET / HTTP/1.1\r\na:\r\nb:\r\nc:\r\n\r\n", "GET / HTTP/1.1\r\na:\r\nb:\r\nc:\r\nd:\r\n\r\n", HeadTooLarge},
		{"chunk line", chunked + "1;345678\r\n", chunked + "1;345678901", HeadTooLarge},
		{"trailer", chunked + "0\r\nA: 4567890123456\r\n\r\n", chunked + "0\r\nA: 456789012345678901", HeadTooLarge},
		{"blank lines", "\r\nGET / HTTP/1.1\r\n\r\n", "\r\n\r\n", Malformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := feedAll(NewReader(Request, lim), tt.within); err != nil {
				t.Errorf("within: got %v, want no error", err)
			}
			err := feedAll(NewReader(Request, lim), tt.over)
			if e, ok := errors.AsType[*Error](err); !ok || e.Code != tt.code {
				t.Errorf("over: got %v, want code %d", err, tt.code)
			}
		})
	}
}

func feedAll(r *Reader, input string) error {
	for in := []byte(input); ; {
		n, ev, err := r.Feed(in)
		in = in[n:]
		if err != nil || ev.Kind == NeedMore {
			return err
		}
	}
}

// TestMemoryIsBounded feeds lines without end and looks at what is held.
func TestMemoryIsBounded(t *testing.T) {
	for name, head := range map[string]string{"head": "", "chunk line": "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"} {
		r := NewReader(Request, Limits{})
		err := feedAll(r, head)
		junk := bytes.Repeat([]byte{'1'}, 16<<20)
		if err == nil {
			_, _, err = r.Feed(junk)
		}
		if held := cap(r.section) + cap(r.lines); err == nil || held > 4<<20 {
			t.Errorf("%s: held %d bytes, error %v", name, held, err)
		}
	}
}

// TestNothingIsAllocated holds for a connection whose messages repeat.
func TestNothingIsAllocated(t *testing.T) {
	request := []byte("POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
	r := NewReader(Request, Limits{})
	allocs := testing.AllocsPerRun(100, func() {
		for in := request; ; {
			n, ev, err := r.Feed(in)
			if err != nil {
				t.Fatal(err)
			}
			if in = in[n:]; ev.Kind == NeedMore {
				return
			}
		}
	})
	if allocs != 0 {
		t.Errorf("allocations a message: got %v, want 0", allocs)
	}
}

func BenchmarkReader(b *testing.B) {
	text, err := os.ReadFile("testdata/browser.http")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	r := NewReader(Request, Limits{})
	for b.Loop() {
		for in := text; ; {
			n, ev, err := r.Feed(in)
			if err != nil {
				b.Fatal(err)
			}
			if in = in[n:]; ev.Kind == NeedMore {
				break
			}
		}
	}
}

// TestPartial looks at what is known of a head that never became one.
func TestPartial(t *testing.T) {
	for _, tt := range []struct{ name, in, start, method, field string }{
		{"nothing", "", "", "", ""},
		{"half a method", "GE", "GE", "", ""},
		{"half a line", "GET /a", "GET /a", "GET", ""},
		{"half a field", "GET /a HTTP/1.1\r\nA: b", "GET /a HTTP/1.1", "GET", ""},
		{"half a head", "GET /a HTTP/1.1\r\nA: b\r\n", "GET /a HTTP/1.1", "GET", "b"},
		{"a long line", "GET /" + strings.Repeat("a", 200), "GET /" + strings.Repeat("a", 95), "GET", ""},
		{"a long line with an end", "GET /" + strings.Repeat("a", 200) + "\r\nA: b\r\n\r\n", "GET /" + strings.Repeat("a", 95), "GET", ""},
		{"a large head", "GET /a HTTP/1.1\r\nA: b\r\nB: " + strings.Repeat("a", 1000), "GET /a HTTP/1.1", "GET", "b"},
		{"NUL after the field", "GET /a HTTP/1.1\r\nA: b\r\nB: \x00\r\n\r\n", "GET /a HTTP/1.1", "GET", "b"},
		{"NUL in the field", "GET /a HTTP/1.1\r\nA: \x00b\r\n\r\n", "GET /a HTTP/1.1", "GET", ""},
		{"NUL in the start line", "GET /\x00 HTTP/1.1\r\nA: b\r\n\r\n", "GET /\x00 HTTP/1.1", "GET", "b"},
		{"bare CR", "GET /a HTTP/1.1\r\nA: b\r\nB: \rC: c\r\n\r\n", "GET /a HTTP/1.1", "GET", "b"},
		{"a continuation of nothing", "GET /a HTTP/1.1\r\n A: b\r\n\r\n", "GET /a HTTP/1.1", "GET", ""},
		{"no version", "GET /a\r\nA: b\r\n\r\n", "GET /a", "GET", ""},
		{"refused framing", "GET /a HTTP/1.1\r\nA: b\r\nContent-Length: x\r\n\r\n", "GET /a HTTP/1.1", "GET", "b"},
		{"no HTTP", "\x01\x02\r\n\r\n", "\x01\x02", "", ""},
		{"after another", "GET /a HTTP/1.1\r\nA: b\r\n\r\nPUT", "PUT", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := NewReader(Request, Limits{StartLine: 100, HeadBytes: 500})
			_ = feedAll(r, tt.in)
			h := r.Partial()
			if tt.in == "" {
				if h != nil {
					t.Errorf("got %v, want nil", h)
				}
				return
			}
			field, _ := h.Get("a")
			if string(h.Start) != tt.start || string(h.Method) != tt.method || string(field) != tt.field {
				t.Errorf("got %q, %q, %q, want %q, %q, %q", h.Start, h.Method, field, tt.start, tt.method, tt.field)
			}
		})
	}
}
