package arch

import (
	"go/ast"
	"go/token"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// TestTools holds the programs that CI installs to those that tests need, both
// ways: a test whose tool CI forgot fails there only, and late.
func TestTools(t *testing.T) {
	installed := installedTools(text(t, ".ci/run"))
	needed := neededTools(loadTree(t, repository(t)))
	if diff := cmp.Diff(needed, installed); diff != "" {
		t.Errorf("tools that tests need, and those that .ci/run installs (-needed +installed):\n%s", diff)
	}
}

// neededTools returns the programs that tests ask for by need(t, "program").
func neededTools(tr *tree) []string {
	names := make(map[string]bool)
	for _, s := range tr.sources {
		ast.Inspect(s.ast, func(node ast.Node) bool {
			call, ok := node.(*ast.CallExpr)
			if !ok || !s.test || len(call.Args) != 2 {
				return true
			}
			fn, isIdent := call.Fun.(*ast.Ident)
			lit, isLit := call.Args[1].(*ast.BasicLit)
			if isIdent && isLit && fn.Name == "need" && lit.Kind == token.STRING {
				if name, err := strconv.Unquote(lit.Value); err == nil {
					names[name] = true
				}
			}
			return true
		})
	}
	return slices.Sorted(maps.Keys(names))
}

// toolList is the line of .ci/run that names programs and their packages.
var toolList = regexp.MustCompile(`(?m)^readonly tools=\(([^)]*)\)$`)

// installedTools returns the programs in the list of .ci/run.
func installedTools(script string) []string {
	m := toolList.FindStringSubmatch(script)
	if m == nil {
		return nil
	}
	var names []string
	for _, entry := range strings.Fields(m[1]) {
		name, _, _ := strings.Cut(entry, ":")
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func TestNeededTools(t *testing.T) {
	tr := loadTree(t, fstest.MapFS{
		"e2e/a_test.go": {Data: []byte("package e2e\n\nfunc a() { need(t, \"tmux\"); need(t, tool); need(\"x\"); x.need(t, \"y\"); need(t, \"curl\"); need(t, \"tmux\") }\n")},
		"e2e/a.go":      {Data: []byte("package e2e\n\nfunc b() { need(t, \"make\") }\n")},
	})
	if diff := cmp.Diff([]string{"curl", "tmux"}, neededTools(tr)); diff != "" {
		t.Errorf("tools (-want +got):\n%s", diff)
	}
}

func TestInstalledTools(t *testing.T) {
	const script = "set -e\nreadonly tools=(tmux:tmux certutil:libnss3-tools)\necho \"${tools[@]}\"\n"
	if diff := cmp.Diff([]string{"certutil", "tmux"}, installedTools(script)); diff != "" {
		t.Errorf("tools (-want +got):\n%s", diff)
	}
}
