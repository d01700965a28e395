package rex

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// dialects is the ways in which filters read patterns.
var dialects = map[string]Options{
	"text":  {},
	"lines": {Multiline: true},
	"bytes": {Bytes: true},
	"head":  {Bytes: true, Multiline: true, CRLF: true},
	"body":  {Bytes: true, DotAll: true},
}

// TestMatch is what Python's re.search says, unless a line notes otherwise.
func TestMatch(t *testing.T) {
	tests := []struct {
		dialect, pattern, text string
		want                   bool
	}{
		{"text", ``, ``, true},
		{"text", ``, `x`, true},
		{"text", `foo`, `a FOO b`, true},
		{"text", `(?-i:foo)`, `FOO`, false},
		{"text", `foo`, `fo o`, false},
		{"text", `^foo$`, "foo\n", true},
		{"text", `^foo$`, "foo\n\n", false},
		{"text", `foo$`, "foo\nbar", false},
		{"text", `foo\Z`, "foo\n", false},
		{"text", `foo\Z`, "foo", true},
		{"text", `a.b`, "a\nb", false},
		{"text", `(?s)a.b`, "a\nb", true},
		{"text", `(?m)^b$`, "a\nb\nc", true},
		{"text", `яч`, `ЯЧ`, true},
		{"text", `ä`, `Ä`, true},
		{"text", `k`, "\u212a", true}, // the Kelvin sign folds to k
		{"text", `s`, "\u017f", true},
		{"text", `masse`, "ma\u017fse", true},
		{"text", `^\w+$`, `яч_1`, true},
		{"text", `^\W$`, `я`, false},
		{"text", `^[\W]$`, `я`, false},
		{"text", `^[\W]$`, `-`, true},
		{"text", `^[^\W]$`, `я`, true},
		{"text", `^[^\W\d]$`, `1`, false},
		{"text", `^\d$`, "٣", true},
		{"text", `^\D$`, "٣", false},
		{"text", `^\s$`, "\u00a0", true},
		{"text", `^\s$`, "\x1c", true},
		{"text", `^\S$`, "\u2028", false},
		{"text", `^[\s]$`, "\v", true},
		{"text", `\u044f`, "Я", true},
		{"text", `\U0001f600`, "😀", true},
		{"text", `\xe4`, "Ä", true},
		{"text", `\xe4`, "\xe4", false},
		{"text", `\101`, "a", true},
		{"text", `\0`, "\x00", true},
		{"text", `^a{,2}$`, `aa`, true},
		{"text", `^a{,2}$`, `aaa`, false},
		{"text", `^a{,}$`, `aaaa`, true},
		{"text", `^a{2}$`, `aa`, true},
		{"text", `^a{2,}$`, `a`, false},
		{"text", `^a{1,2}?b$`, `aab`, true},
		{"text", `^a{}$`, `a{}`, true},
		{"text", `^a{x}$`, `a{x}`, true},
		{"text", `{`, `{`, true},
		{"text", `a(?#comment)b`, `ab`, true},
		{"text", `(?u)a`, `A`, true},
		{"text", `(?u:a)b`, `AB`, true},
		{"text", `(?P<n>a)b`, `ab`, true},
		{"text", `(?<n>a)b`, `ab`, true},
		{"text", `[[:alpha:]]`, `:]`, true},
		{"text", `[[:alpha:]]`, `x]`, false},
		{"text", `^[]a]$`, `]`, true},
		{"text", `^[^]a]$`, `]`, false},
		{"text", `^[a-c-]$`, `-`, true},
		{"text", `^[\b]$`, "\b", true},
		{"text", `\bfoo\b`, `a foo b`, true},
		{"text", `\bя`, `я`, false}, // Python finds it: \b knows ASCII words only here
		{"text", `\/\-\_\ \я`, `/-_ я`, true},
		{"text", `\p{Greek}`, `α`, true},
		{"text", `\pL\d`, `α1`, true},
		{"text", `a|`, `x`, true},
		{"text", `[^a]`, "\n", true},

		{"lines", `^b$`, "a\nb\nc", true},
		{"lines", `a.b`, "a\nb", false},

		{"bytes", `ЯЧ`, `яч`, false},
		{"bytes", `ЯЧ`, `ЯЧ`, true},
		{"bytes", `aЯ`, `AЯ`, true},
		{"bytes", `\xff`, "\xff", true},
		{"bytes", `\xff`, "ÿ", false},
		{"bytes", `\xe4`, "\xc4", false}, // no case beyond ASCII
		{"bytes", `[\xe0-\xef]`, "\xe4", true},
		{"bytes", `[^\x00-\x7f]`, "ä", true},
		{"bytes", `[\W]`, "k", false},
		{"bytes", `[\W]`, "ä", true},
		{"bytes", `[l-\xff]`, "k", false},
		{"bytes", `^[l-\xff]+$`, "lzä\x7f", true},
		{"bytes", `[a-я]`, "b", true},
		{"bytes", `[--\xff]`, ",", false},
		{"bytes", `[a-c-\xff]`, "d", false},
		{"bytes", `[\x41-\xff]`, "\xf0", true},
		{"bytes", `^..$`, "ä", true},
		{"bytes", `^[ä]{2}$`, "ä", true},
		{"bytes", `яZ?`, "я", true},
		{"bytes", `^\w$`, "ä", false},
		{"bytes", `^\W\W$`, "ä", true},
		{"bytes", `^\d$`, "٣", false},
		{"bytes", `^\s$`, "\v", true},
		{"bytes", `^[\S]$`, "\v", false},
		{"bytes", `k`, "\u212a", false},
		{"bytes", `\u044f`, "я", true}, // Python has no \u over bytes
		{"bytes", `\377`, "\xff", true},

		{"head", `^b: 2$`, "a: 1\r\nb: 2\r\n", true},
		{"head", `^b: 2\r?$`, "a: 1\r\nb: 2\r\n", true},
		{"head", `1$`, "a: 1\r\nb: 2\r\n", true}, // not in Python
		{"head", `a.*2`, "a: 1\r\nb: 2\r\n", false},

		{"body", `a.b`, "a\nb", true},
		{"body", `^b`, "a\nb", false},
		{"body", `\x00.\xff`, "\x00\x01\xff", true},
	}
	for _, tt := range tests {
		p, err := Compile(tt.pattern, dialects[tt.dialect])
		if err != nil {
			t.Errorf("%s %q: %v", tt.dialect, tt.pattern, err)
			continue
		}
		if got := p.MatchString(tt.text); got != tt.want {
			t.Errorf("%s %q on %q: got %v, want %v", tt.dialect, tt.pattern, tt.text, got, tt.want)
		}
		if got := p.Match([]byte(tt.text)); got != tt.want {
			t.Errorf("%s %q on the bytes %q: got %v, want %v", tt.dialect, tt.pattern, tt.text, got, tt.want)
		}
	}
}

// TestErrors marks what is refused between guillemets.
func TestErrors(t *testing.T) {
	tests := []struct{ pattern, at, msg string }{
		{`a(?=b)`, `a«(?=»b)`, "look-ahead is not supported"},
		{`a(?!b)`, `a«(?!»b)`, "look-ahead is not supported"},
		{`(?<=b)a`, `«(?<=»b)a`, "look-behind is not supported"},
		{`(?<!b)a`, `«(?<!»b)a`, "look-behind is not supported"},
		{`(a)\1`, `(a)«\1»`, "a back-reference is not supported"},
		{`(?P<x>a)(?P=x)`, `(?P<x>a)«(?P=»x)`, "a back-reference is not supported"},
		{`(?>a)`, `«(?>»a)`, "an atomic group is not supported"},
		{`(?(1)a)`, `«(?(»1)a)`, "a conditional group is not supported"},
		{`(?x)a`, `(?«x»)a`, "the flag x is not supported"},
		{`a++`, `a«++»`, "possessive repetition is not supported"},
		{`a{2}+`, `a{2«}+»`, "possessive repetition is not supported"},
		{`a**`, `a«**»`, "not a regular expression: invalid nested repetition operator"},
		{`*`, `«*»`, "not a regular expression: nothing to repeat before *"},
		{`[a`, `«[a»`, "the class has no end"},
		{`[]`, `«[]»`, "the class has no end"},
		{`a\`, `a«\»`, "the backslash escapes nothing"},
		{`[\`, `[«\»`, "the backslash escapes nothing"},
		{`\Q`, `«\Q»`, `unknown escape \Q`},
		{`[\A]`, `[«\A»]`, `unknown escape \A`},
		{`[\1]`, `[«\1»]`, `unknown escape \1`},
		{`\x1`, `«\x1»`, `\x needs 2 hexadecimal digits`},
		{`\u12g4`, `«\u12g4»`, `\u needs 4 hexadecimal digits`},
		{`\U00110000`, `«\U00110000»`, `\U needs 8 hexadecimal digits`},
		{`\777`, `«\777»`, `\777 is above \377, the last octal character`},
		{`\p{Gre`, `«\p{Gre»`, "the property has no name"},
		{`\p`, `«\p»`, "the property has no name"},
		{`(?#a`, `«(?#a»`, "the comment has no end"},
		{`(?P<a`, `«(?P<a»`, "the group's name has no end"},
		{`(?i`, `«(?i»`, "the group has no end"},
		{`(?%)`, `«(?%»)`, "unknown group (?%"},
		{`a)`, `«a)»`, "not a regular expression: unexpected )"},
		{`(a`, `«(a»`, "not a regular expression: missing closing )"},
		{`a{1001}`, `a«{1001}»`, "not a regular expression: invalid repeat count"},
	}
	for _, tt := range tests {
		_, err := Compile(tt.pattern, Options{})
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%q: got %v, want an *Error", tt.pattern, err)
			continue
		}
		if got := tt.pattern[:e.Pos] + "«" + tt.pattern[e.Pos:e.End] + "»" + tt.pattern[e.End:]; got != tt.at {
			t.Errorf("%q: got place %s, want %s", tt.pattern, got, tt.at)
		}
		if got, _, _ := strings.Cut(e.Error(), ": patterns"); got != tt.msg {
			t.Errorf("%q: got message %q, want %q", tt.pattern, got, tt.msg)
		}
	}
}

func TestLiteral(t *testing.T) {
	tests := []struct {
		pattern string
		literal string // "" for none
		whole   bool
	}{
		{`Needle`, `needle`, true},
		{`(needle)`, `needle`, true},
		{`a.needle`, `needle`, false},
		{`(?:ab)+c`, `ab`, false},
		{`(abc){2,}`, `abc`, false},
		{`(abc){0,2}`, ``, false},
		{`(abc)?`, ``, false},
		{`abc|abd`, `ab`, false},
		{`abc|xyz`, ``, false},
		{`ü`, "\xc3\xbc", true},
		{`\xff\xd8`, "\xff\xd8", true},
		{`^abc`, `abc`, false},
		{``, ``, false},
	}
	for _, tt := range tests {
		p, err := Compile(tt.pattern, Options{Bytes: true})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if p.literal != nil {
			got = string(p.literal.text)
		}
		if got != tt.literal || p.whole != tt.whole {
			t.Errorf("%q: got literal %q, whole %v, want %q, %v", tt.pattern, got, p.whole, tt.literal, tt.whole)
		}
	}
}

// genText makes texts of few letters, in which short patterns are often found.
func genText() *rapid.Generator[string] {
	return rapid.StringOfN(rapid.SampledFrom([]rune("aAbBkK-\nKſя\xff")), 0, 30, -1)
}

// TestContains holds the two-case search to the library's.
func TestContains(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := genText().Draw(t, "text")
		needle := rapid.StringOfN(rapid.SampledFrom([]rune("aAbBk-")), 1, 4, -1).Draw(t, "needle")
		fold := rapid.Bool().Draw(t, "fold")
		want := strings.Contains(text, needle)
		if fold {
			ascii := func(r rune) rune {
				if 'A' <= r && r <= 'Z' {
					return r + 'a' - 'A'
				}
				return r
			}
			want = strings.Contains(strings.Map(ascii, text), strings.Map(ascii, needle))
		}
		l := newLiteral(needle, fold)
		if got := l.inString(text); got != want {
			t.Fatalf("%q in %q, fold %v: got %v, want %v", needle, text, fold, got, want)
		}
		if got := l.inBytes([]byte(text)); got != want {
			t.Fatalf("%q in the bytes of %q, fold %v: got %v, want %v", needle, text, fold, got, want)
		}
	})
}

// pieces is a reader that yields the given pieces, empty ones too.
type pieces [][]byte

func (p *pieces) Read(b []byte) (int, error) {
	if len(*p) == 0 {
		return 0, io.EOF
	}
	n := copy(b, (*p)[0])
	if (*p)[0] = (*p)[0][n:]; len((*p)[0]) == 0 {
		*p = (*p)[1:]
	}
	return n, nil
}

// cut cuts text at the given places.
func cut(text []byte, lengths []int) *pieces {
	var p pieces
	for _, n := range lengths {
		n = min(n, len(text))
		p = append(p, text[:n])
		text = text[n:]
	}
	p = append(p, text)
	return &p
}

// TestShortcuts: neither the literal nor the way the input comes changes what
// the regexp alone says.
func TestShortcuts(t *testing.T) {
	patterns := []string{
		`ab`, `a.b`, `ab+k`, `(ab|ak)b`, `^ab`, `ab$`, `k`, `[^a]b`, `я`, `\xff`, `a\nb`, `\bab`, `(?-i)aB`, `aя`, `b{2,3}`, `\Wa`,
	}
	rapid.Check(t, func(t *rapid.T) {
		src := rapid.SampledFrom(patterns).Draw(t, "pattern")
		name := rapid.SampledFrom([]string{"text", "bytes", "head", "body"}).Draw(t, "dialect")
		p, err := Compile(src, dialects[name])
		if err != nil {
			t.Fatal(err)
		}
		text := genText().Draw(t, "text")
		plain := &Pattern{options: p.options, re: p.re}
		want := plain.MatchString(text)
		if got := p.MatchString(text); got != want {
			t.Fatalf("%s %q on %q: got %v, want %v", name, src, text, got, want)
		}
		if !p.options.Bytes {
			return
		}
		if got := p.Match([]byte(text)); got != want {
			t.Fatalf("%s %q on the bytes of %q: got %v, want %v", name, src, text, got, want)
		}
		lengths := rapid.SliceOfN(rapid.IntRange(0, 5), 0, 6).Draw(t, "lengths")
		open := func() (io.Reader, error) { return cut([]byte(text), lengths), nil }
		buf := make([]byte, rapid.IntRange(0, 9).Draw(t, "buffer"))
		if got, err := p.MatchStream(open, buf); got != want || err != nil {
			t.Fatalf("%s %q on %q in pieces %v: got %v, %v, want %v", name, src, text, lengths, got, err, want)
		}
	})
}

func TestMatchStreamErrors(t *testing.T) {
	broken := errors.New("broken")
	after := func(text string, err error) func() (io.Reader, error) {
		return func() (io.Reader, error) {
			return io.MultiReader(strings.NewReader(text), iotest.ErrReader(err)), nil
		}
	}
	idle := func() (io.Reader, error) { return iotest.ErrReader(nil), nil }
	tests := []struct {
		pattern string
		open    func() (io.Reader, error)
		want    bool
		err     error
	}{
		{`abc`, after("xabc", broken), true, nil},
		{`abc`, after("xab", broken), false, broken},
		{`[a-b]x`, after("ax", broken), true, nil},
		{`[a-b]x`, after("a", broken), false, broken},
		{`[a-b]xy`, after("xy", broken), false, broken},
		{`abc`, idle, false, io.ErrNoProgress},
		{`[a-c]`, idle, false, io.ErrNoProgress},
		{`abc`, func() (io.Reader, error) { return nil, broken }, false, broken},
		{`[a-c]`, func() (io.Reader, error) { return nil, broken }, false, broken},
		{``, func() (io.Reader, error) { return nil, broken }, true, nil},
	}
	for _, tt := range tests {
		p, err := Compile(tt.pattern, Options{Bytes: true})
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.MatchStream(tt.open, make([]byte, 16))
		if got != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("%q: got %v, %v, want %v, %v", tt.pattern, got, err, tt.want, tt.err)
		}
	}
}

// TestGoDialect: patterns that mean the same in both dialects are translated to
// ones that find the same.
func TestGoDialect(t *testing.T) {
	for _, src := range []string{`a+b*`, `(a|b)k`, `[aK-]+`, `^a.b\b`, `a{2,3}?`, `\x61|\n`} {
		p, err := Compile(src, Options{})
		if err != nil {
			t.Fatal(err)
		}
		re := regexp.MustCompile("(?i)" + src)
		rapid.Check(t, func(t *rapid.T) {
			text := genText().Draw(t, "text")
			if diff := cmp.Diff(re.MatchString(text), p.MatchString(text)); diff != "" {
				t.Fatalf("%q on %q (-want +got):\n%s", src, text, diff)
			}
		})
	}
}

func FuzzCompile(f *testing.F) {
	for _, seed := range []string{
		`a{,2}[\W\d]$`, `(?i)(?P<x>a|b)\u00e4`, `[]`, `[^`, `\`, `(?`, `(?#`, `\p{`, `a**`, `\777`, "\xff", `{1}{2}`, `(?s:.)\Z`, `[\xff-a]`,
	} {
		f.Add(seed, "aä\xff\n")
	}
	f.Fuzz(func(t *testing.T, src, text string) {
		if len(src) > 1000 || len(text) > 1000 {
			return
		}
		for name, o := range dialects {
			p, err := Compile(src, o)
			var e *Error
			switch {
			case err == nil:
				p.MatchString(text)
			case !errors.As(err, &e) || e.Pos < 0 || e.Pos > e.End || e.End > len(src) || e.Msg == "":
				t.Fatalf("%s %q: bad error %#v", name, src, err)
			}
			if err != nil || !o.Bytes {
				continue
			}
			want := p.Match([]byte(text))
			open := func() (io.Reader, error) { return iotest.OneByteReader(strings.NewReader(text)), nil }
			if got, err := p.MatchStream(open, nil); got != want || err != nil {
				t.Fatalf("%s %q on %q: the stream says %v, %v, want %v", name, src, text, got, err, want)
			}
		}
	})
}

func BenchmarkLiteral(b *testing.B) {
	hay := bytes.Repeat([]byte(`{"user": "someone", "path": "/api/v1/things"}, `), 20000)
	for _, needle := range []string{"needle", "password", "zzz"} {
		l := newLiteral(needle, true)
		b.Run(needle, func(b *testing.B) {
			b.SetBytes(int64(len(hay)))
			for b.Loop() {
				if l.inBytes(hay) {
					b.Fatal("found")
				}
			}
		})
	}
}

// What begins with a text that decides must match.
func TestMatchBeginning(t *testing.T) {
	tests := []struct {
		pattern, head string
		want          bool
	}{
		{"", "", true},
		{"a.c", "xabc", true},
		{"a.c", "xab", false},
		{"example.com", "https://example.com", true},
		{"^https", "https://", false}, // asks for its place, and nobody looks closer
		{"com$", "https://example.com", false},
		{`com\b`, "https://example.com", false},
		{"a|b$", "a", false},
		{"a", "a\xc3", false}, // what follows may complete the character
	}
	for _, tt := range tests {
		p, err := Compile(tt.pattern, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := p.MatchBeginning(tt.head); got != tt.want {
			t.Errorf("%q, beginning %q: got %v, want %v", tt.pattern, tt.head, got, tt.want)
		}
	}
	piece := rapid.SampledFrom([]string{"a", "b", ".", "a*", "(a|b)", "$", "^", `\b`, `\Z`, "k", "[^a]", "\n", "ä"})
	text := rapid.SampledFrom([]string{"", "a", "b", "K", "\u212a", "\n", "\xc3", "\xa4", "ab"})
	rapid.Check(t, func(t *rapid.T) {
		src := strings.Join(rapid.SliceOfN(piece, 0, 4).Draw(t, "pattern"), "")
		p, err := Compile(src, rapid.SampledFrom([]Options{{}, {Bytes: true}, {Multiline: true}, {CaseSensitive: true}}).Draw(t, "options"))
		if err != nil {
			t.Skip("not a pattern")
		}
		head := strings.Join(rapid.SliceOfN(text, 0, 4).Draw(t, "head"), "")
		whole := head + strings.Join(rapid.SliceOfN(text, 0, 4).Draw(t, "rest"), "")
		if p.MatchBeginning(head) && !p.MatchString(whole) {
			t.Fatalf("%q matches whatever begins with %q, but not %q", src, head, whole)
		}
	})
}
