package arch

import (
	"go/ast"
	"io/fs"
	"path"
	"strings"
)

// fuzzSeeds finds fuzz targets that neither add seeds, themselves or in a
// helper they hand f to, nor have a kept corpus in testdata/fuzz.
func fuzzSeeds(tr *tree) []finding {
	var found []finding
	for _, p := range tr.packages() {
		helpers := seeders(p)
		for _, s := range p.sources {
			for _, decl := range s.ast.Decls {
				fn, ok := decl.(*ast.FuncDecl)
				if !ok || !s.test || !strings.HasPrefix(fn.Name.Name, "Fuzz") || !takesF(s, fn) {
					continue
				}
				if !helpers[fn.Name.Name] && !callsAny(fn, helpers) && !corpus(tr, p, fn.Name.Name) {
					found = append(found, tr.at(s, fn, "%s has no seeds", fn.Name.Name))
				}
			}
		}
	}
	return found
}

// seeders returns the functions of a package's tests that take a *testing.F
// and call its Add.
func seeders(p *pkg) map[string]bool {
	names := make(map[string]bool)
	for _, s := range p.sources {
		for _, decl := range s.ast.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && takesF(s, fn) && adds(s, fn) {
				names[fn.Name.Name] = true
			}
		}
	}
	return names
}

// fParam returns the name of a function's *testing.F parameter, or "".
func fParam(s *source, fn *ast.FuncDecl) string {
	for _, field := range fn.Type.Params.List {
		if star, ok := field.Type.(*ast.StarExpr); ok && s.refersTo(star.X, "testing", "F") && len(field.Names) > 0 {
			return field.Names[0].Name
		}
	}
	return ""
}

// takesF reports whether a function has a *testing.F parameter.
func takesF(s *source, fn *ast.FuncDecl) bool { return fParam(s, fn) != "" }

// adds reports whether a function calls Add on its *testing.F.
func adds(s *source, fn *ast.FuncDecl) bool {
	f := fParam(s, fn)
	return contains(fn, func(call *ast.CallExpr) bool {
		sel, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || sel.Sel.Name != "Add" {
			return false
		}
		x, ok := sel.X.(*ast.Ident)
		return ok && x.Name == f
	})
}

// callsAny reports whether a function calls one of the named functions.
func callsAny(fn *ast.FuncDecl, names map[string]bool) bool {
	return contains(fn, func(call *ast.CallExpr) bool {
		callee, ok := call.Fun.(*ast.Ident)
		return ok && names[callee.Name]
	})
}

// contains reports whether a function's body has a call that the test accepts.
func contains(fn *ast.FuncDecl, accept func(*ast.CallExpr) bool) bool {
	found := false
	ast.Inspect(fn, func(node ast.Node) bool {
		if call, ok := node.(*ast.CallExpr); ok && accept(call) {
			found = true
		}
		return !found
	})
	return found
}

// corpus reports whether a fuzz target has files in testdata/fuzz.
func corpus(tr *tree, p *pkg, name string) bool {
	entries, err := fs.ReadDir(tr.fsys, path.Join(p.dir, "testdata/fuzz", name))
	return err == nil && len(entries) > 0
}
