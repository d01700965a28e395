package content

import (
	"bytes"
	"errors"
)

// maxIndent is where nesting stops to move lines to the right, in levels, so that
// a body of brackets alone is not a square of spaces.
const maxIndent = 40

// errEnds is that the input ends inside a JSON value.
var errEnds = errors.New("input ends inside a value")

// renderJSON indents JSON (RFC 8259) by two spaces a level. Keys keep their
// order, numbers and strings their spelling. Several values one after another are
// taken (JSON lines), a byte order mark and the prefixes against script inclusion
// too; what follows the last value is shown as it is.
func renderJSON(b *Builder, in *Input) error {
	p := jsonPrinter{b: b, text: in.source()}
	p.prefix()
	for values := 0; ; values++ {
		p.space()
		if p.at == len(p.text) && values > 0 || b.Full() {
			return nil
		}
		if values > 0 && !startsValue(p.text[p.at]) {
			p.rest("after the JSON")
			return nil
		}
		mark, before := p.at, b.here()
		switch err := p.value(); {
		case errors.Is(err, errEnds) && p.at > mark:
			p.ends(in.More)
			return nil
		case errors.Is(err, errEnds):
			return &SyntaxError{Offset: p.at, Msg: "no JSON value"}
		case err != nil && values > 0:
			p.at = mark
			b.back(before)
			p.rest("after the JSON")
			return nil
		case err != nil:
			return placed(err, p.text)
		}
		b.Newline()
	}
}

// sniffJSON reports whether data begins with a JSON object or array.
func sniffJSON(data []byte) bool {
	data = bytes.TrimLeft(data[:min(len(data), 512)], " \t\r\n")
	if len(data) == 0 || data[0] != '{' && data[0] != '[' {
		return false
	}
	p := jsonPrinter{b: NewBuilder(nil), text: data}
	err := p.value()
	return err == nil && (p.at == len(data) || !printableRest(data[p.at:])) || errors.Is(err, errEnds) && p.at > 0
}

// printableRest reports whether something that is not JSON follows on the line.
func printableRest(rest []byte) bool {
	rest = bytes.TrimLeft(rest, " \t\r")
	return len(rest) > 0 && rest[0] != '\n' && !startsValue(rest[0])
}

type jsonPrinter struct {
	b     *Builder
	text  []byte
	at    int
	stack []byte // the brackets that are open
}

// prefix passes what servers put before JSON so that it is no script.
func (p *jsonPrinter) prefix() {
	for _, guard := range []string{")]}',", ")]}'", "while(1);", "for(;;);", "{}&&"} {
		if bytes.HasPrefix(p.text, []byte(guard)) {
			p.at = len(guard)
			p.b.Say(Comment, guard)
			p.b.Newline()
			return
		}
	}
}

func (p *jsonPrinter) space() {
	for p.at < len(p.text) {
		switch p.text[p.at] {
		case ' ', '\t', '\r', '\n':
			p.at++
		default:
			return
		}
	}
}

// value prints one value with all that is in it. It keeps its own stack, since
// the nesting is the sender's to choose.
func (p *jsonPrinter) value() error {
	for !p.b.Full() {
		opened, err := p.scalarOrOpen()
		if err != nil {
			return err
		}
		if opened {
			continue
		}
		if more, err := p.after(); err != nil || !more {
			return err
		}
	}
	return nil
}

// scalarOrOpen prints a scalar, an empty container, or the opening of a
// container up to where its first value stands; then opened is true.
func (p *jsonPrinter) scalarOrOpen() (opened bool, err error) {
	p.space()
	if p.at == len(p.text) {
		return false, errEnds
	}
	switch c := p.text[p.at]; c {
	case '{', '[':
		p.at++
		p.b.Say(Punct, string(c))
		p.space()
		if p.at < len(p.text) && p.text[p.at] == closing(c) {
			p.at++
			p.b.Say(Punct, string(closing(c)))
			return false, nil
		}
		p.stack = append(p.stack, c)
		p.line()
		if c == '{' {
			return true, p.key()
		}
		return true, nil
	case '"':
		return false, p.quoted(String)
	default:
		return false, p.word()
	}
}

// after prints what follows a value: a comma (then more is true), or the ends of
// the containers it closes.
func (p *jsonPrinter) after() (more bool, err error) {
	for len(p.stack) > 0 {
		p.space()
		if p.at == len(p.text) {
			return false, errEnds
		}
		top := p.stack[len(p.stack)-1]
		switch c := p.text[p.at]; c {
		case ',':
			p.at++
			p.b.Say(Punct, ",")
			p.line()
			if top == '{' {
				return true, p.key()
			}
			return true, nil
		case closing(top):
			p.at++
			p.stack = p.stack[:len(p.stack)-1]
			p.line()
			p.b.Say(Punct, string(c))
		default:
			return false, p.unexpected("a comma or " + string(closing(top)))
		}
	}
	return false, nil
}

func (p *jsonPrinter) key() error {
	p.space()
	if p.at == len(p.text) {
		return errEnds
	}
	if p.text[p.at] != '"' {
		return p.unexpected("a key in quotes")
	}
	if err := p.quoted(Key); err != nil {
		return err
	}
	p.space()
	if p.at == len(p.text) {
		return errEnds
	}
	if p.text[p.at] != ':' {
		return p.unexpected("a colon")
	}
	p.at++
	p.b.Say(Punct, ":")
	p.b.Say(Plain, " ")
	return nil
}

// quoted prints a string as it is spelled.
func (p *jsonPrinter) quoted(kind Kind) error {
	for i := p.at + 1; i < len(p.text); i++ {
		switch p.text[i] {
		case '\\':
			i++
		case '\n':
			p.at = i
			return p.unexpected("the end of the string")
		case '"':
			p.b.Put(kind, p.text[p.at:i+1])
			p.at = i + 1
			return nil
		}
	}
	p.b.Put(kind, p.text[p.at:])
	p.at = len(p.text)
	return errEnds
}

// word prints a number or one of the three names.
func (p *jsonPrinter) word() error {
	end := p.at
	for end < len(p.text) && wordByte(p.text[end]) {
		end++
	}
	word := p.text[p.at:end]
	kind, whole := Number, number(word)
	switch string(word) {
	case "true", "false", "null":
		kind, whole = Keyword, true
	}
	if whole {
		p.b.Put(kind, word)
		p.at = end
		return nil
	}
	if end == len(p.text) && len(word) > 0 && unfinished(word) {
		p.b.Put(Plain, word)
		p.at = end
		return errEnds
	}
	return p.unexpected("a value")
}

func (p *jsonPrinter) line() {
	const spaces = "                                                                                "
	p.b.Newline()
	p.b.At(int64(p.at))
	p.b.Say(Plain, spaces[:2*min(len(p.stack), maxIndent)])
}

func (p *jsonPrinter) unexpected(want string) error {
	return &SyntaxError{Offset: p.at, Msg: "expected " + want}
}

// ends remarks that the value goes on where the input does not.
func (p *jsonPrinter) ends(more bool) {
	if more {
		return
	}
	p.b.Newline()
	p.b.Say(Fault, "the body ends here, inside a value")
	p.b.Newline()
}

// rest shows what is left as it is.
func (p *jsonPrinter) rest(where string) {
	p.b.Say(Fault, plural(len(p.text)-p.at, "byte")+" "+where+":")
	p.b.Newline()
	putLines(p.b, Plain, p.text[p.at:])
}

func closing(open byte) byte {
	if open == '{' {
		return '}'
	}
	return ']'
}

func startsValue(c byte) bool {
	return c == '{' || c == '[' || c == '"' || wordByte(c)
}

func wordByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '+' || c == '.'
}

// unfinished reports whether the word could be the beginning of a value.
func unfinished(word []byte) bool {
	for _, name := range []string{"true", "false", "null"} {
		if bytes.HasPrefix([]byte(name), word) {
			return true
		}
	}
	return number(append(bytes.Clone(word), '0'))
}

// number reports whether the word is a number by RFC 8259, section 6.
func number(word []byte) bool {
	word = bytes.TrimPrefix(word, []byte{'-'})
	whole, word := digits(word)
	if whole == 0 {
		return false
	}
	if len(word) > 0 && word[0] == '.' {
		n, rest := digits(word[1:])
		if n == 0 {
			return false
		}
		word = rest
	}
	if len(word) > 0 && (word[0] == 'e' || word[0] == 'E') {
		word = word[1:]
		if len(word) > 0 && (word[0] == '-' || word[0] == '+') {
			word = word[1:]
		}
		n, rest := digits(word)
		return n > 0 && len(rest) == 0
	}
	return len(word) == 0
}

func digits(p []byte) (n int, rest []byte) {
	for n < len(p) && p[n] >= '0' && p[n] <= '9' {
		n++
	}
	return n, p[n:]
}
