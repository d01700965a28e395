package arch

import (
	"fmt"
	"go/ast"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The sizes past which a file, a function or an interface is asked to be looked
// at again.
const (
	maxFileLines        = 700
	maxFunctionLines    = 80
	maxInterfaceMethods = 4
)

// sizeExceptions is the files ("store/view.go"), functions and interfaces
// ("store/view.go:rank") that may be larger, each with its reason.
var sizeExceptions = map[string]string{
	"filter/match.go:Subject": "one flow in five portions that cost more and more to fetch, so that a matcher stops at the cheapest that decides",
}

// packageComments finds packages without exactly one comment, and comments that
// are no manual: they start with the package's name and have some lines to say.
// A directory of tests alone is a package too.
func packageComments(tr *tree) []finding {
	var found []finding
	for _, p := range tr.packages() {
		sources := slices.DeleteFunc(slices.Clone(p.sources), func(s *source) bool { return s.test })
		if len(sources) == 0 {
			sources = p.sources
		}
		var with []*source
		for _, s := range sources {
			if s.ast.Doc != nil {
				with = append(with, s)
			}
		}
		if len(with) == 0 {
			found = append(found, finding{path: p.dir, text: "no package comment"})
			continue
		}
		for _, s := range with[1:] {
			found = append(found, tr.at(s, s.ast.Doc, "a second package comment; the first is in %s", with[0].path))
		}
		if f, bad := manual(tr, with[0]); bad {
			found = append(found, f)
		}
	}
	return found
}

// manual judges one package comment.
func manual(tr *tree, s *source) (finding, bool) {
	want := "Package " + strings.TrimSuffix(s.ast.Name.Name, "_test") + " "
	if s.ast.Name.Name == "main" {
		want = "Command " + s.dir[strings.LastIndex(s.dir, "/")+1:] + " "
	}
	text := s.ast.Doc.Text()
	if !strings.HasPrefix(text, want) {
		first, _, _ := strings.Cut(text, "\n")
		return tr.at(s, s.ast.Doc, "package comment starts %q, want it to start %q", first, want), true
	}
	if n := strings.Count(text, "\n"); n < 3 {
		return tr.at(s, s.ast.Doc, "package comment has %d lines, want 3 or more", n), true
	}
	return finding{}, false
}

// sizes finds files, functions and interfaces that are too large and no
// exception. Generated code, tables and tests are free, and so is what an
// interface embeds: a name for several roles together asks nobody for more.
func sizes(tr *tree) []finding {
	var found []finding
	for _, l := range oversized(tr) {
		if _, ok := sizeExceptions[l.key]; !ok {
			found = append(found, l.finding)
		}
	}
	return found
}

// TestSizeExceptions keeps the list of exceptions as short as it can be.
func TestSizeExceptions(t *testing.T) {
	all := oversized(loadTree(t, repository(t)))
	for key := range sizeExceptions {
		if !slices.ContainsFunc(all, func(l large) bool { return l.key == key }) {
			t.Errorf("sizeExceptions lists %s, but it is small or gone", key)
		}
	}
}

// large is a finding and the key that an exception would have.
type large struct {
	key string
	finding
}

// oversized finds all that is too large, whether excepted or not.
func oversized(tr *tree) []large {
	var found []large
	for _, s := range tr.sources {
		if !s.product() || s.table {
			continue
		}
		if s.lines > maxFileLines {
			text := fmt.Sprintf("file has %d lines, at most %d", s.lines, maxFileLines)
			found = append(found, large{s.path, finding{path: s.path, text: text}})
		}
		ast.Inspect(s.ast, func(node ast.Node) bool {
			switch n := node.(type) {
			case *ast.FuncDecl:
				lines := tr.fset.Position(n.End()).Line - tr.fset.Position(n.Pos()).Line + 1
				if lines > maxFunctionLines {
					found = append(found, large{s.path + ":" + n.Name.Name, tr.at(s, n, "function %s has %d lines, at most %d", n.Name.Name, lines, maxFunctionLines)})
				}
			case *ast.TypeSpec:
				if methods := ownMethods(n.Type); methods > maxInterfaceMethods {
					found = append(found, large{s.path + ":" + n.Name.Name, tr.at(s, n, "interface %s declares %d methods, at most %d", n.Name.Name, methods, maxInterfaceMethods)})
				}
			}
			return true
		})
	}
	return found
}

// ownMethods counts the methods that an interface declares itself; it is 0 for
// any other type.
func ownMethods(expr ast.Expr) int {
	face, ok := expr.(*ast.InterfaceType)
	if !ok {
		return 0
	}
	methods := 0
	for _, field := range face.Methods.List {
		methods += len(field.Names)
	}
	return methods
}

// note is the words that mark unfinished work in a comment.
var note = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|X` + `XX)\b`)

// noTodo finds comments that leave work for later.
func noTodo(tr *tree) []finding {
	var found []finding
	for _, s := range tr.sources {
		if s.generated {
			continue
		}
		for _, group := range s.ast.Comments {
			for _, c := range group.List {
				if word := note.FindString(c.Text); word != "" {
					found = append(found, tr.at(s, c, "comment says %s", word))
				}
			}
		}
	}
	return found
}
