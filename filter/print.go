package filter

import "strings"

// String joins the operands with " & ", those that bind weaker in parentheses.
func (e *And) String() string { return join(e.Args, " & ", andLevel) }

// String joins the operands with " | ".
func (e *Or) String() string { return join(e.Args, " | ", orLevel) }

// String puts "!" before the operand.
func (e *Not) String() string { return "!" + inside(e.Arg, notLevel) }

// String is the operator and its argument, quoted where it must be.
func (e *Leaf) String() string {
	if e.operator.arg == argNone {
		return e.Op
	}
	return e.Op + " " + quote(e.Arg)
}

// The levels of binding, weakest first. Canonical text always writes the & that
// may be left out, because a missing one binds weaker than | does.
const (
	orLevel = iota
	andLevel
	notLevel
)

// level is how tight a node's own operator binds.
func level(e Expr) int {
	switch e.(type) {
	case *Or:
		return orLevel
	case *And:
		return andLevel
	default:
		return notLevel
	}
}

// join prints operands of an operator of the given level. An operand of the same
// level is another tree than its operands would be, so it keeps its parentheses.
func join(args []Expr, operator string, at int) string {
	parts := make([]string, len(args))
	for i, a := range args {
		parts[i] = inside(a, at+1)
	}
	return strings.Join(parts, operator)
}

// inside prints e where only what binds at least as tight as at may stand bare.
func inside(e Expr, at int) string {
	if level(e) < at {
		return "(" + e.String() + ")"
	}
	return e.String()
}

// quote returns arg so that it reads as one argument.
func quote(arg string) string {
	if arg != "" && !strings.ContainsAny(arg, special) && arg[0] != '&' && arg[0] != '|' {
		return arg
	}
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(arg) {
		switch c := arg[i]; {
		case c == '"':
			b.WriteByte('\\')
		case c == '\\' && (i+1 == len(arg) || strings.IndexByte(escapable, arg[i+1]) >= 0):
			b.WriteByte('\\')
		}
		b.WriteByte(arg[i])
	}
	b.WriteByte('"')
	return b.String()
}
