package filter

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// outline is a tree on one line: and(~u a, not(~q)).
func outline(t *Tree) string {
	switch {
	case t.Arg != nil:
		return t.Op + " " + quote(*t.Arg)
	case t.Args == nil:
		return t.Op
	}
	parts := make([]string, len(t.Args))
	for i, a := range t.Args {
		parts[i] = outline(a)
	}
	return t.Op + "(" + strings.Join(parts, ", ") + ")"
}

// TestParse runs testdata/parse.txt: canonical form and tree, or the error with
// the text that it points at between guillemets.
func TestParse(t *testing.T) {
	dataDriven(t, "parse.txt", func(t *testing.T, input string) string {
		e, err := Parse(input)
		if err != nil {
			var at *Error
			if !errors.As(err, &at) {
				t.Fatalf("%s: error is a %T, want *Error", input, err)
			}
			marked := at.Src[:at.Pos] + "«" + at.Src[at.Pos:at.End] + "»" + at.Src[at.End:]
			out := fmt.Sprintf("error  %s\n       %s\n", marked, at.Msg)
			if at.Hint != "" {
				out += "hint   " + at.Hint + "\n"
			}
			return out
		}
		return fmt.Sprintf("text   %s\ntree   %s\n", e, outline(Explain(e).AST))
	})
}

func TestParseEmpty(t *testing.T) {
	for _, src := range []string{"", " ", "\t\r\n"} {
		if e, err := Parse(src); e != nil || err != nil {
			t.Errorf("Parse(%q): got %v, %v, want nil, nil", src, e, err)
		}
	}
}

func TestParseLimits(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("(", n) + "a" + strings.Repeat(")", n) }
	tests := []struct {
		name, src string
		ok        bool
	}{
		{"nesting", deep(MaxNesting), true},
		{"too much nesting", deep(MaxNesting + 1), false},
		{"nots", strings.Repeat("!", MaxNesting) + "a", true},
		{"too many nots", strings.Repeat("!", MaxNesting+1) + "a", false},
		{"groups beside each other", strings.Repeat("(a)", MaxNesting+1), true},
		{"length", strings.Repeat("a", MaxLength), true},
		{"too long", strings.Repeat("a", MaxLength+1), false},
		{"NUL", "a\x00", false},
		{"unclosed parentheses", strings.Repeat("(", MaxLength), false},
	}
	for _, tt := range tests {
		if _, err := Parse(tt.src); (err == nil) != tt.ok {
			t.Errorf("%s: got error %v, want ok %v", tt.name, err, tt.ok)
		}
	}
}

func TestRange(t *testing.T) {
	const src = `  ~m "P OST" (foo | !~q) `
	e, err := Parse(src)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	var walk func(e Expr)
	walk = func(e Expr) {
		pos, end := e.Range()
		got = append(got, src[pos:end])
		switch e := e.(type) {
		case *And:
			for _, a := range e.Args {
				walk(a)
			}
		case *Or:
			for _, a := range e.Args {
				walk(a)
			}
		case *Not:
			walk(e.Arg)
		}
	}
	walk(e)
	want := []string{`~m "P OST" (foo | !~q`, `~m "P OST"`, `foo | !~q`, `foo`, `!~q`, `~q`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ranges (-want +got):\n%s", diff)
	}
}

func TestErrorText(t *testing.T) {
	_, err := Parse("ä ~nope")
	const want = `filter "ä ~nope": column 3: unknown operator ~nope`
	if got := err.Error(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// genExpr makes expressions as text with known and unknown shapes.
func genExpr(depth int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		if depth == 0 || rapid.IntRange(0, 3).Draw(t, "kind") == 0 {
			return genLeaf().Draw(t, "leaf")
		}
		sub := genExpr(depth - 1)
		switch rapid.IntRange(0, 3).Draw(t, "node") {
		case 0:
			return "!" + "(" + sub.Draw(t, "not") + ")"
		case 1:
			return "(" + sub.Draw(t, "a") + ") & (" + sub.Draw(t, "b") + ")"
		case 2:
			return sub.Draw(t, "a") + " | " + sub.Draw(t, "b")
		default:
			return sub.Draw(t, "a") + " " + sub.Draw(t, "b")
		}
	})
}

// genLeaf makes one condition of any operator.
func genLeaf() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		op := rapid.SampledFrom(operators).Draw(t, "op")
		switch op.arg {
		case argRegex:
			arg := rapid.OneOf(
				rapid.StringMatching(`[a-z&|!.^$\\ "'()~ä-]{0,8}`),
				rapid.SampledFrom([]string{`\d+`, `a b`, `[a-c]x`, `foo$`, ``}),
			).Draw(t, "arg")
			return "~" + op.name + " " + quote(regexOr(arg, op))
		case argNumber:
			return "~" + op.name + " " + rapid.SampledFrom([]string{"5", "007", "5..10", "5-10", ">=5", "< 9", "..4", "3..", "=8", ">99"}).Draw(t, "number")
		case argDuration:
			return "~" + op.name + " " + rapid.SampledFrom([]string{"0", "5ns..9ns", ">=5NS", "< 0.000007", "7ns", "..1.5s", ">0.1us", "=1m"}).Draw(t, "duration")
		case argSize:
			return "~" + op.name + " " + rapid.SampledFrom([]string{"0", "7", "7b", "5..14", ">0.005k", "<=14", "1kib", "0-7", ">1.50MB"}).Draw(t, "size")
		case argTime:
			return "~" + op.name + " " + rapid.SampledFrom([]string{
				"00:00", "12:00..12:05", "23:00..01:00", ">-5m", "-2d..-1h", "<=now", "1970-01-01", ">=1970-01-01T02:00:00.5", "<1970-01-02t03:00z", "..03:00",
			}).Draw(t, "time")
		case argChoice:
			return "~" + op.name + " " + rapid.SampledFrom(op.choices).Draw(t, "choice").names[0]
		case argWord:
			return "~" + op.name + " " + quote(rapid.StringMatching(`[a-z"' .\\&|]{1,6}`).Draw(t, "word"))
		default:
			return "~" + op.name
		}
	})
}

// regexOr is arg if it compiles for op, else something that does.
func regexOr(arg string, op *operator) string {
	if (&Leaf{operator: op}).compile(arg) != nil {
		return "x"
	}
	return arg
}

// checkCanonical holds e to the law of printing.
func checkCanonical(t interface{ Fatalf(string, ...any) }, e Expr) {
	text := e.String()
	again, err := Parse(text)
	if err != nil {
		t.Fatalf("canonical form %q: %v", text, err)
	}
	if diff := cmp.Diff(Explain(e), Explain(again)); diff != "" {
		t.Fatalf("canonical form %q parses to another tree (-want +got):\n%s", text, diff)
	}
	if got := again.String(); got != text {
		t.Fatalf("canonical form is not stable: got %q, want %q", got, text)
	}
}

func TestPrintParse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		src := genExpr(3).Draw(t, "src")
		e, err := Parse(src)
		if err != nil {
			t.Fatalf("Parse(%q): %v", src, err)
		}
		checkCanonical(t, e)
	})
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "a b | c", `~b "\d+" !(~q | ~s)`, "~c 4xx ~c >= 500", `~u "(?i)x" ~h 'a\'b'`, "~id 5..10 && ~ver h2",
		`"`, "((", "~", "!", "~b (?=x)", `~b \`, "~t a{,3}$", "a |", "~c 1-", "~s шгн", "~\xff", `~bq "\xff\x80"`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, src string) {
		e, err := Parse(src)
		if err != nil {
			var at *Error
			if !errors.As(err, &at) || at.Pos < 0 || at.Pos > at.End || at.End > len(src) || at.Msg == "" {
				t.Fatalf("Parse(%q): bad error %#v", src, err)
			}
			return
		}
		if e != nil && len(e.String()) <= MaxLength {
			checkCanonical(t, e)
		}
		for _, at := range []int{0, len(src) / 2, len(src)} {
			if c := Complete(src, at, nil); c.Pos < 0 || c.Pos > at || c.End < at || c.End > len(src) {
				t.Fatalf("Complete(%q, %d): replaces %d to %d", src, at, c.Pos, c.End)
			}
		}
	})
}
