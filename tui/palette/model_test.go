package palette

import (
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"weir/tui/theme"
)

func open(t *testing.T) *Model {
	t.Helper()
	looks, err := theme.New(theme.Options{NoColor: true})
	if err != nil {
		t.Fatal(err)
	}
	m := New(looks)
	m.Open([]Item{
		{Name: "mark", Keys: "m", Text: "mark the flow", Off: "read-only session"},
		{Name: "marked-only", Keys: "M", Text: "marked flows only"},
		{Name: "sort-time", Keys: "2", Text: "sort by time"},
		{Name: "help", Keys: "?", Text: "the keys of this view"},
	})
	return m
}

func typeText(m *Model, text string) {
	for _, r := range text {
		m.Update(tea.KeyPressMsg{Code: r, Text: string(r)})
	}
}

func TestFindAndChoose(t *testing.T) {
	tests := []struct{ typed, do, want string }{
		{"", "", "mark"},
		{"", "down", "marked-only"},
		{"st", "", "sort-time"},
		{"MO", "", "marked-only"},
		{"keys", "", "help"},
		{"mark", "down", "marked-only"},
		{"zzz", "", ""},
	}
	for _, tt := range tests {
		m := open(t)
		typeText(m, tt.typed)
		m.Do(tt.do)
		got, done := m.Do("accept")
		if got != tt.want || done != (tt.want != "") {
			t.Errorf("%q %s: got %q, done %v, want %q", tt.typed, tt.do, got, done, tt.want)
		}
	}
}

// TestNamesComeFirst types letters of one command's name that another's help has as well.
func TestNamesComeFirst(t *testing.T) {
	m := open(t)
	m.Open([]Item{{Name: "mark", Text: "mark, or remove the mark"}, {Name: "theme", Text: "change the colours"}})
	typeText(m, "thm")
	if got, _ := m.Do("accept"); got != "theme" {
		t.Errorf("thm: got %q, want theme", got)
	}
}

func TestCancelKeepsTheText(t *testing.T) {
	m := open(t)
	typeText(m, "so")
	if name, done := m.Do("cancel"); name != "" || !done {
		t.Errorf("cancel: got %q, done %v", name, done)
	}
	m.Open(m.items)
	if got, _ := m.Do("accept"); got != "sort-time" {
		t.Errorf("opened again: got %q, want what the kept text finds", got)
	}
}

func TestDisabledKeepsItsPlace(t *testing.T) {
	if got := ansi.Strip(open(t).View(76, 12)); !strings.Contains(got, "mark the flow (read-only session)") {
		t.Errorf("got\n%s\nwant the command that is off, with its reason", got)
	}
}

func TestScore(t *testing.T) {
	better := []struct{ query, better, worse string }{
		{"so", "sort by time", "also"},
		{"mo", "marked-only", "tomorrow"},
		{"he", "help", "the"},
		{"st", "sort-time", "rest of it"},
	}
	for _, tt := range better {
		a, okA := Score(tt.query, tt.better)
		b, okB := Score(tt.query, tt.worse)
		if !okA || !okB || a <= b {
			t.Errorf("Score(%q): got %d (%v) for %q and %d (%v) for %q, want more for the first", tt.query, a, okA, tt.better, b, okB, tt.worse)
		}
	}
	for _, tt := range []struct {
		query, text string
		want        bool
	}{{"", "x", true}, {"ab", "ba", false}, {"a b", "ab", true}, {"É", "é", true}, {"aa", "a", false}} {
		if _, got := Score(tt.query, tt.text); got != tt.want {
			t.Errorf("Score(%q, %q): found %v, want %v", tt.query, tt.text, got, tt.want)
		}
	}
}

func TestViewFits(t *testing.T) {
	m := open(t)
	for w := range 90 {
		for line := range strings.Lines(m.View(w, 9)) {
			if got := ansi.StringWidth(strings.TrimSuffix(line, "\n")); got > w {
				t.Errorf("in %d cells: got a line of %d", w, got)
			}
		}
	}
}
