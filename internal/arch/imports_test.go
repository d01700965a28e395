package arch

import (
	"slices"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// imports finds the imports that a ban forbids. Generated code is free: what it
// needs is decided by its generator.
func imports(tr *tree) []finding {
	var found []finding
	for _, s := range tr.sources {
		if s.generated {
			continue
		}
		for _, spec := range s.ast.Imports {
			to := importPath(spec)
			for _, b := range bans {
				if b.forbids(s, to) {
					found = append(found, tr.at(s, spec, "%s may not import %q: %s", s.dir, to, b.why))
				}
			}
		}
	}
	return found
}

// forbids reports whether the ban keeps a file from importing a path. A test
// outside its package may always import the package it tests.
func (b ban) forbids(s *source, to string) bool {
	if s.test && !b.tests || to == module+"/"+s.dir {
		return false
	}
	return matchesAny(b.in, s.dir) && !matchesAny(b.except, s.dir) &&
		matchesAny(b.deny, to) && !matchesAny(b.allow, to)
}

// namedPackages is every directory pattern a rule depends on.
func namedPackages() []string {
	names := slices.Clone(silent)
	for _, b := range bans {
		names = append(append(names, b.in...), b.except...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// strays returns the named patterns that match no package though they are not
// planned, and the planned ones that do: in either case a table is out of date.
func strays(tr *tree, named, planned []string) (gone, arrived []string) {
	exists := func(pattern string) bool {
		return slices.ContainsFunc(tr.sources, func(s *source) bool { return matches(pattern, s.dir) })
	}
	for _, pattern := range named {
		if !exists(pattern) && !slices.Contains(planned, pattern) {
			gone = append(gone, pattern)
		}
	}
	for _, pattern := range planned {
		if exists(pattern) {
			arrived = append(arrived, pattern)
		}
	}
	return gone, arrived
}

// TestNamedPackages keeps a rename from silencing a rule.
func TestNamedPackages(t *testing.T) {
	gone, arrived := strays(loadTree(t, repository(t)), namedPackages(), planned)
	for _, pattern := range gone {
		t.Errorf("%s: a rule in imports_table_test.go names this package, but it is gone; rename it there too", pattern)
	}
	for _, pattern := range arrived {
		t.Errorf("%s: this package exists now; take it off the planned list in imports_table_test.go", pattern)
	}
}

func TestStrays(t *testing.T) {
	tr := loadTree(t, fstest.MapFS{
		"store/store.go":     {Data: []byte("package store\n")},
		"proxy/h1/parse.go":  {Data: []byte("package h1\n")},
		"proxy/h2/frames.go": {Data: []byte("package h2\n")},
	})
	gone, arrived := strays(tr,
		[]string{"...", "store/...", "storage/...", "proxy/...", "proxy/h1", "proxy", "proxy/ws"},
		[]string{"proxy/h2", "proxy/ws"})
	if diff := cmp.Diff([]string{"storage/...", "proxy"}, gone); diff != "" {
		t.Errorf("gone (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"proxy/h2"}, arrived); diff != "" {
		t.Errorf("arrived (-want +got):\n%s", diff)
	}
}

func TestMatches(t *testing.T) {
	tests := []struct {
		pattern, name string
		want          bool
	}{
		{"...", "anything/at/all", true},
		{"tui/...", "tui", true},
		{"tui/...", "tui/theme", true},
		{"tui/...", "tuition", false},
		{"proxy/h1", "proxy/h1", true},
		{"proxy/h1", "proxy/h1/deep", false},
		{"proxy/h1", "proxy/h11", false},
		{"os/...", "os", true},
	}
	for _, tt := range tests {
		if got := matches(tt.pattern, tt.name); got != tt.want {
			t.Errorf("matches(%q, %q): got %v, want %v", tt.pattern, tt.name, got, tt.want)
		}
	}
}
