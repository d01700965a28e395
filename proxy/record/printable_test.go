package record

import "testing"

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"plain ä": "plain ä", "a\x1b[31m\n": `a\x1b[31m\n`, "\xff": `\ufffd`, "\u202e": `\u202e`,
	} {
		if got := Printable(in); got != want {
			t.Errorf("Printable(%q): got %q, want %q", in, got, want)
		}
	}
}
