package arch

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// module is the path every import of ours starts with.
const module = "weir"

// source is one Go file of the tree.
type source struct {
	path      string // slash-separated, relative to the root
	dir       string // its package's directory, "." for the root
	ast       *ast.File
	lines     int
	test      bool // *_test.go
	table     bool // *_table.go, where tables of data sit
	generated bool // carries the standard "Code generated" line
}

// product reports whether the file is code that ships and that people wrote.
func (s *source) product() bool { return !s.test && !s.generated }

// tree is a module's Go files, parsed with comments and sorted by path.
type tree struct {
	fsys    fs.FS
	fset    *token.FileSet
	sources []*source
}

// loadTree parses every Go file of the module at the root of fsys, leaving out
// nested modules, testdata and hidden directories.
func loadTree(t *testing.T, fsys fs.FS) *tree {
	t.Helper()
	tr := &tree{fsys: fsys, fset: token.NewFileSet()}
	err := fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if name != "." && outside(fsys, name) {
				return fs.SkipDir
			}
			return nil
		}
		if path.Ext(name) != ".go" {
			return nil
		}
		return tr.add(name)
	})
	if err != nil {
		t.Fatalf("load source tree: %v", err)
	}
	return tr
}

// outside reports whether a directory is no part of the module's packages.
func outside(fsys fs.FS, dir string) bool {
	base := path.Base(dir)
	if base == "testdata" || base == "vendor" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") {
		return true
	}
	_, err := fs.Stat(fsys, path.Join(dir, "go.mod"))
	return err == nil
}

// add parses one file into the tree.
func (tr *tree) add(name string) error {
	text, err := fs.ReadFile(tr.fsys, name)
	if err != nil {
		return err
	}
	file, err := parser.ParseFile(tr.fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return fmt.Errorf("parse: %w", err)
	}
	tr.sources = append(tr.sources, &source{
		path:      name,
		dir:       path.Dir(name),
		ast:       file,
		lines:     bytes.Count(text, []byte("\n")),
		test:      strings.HasSuffix(name, "_test.go"),
		table:     strings.HasSuffix(name, "_table.go"),
		generated: ast.IsGenerated(file),
	})
	return nil
}

// packages returns the files of each directory, directories in order.
func (tr *tree) packages() []*pkg {
	var pkgs []*pkg
	index := make(map[string]*pkg)
	for _, s := range tr.sources {
		p := index[s.dir]
		if p == nil {
			p = &pkg{dir: s.dir}
			index[s.dir] = p
			pkgs = append(pkgs, p)
		}
		p.sources = append(p.sources, s)
	}
	return pkgs
}

// pkg is a directory and its files.
type pkg struct {
	dir     string
	sources []*source
}

// finding is one complaint of a rule.
type finding struct {
	path string
	line int // 0 when the complaint is about the whole file or directory
	text string
}

func (f finding) String() string {
	if f.line == 0 {
		return f.path + ": " + f.text
	}
	return fmt.Sprintf("%s:%d: %s", f.path, f.line, f.text)
}

// at makes a finding at a node of a file.
func (tr *tree) at(s *source, node ast.Node, format string, args ...any) finding {
	return finding{s.path, tr.fset.Position(node.Pos()).Line, fmt.Sprintf(format, args...)}
}

// matches reports whether a slash path is covered by a pattern: "a/b" is that
// path alone, "a/..." is a and all below it, "..." is everything.
func matches(pattern, name string) bool {
	if pattern == "..." {
		return true
	}
	prefix, below := strings.CutSuffix(pattern, "/...")
	return name == prefix || below && strings.HasPrefix(name, prefix+"/")
}

// matchesAny reports whether one of the patterns covers name.
func matchesAny(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matches(p, name) })
}

// importPath returns the path an import names, unquoted.
func importPath(spec *ast.ImportSpec) string {
	p, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return spec.Path.Value
	}
	return p
}

// majorVersion is the last element of an import path that is not its name.
var majorVersion = regexp.MustCompile(`^v[0-9]+$`)

// importName returns the name an import has in its file; the last element of
// its path, or the one before a major version, unless it is renamed.
func importName(spec *ast.ImportSpec) string {
	if spec.Name != nil {
		return spec.Name.Name
	}
	p := importPath(spec)
	if majorVersion.MatchString(path.Base(p)) {
		p = path.Dir(p)
	}
	return path.Base(p)
}

// refersTo reports whether expr is the selector name of the package at
// importPath, through whatever name the file imports it by.
func (s *source) refersTo(expr ast.Expr, pkgPath string, names ...string) bool {
	sel, ok := expr.(*ast.SelectorExpr)
	if !ok || !slices.Contains(names, sel.Sel.Name) {
		return false
	}
	x, ok := sel.X.(*ast.Ident)
	return ok && slices.ContainsFunc(s.ast.Imports, func(spec *ast.ImportSpec) bool {
		return importPath(spec) == pkgPath && importName(spec) == x.Name
	})
}

// repository is the root of the checkout, where the product's go.mod is.
func repository(t *testing.T) fs.FS {
	t.Helper()
	if _, err := os.Stat("../../go.mod"); err != nil {
		t.Fatalf("find the module's root: %v", err)
	}
	return os.DirFS("../..")
}
