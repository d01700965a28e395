package pager

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"weir/tui/content"
	"weir/tui/theme"
)

// document makes lines of captured text.
func document(lines ...string) *content.Document {
	b := content.NewBuilder(nil)
	for _, l := range lines {
		b.Put(content.Plain, []byte(l))
		b.Newline()
	}
	return b.Document()
}

func styles(t testing.TB) Styles {
	t.Helper()
	th, err := theme.New(theme.Options{Name: "mono"})
	if err != nil {
		t.Fatal(err)
	}
	return NewStyles(th)
}

// shown is the text of the window's rows.
func shown(t testing.TB, p *Pager) []string {
	t.Helper()
	return strings.Split(ansi.Strip(p.View(styles(t))), "\n")
}

func TestWrap(t *testing.T) {
	tests := []struct {
		text string
		w    int
		want []int
	}{
		{"", 4, []int{0}},
		{"abcd", 4, []int{0}},
		{"abcdefghi", 4, []int{0, 4, 8}},
		{"日本語", 4, []int{0, 6}},
		{"a日本", 4, []int{0, 4}},
		{"日本", 1, []int{0, 3}},
		{"e\u0301e\u0301e\u0301", 2, []int{0, 6}},
		{"ab", 0, []int{0, 1}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, wrap(tt.text, tt.w)); diff != "" {
			t.Errorf("wrap(%q, %d) (-want +got):\n%s", tt.text, tt.w, diff)
		}
	}
}

func TestWrapFits(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		text := document(rapid.String().Draw(r, "text"))
		w := rapid.IntRange(2, 30).Draw(r, "w")
		for i := range text.Len() {
			line := text.Text(i)
			rows := append(wrap(line, w), len(line))
			for j := range len(rows) - 1 {
				if n := ansi.StringWidth(line[rows[j]:rows[j+1]]); n > w || rows[j+1] < rows[j] {
					r.Fatalf("wrap(%q, %d): row %d has %d cells", line, w, j, n)
				}
			}
		}
	})
}

// TestScroll holds the pager to the plain list of all rows.
func TestScroll(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		line := rapid.StringMatching(`[a-z日本]{1,25}`)
		a := rapid.SliceOfN(line, 0, 10).Draw(r, "a")
		b := rapid.SliceOfN(line, 1, 10).Draw(r, "b")
		w, h := rapid.IntRange(3, 10).Draw(r, "w"), rapid.IntRange(1, 12).Draw(r, "h")
		var p Pager
		p.SetSize(w, h)
		p.SetDocuments(document(a...), nil, document(b...))
		var rows []string
		for _, l := range append(a, b...) {
			at := append(wrap(l, w), len(l))
			for i := range len(at) - 1 {
				rows = append(rows, l[at[i]:at[i+1]])
			}
		}
		top, end := 0, max(0, len(rows)-h)
		for range 20 {
			by := rapid.IntRange(-9, 9).Draw(r, "by")
			p.Scroll(by)
			top = min(max(0, top+by), end)
			want := append([]string{}, rows[top:min(len(rows), top+h)]...)
			want = append(want, make([]string, h-len(want))...)
			if diff := cmp.Diff(want, shown(t, &p)); diff != "" {
				r.Fatalf("window at row %d (-want +got):\n%s", top, diff)
			}
			if got, want := p.AtEnd(), top == end; got != want {
				r.Fatalf("at end at row %d of %d: got %v", top, end, got)
			}
		}
		p.End()
		if got, want := shown(t, &p)[min(h, len(rows))-1], rows[len(rows)-1]; got != want {
			r.Fatalf("last row: got %q, want %q", got, want)
		}
	})
}

func TestRevealAndHits(t *testing.T) {
	var p Pager
	p.SetSize(10, 4)
	lines := make([]string, 50)
	for i := range lines {
		lines[i] = strings.Repeat("x", 35)
	}
	lines[30] = strings.Repeat("y", 22) + "needle" + "z"
	p.SetDocuments(document(lines...))
	p.SetHits([]content.Hit{{Line: 30, From: 22, To: 28}}, 0)
	p.Reveal(30, 22)
	if got := strings.Join(shown(t, &p), "\n"); !strings.Contains(got, "yyneedlez") {
		t.Errorf("window after Reveal: got\n%s\nwant the hit in it", got)
	}
	raw := p.View(styles(t))
	if !strings.Contains(raw, "needle") || strings.Contains(raw, "yyneedle") {
		t.Errorf("view of a hit: got %q, want it styled apart", raw)
	}
	line := p.Line()
	p.Reveal(30, 23)
	if p.Line() != line {
		t.Errorf("Reveal of what is in sight: got line %d, want %d as before", p.Line(), line)
	}
}

func TestPositionSurvives(t *testing.T) {
	var p Pager
	p.SetSize(20, 3)
	p.SetDocuments(document("1", "2", "3", "4", "5", "6"))
	p.Goto(2)
	p.SetDocuments(document("1", "2", "3", "4", "5", "6", "7", "8"))
	if p.Line() != 2 {
		t.Errorf("line after the document grew: got %d, want 2", p.Line())
	}
	p.SetSize(5, 2)
	if p.Line() != 2 {
		t.Errorf("line after a resize: got %d, want 2", p.Line())
	}
	p.SetDocuments(document("1"))
	if got := shown(t, &p); got[0] != "1" {
		t.Errorf("window after the document shrank: got %q, want its line", got)
	}
	p.SetDocuments()
	if got := p.View(styles(t)); got != "\n" {
		t.Errorf("view of nothing: got %q, want two empty lines", got)
	}
}

func BenchmarkView(b *testing.B) {
	lines := make([]string, 2000)
	for i := range lines {
		lines[i] = strings.Repeat(`"key": "value" `, 20)
	}
	var p Pager
	p.SetSize(200, 50)
	p.SetDocuments(document(lines...))
	s := styles(b)
	b.ReportAllocs()
	for b.Loop() {
		p.Scroll(1)
		p.View(s)
	}
}
