package filter

// Need is how much of a flow a filter has to read. Each level includes the ones
// before it.
type Need uint8

// The levels of [Need].
const (
	NeedColumns Need = iota // the flow's columns and its note
	NeedHead                // the flow's head, which is decoded for it
	NeedBody                // bodies and messages
)

// String is the level in one word: "columns", "heads", "bodies".
func (n Need) String() string {
	switch n {
	case NeedColumns:
		return "columns"
	case NeedHead:
		return "heads"
	default:
		return "bodies"
	}
}

// Plan says how an expression runs over the flow table of a session.
type Plan struct {
	// Where is an SQL condition over `flow f` and the table note; "" for every row.
	// It is true for every row that matches, and never NULL.
	Where string
	// Args are the values of its ? placeholders: int64, string, [PlanToken] or [PlanSession].
	Args []any
	// Exact means that Where alone decides. If not, each row that it lets through
	// must also pass [Match].
	Exact bool
	// Needs is what Match has to read for the rows that Where lets through.
	Needs Need
	// Patterns are what Where calls, by their index and with these functions:
	//
	//   - weir_match(?, i, text) says whether pattern i matches the text.
	//   - weir_known(?, i, number) says the same of what the number stands for, in the
	//     column it comes from; NULL if it has not been told yet by
	//   - weir_learn(?, i, number, text), which answers too. The text may be an integer,
	//     for its digits, or NULL, for "".
	//   - weir_known_url(?, i, kind, site, path) says it of a URL; NULL if it does not
	//     know the site yet, which it is told by
	//   - weir_learn_url(?, i, kind, site, path, scheme, host, port, authority).
	//
	// Knowing nothing is always right, only slow. The functions have to see whole
	// texts: the driver cuts arguments at a NUL byte unless they are volatile.
	Patterns []Pattern
	// Prefilter tells from raw bodies which flows cannot match, nil if nothing does.
	Prefilter *Prefilter
	// Expr is what was planned, nil for no filter.
	Expr Expr
}

// Pattern is one test of a text that SQL cannot do itself.
type Pattern struct {
	// Match is safe for concurrent use and does not keep the text.
	Match func(string) bool
	// Begins reports whether Match is true of every text that begins with head. It
	// may say no where that is hard to tell; nil always says no.
	Begins func(head string) bool
}

// PlanToken stands in [Plan.Args] where the caller puts the integer under which
// it registered the plan's patterns.
type PlanToken struct{}

// PlanSession stands in [Plan.Args] where the caller puts the name of the session
// that the plan runs over: its file's, without [SessionSuffix].
type PlanSession struct{}

// NewPlan plans e; a nil Expr lets every row through.
func NewPlan(e Expr) *Plan {
	if e == nil {
		return &Plan{Exact: true}
	}
	var p planner
	c := p.bound(e, true)
	plan := &Plan{Where: c.sql, Args: c.args, Exact: c.exact, Patterns: p.patterns, Expr: e}
	if c.sql == "" && !c.value {
		plan.Where, plan.Exact = "0", true
	}
	if !plan.Exact {
		plan.Needs = e.need()
		plan.Prefilter = prefilter(e)
	}
	return plan
}
