package help

import (
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"weir/tui/theme"
)

var rows = []Row{
	{Section: "list", Keys: "m", Name: "mark", Text: "mark the flow", Off: "read-only session"},
	{Section: "list", Keys: "ctrl-e", Name: "next-error", Text: "next flow that failed", Tip: "After the last comes the first."},
	{Section: "everywhere", Keys: "?", Name: "help", Text: "the keys of this view"},
}

func open(t *testing.T) *Model {
	t.Helper()
	looks, err := theme.New(theme.Options{NoColor: true})
	if err != nil {
		t.Fatal(err)
	}
	m := New(looks)
	m.SetSize(80, 16)
	m.Open("keys", rows)
	return m
}

func TestView(t *testing.T) {
	got := ansi.Strip(open(t).View())
	for _, want := range []string{"list", "everywhere", "mark the flow  (read-only session)", ":next-error", "After the last comes the first."} {
		if !strings.Contains(got, want) {
			t.Errorf("got\n%s\nwant %q in it", got, want)
		}
	}
}

// TestEveryRowIsFound searches every row by each of its texts.
func TestEveryRowIsFound(t *testing.T) {
	for _, row := range rows {
		for _, text := range []string{row.Keys, row.Name, strings.ToUpper(row.Text), row.Tip} {
			m := open(t)
			m.Do("search")
			m.Update(tea.PasteMsg{Content: text})
			found := false
			for _, r := range m.Found() {
				found = found || r == row
			}
			if !found {
				t.Errorf("search for %q: %s is not found", text, row.Name)
			}
		}
	}
}

func TestSearch(t *testing.T) {
	m := open(t)
	m.Do("search")
	m.Update(tea.PasteMsg{Content: "error next"})
	if got := m.Found(); len(got) != 1 || got[0].Name != "next-error" {
		t.Errorf("words in any order: got %v", got)
	}
	if x, _, ok := m.Cursor(); !ok || x == 0 {
		t.Errorf("cursor while typing: got %d, %v", x, ok)
	}
	m.Keep()
	if m.Typing() || len(m.Found()) != 1 {
		t.Error("what the search found did not stay")
	}
	if !m.Clear() || len(m.Found()) != len(rows) || m.Clear() {
		t.Error("clearing the search did not bring all rows back, once")
	}
}

// TestNothingIsCut shows a long help and a long reason to their ends at every width.
func TestNothingIsCut(t *testing.T) {
	const text, off = "only flows with the same value in this column", "no filter has a name; ctrl-s in the filter line gives it one"
	for w := 40; w <= 140; w++ {
		m := open(t)
		m.Open("keys", []Row{{Section: "list", Keys: "space ctrl-f pgdown", Name: "filter-named", Text: text, Off: off}})
		m.SetSize(w, 24)
		bare := strings.NewReplacer(" ", "", "\n", "", "│", "", ":filter-named", "")
		if got, want := bare.Replace(ansi.Strip(m.View())), bare.Replace(text+"("+off+")"); !strings.Contains(got, want) {
			t.Errorf("%d cells: got %q, want %q in it", w, got, want)
		}
	}
}

func TestScroll(t *testing.T) {
	m := open(t)
	m.SetSize(80, 6)
	top := m.View()
	m.Do("bottom")
	if m.View() == top {
		t.Error("bottom: the view did not move")
	}
	m.Do("page-down")
	end := m.View()
	m.Do("down")
	if m.View() != end {
		t.Error("down at the end moved the view")
	}
	m.Do("top")
	if m.View() != top {
		t.Error("top: the view is not what it was")
	}
}
