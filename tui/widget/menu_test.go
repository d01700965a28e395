package widget

import (
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

func TestMenu(t *testing.T) {
	items := []Item{{Key: "c", Name: "curl", Text: "curl"}, {Key: "b", Name: "body", Text: "body", Off: "no response yet"}, {Name: "url", Text: "URL"}}
	press := func(keys ...tea.KeyPressMsg) (string, bool) {
		m := NewMenu("copy", items, "body")
		for i, k := range keys {
			item, done := m.Update(k)
			if i == len(keys)-1 {
				if item == nil {
					return "", done
				}
				return item.Name, done
			}
		}
		return "", false
	}
	key := func(r rune) tea.KeyPressMsg { return tea.KeyPressMsg{Code: r, Text: string(r)} }
	enter, down, up, esc := tea.KeyPressMsg{Code: tea.KeyEnter}, tea.KeyPressMsg{Code: tea.KeyDown}, tea.KeyPressMsg{Code: tea.KeyUp}, tea.KeyPressMsg{Code: tea.KeyEscape}
	tests := []struct {
		name string
		keys []tea.KeyPressMsg
		want string
		done bool
	}{
		{"starts where it was told", []tea.KeyPressMsg{enter}, "body", true},
		{"down", []tea.KeyPressMsg{down, enter}, "url", true},
		{"round", []tea.KeyPressMsg{down, down, enter}, "curl", true},
		{"up", []tea.KeyPressMsg{up, enter}, "curl", true},
		{"k", []tea.KeyPressMsg{key('k'), enter}, "curl", true},
		{"by key", []tea.KeyPressMsg{key('c')}, "curl", true},
		{"leave", []tea.KeyPressMsg{esc}, "", true},
		{"unknown key", []tea.KeyPressMsg{key('z')}, "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, done := press(tt.keys...); got != tt.want || done != tt.done {
				t.Errorf("got %q, done %v, want %q, %v", got, done, tt.want, tt.done)
			}
		})
	}
	view := ansi.Strip(NewMenu("copy", items, "").View(60, 10, look(t)))
	if !strings.Contains(view, "body  (no response yet)") {
		t.Errorf("a disabled item does not say why:\n%s", view)
	}
	if got := strings.Count(NewMenu("copy", items, "url").View(60, 4, look(t)), "\n") + 1; got > 4 {
		t.Errorf("menu in 4 lines: got %d", got)
	}
}
