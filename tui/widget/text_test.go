package widget

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"

	"weir/tui/theme"
)

func look(t *testing.T) *theme.Theme {
	t.Helper()
	th, err := theme.New(theme.Options{NoColor: true, ASCII: true})
	if err != nil {
		t.Fatal(err)
	}
	return th
}

func TestTruncate(t *testing.T) {
	tests := []struct {
		in   string
		w    int
		want string
	}{
		{"hello", 5, "hello"},
		{"hello", 4, "hel~"},
		{"hello", 1, "~"},
		{"hello", 0, ""},
		{"hello", -1, ""},
		{"日本語", 5, "日本~"},
		{"日本語", 4, "日~"},
		{"日本語", 6, "日本語"},
	}
	for _, tt := range tests {
		if got := Truncate(tt.in, tt.w, "~"); got != tt.want {
			t.Errorf("Truncate(%q, %d): got %q, want %q", tt.in, tt.w, got, tt.want)
		}
	}
}

// TestWidths holds everything that promises a width to it, for any text.
func TestWidths(t *testing.T) {
	th := look(t)
	rapid.Check(t, func(t *rapid.T) {
		text := Sanitize(rapid.String().Draw(t, "text"))
		other := Sanitize(rapid.String().Draw(t, "other"))
		w := rapid.IntRange(0, 40).Draw(t, "width")
		exact := map[string]string{
			"Pad": Pad(text, w, "~"), "PadLeft": PadLeft(text, w, "~"), "Spread": Spread(text, other, w, "~"),
			"Rule": Rule(w, "+", []int{1, 5}, text, th),
		}
		for name, got := range exact {
			if Width(got) != w {
				t.Fatalf("%s(%q, %d): got %d cells: %q", name, text, w, Width(got), got)
			}
		}
		for name, got := range map[string]string{"Truncate": Truncate(text, w, "~"), "TruncateLeft": TruncateLeft(text, w, "~")} {
			if Width(got) > w {
				t.Fatalf("%s(%q, %d): got %d cells: %q", name, text, w, Width(got), got)
			}
		}
		x := rapid.IntRange(0, 50).Draw(t, "x")
		if got, want := Width(Overlay(text, "box", x, 0)), max(Width(text), x+3); got != want {
			t.Fatalf("Overlay of %q at %d: got %d cells, want %d", text, x, got, want)
		}
	})
}

func TestFit(t *testing.T) {
	tests := []struct {
		in   string
		w, h int
		want string
	}{
		{"a\nb\nc", 5, 2, "a\nb"},
		{"a", 5, 3, "a\n\n"},
		{"abcdef\nb", 3, 2, "abc\nb"},
		{"a", 5, 0, ""},
		{"a", 0, 1, ""},
	}
	for _, tt := range tests {
		if got := Fit(tt.in, tt.w, tt.h); got != tt.want {
			t.Errorf("Fit(%q, %d, %d): got %q, want %q", tt.in, tt.w, tt.h, got, tt.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for n, want := range map[int64]string{
		-1: "", 0: "0", 999: "999", 1000: "1.0k", 1024: "1.0k", 1229: "1.2k", 18842: "18.4k", 102348: "99.9k", 188000: "184k",
		1023 << 10: "1.0M", 1 << 20: "1.0M", 1 << 30: "1.0G", math.MaxInt64: "8.0E",
	} {
		if got := Size(n); got != want {
			t.Errorf("Size(%d): got %q, want %q", n, got, want)
		}
	}
	for n, want := range map[uint64]string{0: "0", 999: "999", 1000: "1.0k", 999499: "999k", 999500: "1.0M", math.MaxUint64: "18.4E"} {
		if got := Count(n); got != want {
			t.Errorf("Count(%d): got %q, want %q", n, got, want)
		}
	}
	for n, want := range map[uint64]string{0: "0", 999: "999", 1000: "1,000", 1048220: "1,048,220"} {
		if got := Group(n); got != want {
			t.Errorf("Group(%d): got %q, want %q", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		-1: "", 0: "0.0ms", 340 * time.Microsecond: "0.3ms", 9949 * time.Microsecond: "9.9ms", 9950 * time.Microsecond: "10ms",
		340 * time.Millisecond: "340ms", 1120 * time.Millisecond: "1.12s", 10500 * time.Millisecond: "10.5s", 100 * time.Second: "100s",
		17 * time.Minute: "17m", 150 * time.Minute: "2h", 80 * time.Hour: "80h", 240 * time.Hour: "10d",
	} {
		if got := Duration(int64(d)); got != want {
			t.Errorf("Duration(%v): got %q, want %q", d, got, want)
		}
	}
}

// TestNumbersAreNarrow holds all numbers to the width that columns leave them.
func TestNumbersAreNarrow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64().Draw(t, "n")
		for _, got := range []string{Size(n), Duration(n), Count(uint64(n))} {
			if len(got) > NumberWidth {
				t.Fatalf("%d: got %q, want at most %d cells", n, got, NumberWidth)
			}
		}
	})
}

func TestClock(t *testing.T) {
	zone := time.FixedZone("east", 2*3600)
	if got, want := Clock(1772366761_100000000, nil), "12:06:01.1"; got != want {
		t.Errorf("Clock in UTC: got %q, want %q", got, want)
	}
	if got, want := Clock(1772366761_100000000, zone), "14:06:01.1"; got != want {
		t.Errorf("Clock in the east: got %q, want %q", got, want)
	}
	if got := Clock(0, nil); got != "" {
		t.Errorf("Clock of no time: got %q, want none", got)
	}
}

func TestOverlayHalvesWideCharacters(t *testing.T) {
	got := Overlay("日本語日本語\nsecond", "[box]", 1, 0)
	if want := " [box]日本語\nsecond"; got != want {
		t.Errorf("Overlay: got %q, want %q", got, want)
	}
	if got := Overlay("one", "a\nb\nc", 5, -1); got != "one  b" {
		t.Errorf("Overlay beyond the edges: got %q, want %q", got, "one  b")
	}
}

func TestBox(t *testing.T) {
	got := Box("keys", []string{"one", "a line that is too long"}, 16, look(t))
	want := "+- keys -------+\n| one          |\n| a line that~ |\n+--------------+"
	if ansi.Strip(got) != want {
		t.Errorf("Box: got\n%s\nwant\n%s", ansi.Strip(got), want)
	}
	for w := range 12 {
		for line := range strings.Lines(Box("title", []string{"x"}, w, look(t))) {
			if got := Width(strings.TrimSuffix(line, "\n")); got > w {
				t.Errorf("Box of %d cells: got a line of %d: %q", w, got, line)
			}
		}
	}
}

func TestWindow(t *testing.T) {
	tests := []struct{ top, at, n, h, want int }{
		{0, 0, 10, 5, 0}, {0, 4, 10, 5, 0}, {0, 5, 10, 5, 1}, {3, 1, 10, 5, 1}, {9, 9, 10, 5, 5}, {0, 0, 3, 5, 0}, {2, 0, 0, 5, 0},
	}
	for _, tt := range tests {
		if got := Window(tt.top, tt.at, tt.n, tt.h); got != tt.want {
			t.Errorf("Window(%d, %d, %d, %d): got %d, want %d", tt.top, tt.at, tt.n, tt.h, got, tt.want)
		}
	}
}
