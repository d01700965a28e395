package flowdetail

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	tea "charm.land/bubbletea/v2"
	uv "github.com/charmbracelet/ultraviolet"
	"github.com/google/go-cmp/cmp"

	"weir/tui/theme"
	"weir/tui/widget"
)

// driver runs a Model as the program would, without an event loop: keys go by the
// table of commands, and commands are run one after another until none is left. It
// lives in a synctest bubble, where waiting takes no time.
type driver struct {
	t       testing.TB
	m       *Model
	src     *fakeSource
	w, h    int
	results []Result
	queue   []tea.Cmd
}

// drive runs a test on a screen of that size, with no flow open.
func drive(t *testing.T, w, h int, test func(d *driver)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		src := newFake(t)
		d := &driver{t: t, src: src, w: w, h: h}
		d.m = New(Options{Source: src, Async: widget.NewAsync(t.Context()), Theme: plainTheme(t)})
		d.run(d.m.SetSize(w, h))
		test(d)
		d.m.Close()
	})
}

func plainTheme(t testing.TB) *theme.Theme {
	t.Helper()
	th, err := theme.New(theme.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return th
}

// run runs a command and all that follows from it.
func (d *driver) run(cmd tea.Cmd) {
	d.queue = append(d.queue, cmd)
	for n := 0; len(d.queue) > 0; n++ {
		if n > 10_000 {
			d.t.Fatal("commands follow from commands without end")
		}
		d.one()
	}
}

// one runs the command that is next.
func (d *driver) one() {
	cmd := d.queue[0]
	d.queue = d.queue[1:]
	if cmd == nil {
		return
	}
	switch msg := cmd().(type) {
	case nil:
	case tea.BatchMsg:
		d.queue = append(d.queue, msg...)
	case Result:
		d.results = append(d.results, msg)
	default:
		d.queue = append(d.queue, d.m.Update(msg))
	}
}

// open opens a flow and waits for all of it.
func (d *driver) open(id uint64) { d.run(d.m.Open(id)) }

// keys presses keys, parted by blanks.
func (d *driver) keys(names string) {
	for name := range strings.FieldsSeq(names) {
		d.run(d.key(name))
	}
}

// key presses one key and returns the command, not run.
func (d *driver) key(name string) tea.Cmd {
	if d.m.Typing() {
		return d.m.Update(press(name))
	}
	for _, c := range Commands() {
		if slices.Contains(c.Keys, name) {
			r, cmd := d.m.Do(c.Name)
			if r != nil {
				d.results = append(d.results, r)
			}
			return cmd
		}
	}
	d.t.Fatalf("key %q is bound to nothing", name)
	return nil
}

// text types text.
func (d *driver) text(s string) {
	for _, r := range s {
		d.run(d.m.Update(tea.KeyPressMsg{Code: r, Text: string(r)}))
	}
}

func press(name string) tea.KeyPressMsg {
	switch name {
	case "enter":
		return tea.KeyPressMsg{Code: tea.KeyEnter}
	case "esc":
		return tea.KeyPressMsg{Code: tea.KeyEscape}
	case "down":
		return tea.KeyPressMsg{Code: tea.KeyDown}
	}
	return tea.KeyPressMsg{Code: []rune(name)[0], Text: name}
}

// screen is what the screen shows, as a terminal would draw it on its cells.
func (d *driver) screen() string {
	buf := uv.NewScreenBuffer(d.w, d.h)
	uv.NewStyledString(d.m.View()).Draw(buf, uv.Rect(0, 0, d.w, d.h))
	var out strings.Builder
	for y := range d.h {
		var line strings.Builder
		for x := 0; x < d.w; x++ {
			cell := buf.CellAt(x, y)
			if cell == nil || cell.Content == "" {
				line.WriteByte(' ')
				continue
			}
			line.WriteString(cell.Content)
			x += max(0, cell.Width-1)
		}
		out.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return out.String()
}

// golden compares the screen with the one that is kept. UPDATE_GOLDEN=1 rewrites it.
func (d *driver) golden(name string) {
	d.t.Helper()
	path := filepath.Join("testdata", "screens", name+".txt")
	got := d.screen()
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			d.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			d.t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		d.t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		d.t.Errorf("screen %s (-want +got):\n%s", name, diff)
	}
}

// says fails the test unless a text is on the screen.
func (d *driver) says(want string) {
	d.t.Helper()
	if got := d.screen(); !strings.Contains(got, want) {
		d.t.Errorf("got this screen, want %q on it:\n%s", want, got)
	}
}

// hides fails the test if a text is on the screen.
func (d *driver) hides(text string) {
	d.t.Helper()
	if got := d.screen(); strings.Contains(got, text) {
		d.t.Errorf("got this screen, want no %q on it:\n%s", text, got)
	}
}
