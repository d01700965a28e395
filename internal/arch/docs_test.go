package arch

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// maxReadmeLines is how long the front page may be and still be read.
const maxReadmeLines = 150

// text reads a file of the repository.
func text(t *testing.T, name string) string {
	t.Helper()
	data, err := fs.ReadFile(repository(t), name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestReadme(t *testing.T) {
	readme := text(t, "README.md")
	if got := strings.Count(readme, "\n"); got > maxReadmeLines {
		t.Errorf("README.md: got %d lines, want at most %d", got, maxReadmeLines)
	}
	for _, command := range []string{"go run ./cmd/weir\n", "go test ./...\n"} {
		if !strings.Contains(readme, "\n"+command) && !strings.Contains(readme, "\n    "+command) {
			t.Errorf("README.md: no line with the command %q", strings.TrimSpace(command))
		}
	}
}

// TestLinks follows the relative links of the front page and the docs.
func TestLinks(t *testing.T) {
	fsys := repository(t)
	pages, err := fs.Glob(fsys, "docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	designs, err := fs.Glob(fsys, "docs/design/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range slices.Concat([]string{"README.md"}, pages, designs) {
		for _, target := range relativeLinks(text(t, page)) {
			if _, err := fs.Stat(fsys, path.Join(path.Dir(page), target)); err != nil {
				t.Errorf("%s: links to %s: %v", page, target, err)
			}
		}
	}
}

// link is a Markdown link's target, without a title.
var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// relativeLinks returns the files that a page links to, without fragments.
func relativeLinks(page string) []string {
	var targets []string
	for _, m := range link.FindAllStringSubmatch(page, -1) {
		target, _, _ := strings.Cut(m[1], "#")
		if target == "" || strings.Contains(target, ":") {
			continue
		}
		targets = append(targets, target)
	}
	return targets
}

func TestRelativeLinks(t *testing.T) {
	const page = "[a](docs/a.md), [b](https://b.test/x) and [c](#here) or [d](../d.md#part)\n[e](docs/)\n"
	want := []string{"docs/a.md", "../d.md", "docs/"}
	if diff := cmp.Diff(want, relativeLinks(page)); diff != "" {
		t.Errorf("links (-want +got):\n%s", diff)
	}
}

// TestArchitecture holds the list of packages in docs/architecture.md to the
// tree, both ways. Modules of their own are described there, but are not read.
func TestArchitecture(t *testing.T) {
	fsys := repository(t)
	listed := packageRows(text(t, "docs/architecture.md"))
	for _, p := range loadTree(t, fsys).packages() {
		if !slices.Contains(listed, p.dir) {
			t.Errorf("docs/architecture.md: no line for the package %s", p.dir)
		}
	}
	for _, dir := range listed {
		if _, err := fs.Stat(fsys, dir); err != nil {
			t.Errorf("docs/architecture.md: has a line for %s: %v", dir, err)
		}
	}
}

// packageRows returns the directories in the first column of the tables under
// "## The packages".
func packageRows(doc string) []string {
	var dirs []string
	_, section, _ := strings.Cut(doc, "\n## The packages\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for line := range strings.Lines(section) {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		cells := strings.Split(line, "|")
		for i, part := range strings.Split(cells[1], "`") {
			if i%2 == 1 {
				dirs = append(dirs, part)
			}
		}
	}
	return dirs
}

func TestPackageRows(t *testing.T) {
	const doc = "# A\n\n| `no` | before |\n\n## The packages\n\n| package | line |\n|---|---|\n" +
		"| `a` | with `code` |\n| `b/c`, `b/d` | two |\n\n## Next\n\n| `no` | after |\n"
	want := []string{"a", "b/c", "b/d"}
	if diff := cmp.Diff(want, packageRows(doc)); diff != "" {
		t.Errorf("packages (-want +got):\n%s", diff)
	}
}
