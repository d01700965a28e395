package filter

import (
	"errors"
	"fmt"
	"strings"

	"weir/filter/rex"
)

// The limits of an expression. They are far above what people write; they keep
// what machines write from exhausting the stack, here and in SQL. An expression that is
// nearly as long as the limit may print itself as a longer text, with all its quotes,
// escapes and operators, and that is then refused.
const (
	MaxLength  = 8 << 10 // bytes
	MaxNesting = 100     // parentheses and ! around one operand
)

// Parse reads an expression. An empty or blank one is no filter: the Expr is nil,
// and so is the error. Errors are of type *[Error].
func Parse(src string) (Expr, error) {
	p := parser{lexer: lexer{src: src}}
	if len(src) > MaxLength {
		return nil, p.fail(MaxLength, len(src), fmt.Sprintf("the expression has %d bytes, the limit is %d", len(src), MaxLength), "")
	}
	if n := strings.IndexByte(src, 0); n >= 0 {
		return nil, p.fail(n, n+1, "a NUL byte cannot be part of an expression", `write \x00`)
	}
	if strings.Trim(src, blanks) == "" {
		return nil, nil
	}
	e, err := p.implicit()
	if err == nil && p.pos < len(src) {
		err = p.fail(p.pos, p.pos+1, "unexpected )", "add a ( before it, or quote it")
	}
	if err != nil {
		return nil, err
	}
	return e, nil
}

// parser reads by recursive descent, one method a level of binding:
//
//	implicit = either { either }                weakest
//	either   = both { ( "|" | "||" ) both }
//	both     = negated { ( "&" | "&&" ) negated }
//	negated  = "!" negated | "(" implicit ")" | operator [ argument ] | regex
type parser struct {
	lexer
	nesting int
}

// fail makes the error for the bytes from pos to end.
func (p *parser) fail(pos, end int, msg, hint string) *Error {
	return &Error{Src: p.src, Pos: pos, End: end, Msg: msg, Hint: hint}
}

func (p *parser) implicit() (Expr, *Error) {
	var args []Expr
	for {
		e, err := p.either()
		if err != nil {
			return nil, err
		}
		args = append(args, e)
		if p.skip(); p.pos == len(p.src) || p.src[p.pos] == ')' {
			return newAnd(args), nil
		}
	}
}

func (p *parser) either() (Expr, *Error) { return p.joined(tokenOr, p.both, newOr) }
func (p *parser) both() (Expr, *Error)   { return p.joined(tokenAnd, p.negated, newAnd) }

// joined reads operands with the joiner of one kind between them.
func (p *parser) joined(kind tokenKind, operand func() (Expr, *Error), build func([]Expr) Expr) (Expr, *Error) {
	var args []Expr
	for {
		e, err := operand()
		if err != nil {
			return nil, err
		}
		args = append(args, e)
		before := p.pos
		if t, ok := p.joiner(); !ok || t.kind != kind {
			p.pos = before
			return build(args), nil
		}
	}
}

func (p *parser) negated() (Expr, *Error) {
	t, err := p.operand()
	if err != nil {
		return nil, err
	}
	switch t.kind {
	case tokenNot:
		return p.not(t)
	case tokenOpen:
		return p.group(t)
	case tokenOperator:
		return p.leaf(t)
	case tokenWord, tokenQuoted:
		if t.text != "" && t.text[0] == '?' && t.pos > 0 && p.src[t.pos-1] == '(' {
			return nil, p.groupText(t)
		}
		return p.compile(bare(), token{pos: t.pos, end: t.pos}, t)
	default:
		return nil, p.noOperand(t)
	}
}

// noOperand says what is wrong with a token that begins no operand.
func (p *parser) noOperand(t token) *Error {
	// last is the operators and parentheses that stand right before.
	before := strings.TrimRight(p.src[:t.pos], blanks)
	last := before[len(strings.TrimRight(before, joiners+"!(")):]
	switch {
	case t.kind == tokenAnd || t.kind == tokenOr:
		end := t.pos + run(p.src[t.pos:], special)
		return p.fail(t.pos, end, "expected an operand before "+t.text,
			"to search for the text itself, quote it: "+quote(p.src[t.pos:end]))
	case strings.HasSuffix(last, "("):
		return p.fail(len(before)-1, t.end, "expected an operand between the parentheses", "")
	case last != "":
		last = last[strings.LastIndexAny(last, "(!")+1:]
		if last == "" {
			last = "!"
		}
		return p.fail(len(before)-len(last), t.end, "expected an operand after "+last,
			"write what it applies to, or quote it to search for the text itself")
	case t.kind == tokenClose:
		return p.fail(t.pos, t.end, "unexpected )", "add a ( before it, or quote it")
	}
	return p.fail(t.pos, t.end, "expected an operand", "")
}

// groupText refuses a word that begins as the inside of a regex's group does.
func (p *parser) groupText(t token) *Error {
	var broken *rex.Error
	if _, err := rex.Compile("("+t.text, rex.Options{}); errors.As(err, &broken) && broken.Unsupported {
		return p.fail(t.pos-1, t.pos-1+broken.End, broken.Msg, broken.Hint)
	}
	return p.fail(t.pos-1, t.pos+1, "an unquoted ( is no part of a regex", `quote the whole regex: "foo(?:bar)"`)
}

func (p *parser) not(t token) (Expr, *Error) {
	if err := p.enter(t); err != nil {
		return nil, err
	}
	e, err := p.negated()
	if err != nil {
		return nil, err
	}
	p.nesting--
	_, end := e.Range()
	return &Not{Arg: e, span: span{t.pos, end}}, nil
}

// group reads what stands in parentheses. They are no node: the place of what
// they hold does not include them.
func (p *parser) group(t token) (Expr, *Error) {
	if err := p.enter(t); err != nil {
		return nil, err
	}
	e, err := p.implicit()
	if err != nil {
		return nil, err
	}
	if p.pos == len(p.src) {
		return nil, p.fail(t.pos, t.end, "the ( is not closed", "add a ), or quote the text that it is part of")
	}
	p.pos++
	p.nesting--
	return e, nil
}

// enter counts one more level of nesting.
func (p *parser) enter(t token) *Error {
	if p.nesting++; p.nesting > MaxNesting {
		return p.fail(t.pos, t.end, fmt.Sprintf("nested more than %d deep", MaxNesting), "")
	}
	return nil
}

// leaf reads the argument of the operator t.
func (p *parser) leaf(t token) (Expr, *Error) {
	op := lookup(t.text[1:])
	if op == nil {
		return nil, p.unknown(t)
	}
	if op.arg == argNone {
		return p.compile(op, t, token{pos: t.pos, end: t.end})
	}
	stops := special
	if op.arg.compares() {
		stops += joiners
	}
	arg, err := p.argument(stops)
	if err != nil {
		return nil, err
	}
	if arg.kind == tokenWord && op.arg.compares() && strings.Trim(arg.text, "<>=") == "" {
		arg = p.spaced(arg, stops)
	}
	if arg.kind == tokenEnd || arg.kind == tokenWord && strings.Trim(arg.text, joiners) == "" {
		hint := "write it as in: " + op.example
		if p.pos < len(p.src) && strings.IndexByte("()~", p.src[p.pos]) >= 0 {
			hint = `quote an argument that contains ( ) or ~: ` + t.text + ` "(a)"`
		}
		return nil, p.fail(t.pos, t.end, t.text+" needs "+op.arg.describe(), hint)
	}
	return p.compile(op, t, arg)
}

// spaced joins a comparison sign with the number that stands apart from it.
func (p *parser) spaced(sign token, stops string) token {
	before := p.pos
	number, err := p.argument(stops)
	if err != nil || number.kind != tokenWord {
		p.pos = before
		return sign
	}
	return token{kind: tokenWord, pos: sign.pos, end: number.end, text: sign.text + number.text}
}

// unknown says that there is no operator of that name, and which one is near.
func (p *parser) unknown(t token) *Error {
	name := t.text[1:]
	if name == "" {
		return p.fail(t.pos, t.end, "expected the name of an operator after ~", `quote the text to search for it: "~"`)
	}
	letters := run(name, "0123456789<>=-.,:;!/\\*+?^$[]{}#%@_`")
	if op := lookup(name[:letters]); op != nil && letters < len(name) {
		return p.fail(t.pos, t.end, "unknown operator "+t.text, "put a blank between: ~"+op.name+" "+name[letters:])
	}
	return p.fail(t.pos, t.end, "unknown operator "+t.text, "did you mean ~"+nearest(name)+"?")
}

// compile makes the leaf of an operator and its argument.
func (p *parser) compile(op *operator, t, arg token) (Expr, *Error) {
	leaf := &Leaf{Op: "~" + op.name, span: span{t.pos, arg.end}, operator: op}
	err := op.arg.read(leaf, arg.text)
	var broken *rex.Error
	switch {
	case err == nil:
		return leaf, nil
	case errors.As(err, &broken):
		return nil, p.fail(p.place(arg, broken.Pos), p.place(arg, broken.End), broken.Msg, broken.Hint)
	default:
		return nil, p.fail(arg.pos, arg.end, err.Error(), "write it as in: "+op.example)
	}
}
