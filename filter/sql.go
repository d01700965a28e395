package filter

import (
	"slices"
	"strings"

	flowpb "weir/proto"
)

// condition is an SQL condition that is never NULL, or one of the two constants.
type condition struct {
	sql  string // "" for a constant
	args []any  // of its placeholders, in order
	// value is that of a constant.
	value bool
	// exact means that the condition is the expression. If not, it is a bound: true
	// more often, or for what stands under a negation less often.
	exact bool
	cost  int
}

// What a row costs, roughly. SQLite takes the operands of AND and OR as written.
const (
	costPlain = iota
	costMemo
	costPattern
	costNote
)

// The constants.
var (
	always = condition{value: true, exact: true}
	never  = condition{exact: true}
)

// plain is a condition of comparisons.
func plain(sql string, args ...any) condition {
	return condition{sql: sql, args: args, exact: true}
}

// kindIs is the condition that the flow is of one of the kinds.
func kindIs(kinds []flowpb.Kind) condition {
	if len(kinds) == 1 {
		return plain("f.kind = " + itoa(int64(kinds[0])))
	}
	numbers := make([]string, len(kinds))
	for i, k := range kinds {
		numbers[i] = itoa(int64(k))
	}
	return plain("f.kind IN (" + strings.Join(numbers, ", ") + ")")
}

// planner collects the patterns of a plan.
type planner struct{ patterns []Pattern }

// matches is the condition that the column matches the pattern.
func (p *planner) matches(column string, pattern Pattern) condition {
	c := plain("weir_match(?, "+itoa(int64(len(p.patterns)))+", "+column+")", PlanToken{})
	c.cost = costPattern
	if pattern.Memo {
		c.cost = costMemo
	}
	p.patterns = append(p.patterns, pattern)
	return c
}

// bound is a condition that e implies, if upper, or that implies e, if not. It
// is exact if it is e itself.
func (p *planner) bound(e Expr, upper bool) condition {
	switch e := e.(type) {
	case *And:
		return allOf(p.bounds(e.Args, upper))
	case *Or:
		return anyOf(p.bounds(e.Args, upper))
	case *Not:
		return negation(p.bound(e.Arg, !upper))
	case *Leaf:
		return p.leaf(e, upper)
	}
	return condition{value: upper}
}

// leaf is the bound of a condition. Of what only the content decides, the kind
// of flow is all that columns know.
func (p *planner) leaf(e *Leaf, upper bool) condition {
	if e.operator.column != nil {
		return e.operator.column.where(e, p)
	}
	kinds := e.operator.content.kinds()
	if !upper || kinds == nil {
		return condition{value: upper}
	}
	c := kindIs(kinds)
	c.exact = false
	return c
}

func (p *planner) bounds(args []Expr, upper bool) []condition {
	out := make([]condition, len(args))
	for i, a := range args {
		out[i] = p.bound(a, upper)
	}
	return out
}

func allOf(parts []condition) condition { return combine(parts, " AND ", always) }
func anyOf(parts []condition) condition { return combine(parts, " OR ", never) }

// combine joins conditions; neutral is the constant that changes nothing, and
// its opposite decides. Only an exact decision makes the whole exact.
func combine(parts []condition, operator string, neutral condition) condition {
	var kept []condition
	exact, decided := true, false
	for _, c := range parts {
		switch {
		case c.sql != "":
			kept = append(kept, c)
		case c.value != neutral.value && c.exact:
			return c
		case c.value != neutral.value:
			decided = true
		}
		exact = exact && c.exact
	}
	if decided {
		return condition{value: !neutral.value}
	}
	if len(kept) == 0 {
		return condition{value: neutral.value, exact: exact}
	}
	slices.SortStableFunc(kept, func(a, b condition) int { return a.cost - b.cost })
	whole := balance(kept, operator)
	whole.exact = exact
	return whole
}

// balance joins conditions as a balanced tree: SQLite limits the depth of an
// expression, and a chain is as deep as it is long.
func balance(parts []condition, operator string) condition {
	if len(parts) == 1 {
		return parts[0]
	}
	a, b := balance(parts[:len(parts)/2], operator), balance(parts[len(parts)/2:], operator)
	return condition{
		sql:  "(" + a.sql + operator + b.sql + ")",
		args: slices.Concat(a.args, b.args),
		cost: max(a.cost, b.cost),
	}
}

// negation is the opposite condition.
func negation(c condition) condition {
	if c.sql == "" {
		c.value = !c.value
		return c
	}
	c.sql = "NOT (" + c.sql + ")"
	return c
}
