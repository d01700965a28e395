package tui

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
	uv "github.com/charmbracelet/ultraviolet"
	"github.com/google/go-cmp/cmp"
)

// driver runs an App without a terminal and without an event loop: keys go in as
// messages, and commands are run one after the other, each until it has answered
// or waits for something that only another message can bring. It lives in a
// synctest bubble, so that waiting takes no time and is noticed.
type driver struct {
	t    *testing.T
	app  *App
	src  *fakeSource
	mu   sync.Mutex
	in   []tea.Msg // answers of commands
	raw  []string  // sequences sent to the terminal
	clip []string  // texts sent to the clipboard by the library's own command
	quit bool

	suspended bool
}

// drive runs a test on an App of the given size.
func drive(t *testing.T, src *fakeSource, o Options, w, h int, test func(d *driver)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		d := newDriver(ctx, t, src, o)
		d.send(tea.WindowSizeMsg{Width: w, Height: h})
		d.run(d.app.Init())
		test(d)
		cancel()
		time.Sleep(time.Hour) // for what waits for time to pass
	})
}

// newDriver makes the App; nothing has run yet.
func newDriver(ctx context.Context, t *testing.T, src *fakeSource, o Options) *driver {
	t.Helper()
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	if o.Exporter == nil {
		o.Exporter = fakeExporter{}
	}
	src.wake()
	app, err := New(ctx, src, o)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	return &driver{t: t, app: app, src: src}
}

// run runs a command and all that follows from it.
func (d *driver) run(cmd tea.Cmd) {
	d.start(cmd)
	for {
		synctest.Wait()
		d.mu.Lock()
		in := d.in
		d.in = nil
		d.mu.Unlock()
		if len(in) == 0 {
			return
		}
		for _, msg := range in {
			d.take(msg)
		}
	}
}

func (d *driver) start(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	go func() {
		msg := cmd()
		d.mu.Lock()
		d.in = append(d.in, msg)
		d.mu.Unlock()
	}()
	synctest.Wait()
}

// take does with a message what the terminal library does.
func (d *driver) take(msg tea.Msg) {
	switch msg := msg.(type) {
	case nil:
		return
	case tea.BatchMsg:
		for _, cmd := range msg {
			d.start(cmd)
		}
		return
	case tea.QuitMsg:
		d.quit = true
		return
	case tea.SuspendMsg:
		d.suspended = true
	case tea.RawMsg:
		d.raw = append(d.raw, msg.Msg.(string))
	}
	if text, ok := clipboardText(msg); ok {
		d.clip = append(d.clip, text)
	}
	_, cmd := d.app.Update(msg)
	d.start(cmd)
}

// clipboardText is the text of the library's message for the clipboard, whose
// type has no exported name.
func clipboardText(msg tea.Msg) (string, bool) {
	if fmt.Sprintf("%T", msg) != "tea.setClipboardMsg" {
		return "", false
	}
	return fmt.Sprint(msg), true
}

// send gives the App a message and runs what follows.
func (d *driver) send(msg tea.Msg) {
	_, cmd := d.app.Update(msg)
	d.run(cmd)
}

// keys presses keys, named as in the table and parted by blanks.
func (d *driver) keys(names string) {
	for _, name := range strings.Fields(names) {
		d.send(keyPress(name))
	}
}

// text types text, a key a character.
func (d *driver) text(s string) {
	for _, r := range s {
		d.send(tea.KeyPressMsg{Code: r, Text: string(r)})
	}
}

// pass lets time pass.
func (d *driver) pass(by time.Duration) {
	time.Sleep(by)
	d.run(nil)
}

// keyPress is the press of a key named as in the table of bindings.
func keyPress(name string) tea.KeyPressMsg {
	var k tea.Key
	for {
		mod, rest, ok := strings.Cut(name, "+")
		if !ok || rest == "" {
			break
		}
		switch mod {
		case "ctrl":
			k.Mod |= tea.ModCtrl
		case "shift":
			k.Mod |= tea.ModShift
		case "alt":
			k.Mod |= tea.ModAlt
		}
		name = rest
	}
	special := map[string]rune{
		"enter": tea.KeyEnter, "esc": tea.KeyEscape, "tab": tea.KeyTab, "space": tea.KeySpace, "up": tea.KeyUp, "down": tea.KeyDown,
		"left": tea.KeyLeft, "right": tea.KeyRight, "pgdown": tea.KeyPgDown, "pgup": tea.KeyPgUp, "home": tea.KeyHome, "end": tea.KeyEnd,
		"f2": tea.KeyF2, "backspace": tea.KeyBackspace,
	}
	if code, ok := special[name]; ok {
		k.Code = code
		return tea.KeyPressMsg(k)
	}
	r := []rune(name)[0]
	k.Code = r
	if k.Mod == 0 {
		k.Text = name
	}
	return tea.KeyPressMsg(k)
}

// screen is what the App shows, drawn on a grid of cells as a terminal would.
func (d *driver) screen() string {
	d.t.Helper()
	v := d.app.View()
	w, h := d.app.w, d.app.h
	buf := uv.NewScreenBuffer(w, h)
	uv.NewStyledString(v.Content).Draw(buf, uv.Rect(0, 0, w, h))
	lines := make([]string, 0, h+1)
	for y := range h {
		var b strings.Builder
		for x := 0; x < w; x++ {
			cell := buf.CellAt(x, y)
			if cell == nil || cell.Content == "" {
				b.WriteByte(' ')
				continue
			}
			b.WriteString(cell.Content)
			x += max(0, cell.Width-1)
		}
		lines = append(lines, strings.TrimRight(b.String(), " "))
	}
	if v.Cursor != nil {
		mark := strings.Repeat(" ", v.Cursor.X) + "^ cursor"
		lines = append(lines[:v.Cursor.Y+1], append([]string{mark}, lines[v.Cursor.Y+1:]...)...)
	}
	return strings.Join(lines, "\n") + "\n"
}

// golden compares the screen with the one kept under a name. UPDATE_GOLDEN=1
// rewrites it.
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

// says fails the test unless the screen shows some texts.
func (d *driver) says(texts ...string) {
	d.t.Helper()
	for _, want := range texts {
		if got := d.screen(); !strings.Contains(got, want) {
			d.t.Errorf("got this screen, want %q on it:\n%s", want, got)
		}
	}
}

// hides fails the test if the screen shows a text.
func (d *driver) hides(text string) {
	d.t.Helper()
	if got := d.screen(); strings.Contains(got, text) {
		d.t.Errorf("got this screen, want no %q on it:\n%s", text, got)
	}
}
