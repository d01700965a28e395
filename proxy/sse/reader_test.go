package sse

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// streams is a table of what comes in and the events that go out; those of the
// HTML standard's own examples among them.
var streams = []struct {
	name, input string
	want        []string
}{
	{"nothing", "", nil},
	{"one", "data: hello\n\n", []string{`"hello"`}},
	{"three lines", "data: YHOO\ndata: +2\ndata: 10\n\n", []string{`"YHOO\n+2\n10"`}},
	{"comments, ids, and a block without data", ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n", []string{`"first event" id "1"`, `"second event" id ""`, `" third event"`}},
	{"empty data", "data\n\ndata\ndata\n\ndata:\n", []string{`""`, `"\n"`, `"" partial`}},
	{"types", "event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\nevent: x\n\ndata: plain\n\n", []string{`add "73857293"`, `remove "2153"`, `"plain"`}},
	{"retry", "retry: 3000\ndata: a\n\nretry: soon\ndata: b\n\nretry: +1\ndata: c\n\nretry:\ndata: d\n\n", []string{`"a" retry 3000`, `"b"`, `"c"`, `"d"`}},
	{"line ends", "data: a\r\rdata: b\r\n\r\ndata: c\r\n\ndata: d\n\r\n", []string{`"a"`, `"b"`, `"c"`, `"d"`}},
	{"a BOM", "\xef\xbb\xbfdata: a\n\n\xef\xbb\xbfdata: b\n\n", []string{`"a"`}},
	{"unknown fields and no colon", "Data: no\ndatum: no\ndata : no\nhello\ndata: yes\n\n", []string{`"yes"`}},
	{"an id with NUL", "id: a\x00b\ndata: x\n\n", []string{`"x"`}},
	{"cut off", "data: whole\n\nid: 7\ndata: half", []string{`"whole"`, `"half" id "7" partial`}},
	{"a long line", "data: " + strings.Repeat("x", 100) + "\ndata: y\n\ndata: short\n\n", []string{`"` + strings.Repeat("x", 58) + `\ny" cut`, `"short"`}},
	{"many lines", strings.Repeat("data: 0123456789\n", 10) + "\n", []string{`"0123456789\n0123456789\n0123456789\n0123456789\n0123456789\n012345678" cut`}},
	{"a long comment", ":" + strings.Repeat("x", 100) + "\ndata: a\n\n", []string{`"a"`}},
}

// read feeds input in pieces and renders the events.
func read(pieces ...[]byte) (out []string) {
	r := Reader{limit: 64}
	for _, p := range pieces {
		p = bytes.Clone(p) // what Feed was given is gone afterwards
		for rest := p; ; {
			n, ev := r.Feed(rest)
			rest = rest[n:]
			if ev == nil {
				break
			}
			out = append(out, render(ev))
		}
		clear(p)
	}
	if ev := r.End(); ev != nil {
		out = append(out, render(ev))
	}
	return out
}

func render(ev *Event) string {
	s := fmt.Sprintf("%q", ev.Data)
	if len(ev.Type) > 0 {
		s = fmt.Sprintf("%s %s", ev.Type, s)
	}
	if ev.ID != nil {
		s += fmt.Sprintf(" id %q", ev.ID)
	}
	if ev.HasRetry {
		s += fmt.Sprintf(" retry %d", ev.Retry)
	}
	if ev.Cut {
		s += " cut"
	}
	if ev.Partial {
		s += " partial"
	}
	return s
}

func TestStreams(t *testing.T) {
	for _, c := range streams {
		if diff := cmp.Diff(c.want, read([]byte(c.input))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		var single [][]byte
		for i := range len(c.input) {
			single = append(single, []byte(c.input[i:i+1]))
		}
		if diff := cmp.Diff(c.want, read(single...)); diff != "" {
			t.Errorf("%s, byte by byte (-want +got):\n%s", c.name, diff)
		}
	}
}

// TestAnyCutGivesTheSameEvents draws streams of what matters in them.
func TestAnyCutGivesTheSameEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tokens := rapid.SliceOf(rapid.SampledFrom([]string{"data:", "data", "id:", "event:", "retry:", ":", " ", "\r", "\n", "\r\n", "\n\n", "7", "x", "\x00", "\xef\xbb\xbf"})).Draw(t, "tokens")
		input := []byte(strings.Join(tokens, ""))
		at := rapid.IntRange(0, len(input)).Draw(t, "cut")
		if diff := cmp.Diff(read(input), read(input[:at], input[at:])); diff != "" {
			t.Errorf("%q cut at %d (-whole +cut):\n%s", input, at, diff)
		}
	})
}

func FuzzReader(f *testing.F) {
	for _, c := range streams {
		f.Add([]byte(c.input), uint16(3))
	}
	f.Fuzz(func(t *testing.T, input []byte, cut uint16) {
		at := int(cut) % (len(input) + 1)
		if diff := cmp.Diff(read(input), read(input[:at], input[at:])); diff != "" {
			t.Errorf("cut at %d (-whole +cut):\n%s", at, diff)
		}
	})
}

// TestReaderKeepsItsBuffers reads events without allocating more than themselves.
func TestReaderKeepsItsBuffers(t *testing.T) {
	var r Reader
	input := []byte("id: 12\nevent: tick\ndata: {\"at\":1}\ndata: 2\n\n")
	got := testing.AllocsPerRun(100, func() { r.Feed(input) })
	if got > 1 {
		t.Errorf("allocations an event: got %v, want 1", got)
	}
}
