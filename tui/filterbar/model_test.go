package filterbar

import (
	"slices"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"weir/filter"
	"weir/tui/theme"
)

func newBar(t *testing.T, values filter.Values) *Model {
	t.Helper()
	looks, err := theme.New(theme.Options{NoColor: true})
	if err != nil {
		t.Fatal(err)
	}
	m := New(looks, values)
	m.SetSize(80)
	return m
}

// typeText types text and returns the message that the last wait would bring.
func typeText(t *testing.T, m *Model, text string) tea.Msg {
	t.Helper()
	var last tea.Msg
	for _, r := range text {
		if _, cmd := m.Update(tea.KeyPressMsg{Code: r, Text: string(r)}); cmd != nil {
			last = paused{gen: m.gen}
		}
	}
	return last
}

func TestTriesAfterThePauseOnly(t *testing.T) {
	m := newBar(t, nil)
	m.Open()
	early := typeText(t, m, "~c 40")
	late := typeText(t, m, "4")
	if got, _ := m.Update(early); got != None || m.Shown() != "" {
		t.Errorf("a wait that a key cut short: got %v and %q shown, want nothing", got, m.Shown())
	}
	if got, _ := m.Update(late); got != Try || m.Shown() != "~c 404" {
		t.Errorf("the last wait: got %v and %q shown, want Try and ~c 404", got, m.Shown())
	}
	if got, _ := m.Update(late); got != None {
		t.Errorf("the same text again: got %v, want nothing to try", got)
	}
	if m.Expr() != "" {
		t.Errorf("accepted: got %q before enter", m.Expr())
	}
}

func TestBadExpressionKeepsTheLastGoodOne(t *testing.T) {
	m := newBar(t, nil)
	m.Open()
	m.Update(typeText(t, m, "~c 404"))
	if got, _ := m.Update(typeText(t, m, " & (")); got != None || m.Shown() != "~c 404" {
		t.Errorf("bad expression: got %v and %q shown, want the last good one", got, m.Shown())
	}
	if got, _ := m.Do("accept"); got != None || !m.Typing() {
		t.Errorf("accept of a bad expression: got %v, typing %v", got, m.Typing())
	}
	if m.Invalid() == "" || !strings.Contains(m.View(), m.Invalid()) {
		t.Errorf("the line does not say what is wrong (%q): %q", m.Invalid(), m.View())
	}
	if err := m.Set("~c (", true); err == nil || m.Expr() != "" {
		t.Errorf("Set of a bad expression: got error %v and %q in force", err, m.Expr())
	}
}

func TestCancelKeepsTheText(t *testing.T) {
	m := newBar(t, nil)
	if err := m.Set("~q", true); err != nil {
		t.Fatal(err)
	}
	m.Open()
	m.Update(typeText(t, m, " & ~c 404"))
	if got, _ := m.Do("cancel"); got != Cancel || m.Shown() != "~q" {
		t.Errorf("cancel: got %v and %q shown, want Cancel and ~q", got, m.Shown())
	}
	m.Open()
	if got, want := m.input.Value(), "~q & ~c 404"; got != want {
		t.Errorf("opened again: got %q, want %q", got, want)
	}
}

func TestToggle(t *testing.T) {
	m := newBar(t, nil)
	if err := m.Set("~q", true); err != nil {
		t.Fatal(err)
	}
	m.Toggle()
	if m.Shown() != "" || m.Expr() != "~q" || m.On() {
		t.Errorf("off: got %q shown, %q kept, on %v", m.Shown(), m.Expr(), m.On())
	}
	m.Toggle()
	if m.Shown() != "~q" {
		t.Errorf("on: got %q shown, want ~q", m.Shown())
	}
}

// Adding to a filter that is off starts from what is shown, which is everything.
func TestAdd(t *testing.T) {
	m := newBar(t, nil)
	for _, step := range []struct {
		off  bool
		add  string
		want string
	}{
		{add: "~q", want: "~q"},
		{add: "~e", want: "~q & ~e"},
		{off: true, add: "~c 404", want: "~c 404"},
	} {
		if step.off {
			m.Toggle()
		}
		if err := m.Add(step.add); err != nil {
			t.Fatal(err)
		}
		if m.Shown() != step.want {
			t.Errorf("after adding %s: got %q shown, want %q", step.add, m.Shown(), step.want)
		}
	}
	if h := m.History(); !slices.Contains(h, "~q & ~e") {
		t.Errorf("history: got %q, without the filter that was off", h)
	}
}

func TestJoin(t *testing.T) {
	for _, tt := range []struct{ a, b, want string }{
		{"", "", ""},
		{"~q", "", "~q"},
		{"", "~q", "~q"},
		{"~q", "~s", "~q & ~s"},
		{"~q | ~s", "~c 404", "(~q | ~s) & ~c 404"},
		{"~c 404", "~q | ~s", "~c 404 & (~q | ~s)"},
	} {
		got := Join(tt.a, tt.b)
		if got != tt.want {
			t.Errorf("Join(%q, %q): got %q, want %q", tt.a, tt.b, got, tt.want)
		}
		if got == "" {
			continue
		}
		if _, err := filter.Parse(got); err != nil {
			t.Errorf("Join(%q, %q): %v", tt.a, tt.b, err)
		}
	}
}

func TestCompletion(t *testing.T) {
	hosts := func(_, prefix string) []string {
		if strings.HasPrefix("api.shop.test", prefix) {
			return []string{"api.shop.test"}
		}
		return nil
	}
	m := newBar(t, hosts)
	m.Open()
	typeText(t, m, "~d ap")
	m.Do("complete")
	if got, want := strings.TrimSpace(m.input.Value()), "~d api.shop.test"; got != want {
		t.Errorf("completed: got %q, want %q", got, want)
	}
	m = newBar(t, nil)
	m.Open()
	typeText(t, m, "~t")
	m.Do("complete")
	first := m.input.Value()
	m.Do("complete")
	if second := m.input.Value(); second == first {
		t.Errorf("completed again: got %q both times", first)
	}
	m.Do("complete-back")
	if got := m.input.Value(); got != first {
		t.Errorf("completed back: got %q, want %q", got, first)
	}
}

// Without a filter there is nothing to look for: what takes its time is the sort.
func TestSortsAreNoScans(t *testing.T) {
	m := newBar(t, nil)
	m.SetSize(80)
	m.SetProgress(Progress{How: "columns", Building: true, Percent: 43, Hits: 7})
	if got := ansi.Strip(m.View()); !strings.Contains(got, "sorting 43 %") || strings.Contains(got, "hits") {
		t.Errorf("got %q, want that it sorts", got)
	}
}

// TestView holds the line to its width in every state and says how a filter runs.
func TestView(t *testing.T) {
	m := newBar(t, nil)
	if err := m.Set("~b needle", true); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		p    Progress
		want string
	}{
		{Progress{How: "columns", Hits: 3412}, "columns ✓  3,412 hits"},
		{Progress{How: "bodies", Building: true, Percent: 43, Hits: 7}, "scanning bodies 43 %  7 hits"},
		{Progress{}, "~b needle"},
	}
	for _, tt := range tests {
		m.SetProgress(tt.p, "marked only")
		if got := ansi.Strip(m.View()); !strings.Contains(got, tt.want) || !strings.Contains(got, "marked only") {
			t.Errorf("%+v: got %q, want %q and the tag", tt.p, got, tt.want)
		}
	}
	for _, typing := range []bool{false, true} {
		if typing {
			m.Open()
			typeText(t, m, strings.Repeat(" & ~d 日本\x1b", 30))
		}
		for w := range 130 {
			m.SetSize(w)
			if got := ansi.StringWidth(m.View()); got > w {
				t.Errorf("typing %v: got %d cells, want at most %d", typing, got, w)
			}
			if x, ok := m.Cursor(); ok && x > 0 && x >= w {
				t.Errorf("cursor: got cell %d of %d", x, w)
			}
		}
	}
}
