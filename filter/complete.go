package filter

import (
	"slices"
	"strings"
)

// Values returns texts that an operator's argument may be, best first: for "~d"
// the hosts of the session, for example. They should go with prefix, which is
// what of the argument stands before the cursor. nil means that nothing is known.
type Values func(op, prefix string) []string

// Completion is what may be written at a place in an expression.
type Completion struct {
	// Pos and End are the byte offsets of what an item replaces.
	Pos, End int
	Items    []Item
}

// Item is one way to complete.
type Item struct {
	// Text is what is put in: quoted where it must be, and with a blank after an
	// operator that takes an argument.
	Text string
	Help string // what it means, "" for values that speak for themselves
}

// Complete lists what may be written at the byte offset cursor of src, which
// need not be an expression yet. values may be nil. A cursor outside src is
// taken for its end.
func Complete(src string, cursor int, values Values) Completion {
	if cursor < 0 || cursor > len(src) {
		cursor = len(src)
	}
	l := lexer{src: src[:cursor]}
	for {
		t, err := l.operand()
		switch {
		case err != nil:
			return complete(src, cursor, err.Pos, bare(), values)
		case t.kind == tokenEnd:
			return Completion{Pos: cursor, End: cursor, Items: names("~")}
		case t.kind == tokenOperator && t.end == cursor:
			end := cursor + nameLength(src[cursor:])
			return Completion{Pos: t.pos, End: end, Items: names(t.text)}
		case t.kind == tokenOperator:
			if op := lookup(t.text[1:]); op != nil && op.arg != argNone {
				arg, err := l.argument(special)
				if err != nil || arg.end == cursor && arg.kind != tokenQuoted {
					return complete(src, cursor, place(arg, err), op, values)
				}
			}
		case t.kind == tokenWord && t.end == cursor:
			return complete(src, cursor, t.pos, bare(), values)
		}
		if t.kind != tokenNot && t.kind != tokenOpen {
			l.joiner()
		}
	}
}

// place is where an argument begins, also one whose quote is not closed yet.
func place(arg token, err *Error) int {
	if err != nil {
		return err.Pos
	}
	return arg.pos
}

// complete lists arguments of the operator op; the argument begins at pos.
func complete(src string, cursor, pos int, op *operator, values Values) Completion {
	prefix := strings.TrimLeft(src[pos:cursor], `"'`)
	c := Completion{Pos: pos, End: cursor + run(src[cursor:], special)}
	for _, choice := range op.choices {
		if name := choice.names[0]; strings.HasPrefix(name, strings.ToLower(prefix)) {
			c.Items = append(c.Items, Item{Text: name, Help: choice.help})
		}
	}
	if values != nil {
		for _, v := range values("~"+op.name, prefix) {
			c.Items = append(c.Items, Item{Text: quote(v)})
		}
	}
	if len(c.Items) == 0 {
		for _, v := range op.suggest {
			if len(v) >= len(prefix) && foldEqual(v[:len(prefix)], prefix) {
				c.Items = append(c.Items, Item{Text: quote(v)})
			}
		}
	}
	return c
}

// names lists the operators that begin with prefix, tilde included: the one whose
// name it is already first, the others in the order of the table.
func names(prefix string) []Item {
	var items []Item
	for _, op := range operators {
		name := "~" + op.name
		if !strings.HasPrefix(name, prefix) {
			continue
		}
		item := Item{Text: name, Help: op.help}
		if op.arg != argNone {
			item.Text += " "
		}
		if name == prefix {
			items = slices.Insert(items, 0, item)
		} else {
			items = append(items, item)
		}
	}
	return items
}
