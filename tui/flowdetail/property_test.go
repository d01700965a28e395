package flowdetail

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"weir/tui/theme"
	"weir/tui/widget"
)

// TestAnyKeysAnySize presses what it likes on flows of all sorts, at any size: the
// screen is always exactly as large as it should be, and shows no control character.
func TestAnyKeysAnySize(t *testing.T) {
	themes := []theme.Options{{}, {NoColor: true, ASCII: true}}
	rapid.Check(t, func(r *rapid.T) {
		synctest.Test(t, func(t *testing.T) {
			src := newFake(t)
			d := &driver{t: t, src: src, w: 80, h: 24}
			th, err := theme.New(rapid.SampledFrom(themes).Draw(r, "theme"))
			if err != nil {
				t.Fatal(err)
			}
			d.m = New(Options{Source: src, Async: widget.NewAsync(t.Context()), Theme: th})
			defer d.m.Close()
			for range rapid.IntRange(1, 25).Draw(r, "steps") {
				randomStep(r, d)
				checkFrame(r, d)
			}
		})
	})
}

func randomStep(r *rapid.T, d *driver) {
	commands := Commands()
	switch rapid.IntRange(0, 9).Draw(r, "what") {
	case 0:
		d.w, d.h = rapid.IntRange(0, 130).Draw(r, "w"), rapid.IntRange(0, 45).Draw(r, "h")
		d.run(d.m.SetSize(d.w, d.h))
	case 1:
		d.open(rapid.Uint64Range(flowJSON, flowModified+1).Draw(r, "flow"))
	case 2:
		d.run(d.m.Refresh())
	default:
		if d.m.Typing() {
			d.keys(rapid.SampledFrom([]string{"a", "1", "enter", "esc", "down", "9", "c"}).Draw(r, "typed"))
			return
		}
		name := commands[rapid.IntRange(0, len(commands)-1).Draw(r, "command")].Name
		_, cmd := d.m.Do(name)
		if name == "bottom" || strings.HasSuffix(name, "-hit") {
			return // walks through a gigabyte are for other tests
		}
		d.run(cmd)
	}
}

func checkFrame(r *rapid.T, d *driver) {
	view := d.m.View()
	lines := strings.Split(view, "\n")
	if d.h > 0 && len(lines) != d.h {
		r.Fatalf("%d lines on a screen of %d×%d", len(lines), d.w, d.h)
	}
	for i, line := range lines {
		if w := widget.Width(line); w > d.w {
			r.Fatalf("line %d has %d cells, want at most %d: %q", i, w, d.w, line)
		}
		if bytes.ContainsAny([]byte(sgr.ReplaceAllString(line, "")), "\x1b\x07\x00\u202e\u009b") {
			r.Fatalf("line %d has control characters: %q", i, line)
		}
	}
}

// sgr is the only escape sequence that a screen may hold: a style.
var sgr = regexp.MustCompile(`\x1b\[[0-9;:]*m`)

func ExampleCommands() {
	for _, c := range Commands()[:2] {
		fmt.Println(c.Name, c.Keys)
	}
	// Output:
	// next-tab [tab right l]
	// prev-tab [shift+tab left h]
}
