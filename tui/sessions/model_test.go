package sessions

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"

	"weir/tui/theme"
	"weir/tui/widget"
)

// folder is a Source in memory.
type folder struct {
	entries []Entry
	err     error
	asked   []string // paths that were described
}

func (f *folder) List(context.Context) ([]Entry, error) { return f.entries, f.err }

func (f *folder) Describe(_ context.Context, path string) (Facts, error) {
	f.asked = append(f.asked, path)
	switch {
	case strings.Contains(path, "junk"):
		return Facts{}, errors.New("open session \"" + path + "\": not a weir session")
	case strings.Contains(path, "empty"):
		return Facts{}, nil
	}
	return Facts{Flows: uint64(1000 * len(f.asked)), Marked: len(f.asked) % 3, First: begun, Last: begun + 3600e9}, nil
}

const begun = int64(1_800_000_000_000_000_000)

func entries(names ...string) (out []Entry) {
	for i, name := range names {
		out = append(out, Entry{
			Path: "/captures/" + name + ".weir", Name: name, Bytes: int64(i+1) << (10 + i%12), Modified: begun - int64(i)*3600e9, Live: i == 1,
		})
	}
	return out
}

func screen(t *testing.T, f *folder) *Model {
	t.Helper()
	looks, err := theme.New(theme.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return New(Options{Source: f, Async: widget.NewAsync(t.Context()), Theme: looks})
}

// settle runs a command and all that follow from it.
func settle(m *Model, cmd tea.Cmd) {
	for cmd != nil {
		cmd = m.Update(cmd())
	}
}

func do(m *Model, names ...string) (last Result) {
	for _, name := range names {
		result, cmd := m.Do(name)
		settle(m, cmd)
		last = result
	}
	return last
}

// TestScreens holds what is drawn to the screens kept in testdata, in three sizes each.
func TestScreens(t *testing.T) {
	many := make([]string, 60)
	for i := range many {
		many[i] = fmt.Sprintf("2026%04d-120000", i)
	}
	tests := []struct {
		name   string
		folder folder
		late   bool // nothing is answered
		do     []string
	}{
		{name: "empty"},
		{name: "loading", folder: folder{entries: entries("a")}, late: true},
		{name: "error", folder: folder{err: errors.New("list sessions: open /captures: permission denied\x1b[2J")}},
		{name: "few", folder: folder{entries: entries("monday", "tuesday", "junk", "empty")}, do: []string{"bottom", "up"}},
		{name: "full", folder: folder{entries: entries(many...)}, do: []string{"mark", "down", "mark", "page-down", "order"}},
		{name: "hostile", folder: folder{entries: entries("a\x1b]0;owned\x07b", "日本語日本語日本語日本語日本語日本語", "\u202egnp.weir", strings.Repeat("long", 40), "\xff\x00")}},
	}
	for _, tt := range tests {
		for _, size := range []struct{ w, h int }{{80, 21}, {120, 37}, {40, 9}} {
			name := fmt.Sprintf("%s-%dx%d", tt.name, size.w, size.h)
			t.Run(name, func(t *testing.T) {
				f := tt.folder
				m := screen(t, &f)
				m.SetSize(size.w, size.h)
				if cmd := m.Open("/captures/monday.weir"); !tt.late {
					settle(m, cmd)
				}
				do(m, tt.do...)
				golden(t, name, m.View(), size.w, size.h)
			})
		}
	}
}

// golden compares what is drawn with what is kept; UPDATE_GOLDEN=1 rewrites that.
func golden(t *testing.T, name, view string, w, h int) {
	t.Helper()
	got := ansi.Strip(view)
	lines := strings.Split(got, "\n")
	if len(lines) != h {
		t.Errorf("got %d lines, want %d", len(lines), h)
	}
	for i, line := range lines {
		if widget.Width(line) > w || strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r == 0x202e }) {
			t.Errorf("line %d: got %q, want at most %d cells without controls", i, line, w)
		}
		lines[i] = strings.TrimRight(line, " ")
	}
	got = strings.Join(lines, "\n") + "\n"
	path := filepath.Join("testdata", name+".golden")
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("screen (-want +got):\n%s", diff)
	}
}

// TestDescribesWhatIsInSight asks for the facts of the rows on the screen, once each,
// and of further ones when they come in sight.
func TestDescribesWhatIsInSight(t *testing.T) {
	names := make([]string, 100)
	for i := range names {
		names[i] = fmt.Sprintf("s%02d", i)
	}
	f := &folder{entries: entries(names...)}
	m := screen(t, f)
	m.SetSize(80, 15) // ten rows
	settle(m, m.Open(""))
	if len(f.asked) != 10 || f.asked[0] != "/captures/s00.weir" {
		t.Errorf("got %d sessions described, from %q on, want the ten in sight", len(f.asked), f.asked[0])
	}
	do(m, "bottom")
	if len(f.asked) != 20 || f.asked[19] != "/captures/s99.weir" {
		t.Errorf("got %d sessions described, want ten more", len(f.asked))
	}
	do(m, "top", "down", "up")
	if len(f.asked) != 20 {
		t.Errorf("got %d sessions described, want none again", len(f.asked))
	}
}

// TestOpening says what is to be opened: the focus, or the marked in the order of the list.
func TestOpening(t *testing.T) {
	f := &folder{entries: entries("a", "b", "c", "d")}
	tests := []struct {
		do   []string
		want Opening
	}{
		{[]string{"open"}, Opening{Paths: []string{"/captures/a.weir"}}},
		{[]string{"down", "open-read-only"}, Opening{Paths: []string{"/captures/b.weir"}, ReadOnly: true}},
		{[]string{"bottom", "mark", "top", "mark", "down", "open"}, Opening{Paths: []string{"/captures/a.weir", "/captures/d.weir"}}},
		{[]string{"mark-all", "open"}, Opening{Paths: []string{"/captures/a.weir", "/captures/b.weir", "/captures/c.weir", "/captures/d.weir"}}},
		{[]string{"mark-all", "mark-all", "down", "open"}, Opening{Paths: []string{"/captures/b.weir"}}},
		{[]string{"mark", "order", "reverse", "refresh", "open"}, Opening{Paths: []string{"/captures/a.weir"}}},
		{[]string{"order", "reverse", "top", "open"}, Opening{Paths: []string{"/captures/d.weir"}}},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.do, " "), func(t *testing.T) {
			m := screen(t, f)
			m.SetSize(80, 20)
			settle(m, m.Open(""))
			if diff := cmp.Diff(Result(tt.want), do(m, tt.do...)); diff != "" {
				t.Errorf("opening (-want +got):\n%s", diff)
			}
		})
	}
	none := screen(t, &folder{})
	settle(none, none.Open(""))
	if got := do(none, "mark", "mark-all", "open"); got != nil || none.Off("open") == "" {
		t.Errorf("without sessions: got %v, want nothing and the reason", got)
	}
}

// TestSearch leaves the sessions whose names have all the words, and comes back.
func TestSearch(t *testing.T) {
	f := &folder{entries: entries("shop-monday", "shop-tuesday", "bank-monday")}
	m := screen(t, f)
	m.SetSize(80, 20)
	settle(m, m.Open(""))
	do(m, "search")
	for _, r := range "Monday sh" {
		m.Update(tea.KeyPressMsg{Code: r, Text: string(r)})
	}
	if got := m.chosen(); !slices.Equal(got, []string{"/captures/shop-monday.weir"}) || len(m.shown) != 1 {
		t.Errorf("found: got %q, want shop-monday alone", got)
	}
	m.Keep()
	if m.Typing() || len(m.shown) != 1 {
		t.Error("kept: want what was found, and no typing")
	}
	if !m.Clear() || len(m.shown) != 3 || m.Clear() {
		t.Error("cleared: want all sessions, and nothing more to clear")
	}
}

// TestLateAnswers holds answers for an earlier list to change nothing.
func TestLateAnswers(t *testing.T) {
	f := &folder{entries: entries("old")}
	m := screen(t, f)
	late := m.Open("")
	f.entries = entries("new")
	settle(m, m.Open(""))
	settle(m, late)
	if len(m.entries) != 1 || m.entries[0].Name != "new" {
		t.Errorf("got %v, want the new list", m.entries)
	}
}
