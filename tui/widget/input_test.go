package widget

import (
	"slices"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"

	"weir/tui/theme"
)

func typeText(in *Input, s string) {
	for _, r := range s {
		in.Update(tea.KeyPressMsg{Code: r, Text: string(r)})
	}
}

func TestInputEdits(t *testing.T) {
	in := NewInput()
	typeText(&in, "~c 40é")
	if got, want := in.Value(), "~c 40é"; got != want {
		t.Errorf("typed: got %q, want %q", got, want)
	}
	if got, want := in.Offset(), len("~c 40é"); got != want {
		t.Errorf("offset: got %d, want %d bytes", got, want)
	}
	in.Replace(3, len(in.Value()), "404")
	if got, want := in.Value(), "~c 404"; got != want {
		t.Errorf("replaced: got %q, want %q", got, want)
	}
	if in.Update(tea.KeyPressMsg{Code: tea.KeyLeft}) {
		t.Error("moving the cursor was taken for a change")
	}
	if !in.Update(tea.PasteMsg{Content: "x\ny"}) || in.Value() != "~c 40x y4" {
		t.Errorf("pasted: got %q, want %q", in.Value(), "~c 40x y4")
	}
}

func TestInputHistory(t *testing.T) {
	in := NewInput()
	in.SetHistory([]string{"one", "two", "two b"})
	typeText(&in, "draft")
	var got []string
	for _, step := range []int{-1, -1, -1, -1, 1, 1, 1, 1} {
		in.Walk(step)
		got = append(got, in.Value())
	}
	want := []string{"two b", "two", "one", "one", "two", "two b", "draft", "draft"}
	if !slices.Equal(got, want) {
		t.Errorf("walk: got %q, want %q", got, want)
	}
	in.SetHistory([]string{"one", "same"})
	in.SetValue("same")
	if in.Walk(-1); in.Value() != "one" {
		t.Errorf("walk from the newest entry itself: got %q, want %q", in.Value(), "one")
	}
}

func TestRemember(t *testing.T) {
	got := []string{}
	for _, entry := range []string{"a", "b", "", "  ", "a", "c", "d"} {
		got = Remember(got, entry, 3)
	}
	if want := []string{"a", "c", "d"}; !slices.Equal(got, want) {
		t.Errorf("Remember: got %q, want %q", got, want)
	}
}

// TestInputView holds the line to its width and the cursor into it, whatever is
// typed and wherever something is wrong.
func TestInputView(t *testing.T) {
	th, err := theme.New(theme.Options{})
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		in := NewInput()
		in.SetValue(rapid.String().Draw(t, "text"))
		for range rapid.IntRange(0, 5).Draw(t, "left") {
			in.Update(tea.KeyPressMsg{Code: tea.KeyLeft})
		}
		w := rapid.IntRange(0, 30).Draw(t, "width")
		from := rapid.IntRange(0, len(in.Value())).Draw(t, "from")
		to := rapid.IntRange(from, len(in.Value())).Draw(t, "to")
		view, cursor := in.View(w, th, from, to)
		if got := ansi.StringWidth(view); got > w {
			t.Fatalf("view of %q: got %d cells, want at most %d: %q", in.Value(), got, w, view)
		}
		if cursor < 0 || cursor > 0 && cursor >= w {
			t.Fatalf("cursor in %q: got cell %d of %d", in.Value(), cursor, w)
		}
	})
}

func TestInputShowsWhatIsWrong(t *testing.T) {
	th, err := theme.New(theme.Options{NoColor: true})
	if err != nil {
		t.Fatal(err)
	}
	in := NewInput()
	in.SetValue("~c x & b")
	view, _ := in.View(40, th, 3, 4)
	if want := "~c " + th.Wrong.Render("x") + " & b"; view != want {
		t.Errorf("wrong in the middle: got %q, want %q", view, want)
	}
	view, _ = in.View(40, th, 8, 8)
	if want := "~c x & b" + th.Wrong.Render(" "); view != want {
		t.Errorf("something missing at the end: got %q, want %q", view, want)
	}
}
