package arch

import (
	"go/ast"
	"slices"
)

// starts reports whether a node starts a goroutine: a go statement, or a call
// of the Go method of a sync.WaitGroup, an errgroup.Group or their like, or of contain.Go.
func starts(node ast.Node) bool { return startsBare(node) || startsContained(node) }

// startsBare reports whether a node starts a goroutine whose panic ends the process.
func startsBare(node ast.Node) bool {
	switch n := node.(type) {
	case *ast.GoStmt:
		return true
	case *ast.CallExpr:
		sel, ok := n.Fun.(*ast.SelectorExpr)
		if !ok || sel.Sel.Name != "Go" || len(n.Args) != 1 {
			return false
		}
		_, literal := n.Args[0].(*ast.FuncLit)
		_, method := n.Args[0].(*ast.SelectorExpr)
		return literal || method
	}
	return false
}

// startsContained reports whether a node is a call of contain.Go.
func startsContained(node ast.Node) bool {
	call, ok := node.(*ast.CallExpr)
	if !ok {
		return false
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != "Go" {
		return false
	}
	pkg, ok := sel.X.(*ast.Ident)
	return ok && pkg.Name == "contain"
}

// uncontained finds goroutines of the proxy that are not started by contain.Go.
func uncontained(tr *tree) []finding {
	var found []finding
	for _, s := range tr.sources {
		if !s.product() || !matches("proxy/...", s.dir) || s.dir == "proxy/contain" {
			continue
		}
		ast.Inspect(s.ast, func(node ast.Node) bool {
			if startsBare(node) {
				found = append(found, tr.at(s, node, "%s starts a goroutine without contain.Go", s.dir))
			}
			return true
		})
	}
	return found
}

// noGoroutine finds goroutines started in packages that start none.
func noGoroutine(tr *tree) []finding {
	var found []finding
	for _, s := range tr.sources {
		if !s.product() || !matchesAny(silent, s.dir) {
			continue
		}
		ast.Inspect(s.ast, func(node ast.Node) bool {
			if starts(node) {
				found = append(found, tr.at(s, node, "%s starts a goroutine", s.dir))
			}
			return true
		})
	}
	return found
}

// leakCheck finds packages that start goroutines while no test of theirs
// imports goleak. One complaint a package is enough.
func leakCheck(tr *tree) []finding {
	var found []finding
	for _, p := range tr.packages() {
		if slices.ContainsFunc(p.sources, checksLeaks) {
			continue
		}
		for _, s := range p.sources {
			if start := firstStart(s); s.product() && start != nil {
				found = append(found, tr.at(s, start, "%s starts goroutines, and no test of it imports go.uber.org/goleak", p.dir))
				break
			}
		}
	}
	return found
}

// checksLeaks reports whether a file is a test that imports goleak.
func checksLeaks(s *source) bool {
	return s.test && slices.ContainsFunc(s.ast.Imports, func(spec *ast.ImportSpec) bool {
		return importPath(spec) == "go.uber.org/goleak"
	})
}

// firstStart returns the first node in a file that starts a goroutine.
func firstStart(s *source) ast.Node {
	var first ast.Node
	ast.Inspect(s.ast, func(node ast.Node) bool {
		if first == nil && starts(node) {
			first = node
		}
		return first == nil
	})
	return first
}

// noSleep finds time.Sleep outside tests.
func noSleep(tr *tree) []finding {
	return uses(tr, func(s *source) bool { return s.product() }, "time", "Sleep")
}

// contextRoot finds contexts made from nothing outside main and tests.
func contextRoot(tr *tree) []finding {
	library := func(s *source) bool { return s.product() && s.ast.Name.Name != "main" }
	return uses(tr, library, "context", "Background", "TODO")
}

// uses finds mentions of names of a package in the files that are judged.
func uses(tr *tree, judged func(*source) bool, pkgPath string, names ...string) []finding {
	var found []finding
	for _, s := range tr.sources {
		if !judged(s) {
			continue
		}
		ast.Inspect(s.ast, func(node ast.Node) bool {
			if expr, ok := node.(ast.Expr); ok && s.refersTo(expr, pkgPath, names...) {
				found = append(found, tr.at(s, node, "%s.%s", pkgPath, expr.(*ast.SelectorExpr).Sel.Name))
			}
			return true
		})
	}
	return found
}

// contextField finds struct types that keep a context, embedded or named.
func contextField(tr *tree) []finding {
	var found []finding
	for _, s := range tr.sources {
		if s.generated {
			continue
		}
		ast.Inspect(s.ast, func(node ast.Node) bool {
			structure, ok := node.(*ast.StructType)
			if !ok {
				return true
			}
			for _, field := range structure.Fields.List {
				if s.refersTo(field.Type, "context", "Context") {
					found = append(found, tr.at(s, field, "struct field of type context.Context"))
				}
			}
			return true
		})
	}
	return found
}
