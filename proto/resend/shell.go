package resend

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// shellQuote makes s one word of a POSIX shell. Control characters go through
// printf, so that nothing pasted into a terminal acts on it. No word can hold a
// NUL, and $() takes line feeds off the end: that is for the caller to mind.
func shellQuote(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=@%+,", r)
	}
	switch {
	case s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0:
		return s
	case printable(s):
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	default:
		return `"$(printf '` + printfFormat(s) + `')"`
	}
}

// printable reports whether s is text that can stand in single quotes: no control
// character but the line feed.
func printable(s string) bool {
	control := func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f || r >= 0x80 && r < 0xa0 }
	return utf8.ValidString(s) && strings.IndexFunc(s, control) < 0
}

// printfFormat is the format, to stand in single quotes, with which printf prints
// exactly s. A '-' in front would be an option.
func printfFormat(s string) string {
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\\' || c == '%' || c == '\'' || c < ' ' || c >= 0x7f || i == 0 && c == '-':
			fmt.Fprintf(&b, `\%03o`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
