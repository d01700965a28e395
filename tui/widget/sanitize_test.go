package widget

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

func TestSanitize(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"empty", "", ""},
		{"plain", "GET /a?b=c&d", "GET /a?b=c&d"},
		{"line ends and tab", "a\r\n\tb", `a\r\n\tb`},
		{"clear screen", "\x1b[2J", `\x1b[2J`},
		{"title by OSC", "\x1b]0;owned\x07", `\x1b]0;owned\x07`},
		{"clipboard by C1", "\u009d52;c;eA==\u009c", `\u009d52;c;eA==\u009c`},
		{"raw C1 byte", "\x9b31m", `\x9b31m`},
		{"NUL, backspace, DEL", "a\x00\b\x7f", `a\x00\x08\x7f`},
		{"not UTF-8", "\xff\xc3(", `\xff\xc3(`},
		{"cut UTF-8", "caf\xc3", `caf\xc3`},
		{"bidi controls", "a\u202eb\u2066c\u200f", `a\u202eb\u2066c\u200f`},
		{"zero width", "a\u200bb\ufeffc\u200d", `a\u200bb\ufeffc\u200d`},
		{"tags", "x\U000e0041", `x\U000e0041`},
		{"no-break space", "a\u00a0b", `a\u00a0b`},
		{"private use", "\ue0b0", `\ue0b0`},
		{"letters", "Grüße, Ελλάδα, Привет", "Grüße, Ελλάδα, Привет"},
		{"combining accent", "e\u0301", "e\u0301"},
		{"accent alone", "\u0301", `\u0301`},
		{"stack of accents", "e" + strings.Repeat("\u0301", 4), `e\u0301\u0301\u0301\u0301`},
		{"wide", "日本語", "日本語"},
		{"right to left letters", "שלום", "שלום"},
		{"emoji", "😀", "😀"},
		{"emoji joined", "👩\u200d🚀", `👩\u200d\U0001f680`},
		{"variation selector", "\u2764\ufe0f", "\u2764" + `\ufe0f`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Sanitize(tt.in); got != tt.want {
				t.Errorf("Sanitize(%q): got %q, want %q", tt.in, got, tt.want)
			}
			if got := Sanitize([]byte(tt.in)); got != tt.want {
				t.Errorf("Sanitize of bytes %q: got %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

// FuzzSanitize holds the law that nothing sanitised controls the terminal, and
// that its width is the same however it is measured, also beside other text.
func FuzzSanitize(f *testing.F) {
	f.Add("plain")
	f.Add("\x1b]52;c;aGk=\x07\u202e日本\xff e\u0301👩\u200d🚀 🇩🇪 한국 \u1100\u1161 नमस्ते ก็")
	f.Add("\u0d4ea\u0600b\U0001f1e9\U0001f1ea\U0001f44d\U0001f3fd")
	f.Fuzz(func(t *testing.T, in string) {
		got := Sanitize(in)
		if !utf8.ValidString(got) {
			t.Fatalf("Sanitize(%q): got %q, which is not UTF-8", in, got)
		}
		for _, r := range got {
			if unicode.Is(unicode.C, r) || r != ' ' && unicode.IsSpace(r) {
				t.Fatalf("Sanitize(%q): got %q with %U", in, got, r)
			}
		}
		if cluster, point := ansi.StringWidth(got), ansi.StringWidthWc(got); cluster != point {
			t.Fatalf("Sanitize(%q): got %q, %d cells by cluster, %d by code point", in, got, cluster, point)
		}
		if again := Sanitize(got); again != got {
			t.Fatalf("Sanitize(%q): got %q, then %q", in, got, again)
		}
	})
}

func TestSanitizeNextIsBounded(t *testing.T) {
	stack := []byte("e" + strings.Repeat("\u0301", 1<<16))
	shown, n, altered := SanitizeNext(stack)
	if !altered || n > maxLook || len(shown) > 8*maxLook {
		t.Errorf("SanitizeNext of a long stack: got %d bytes for the first %d (altered %v), want at most %d for %d",
			len(shown), n, altered, 8*maxLook, maxLook)
	}
}
