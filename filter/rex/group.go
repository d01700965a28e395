package rex

import "strings"

// extension is a group that begins with its text.
type extension struct {
	text string
	what string // what to call it when refusing it
	hint string
}

// extensions is the groups that Python has and Go has not. Longer texts come
// before the texts they begin with.
var extensions = []extension{
	{"(?<=", "look-behind", "match what comes before as part of the pattern"},
	{"(?<!", "look-behind", "write two conditions: `~u foo & !~u barfoo`"},
	{"(?=", "look-ahead", "match what follows as part of the pattern"},
	{"(?!", "look-ahead", "write two conditions: `~u foo & !~u foobar`"},
	{"(?P=", "a back-reference", ""},
	{"(?>", "an atomic group", "write (?: instead"},
	{"(?(", "a conditional group", ""},
}

// group rewrites what opens a group, and whole comments.
func (t *translator) group() error {
	rest := t.src[t.pos:]
	for _, x := range extensions {
		if strings.HasPrefix(rest, x.text) {
			return t.refuse(t.pos, t.pos+len(x.text), x.what, x.hint)
		}
	}
	switch {
	case strings.HasPrefix(rest, "(?#"):
		end := strings.IndexByte(rest, ')')
		if end < 0 {
			return &Error{Pos: t.pos, End: len(t.src), Msg: "the comment has no end", Hint: "add a )"}
		}
		t.pos += end + 1
	case strings.HasPrefix(rest, "(?P<"), strings.HasPrefix(rest, "(?<"):
		end := strings.IndexByte(rest, '>')
		if end < 0 {
			return &Error{Pos: t.pos, End: len(t.src), Msg: "the group's name has no end", Hint: "add a >"}
		}
		t.out.WriteString(rest[:end+1])
		t.pos += end + 1
	case strings.HasPrefix(rest, "(?"):
		return t.flags()
	default:
		t.out.WriteByte('(')
		t.pos++
	}
	return nil
}

// flags rewrites (?ims), (?ims-ims: and (?:, leaving out u, which is how text
// patterns work anyway.
func (t *translator) flags() error {
	start := t.pos
	var kept strings.Builder
	for t.pos += len("(?"); t.pos < len(t.src); t.pos++ {
		switch c := t.src[t.pos]; c {
		case 'i', 'm', 's', '-':
			kept.WriteByte(c)
		case 'u':
		case 'a', 'x', 'L':
			return t.refuse(t.pos, t.pos+1, "the flag "+string(c), "")
		case ')':
			t.pos++
			if kept.Len() > 0 {
				t.out.WriteString("(?" + kept.String() + ")")
			}
			return nil
		case ':':
			t.pos++
			t.out.WriteString("(?" + kept.String() + ":")
			return nil
		default:
			return &Error{Pos: start, End: t.pos + 1, Msg: "unknown group " + t.src[start:t.pos] + string(c), Hint: "a group begins with ( or (?:"}
		}
	}
	return &Error{Pos: start, End: len(t.src), Msg: "the group has no end", Hint: "add a )"}
}
