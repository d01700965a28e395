package filter

import (
	"fmt"
	"strings"
)

// Explanation is an expression taken apart, as "weir filter explain" shows it.
// Its JSON form is a contract.
type Explanation struct {
	Canonical string      `json:"canonical"`
	AST       *Tree       `json:"ast"` // null for no filter
	Plan      PlanOutline `json:"plan"`
}

// Tree is one node: "and", "or", "not" with Args, or an operator with its Arg.
type Tree struct {
	Op   string  `json:"op"`
	Arg  *string `json:"arg,omitempty"` // nil where the operator takes none
	Args []*Tree `json:"args,omitempty"`
}

// PlanOutline is a [Plan] for people.
type PlanOutline struct {
	Where string `json:"where"` // the SQL condition, "" for every row
	Args  []any  `json:"args"`  // of its placeholders; "plan" is a [PlanToken], "session" a [PlanSession]
	Exact bool   `json:"exact"` // the condition alone decides
	Reads string `json:"reads"` // what else is read: "columns" (nothing), "heads", "bodies"
}

// Explain takes e apart; nil is no filter.
func Explain(e Expr) Explanation {
	p := NewPlan(e)
	x := Explanation{Plan: PlanOutline{Where: p.Where, Args: []any{}, Exact: p.Exact, Reads: p.Needs.String()}}
	for _, a := range p.Args {
		switch a.(type) {
		case PlanToken:
			a = "plan"
		case PlanSession:
			a = "session"
		}
		x.Plan.Args = append(x.Plan.Args, a)
	}
	if e != nil {
		x.Canonical, x.AST = e.String(), tree(e)
	}
	return x
}

func tree(e Expr) *Tree {
	switch e := e.(type) {
	case *And:
		return &Tree{Op: "and", Args: trees(e.Args)}
	case *Or:
		return &Tree{Op: "or", Args: trees(e.Args)}
	case *Not:
		return &Tree{Op: "not", Args: trees([]Expr{e.Arg})}
	case *Leaf:
		if e.operator.arg == argNone {
			return &Tree{Op: e.Op}
		}
		return &Tree{Op: e.Op, Arg: &e.Arg}
	}
	return nil
}

func trees(args []Expr) []*Tree {
	out := make([]*Tree, len(args))
	for i, a := range args {
		out[i] = tree(a)
	}
	return out
}

// String is the tree as an outline, a node a line.
func (t *Tree) String() string {
	var b strings.Builder
	t.draw(&b, "", "")
	return b.String()
}

// draw writes t and what is below it; first leads its own line, rest the others.
func (t *Tree) draw(b *strings.Builder, first, rest string) {
	b.WriteString(first + t.Op)
	if t.Arg != nil {
		b.WriteString(" " + quote(*t.Arg))
	}
	b.WriteByte('\n')
	for i, a := range t.Args {
		if i < len(t.Args)-1 {
			a.draw(b, rest+"├─ ", rest+"│  ")
		} else {
			a.draw(b, rest+"└─ ", rest+"   ")
		}
	}
}

// String is the explanation as lines of text.
func (x Explanation) String() string {
	if x.AST == nil {
		return "no filter: every flow\n"
	}
	where := x.Plan.Where
	if where == "" {
		where = "every flow"
	}
	how := "columns alone decide"
	if !x.Plan.Exact {
		how = "what the columns leave open is decided by reading " + x.Plan.Reads
	}
	return fmt.Sprintf("%s\n\n%s\n%s\nsql: %s\n", x.Canonical, x.AST, how, where)
}
