package eventlog

import (
	"fmt"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"weir/tui/theme"
)

func newLog(t *testing.T) *Model {
	t.Helper()
	looks, err := theme.New(theme.Options{NoColor: true})
	if err != nil {
		t.Fatal(err)
	}
	m := New(looks, nil)
	m.SetSize(80, 8)
	return m
}

func TestNewestIsInSight(t *testing.T) {
	m := newLog(t)
	for i := range 20 {
		m.Add(Event{At: int64(i+1) * 1e9, Level: Warn, Text: fmt.Sprintf("event %d", i), Hint: "do this"})
	}
	got := ansi.Strip(m.View())
	if !strings.Contains(got, "event 19") || !strings.Contains(got, "hint: do this") || strings.Contains(got, "event 16") {
		t.Errorf("got\n%s\nwant the last three events with their hints", got)
	}
	m.Do("top")
	if got := ansi.Strip(m.View()); !strings.Contains(got, "event 0") {
		t.Errorf("top: got\n%s\nwant the first event", got)
	}
	m.Do("bottom")
	if ansi.Strip(m.View()) != got {
		t.Error("bottom: the view is not what it was")
	}
}

func TestIsBounded(t *testing.T) {
	m := newLog(t)
	for i := range Max + 50 {
		m.Add(Event{Text: fmt.Sprintf("event %d", i)})
	}
	if m.Len() != Max {
		t.Errorf("kept: got %d events, want %d", m.Len(), Max)
	}
	m.Do("top")
	if got := ansi.Strip(m.View()); !strings.Contains(got, "event 50 ") {
		t.Errorf("oldest: got\n%s\nwant event 50", got)
	}
}

func TestHostileText(t *testing.T) {
	m := newLog(t)
	m.Add(Event{Level: Error, Text: "bad \x1b]0;x\x07\nline", Hint: "\x1b[2J"})
	if got := m.View(); strings.ContainsAny(ansi.Strip(got), "\x1b\x07") || !strings.Contains(got, `\x1b]0;x\x07\nline`) {
		t.Errorf("got %q, want the bytes escaped", got)
	}
}
