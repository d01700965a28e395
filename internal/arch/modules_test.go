package arch

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// TestDependencies holds docs/dependencies.md to go.mod, both ways: each module
// required directly has a row with a reason, and each row is required.
func TestDependencies(t *testing.T) {
	required := directModules(text(t, "go.mod"))
	rows := dependencyRows(text(t, "docs/dependencies.md"))
	for _, m := range required {
		if reason, ok := rows[m]; !ok {
			t.Errorf("docs/dependencies.md: no row for %s, which go.mod requires directly", m)
		} else if len(strings.Fields(reason)) < 4 {
			t.Errorf("docs/dependencies.md: %s: reason is %q, want a sentence", m, reason)
		}
	}
	for m := range rows {
		if !slices.Contains(required, m) {
			t.Errorf("docs/dependencies.md: has a row for %s, which go.mod does not require directly", m)
		}
	}
}

// TestModules holds go.mod to the sources, as `go mod tidy` would, but from what
// is here alone: tidying wants the tests of every dependency, from the network.
func TestModules(t *testing.T) {
	unused, indirect := misfiled(loadTree(t, repository(t)), directModules(text(t, "go.mod")))
	for _, m := range unused {
		t.Errorf("go.mod: requires %s directly, and no package imports it", m)
	}
	for _, p := range indirect {
		t.Errorf("go.mod: %q is imported, and its module is not required directly", p)
	}
}

// misfiled returns the direct modules that nothing imports and the imports from
// outside the standard library that no direct module provides.
func misfiled(tr *tree, direct []string) (unused, indirect []string) {
	used := make(map[string]bool)
	for _, s := range tr.sources {
		for _, spec := range s.ast.Imports {
			p := importPath(spec)
			first, _, _ := strings.Cut(p, "/")
			if !strings.Contains(first, ".") {
				continue // the standard library, or ours
			}
			i := slices.IndexFunc(direct, func(m string) bool { return matches(m+"/...", p) })
			if i < 0 {
				indirect = append(indirect, p)
				continue
			}
			used[direct[i]] = true
		}
	}
	for _, m := range direct {
		if !used[m] {
			unused = append(unused, m)
		}
	}
	slices.Sort(indirect)
	return unused, slices.Compact(indirect)
}

func TestMisfiled(t *testing.T) {
	tr := loadTree(t, fstest.MapFS{
		"a/a.go":      {Data: []byte("package a\n\nimport (\n\t\"fmt\"\n\t\"weir/b\"\n\t\"a.test/x/deep\"\n)\n")},
		"a/a_test.go": {Data: []byte("package a\n\nimport (\n\t\"c.test/y\"\n\t\"a.test/xy\"\n)\n")},
	})
	unused, indirect := misfiled(tr, []string{"a.test/x", "c.test/y", "d.test/z"})
	if diff := cmp.Diff([]string{"d.test/z"}, unused); diff != "" {
		t.Errorf("unused (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"a.test/xy"}, indirect); diff != "" {
		t.Errorf("indirect (-want +got):\n%s", diff)
	}
}

// directModules returns the modules a go.mod requires without the comment
// "// indirect".
func directModules(gomod string) []string {
	var modules []string
	block := false
	for line := range strings.Lines(gomod) {
		line = strings.TrimSpace(line)
		switch line {
		case "require (":
			block = true
			continue
		case ")":
			block = false
			continue
		}
		rest, single := strings.CutPrefix(line, "require ")
		fields := strings.Fields(rest)
		if !block && !single || len(fields) < 2 || fields[0] == "//" || strings.Contains(rest, "// indirect") {
			continue
		}
		modules = append(modules, fields[0])
	}
	return modules
}

// dependencyRows returns the table rows of the section "Product" and "Tests":
// lines that start with a module path in backquotes, with the text after it.
func dependencyRows(doc string) map[string]string {
	rows := make(map[string]string)
	tools := false
	for line := range strings.Lines(doc) {
		if strings.HasPrefix(line, "## ") {
			tools = strings.HasPrefix(line, "## Tools")
		}
		rest, ok := strings.CutPrefix(line, "| `")
		if !ok || tools {
			continue
		}
		module, reason, _ := strings.Cut(rest, "`")
		rows[module] = strings.Trim(reason, "| \n")
	}
	return rows
}

func TestDirectModules(t *testing.T) {
	const gomod = `module weir

go 1.26.0

require example.test/single v1.0.0

require (
	// a comment of its own
	example.test/direct v1.2.3 // github.com/example/direct
	example.test/other v0.1.0
)

require (
	example.test/deep v0.0.1 // indirect
)
`
	want := []string{"example.test/single", "example.test/direct", "example.test/other"}
	if diff := cmp.Diff(want, directModules(gomod)); diff != "" {
		t.Errorf("modules (-want +got):\n%s", diff)
	}
}

func TestDependencyRows(t *testing.T) {
	const doc = "# Dependencies\n\n## Product\n\n| module | why |\n|---|---|\n" +
		"| `a.test/x` | because it is so |\n\n## Tools\n\n| `b.test/y` | not of the product |\n"
	want := map[string]string{"a.test/x": "because it is so"}
	if diff := cmp.Diff(want, dependencyRows(doc)); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}
