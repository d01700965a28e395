package content

import (
	"bytes"
	"context"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"pgregory.net/rapid"
)

// checkDocument holds a document to what the package promises of all.
func checkDocument(t interface {
	Helper()
	Fatalf(string, ...any)
}, d *Document,
) {
	t.Helper()
	if d.Len() > MaxLines+1 || len(d.text) > MaxText+maxLine {
		t.Fatalf("document of %d lines, %d bytes, want at most %d, %d", d.Len(), len(d.text), MaxLines, MaxText)
	}
	for i := range d.Len() {
		text := d.Text(i)
		if len(text) > maxLine {
			t.Fatalf("line %d: got %d bytes, want at most %d", i, len(text), maxLine)
		}
		if !utf8.ValidString(text) {
			t.Fatalf("line %d: got %q, want UTF-8", i, text)
		}
		if strings.ContainsAny(text, "\x00\x07\x1b\n\r\t\u0085\u009b\u200b\u202e\u2066\ufeff") {
			t.Fatalf("line %d: got %q, want no control characters", i, text)
		}
		var joined strings.Builder
		for _, s := range d.Line(i) {
			joined.WriteString(s.Text)
		}
		if joined.String() != text {
			t.Fatalf("line %d: spans make %q, text is %q", i, joined.String(), text)
		}
	}
}

// FuzzRender shows any bytes in every view: as much as there is, all of it safe.
func FuzzRender(f *testing.F) {
	archives := []string{"json", "json_hostile", "multipart", "html", "html_odd", "xml", "css", "javascript", "form", "raw"}
	for i, name := range archives {
		a, err := txtar.ParseFile("testdata/views/" + name + ".txtar")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(file(a, "in").Data, byte(i), "text/html; charset=utf-16", true)
	}
	f.Add(pngImage(f), byte(7), "image/png", false)
	f.Add(gifImage(f), byte(7), "image/gif", true)
	f.Add(jpegImage(f), byte(7), "image/jpeg", true)
	f.Add(webpImage(), byte(7), "image/webp", true)
	f.Add(icoImage(), byte(7), "image/x-icon", true)
	f.Add([]byte("\xff\xfe<\x00a\x00>\x00"), byte(4), "text/xml", true)
	f.Fuzz(func(t *testing.T, data []byte, view byte, media string, more bool) {
		views := Views()
		in := Input{Data: data, Type: media, More: more, Query: data, Columns: int(view)}
		asked := Render(t.Context(), views[int(view)%len(views)].Name, in)
		checkDocument(t, asked.Doc)
		auto := Render(t.Context(), Auto, in)
		checkDocument(t, auto.Doc)
		if len(data) > 0 && !more && auto.Doc.Len() == 0 && len(bytes.TrimSpace(data)) > 3 {
			t.Errorf("%q as %s: got no lines", data, auto.View)
		}
	})
}

// TestHostileSizes gives each view what would make a careless one run away.
func TestHostileSizes(t *testing.T) {
	const size = 1 << 17
	bodies := map[string]string{
		"brackets":     strings.Repeat("[", size),
		"pairs":        strings.Repeat("[]", size/2),
		"nested":       strings.Repeat(`{"a":`, size/5),
		"quotes":       strings.Repeat(`"`, size),
		"backslashes":  `"` + strings.Repeat(`\`, size),
		"tags":         strings.Repeat("<a>", size/3),
		"open tags":    strings.Repeat("<a ", size/3),
		"odd tags":     strings.Repeat(`<a></b "`, size/8),
		"comments":     strings.Repeat("<!--", size/4),
		"script":       "<html><script>" + strings.Repeat("</", size/2),
		"slashes":      strings.Repeat("/", size),
		"delimiters":   "--x\r\n" + strings.Repeat("--x", size/3),
		"ampersands":   strings.Repeat("&a=", size/3),
		"newlines":     strings.Repeat("\n", size),
		"accents":      "e" + strings.Repeat("\u0301", size/2),
		"bidi":         strings.Repeat("\u202e", size/3),
		"one line":     strings.Repeat("x", size),
		"zeros":        strings.Repeat("\x00", size),
		"jpeg fill":    "\xff\xd8" + strings.Repeat("\xff", size),
		"gif blocks":   "GIF89a\x01\x00\x01\x00\x00\x00\x00" + strings.Repeat("\x21\xfe\x00", size/3),
		"png chunks":   "\x89PNG\r\n\x1a\n" + strings.Repeat("\x00\x00\x00\x00tEXt\x00\x00\x00\x00", size/12),
		"wrong length": "\x89PNG\r\n\x1a\n\xff\xff\xff\xffIHDR",
	}
	for name, body := range bodies {
		t.Run(name, func(t *testing.T) {
			for _, v := range Views() {
				in := Input{Data: []byte(body), Type: "multipart/mixed", Query: []byte(body)}
				checkDocument(t, Render(t.Context(), v.Name, in).Doc)
			}
		})
	}
}

func TestRenderStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, v := range Views() {
		in := Input{Data: bytes.Repeat([]byte("[1,2,3,4,5,6,7]\n"), 1<<16), Type: "text/plain", Query: bytes.Repeat([]byte("a=b&"), 1<<18)}
		d := Render(ctx, v.Name, in).Doc
		if len(d.text) > 2*checkEvery {
			t.Errorf("%s after its context ended: got %d bytes of text, want at most %d", v.Name, len(d.text), 2*checkEvery)
		}
	}
}

// TestJSONKeepsEverything holds the view to the law that it changes white space only.
func TestJSONKeepsEverything(t *testing.T) {
	value := rapid.Deferred(func() *rapid.Generator[string] { return jsonValue(3) })
	rapid.Check(t, func(r *rapid.T) {
		in := value.Draw(r, "value")
		got := Render(t.Context(), "json", Input{Data: []byte(in)})
		if got.Note != "" {
			r.Fatalf("%s: got note %s", in, got.Note)
		}
		var out strings.Builder
		for i := range got.Doc.Len() {
			out.WriteString(strings.TrimSpace(got.Doc.Text(i)))
		}
		strip := strings.NewReplacer(" ", "", "\n", "")
		if diff := cmp.Diff(strip.Replace(in), strip.Replace(out.String())); diff != "" {
			r.Fatalf("%s (-want +got):\n%s", in, diff)
		}
		again := Render(t.Context(), "json", Input{Data: []byte(out.String())})
		if diff := cmp.Diff(show(got), show(again)); diff != "" {
			r.Fatalf("%s, shown twice (-first +second):\n%s", in, diff)
		}
	})
}

// jsonValue makes JSON of some depth.
func jsonValue(depth int) *rapid.Generator[string] {
	scalar := rapid.SampledFrom([]string{"null", "true", "-0.5e+9", "12345678901234567890", `"a\"\\ü{[,"`, `""`, "{}", "[ ]"})
	if depth == 0 {
		return scalar
	}
	return rapid.Custom(func(r *rapid.T) string {
		switch rapid.IntRange(0, 2).Draw(r, "kind") {
		case 0:
			return "[" + strings.Join(rapid.SliceOfN(jsonValue(depth-1), 1, 4).Draw(r, "items"), " , ") + "]"
		case 1:
			var members []string
			for _, v := range rapid.SliceOfN(jsonValue(depth-1), 1, 4).Draw(r, "members") {
				members = append(members, `"k" :`+v)
			}
			return "{\n" + strings.Join(members, ",") + "}"
		}
		return scalar.Draw(r, "scalar")
	})
}

// TestJSONPrefixes holds any beginning of a body to the beginning of its view.
func TestJSONPrefixes(t *testing.T) {
	whole := []byte(`{"a":[1.5,{"b":"c\"d","e":null}],"f":-1e9,"g":[true,{}]}`)
	want := strings.Split(show(Render(t.Context(), "json", Input{Data: whole})), "\n")
	for n := 1; n < len(whole); n++ {
		r := Render(t.Context(), "json", Input{Data: whole[:n], More: true})
		if r.Note != "" {
			t.Errorf("first %d bytes: got note %s", n, r.Note)
		}
		got := strings.Split(show(r), "\n")
		for i := range len(got) - 3 { // the last line may go on, or be empty
			if got[i] != want[i] {
				t.Errorf("first %d bytes, line %d: got %q, want %q", n, i, got[i], want[i])
			}
		}
	}
}

// TestRawWindows holds the raw view of any window that begins at a line to the
// same lines of the whole.
func TestRawWindows(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		body := []byte(rapid.StringMatching(`([a-z日]{0,9}\r?\n){1,20}[a-z]{0,5}`).Draw(r, "body"))
		whole := Render(t.Context(), "raw", Input{Data: body}).Doc
		line := rapid.IntRange(0, max(0, whole.Len()-1)).Draw(r, "line")
		if whole.Len() == 0 {
			return
		}
		base := whole.Offset(line)
		part := Render(t.Context(), "raw", Input{Data: body[base:], Base: base}).Doc
		if part.Len() != whole.Len()-line {
			r.Fatalf("window from line %d: got %d lines, want %d", line, part.Len(), whole.Len()-line)
		}
		for i := range part.Len() {
			if part.Text(i) != whole.Text(line+i) || part.Offset(i) != whole.Offset(line+i) {
				r.Fatalf("line %d: got %q at %d, want %q at %d", line+i, part.Text(i), part.Offset(i), whole.Text(line+i), whole.Offset(line+i))
			}
		}
		if got := whole.LineAt(base); whole.Offset(got) != base {
			r.Fatalf("LineAt(%d): got line %d at %d", base, got, whole.Offset(got))
		}
	})
}

func TestFindAcrossPieces(t *testing.T) {
	long := strings.Repeat("x", maxLine-3) + "needle" + strings.Repeat("y", maxLine)
	d := Render(t.Context(), "text", Input{Data: []byte("first\n" + long + "\nneedle\n")}).Doc
	got := d.Find(regexp.MustCompile("needle|$"), 10)
	want := []Hit{
		{Line: 1, From: maxLine - 3, To: maxLine},
		{Line: 2, From: 0, To: 3},
		{Line: 4, From: 0, To: 6},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("hits (-want +got):\n%s", diff)
	}
	if got := d.Find(regexp.MustCompile("x"), 7); len(got) != 7 {
		t.Errorf("Find with limit 7: got %d hits", len(got))
	}
	if !d.Continued(2) || d.Continued(1) || d.Continued(4) {
		t.Error("Continued: want it for the second piece of the long line only")
	}
}

func TestFindHex(t *testing.T) {
	in := Input{Data: []byte("0123456789abcNEEDLE needle"), Base: 0x100, Columns: 80}
	d := Render(t.Context(), "hex", in).Doc
	var got []string
	for _, h := range FindHex(in, regexp.MustCompile("(?i)needle"), 10) {
		got = append(got, d.Text(h.Line)[h.From:h.To])
	}
	if diff := cmp.Diff([]string{"NEE", "DLE", "needle"}, got); diff != "" {
		t.Errorf("hits (-want +got):\n%s", diff)
	}
}

// TestKinds looks at the spans of one line of each view that colours.
func TestKinds(t *testing.T) {
	tests := []struct {
		view, body string
		line       int
		want       []Span
	}{
		{"json", `{"a":1}`, 1, []Span{{Plain, "  "}, {Key, `"a"`}, {Punct, ":"}, {Plain, " "}, {Number, "1"}}},
		{"xml", `<a b="c">d</a>`, 0, []Span{{Tag, "<a"}, {Plain, " "}, {Key, "b"}, {Punct, "="}, {String, `"c"`}, {Tag, ">"}, {Plain, "d"}, {Tag, "</a>"}}},
		{"javascript", `if (a/2) "b" // c`, 0, []Span{{Keyword, "if"}, {Plain, " "}, {Punct, "("}, {Plain, "a"}, {Punct, "/"}, {Number, "2"}, {Punct, ")"}, {Plain, " "}, {String, `"b"`}, {Plain, " "}, {Comment, "// c"}}},
		{"css", `a{b:1px}`, 0, []Span{{Plain, "a"}, {Punct, "{"}, {Key, "b"}, {Punct, ":"}, {Number, "1px"}, {Punct, "}"}}},
		{"raw", "a\x1bb\xff", 0, []Span{{Plain, "a"}, {Escape, `\x1b`}, {Plain, "b"}, {Escape, `\xff`}}},
		{"form", "a=b", 0, []Span{{Key, "a"}, {Punct, ": "}, {String, "b"}}},
	}
	for _, tt := range tests {
		t.Run(tt.view, func(t *testing.T) {
			d := Render(t.Context(), tt.view, Input{Data: []byte(tt.body)}).Doc
			if diff := cmp.Diff(tt.want, d.Line(tt.line)); diff != "" {
				t.Errorf("spans (-want +got):\n%s", diff)
			}
		})
	}
}

func BenchmarkJSON(b *testing.B) {
	body := []byte("[" + strings.Repeat(`{"id":71,"sku":"A-9","price":19.50,"tags":["a","b"]},`, 1<<10) + "null]")
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		Render(b.Context(), "json", Input{Data: body})
	}
}
