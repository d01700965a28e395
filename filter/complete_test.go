package filter

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestComplete runs testdata/complete.txt. The cursor is the bar ¦; the answer is
// what would be replaced, in guillemets, and the items, at most four of them.
func TestComplete(t *testing.T) {
	values := func(op, prefix string) []string {
		known := map[string][]string{
			"~d": {"api.example.com", "cdn.example.com", "two words"},
			"~u": {"/login"},
		}
		return slices.DeleteFunc(slices.Clone(known[op]), func(v string) bool { return !strings.HasPrefix(v, prefix) })
	}
	dataDriven(t, "complete.txt", func(t *testing.T, input string) string {
		src := strings.Replace(input, "¦", "", 1)
		c := Complete(src, strings.Index(input, "¦"), values)
		out := src[:c.Pos] + "«" + src[c.Pos:c.End] + "»" + src[c.End:] + "\n"
		for i, item := range c.Items {
			if i == 4 {
				out += fmt.Sprintf("  … %d more\n", len(c.Items)-i)
				break
			}
			out += strings.TrimRight(fmt.Sprintf("  %q %s", item.Text, item.Help), " ") + "\n"
		}
		return out
	})
}

func TestCompleteOutside(t *testing.T) {
	want := Complete("~d a", 4, nil)
	for _, cursor := range []int{-1, 5, 99} {
		if diff := cmp.Diff(want, Complete("~d a", cursor, nil)); diff != "" {
			t.Errorf("cursor %d (-want +got):\n%s", cursor, diff)
		}
	}
}

// TestCompleteParses: whatever is offered for an operator can be written there.
func TestCompleteParses(t *testing.T) {
	for _, item := range Complete("", 0, nil).Items {
		src := item.Text
		if !strings.HasSuffix(src, " ") {
			mustParse(t, src)
			continue
		}
		for _, arg := range Complete(src, len(src), nil).Items {
			mustParse(t, src+arg.Text)
		}
	}
}
