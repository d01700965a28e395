package arch

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestNoMachinePaths keeps the paths of whoever runs it out of the repository:
// the checkout, what lies beside it, the home and the caches. It names none of
// them itself, so it holds on every machine for that machine.
func TestNoMachinePaths(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	paths := machinePaths(t, root)
	for _, name := range committed(t, root) {
		data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if os.IsNotExist(err) {
			continue // removed, but not yet from git's index
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range linesWith(data, paths) {
			t.Errorf("%s: names a path of this machine: %s", name, line)
		}
	}
}

// machinePaths compiles what must not appear: a path of this machine, standing
// where a path can start: in a URL the same letters are somebody else's.
func machinePaths(t *testing.T, root string) *regexp.Regexp {
	t.Helper()
	paths := []string{root, filepath.Join(os.TempDir(), module) + string(filepath.Separator)}
	if parent := filepath.Dir(root); parent != filepath.Dir(parent) {
		siblings, err := os.ReadDir(parent)
		if err != nil {
			t.Logf("list what lies beside the checkout: %v", err)
		}
		for _, entry := range siblings {
			paths = append(paths, filepath.Join(parent, entry.Name()))
		}
	}
	if home, err := os.UserHomeDir(); err == nil {
		paths = append(paths, home+string(filepath.Separator))
	}
	for _, name := range []string{"GOMODCACHE", "GOCACHE"} {
		if out, err := exec.Command("go", "env", name).Output(); err == nil && len(bytes.TrimSpace(out)) > 0 {
			paths = append(paths, string(bytes.TrimSpace(out)))
		}
	}
	return pathPattern(paths)
}

// pathPattern matches any of the paths where a path starts, to the end of its
// last name; one that ends in a separator matches only with more behind it.
func pathPattern(paths []string) *regexp.Regexp {
	quoted := make([]string, len(paths))
	for i, p := range paths {
		quoted[i] = regexp.QuoteMeta(p)
		if !strings.HasSuffix(p, string(filepath.Separator)) {
			quoted[i] += `(?:\W|$)`
		}
	}
	return regexp.MustCompile(`(?:^|[^\w./-])(?:file://)?(?:` + strings.Join(quoted, "|") + `)`)
}

// linesWith returns the lines of data that the pattern matches.
func linesWith(data []byte, pattern *regexp.Regexp) []string {
	var hits []string
	for line := range bytes.Lines(data) {
		if pattern.Match(line) {
			hits = append(hits, string(bytes.TrimSpace(line[:min(len(line), 200)])))
		}
	}
	return hits
}

// committed lists what git holds or would add; without git, or in a checkout
// that git does not trust, every file outside hidden directories.
func committed(t *testing.T, root string) []string {
	t.Helper()
	list := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = root
	if out, err := list.Output(); err == nil && len(out) > 0 {
		return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	}
	var names []string
	err := fs.WalkDir(repository(t), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && name != "." && strings.HasPrefix(path.Base(name), ".") && name != ".ci" {
			return fs.SkipDir
		}
		if entry.Type().IsRegular() {
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestLinesWith(t *testing.T) {
	pattern := pathPattern([]string{"/here/notes", "/here/checkout", "/home/me/"})
	tests := []struct {
		line string
		want bool
	}{
		{"see /here/notes/a.md", true},
		{`open "/home/me/.ssh/id"`, true},
		{"file:///here/checkout/x.go", true},
		{"/here/checkout", true},
		{"https://site.test/here/notes", false},
		{"from/here/notes", false},
		{"../here/notes", false},
		{"/here/checkouts", false},
	}
	for _, tt := range tests {
		if got := len(linesWith([]byte(tt.line+"\n"), pattern)) > 0; got != tt.want {
			t.Errorf("%q: got %v, want %v", tt.line, got, tt.want)
		}
	}
}
