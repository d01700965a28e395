package ws

import (
	"bytes"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// boundaries are texts at the edges of what UTF-8 is, as in the cases 6.5 to 6.23 of
// the Autobahn test suite, and how many bytes of each are good; -1: all are.
var boundaries = []struct {
	name, text string
	good       int
}{
	{"the first of one byte", "\x00", -1},
	{"the last", "\x7f", -1},
	{"the first of two", "\u0080", -1},
	{"the last", "\u07ff", -1},
	{"the first of three", "\u0800", -1},
	{"the last", "\uffff", -1},
	{"the first of four", "\U00010000", -1},
	{"the last", "\U0010ffff", -1},
	{"before the surrogates", "\ud7ff", -1},
	{"after them", "\ue000", -1},
	{"the replacement character itself", "\ufffd", -1},
	{"noncharacters", "\ufffe\ufdd0\U0001fffe\U0010fffe", -1},
	{"a byte order mark", "\ufeffκόσμε", -1},
	{"beyond the last", "a\xf4\x90\x80\x80", 1},
	{"five bytes", "a\xf8\x88\x80\x80\x80", 1},
	{"six", "a\xfc\x84\x80\x80\x80\x80", 1},
	{"the last of five", "\xfb\xbf\xbf\xbf\xbf", 0},
	{"of six", "\xfd\xbf\xbf\xbf\xbf\xbf", 0},
	{"bytes that never occur", "ab\xfe", 2},
	{"the other", "ab\xff", 2},
	{"both", "\xfe\xfe\xff\xff", 0},
	{"a continuation alone", "κ\x80", 2},
	{"the last of them", "\xbf", 0},
	{"many", "\x80\xbf\x80\xbf", 0},
	{"beginnings, each before a space", "\xc3 \xdf ", 0},
	{"of three", "\xe1 ", 0},
	{"of four", "\xf1 ", 0},
	{"two without their end", "a\xc3", 1},
	{"three", "a\xe1\x80", 1},
	{"four", "a\xf1\x80\x80", 1},
	{"one end missing after another", "\xc3\xe1\x80\xf1", 0},
	{"a slash in two", "\xc0\xaf", 0},
	{"in three", "\xe0\x80\xaf", 0},
	{"in four", "\xf0\x80\x80\xaf", 0},
	{"the largest that is too long, of two", "\xc1\xbf", 0},
	{"of three", "\xe0\x9f\xbf", 0},
	{"of four", "\xf0\x8f\xbf\xbf", 0},
	{"a NUL in two", "\xc0\x80", 0},
	{"in three", "\xe0\x80\x80", 0},
	{"the first surrogate", "\xed\xa0\x80", 0},
	{"the last", "\xed\xbf\xbf", 0},
	{"a pair", "\xed\xa0\x80\xed\xb0\x80", 0},
	{"good, then bad, then good", "κόσμε\xed\xa0\x80edited", 10},
}

// textOf has a reader take text as one message, cut into frames behind these bytes,
// and returns the message.
func textOf(t testing.TB, text string, cuts ...int) Message {
	t.Helper()
	var input []byte
	from, opcode := 0, byte(Text)
	for _, to := range append(cuts, len(text)) {
		var fin byte
		if to == len(text) {
			fin = 0x80
		}
		input = appendFrame(input, fin|opcode, 0, false, [4]byte{}, []byte(text[from:to]))
		from, opcode = to, 0
	}
	r := NewReader(Server, Extensions{}, Limits{})
	for {
		n, ev, err := r.Feed(input)
		if err != nil || ev.Kind == NeedMore {
			t.Fatalf("%q: no message (%v)", text, err)
		}
		input = input[n:]
		if ev.Kind == MessageEnd {
			return *ev.Message
		}
	}
}

// checkText compares what is said of a message with how much of it is UTF-8.
func checkText(t testing.TB, name string, m Message, good int) {
	t.Helper()
	bad := m.Faults.Has(NotUTF8)
	if bad != (good >= 0) || bad && m.TextUntil != int64(good) {
		t.Errorf("%s: got %s until %d, want %d good bytes", name, m.Faults, m.TextUntil, good)
	}
}

// TestTextBoundaries has each text whole, and cut at every place.
func TestTextBoundaries(t *testing.T) {
	for _, c := range boundaries {
		checkText(t, c.name, textOf(t, c.text), c.good)
		for i := 1; i < len(c.text); i++ {
			checkText(t, c.name+", cut", textOf(t, c.text, i), c.good)
		}
	}
}

// TestTextAsOthersDo compares with the standard library on bytes at random, of those
// that matter.
func TestTextAsOthersDo(t *testing.T) {
	piece := rapid.SampledFrom([]string{"a", "κ", "€", "😀", "\x80", "\xbf", "\xc0", "\xc3", "\xe0", "\xed", "\xa0", "\xf0", "\xf4", "\x90", "\xff"})
	rapid.Check(t, func(rt *rapid.T) {
		text := bytes.Join(rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) []byte { return []byte(piece.Draw(rt, "piece")) }), 1, 12).Draw(rt, "text"), nil)
		good := -1
		if !utf8.Valid(text) {
			good = firstInvalid(text)
		}
		first := rapid.IntRange(0, len(text)).Draw(rt, "first cut")
		second := rapid.IntRange(first, len(text)).Draw(rt, "second cut")
		var cuts []int
		for _, cut := range []int{first, second} {
			if cut < len(text) {
				cuts = append(cuts, cut)
			}
		}
		m := textOf(t, string(text), cuts...)
		if bad := m.Faults.Has(NotUTF8); bad != (good >= 0) || bad && m.TextUntil != int64(good) {
			rt.Fatalf("%q cut at %v: got %s until %d, want %d good bytes", text, cuts, m.Faults, m.TextUntil, good)
		}
	})
}
