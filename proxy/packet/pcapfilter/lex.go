package pcapfilter

import "strings"

// token is a word, a parenthesis or a joiner; text is "" at the end.
type token struct {
	text     string
	pos, end int
	literal  bool // it was escaped, and so is no keyword
}

const blanks = " \t\r\n"

// spellings is what else stands for a keyword.
var spellings = map[string]string{"&&": "and", "||": "or", "!": "not"}

// peek returns the next token without passing it.
func (p *parser) peek() token {
	for p.pos < len(p.src) && strings.IndexByte(blanks, p.src[p.pos]) >= 0 {
		p.pos++
	}
	rest := p.src[p.pos:]
	n := strings.IndexAny(rest, blanks+"()!&|")
	switch {
	case n < 0:
		n = len(rest)
	case n == 0 && (strings.HasPrefix(rest, "&&") || strings.HasPrefix(rest, "||")):
		n = 2
	case n == 0:
		n = 1
	}
	t := token{text: rest[:n], pos: p.pos, end: p.pos + n}
	if keyword := spellings[t.text]; keyword != "" {
		t.text = keyword
	}
	if word, escaped := strings.CutPrefix(t.text, `\`); escaped {
		t.text, t.literal = word, true
	}
	return t
}

// take passes the next token where it is one of the keywords.
func (p *parser) take(keywords ...string) (token, bool) {
	t := p.peek()
	for _, k := range keywords {
		if t.text == k && !t.literal {
			p.pos = t.end
			return t, true
		}
	}
	return t, false
}
