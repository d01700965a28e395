package pcapfilter

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
)

// The limits of an expression, far above what people write.
const (
	maxLength  = 8 << 10 // bytes
	maxNesting = 100
)

// Resolver looks names up; a *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
	LookupPort(ctx context.Context, network, service string) (int, error)
}

// Filter says which packets are wanted. A nil Filter wants all.
type Filter struct {
	src  string
	tree node
}

// String is the filter as it was written.
func (f *Filter) String() string {
	if f == nil {
		return ""
	}
	return f.src
}

// Parse reads an expression; a blank one is a nil Filter. Names are looked up with r.
// Errors are of type *[Error].
func Parse(ctx context.Context, src string, r Resolver) (*Filter, error) {
	p := &parser{src: src, resolver: r}
	if len(src) > maxLength {
		return nil, p.fail(token{pos: maxLength, end: len(src)}, fmt.Sprintf("the expression has %d bytes, the limit is %d", len(src), maxLength), "")
	}
	if strings.Trim(src, blanks) == "" {
		return nil, nil
	}
	tree, err := p.sequence(ctx)
	if t := p.peek(); err == nil && t.pos < len(src) {
		err = p.unexpected(t)
	}
	if err != nil {
		return nil, err
	}
	return &Filter{src: strings.Trim(src, blanks), tree: tree}, nil
}

// parser reads by recursive descent:
//
//	sequence  = operand { ( "and" | "or" ) operand }      from the left
//	operand   = "not" operand | "(" sequence ")" | primitive
//	primitive = [ protocol ] [ direction ] [ type ] value | "ip" | "vlan" [ number ] | …
//	value     = word | "not" value | "(" values ")"
type parser struct {
	src      string
	pos      int
	nesting  int
	resolver Resolver
	said     qualifiers // of the last value, which the next has unless it has its own
}

// fail makes the error about a token.
func (p *parser) fail(t token, msg, hint string) *Error {
	return &Error{Src: p.src, Pos: t.pos, End: t.end, Msg: msg, Hint: hint}
}

// unexpected is the error about a token where something else belongs.
func (p *parser) unexpected(t token) *Error {
	switch {
	case t.pos == len(p.src):
		return p.fail(t, "something is missing here", "for example: tcp port 80")
	case t.text == ")":
		return p.fail(t, "unexpected )", "add a ( before it")
	case strings.ContainsAny(t.text, "[]<>=&|+*"):
		return p.fail(t, "comparisons of bytes are not understood", "weir shows what packets amount to: capture more, and choose among the flows with --filter")
	}
	return p.fail(t, fmt.Sprintf("%q is not expected here", t.text), `put "and" or "or" between two conditions`)
}

func (p *parser) sequence(ctx context.Context) (node, *Error) {
	left, err := p.operand(ctx)
	for err == nil {
		joiner, ok := p.take("and", "or")
		if !ok {
			return left, nil
		}
		var right node
		right, err = p.operand(ctx)
		left = joined{joiner.text == "and", left, right}
	}
	return nil, err
}

// inside reads what stands in parentheses or behind "not", with a limit on how deep.
func (p *parser) inside(ctx context.Context, t token, read func(context.Context) (node, *Error)) (node, *Error) {
	if p.nesting++; p.nesting > maxNesting {
		return nil, p.fail(t, fmt.Sprintf("nested more than %d deep", maxNesting), "")
	}
	defer func() { p.nesting-- }()
	n, err := read(ctx)
	if err != nil {
		return nil, err
	}
	if t.text == "not" {
		return not{n}, nil
	}
	if _, ok := p.take(")"); !ok {
		if end := p.peek(); end.pos < len(p.src) {
			return nil, p.unexpected(end)
		}
		return nil, p.fail(t, "the ( is not closed", "add a )")
	}
	return n, nil
}

func (p *parser) operand(ctx context.Context) (node, *Error) {
	if t, ok := p.take("not"); ok {
		return p.inside(ctx, t, p.operand)
	}
	if t, ok := p.take("("); ok {
		return p.inside(ctx, t, p.sequence)
	}
	return p.primitive(ctx)
}
