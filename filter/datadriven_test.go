package filter

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// dataDriven runs a text file of cases. A case is a line that begins with "> ",
// its input, and the lines up to the next blank one: what run returns for it.
// Other lines are comments. With UPDATE_GOLDEN=1 the answers are written anew.
func dataDriven(t *testing.T, name string, run func(t *testing.T, input string) string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	cases := 0
	for i := 0; i < len(lines); i++ {
		out.WriteString(lines[i] + "\n")
		input, ok := strings.CutPrefix(lines[i], "> ")
		if !ok {
			continue
		}
		cases++
		var want strings.Builder
		for i+1 < len(lines) && lines[i+1] != "" {
			i++
			want.WriteString(lines[i] + "\n")
		}
		got := run(t, input)
		out.WriteString(got)
		if os.Getenv("UPDATE_GOLDEN") == "" && got != want.String() {
			t.Errorf("%s: %s\n(-want +got):\n%s", path, input, cmp.Diff(want.String(), got))
		}
	}
	if cases == 0 {
		t.Fatalf("%s: no cases", path)
	}
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(path, []byte(out.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
