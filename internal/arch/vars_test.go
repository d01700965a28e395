package arch

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// noInit finds init functions. Tests may not have them either: TestMain is the
// place.
func noInit(tr *tree) []finding {
	var found []finding
	for _, s := range tr.sources {
		for _, decl := range s.ast.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && !s.generated && fn.Recv == nil && fn.Name.Name == "init" {
				found = append(found, tr.at(s, fn, "func init"))
			}
		}
	}
	return found
}

// packageVars finds package variables that are, or may be, state. A variable is
// a table when it is a literal (or anything, in a *_table.go) and no statement
// in the module, tests included, assigns to it, to a part of it, or takes its
// address.
func packageVars(tr *tree) []finding {
	checked := make(map[*source]*types.Info)
	written := make(map[string]token.Pos)
	for _, p := range tr.packages() {
		info := resolve(tr, p)
		for _, s := range p.sources {
			checked[s] = info
			collectWrites(s, info, written)
		}
	}

	var found []finding
	for _, s := range tr.sources {
		if !s.product() {
			continue
		}
		for _, decl := range s.ast.Decls {
			gen, ok := decl.(*ast.GenDecl)
			if !ok || gen.Tok != token.VAR {
				continue
			}
			for _, spec := range gen.Specs {
				found = append(found, judgeVars(tr, s, checked[s], gen, spec.(*ast.ValueSpec), written)...)
			}
		}
	}
	return found
}

// judgeVars judges the names of one declaration.
func judgeVars(tr *tree, s *source, info *types.Info, gen *ast.GenDecl, spec *ast.ValueSpec, written map[string]token.Pos) []finding {
	var found []finding
	for i, name := range spec.Names {
		if name.Name == "_" || embedded(gen.Doc) || embedded(spec.Doc) {
			continue
		}
		var value ast.Expr
		if len(spec.Values) > 0 {
			value = spec.Values[min(i, len(spec.Values)-1)]
		}
		switch pos, ok := written[module+"/"+s.dir+"."+name.Name]; {
		case value == nil:
			found = append(found, tr.at(s, name, "var %s has no value, so something must write it", name.Name))
		case ok:
			found = append(found, tr.at(s, name, "var %s is written at %v", name.Name, tr.fset.Position(pos)))
		case !s.constant(info, value):
			found = append(found, tr.at(s, name, "var %s is none of sentinel error, regexp, table, embed, guard", name.Name))
		}
	}
	return found
}

// embedded reports whether a comment carries a go:embed directive.
func embedded(doc *ast.CommentGroup) bool {
	if doc == nil {
		return false
	}
	for _, c := range doc.List {
		if strings.HasPrefix(c.Text, "//go:embed ") {
			return true
		}
	}
	return false
}

// constant reports whether a package variable's first value can be its last.
func (s *source) constant(info *types.Info, value ast.Expr) bool {
	switch v := value.(type) {
	case *ast.CompositeLit:
		return !stateful(info, v)
	case *ast.CallExpr:
		switch v.Fun.(type) {
		case *ast.ArrayType, *ast.MapType: // a conversion, such as []byte("...")
			return true
		}
		return s.table ||
			s.refersTo(v.Fun, "errors", "New") ||
			s.refersTo(v.Fun, "fmt", "Errorf") ||
			s.refersTo(v.Fun, "regexp", "MustCompile") ||
			s.refersTo(v.Fun, "strings", "NewReplacer") // compiled as a regexp is
	case *ast.SelectorExpr:
		return s.sentinel(v)
	}
	return false
}

// sentinel reports whether an expression is another package's sentinel error, which
// callers of this one shall meet under its name.
func (s *source) sentinel(sel *ast.SelectorExpr) bool {
	x, ok := sel.X.(*ast.Ident)
	return ok && strings.HasPrefix(sel.Sel.Name, "Err") && slices.ContainsFunc(s.ast.Imports, func(spec *ast.ImportSpec) bool {
		return importName(spec) == x.Name
	})
}

// stateful reports whether a literal's type exists to be changed through its
// methods: a lock, a pool, or a type of ours with methods on its pointer.
func stateful(info *types.Info, lit *ast.CompositeLit) bool {
	if sel, ok := lit.Type.(*ast.SelectorExpr); ok {
		if x, ok := sel.X.(*ast.Ident); ok {
			if imported, ok := info.Uses[x].(*types.PkgName); ok {
				return matches("sync/...", imported.Imported().Path())
			}
		}
	}
	named, ok := info.TypeOf(lit).(*types.Named)
	if !ok {
		return false
	}
	for method := range named.Methods() {
		if _, ok := method.Signature().Recv().Type().(*types.Pointer); ok {
			return true
		}
	}
	return false
}

// collectWrites records every package variable that a file changes, by
// "import path.name", with one place where it does.
func collectWrites(s *source, info *types.Info, written map[string]token.Pos) {
	record := func(expr ast.Expr) {
		if name := packageVar(s, info, expr); name != "" {
			written[name] = expr.Pos()
		}
	}
	ast.Inspect(s.ast, func(node ast.Node) bool {
		switch n := node.(type) {
		case *ast.AssignStmt:
			for _, left := range n.Lhs {
				record(left)
			}
		case *ast.IncDecStmt:
			record(n.X)
		case *ast.UnaryExpr:
			if n.Op == token.AND {
				record(n.X)
			}
		case *ast.RangeStmt:
			record(n.Key)
			record(n.Value)
		case *ast.CallExpr:
			if fn, ok := n.Fun.(*ast.Ident); ok && len(n.Args) > 0 {
				switch fn.Name {
				case "delete", "clear", "copy":
					record(n.Args[0])
				}
			}
		}
		return true
	})
}

// packageVar returns the package variable that an expression is a part of, as
// "import path.name", or "" when it is none.
func packageVar(s *source, info *types.Info, expr ast.Expr) string {
	for {
		switch e := expr.(type) {
		case *ast.ParenExpr:
			expr = e.X
		case *ast.IndexExpr:
			expr = e.X
		case *ast.SliceExpr:
			expr = e.X
		case *ast.StarExpr:
			expr = e.X
		case *ast.SelectorExpr:
			if x, ok := e.X.(*ast.Ident); ok {
				if imported, ok := info.Uses[x].(*types.PkgName); ok {
					return imported.Imported().Path() + "." + e.Sel.Name
				}
			}
			expr = e.X
		case *ast.Ident:
			v, ok := info.Uses[e].(*types.Var)
			if !ok || v.Pkg() == nil || v.Parent() != v.Pkg().Scope() {
				return ""
			}
			return module + "/" + s.dir + "." + e.Name
		default:
			return ""
		}
	}
}

// resolve finds what each identifier of a package's files means. Imports are
// empty stubs, so that nothing is built or downloaded; what depends on them
// stays unknown, which the rule does not need.
func resolve(tr *tree, p *pkg) *types.Info {
	info := &types.Info{
		Types: make(map[ast.Expr]types.TypeAndValue),
		Defs:  make(map[*ast.Ident]types.Object),
		Uses:  make(map[*ast.Ident]types.Object),
	}
	byName := make(map[string][]*ast.File)
	for _, s := range p.sources {
		byName[s.ast.Name.Name] = append(byName[s.ast.Name.Name], s.ast)
	}
	config := types.Config{Importer: stubs{}, Error: func(error) {}}
	for _, files := range byName {
		// The error is that of the stubs, or one the compiler tells better.
		_, _ = config.Check(module+"/"+p.dir, tr.fset, files, info)
	}
	return info
}

// stubs imports every package as one with nothing in it.
type stubs struct{}

// Import implements types.Importer.
func (stubs) Import(path string) (*types.Package, error) {
	name := path[strings.LastIndex(path, "/")+1:]
	if majorVersion.MatchString(name) {
		rest := strings.TrimSuffix(path, "/"+name)
		name = rest[strings.LastIndex(rest, "/")+1:]
	}
	stub := types.NewPackage(path, name)
	stub.MarkComplete()
	return stub, nil
}
