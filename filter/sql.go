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

// add takes a pattern in and returns the first two arguments of the functions
// that it is called by.
func (p *planner) add(pattern Pattern) string {
	p.patterns = append(p.patterns, pattern)
	return "?, " + itoa(int64(len(p.patterns)-1))
}

// matches is the condition that the column matches the pattern.
func (p *planner) matches(column string, pattern Pattern) condition {
	c := plain("weir_match("+p.add(pattern)+", "+column+")", PlanToken{})
	c.cost = costPattern
	return c
}

// reference is a value that the flow table holds the number of, for few flows
// have one of their own.
type reference struct {
	column string // of the flow table
	value  string // SQL for what it stands for; NULL for nothing
}

// termOf is a text of its own, in the table term.
func termOf(column string) reference {
	return reference{"f." + column, "(SELECT t.text FROM term t WHERE t.id = f." + column + ")"}
}

// siteOf is a column of the table site.
func siteOf(column string) reference {
	return reference{"f.site", "(SELECT s." + column + " FROM site s WHERE s.id = f.site)"}
}

// refers is the condition that match accepts what the reference stands for, a
// number as its digits. SQLite evaluates the second argument of coalesce only
// where the first is NULL: once for each number.
func (p *planner) refers(r reference, match func(string) bool) condition {
	pattern := p.add(Pattern{Match: match})
	c := plain("coalesce(weir_known("+pattern+", "+r.column+"), weir_learn("+pattern+", "+r.column+", "+r.value+"))",
		PlanToken{}, PlanToken{})
	c.cost = costMemo
	return c
}

// recorded is the condition that match accepts the name of the session that recorded
// the flow. Where no flow was copied from another session that is asked once; else once
// for each session that some were copied from.
func (p *planner) recorded(match func(name string) bool) condition {
	const from = " FROM origin o JOIN source s ON s.id = o.source WHERE o.flow = f.id)"
	pattern := p.add(Pattern{Match: match})
	number, name := "(SELECT o.source"+from, "(SELECT "+sourceName+from
	c := plain("CASE WHEN EXISTS (SELECT 1 FROM origin) THEN coalesce("+
		"weir_known("+pattern+", ifnull("+number+", 0)), weir_learn("+pattern+", ifnull("+number+", 0), ifnull("+name+", ?)))"+
		" ELSE (SELECT weir_match("+pattern+", ?)) END",
		PlanToken{}, PlanToken{}, PlanSession{}, PlanToken{}, PlanSession{})
	c.cost = costMemo
	return c
}

// url is the condition that the flow's URL matches the pattern. It is made of the
// kind, the site and the path; of the site only where that is not known yet.
func (p *planner) url(pattern Pattern) condition {
	args := p.add(pattern) + ", f.kind, f.site, f.path"
	site := ""
	for _, column := range []string{"scheme", "host", "port", "authority"} {
		site += ", " + siteOf(column).value
	}
	c := plain("coalesce(weir_known_url("+args+"), weir_learn_url("+args+site+"))", PlanToken{}, PlanToken{})
	c.cost = costPattern
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

// leaf is the bound of a condition. Of what only the content decides, columns know
// which flows have such content.
func (p *planner) leaf(e *Leaf, upper bool) condition {
	if e.operator.column != nil {
		return e.operator.column.where(e, p)
	}
	if !upper {
		return condition{value: false}
	}
	c := e.operator.content.may()
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
