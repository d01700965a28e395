package stream

import (
	"bytes"
	"regexp"
	"strings"
)

// Needle is what a search looks for. It is immutable.
type Needle struct {
	// Re matches it, in any text.
	Re *regexp.Regexp
	// literal is the text in lower case where it is ASCII and nothing but itself:
	// bytes are then searched for it many times faster than by Re.
	literal []byte
	at      int // the byte of literal to look for first, the rarest
}

// NewNeedle takes the text as it is, or as a regular expression if it is one,
// whatever the case: "a.b(c" finds itself, "5\d\d" finds numbers.
func NewNeedle(text string) *Needle {
	quoted := regexp.QuoteMeta(text)
	if quoted != text {
		if re, err := regexp.Compile("(?i)(?:" + quoted + "|" + text + ")"); err == nil {
			return &Needle{Re: re}
		}
	}
	n := &Needle{Re: regexp.MustCompile("(?i)" + quoted)}
	for i := range len(text) {
		// k and s have a third case in Unicode, which only Re knows.
		if c := text[i]; c >= 0x80 || c == 'k' || c == 's' || c == 'K' || c == 'S' {
			return n
		}
	}
	n.literal = []byte(strings.ToLower(text))
	for i, c := range n.literal {
		if rarity(c) > rarity(n.literal[n.at]) {
			n.at = i
		}
	}
	return n
}

// Index returns the first match that is not empty, start < 0 for none.
func (n *Needle) Index(p []byte) (start, end int) {
	if n.literal == nil {
		for from := 0; from < len(p); {
			m := n.Re.FindIndex(p[from:])
			if m == nil {
				break
			}
			if m[1] > m[0] {
				return from + m[0], from + m[1]
			}
			from += m[1] + 1
		}
		return -1, -1
	}
	for from := n.at; from < len(p); from++ {
		i := indexFold(p[from:], n.literal[n.at])
		if i < 0 {
			break
		}
		from += i
		start, end := from-n.at, from-n.at+len(n.literal)
		if end > len(p) {
			break
		}
		if bytes.EqualFold(p[start:end], n.literal) {
			return start, end
		}
	}
	return -1, -1
}

// indexFold finds a byte that is lower case, in either case.
func indexFold(p []byte, c byte) int {
	if c < 'a' || c > 'z' {
		return bytes.IndexByte(p, c)
	}
	// In pieces, so that the case that is rare is not looked for far ahead again
	// and again.
	const piece = 1 << 10
	for at := 0; at < len(p); at += piece {
		part := p[at:min(len(p), at+piece)]
		lower := bytes.IndexByte(part, c)
		if lower >= 0 {
			part = part[:lower]
		}
		if upper := bytes.IndexByte(part, c-'a'+'A'); upper >= 0 {
			return at + upper
		}
		if lower >= 0 {
			return at + lower
		}
	}
	return -1
}

// rarity orders the bytes of a literal by how seldom they are in what HTTP carries.
func rarity(c byte) int {
	const common = ` etaoinrshdlcum0123",:.-_/fpgwybv`
	if i := strings.IndexByte(common, c); i >= 0 {
		return i
	}
	return len(common)
}
