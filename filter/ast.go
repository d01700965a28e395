package filter

import (
	"slices"

	"weir/filter/rex"
)

// Expr is one node of a parsed expression: *[And], *[Or], *[Not] or *[Leaf].
// Nodes are made by [Parse] and never change.
type Expr interface {
	// String is the canonical form of the node. It parses to an equal tree.
	String() string
	// Range is where the node stands in the text it was parsed from, in bytes.
	Range() (pos, end int)

	// need is how much of a flow the node has to see at most.
	need() Need
}

// span is a node's place in its source.
type span struct{ pos, end int }

// Range implements [Expr].
func (s span) Range() (pos, end int) { return s.pos, s.end }

// And is true if all of at least two operands are.
type And struct {
	Args []Expr
	span
	cheapFirst []Expr
}

// Or is true if any of at least two operands is.
type Or struct {
	Args []Expr
	span
	cheapFirst []Expr
}

// Not is true if its operand is not.
type Not struct {
	Arg Expr
	span
}

// Leaf is an operator with its argument.
type Leaf struct {
	Op  string // with the tilde; a bare regex is "~u"
	Arg string // in canonical form; "" also where the operator takes none
	span

	operator *operator
	// What the argument was compiled to, by the operator's kind of argument.
	pattern   *rex.Pattern
	low, high int64
	words     []string
	times     int  // of argTime: what low and high are
	utc       bool // of argTime: dates in UTC, not by the clock
	clock     Clock
}

// newAnd returns the conjunction of args, or the only one of them.
func newAnd(args []Expr) Expr {
	if len(args) == 1 {
		return args[0]
	}
	return &And{Args: args, span: cover(args), cheapFirst: cheapFirst(args)}
}

// newOr returns the disjunction of args, or the only one of them.
func newOr(args []Expr) Expr {
	if len(args) == 1 {
		return args[0]
	}
	return &Or{Args: args, span: cover(args), cheapFirst: cheapFirst(args)}
}

// cover is the place from the first node to the last.
func cover(args []Expr) span {
	pos, _ := args[0].Range()
	_, end := args[len(args)-1].Range()
	return span{pos, end}
}

// cheapFirst orders operands by what they have to read, else as written. Which
// operand is asked first does not change the answer, only what it costs.
func cheapFirst(args []Expr) []Expr {
	sorted := slices.Clone(args)
	slices.SortStableFunc(sorted, func(a, b Expr) int { return int(a.need()) - int(b.need()) })
	return sorted
}

func (e *And) need() Need { return dearest(e.Args) }
func (e *Or) need() Need  { return dearest(e.Args) }
func (e *Not) need() Need { return e.Arg.need() }

func (e *Leaf) need() Need {
	if e.operator.content != nil {
		return e.operator.content.need()
	}
	return NeedColumns
}

func dearest(args []Expr) Need {
	need := NeedColumns
	for _, a := range args {
		need = max(need, a.need())
	}
	return need
}
