package stream

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// origin is stored bytes in memory.
func origin(stored []byte, codings []string) Origin {
	read := func(ctx context.Context, off int64, n int) ([]byte, error) {
		off = min(off, int64(len(stored)))
		return stored[off:min(off+int64(n), int64(len(stored)))], ctx.Err()
	}
	return Origin{Read: read, Size: int64(len(stored)), Codings: codings}
}

func zipped(p []byte) []byte {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	_, _ = w.Write(p)
	_ = w.Close()
	return z.Bytes()
}

// TestNeedle holds the fast search to the slow one.
func TestNeedle(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		letters := rapid.StringMatching(`[aAbBkK.:" x]{1,6}`)
		text := letters.Draw(r, "text")
		hay := []byte(rapid.StringMatching(`[aAbBkK.:" x\n]{0,200}`).Draw(r, "hay"))
		start, end := NewNeedle(text).Index(hay)
		want := regexp.MustCompile("(?i)" + regexp.QuoteMeta(text)).FindIndex(hay)
		if regexp.QuoteMeta(text) != text {
			// It may match as an expression too, and earlier.
			if want != nil && (start < 0 || start > want[0]) {
				r.Fatalf("index of %q in %q: got %d, want at most %d", text, hay, start, want[0])
			}
			return
		}
		if want == nil {
			want = []int{-1, -1}
		}
		if diff := cmp.Diff(want, []int{start, end}); diff != "" {
			r.Fatalf("index of %q in %q (-want +got):\n%s", text, hay, diff)
		}
	})
}

func TestNeedleOddities(t *testing.T) {
	tests := []struct {
		text, hay  string
		start, end int
	}{
		{"a.b(c", "xx A.B(C", 3, 8},
		{`5\d\d`, "status 503", 7, 10},
		{"(", "a(b", 1, 2},
		{"x*", "aaxx", 2, 4}, // no empty match
		{"GRÖSSE", "größe grösse", 8, 15},
		{"kelvin", "\u212aelvin", 0, 8},
		{"", "abc", -1, -1},
	}
	for _, tt := range tests {
		if tt.text == "" {
			continue
		}
		start, end := NewNeedle(tt.text).Index([]byte(tt.hay))
		if start != tt.start || end != tt.end {
			t.Errorf("index of %q in %q: got %d, %d, want %d, %d", tt.text, tt.hay, start, end, tt.start, tt.end)
		}
	}
}

// TestWalk holds the search in steps and pieces to a search in one piece.
func TestWalk(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		size := rapid.IntRange(1, 3*readStep).Draw(r, "size")
		body := bytes.Repeat([]byte("-"), size)
		for range rapid.IntRange(0, 4).Draw(r, "needles") {
			copy(body[rapid.IntRange(0, size-1).Draw(r, "at"):], "needle")
		}
		codings := rapid.SampledFrom([][]string{nil, {"gzip"}}).Draw(r, "codings")
		stored := body
		if codings != nil {
			stored = zipped(body)
		}
		last := rapid.Bool().Draw(r, "last")
		w := &Walk{Origin: origin(stored, codings), Needle: NewNeedle("NEEDLE"), To: -1, Last: last}
		var got Step
		for range 10 {
			if got = w.Step(t.Context()); got.Done || got.Err != nil {
				break
			}
		}
		w.Close()
		want := bytes.Index(body, []byte("needle"))
		if last {
			want = bytes.LastIndex(body, []byte("needle"))
		}
		if got.Err != nil || !got.Done || got.Match != int64(want) {
			r.Fatalf("walk: got %d (done %v, error %v), want %d", got.Match, got.Done, got.Err, want)
		}
	})
}

// TestWindow holds every window of decoded content to the content.
func TestWindow(t *testing.T) {
	body := bytes.Repeat([]byte("0123456789abcdef\n"), 6000)
	rapid.Check(t, func(r *rapid.T) {
		o := origin(body, nil)
		if rapid.Bool().Draw(r, "coded") {
			o = origin(zipped(body), []string{"gzip"})
		}
		base := rapid.Int64Range(0, int64(len(body))+10).Draw(r, "base")
		n := rapid.IntRange(1, len(body)).Draw(r, "n")
		p, err := o.Window(t.Context(), base, n)
		if err != nil {
			r.Fatal(err)
		}
		from := min(base, int64(len(body)))
		to := min(from+int64(n), int64(len(body)))
		if !bytes.Equal(p.Data, body[from:to]) {
			r.Fatalf("window %d+%d: got %d bytes, want %d", base, n, len(p.Data), to-from)
		}
		if want := to < int64(len(body)); p.More != want {
			r.Fatalf("window %d+%d: got more %v, want %v", base, n, p.More, want)
		}
	})
}

func TestWindowOfADamagedBody(t *testing.T) {
	body := make([]byte, 1<<16)
	for i := range body {
		body[i] = byte(i*i>>3) ^ byte(i>>8)
	}
	whole := zipped(body)
	p, err := origin(whole[:len(whole)/2], []string{"gzip"}).Window(t.Context(), 0, len(body))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(body, p.Data) || len(p.Data) == 0 || p.Fault == nil {
		t.Errorf("window of half a gzip: got %d bytes, fault %v, want a beginning of the content and a fault", len(p.Data), p.Fault)
	}
	p, err = origin([]byte("plain"), []string{"gzip"}).Window(t.Context(), 0, 100)
	if err != nil || string(p.Data) != "plain" || p.Fault == nil {
		t.Errorf("window of what is no gzip: got %q, fault %v, error %v, want it as stored with a fault", p.Data, p.Fault, err)
	}
}

func TestAligned(t *testing.T) {
	tests := []struct {
		in, want string
		base     int64
	}{
		{"half\nwhole\n", "whole\n", 105},
		{"no line end", "no line end", 100},
		{strings.Repeat("x", maxRagged) + "\n", strings.Repeat("x", maxRagged) + "\n", 100},
	}
	for _, tt := range tests {
		got := Part{Data: []byte(tt.in), Base: 100}.Aligned()
		if string(got.Data) != tt.want || got.Base != tt.base {
			t.Errorf("Aligned %.20q: got %.20q at %d, want %.20q at %d", tt.in, got.Data, got.Base, tt.want, tt.base)
		}
	}
}

// TestWalkIsBounded walks through a bomb: what is held stays small.
func TestWalkIsBounded(t *testing.T) {
	bomb := zipped(make([]byte, 64<<20))
	w := &Walk{Origin: origin(bomb, []string{"gzip"}), To: -1}
	steps := 0
	for {
		got := w.Step(t.Context())
		if got.Err != nil {
			t.Fatal(got.Err)
		}
		if cap(w.buf) > 4*readStep {
			t.Fatalf("step %d: got %d bytes held, want at most %d", steps, cap(w.buf), 4*readStep)
		}
		if steps++; got.Done {
			if got.Size != 64<<20 {
				t.Errorf("size at the end: got %d, want %d", got.Size, 64<<20)
			}
			break
		}
	}
	if steps != 64/8+1 && steps != 64/8 {
		t.Errorf("steps through 64 MB: got %d, want one for every 8 MB", steps)
	}
	if w.Progress() != 100 {
		t.Errorf("progress at the end: got %d %%, want 100 %%", w.Progress())
	}
}

func TestWalkStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	w := &Walk{Origin: origin(make([]byte, 32<<20), nil), To: -1}
	if got := w.Step(ctx); got.Done || got.Err != nil {
		t.Fatalf("first step: got %+v, want it to go on", got)
	}
	cancel()
	if got := w.Step(ctx); !errors.Is(got.Err, context.Canceled) {
		t.Errorf("step after cancel: got %+v, want context.Canceled", got)
	}
	w.Close()
}
