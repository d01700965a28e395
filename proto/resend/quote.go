package resend

import (
	"fmt"
	"strconv"
	"strings"
)

// quoteBytes is s in double quotes, as Python's bytes and strings of Latin-1 and
// JavaScript's strings have it: what is not printable ASCII as \xNN.
func quoteBytes(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c < ' ' || c >= 0x7f:
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// quoteGo is s as a string of Go.
func quoteGo(s string) string { return strconv.QuoteToASCII(s) }

// quotePowerShell is s as an expression of PowerShell, in single quotes: a quote in
// them is doubled, and characters that are no printable ASCII (PowerShell takes some of
// them for quotes) come between strings, by their numbers.
func quotePowerShell(s string) string {
	if s == "" {
		return "''"
	}
	var parts []string
	for s != "" {
		n := strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r >= 0x7f })
		if n < 0 {
			n = len(s)
		}
		if n > 0 {
			parts = append(parts, "'"+strings.ReplaceAll(s[:n], "'", "''")+"'")
			s = s[n:]
			continue
		}
		parts = append(parts, fmt.Sprintf("[char]%d", s[0]))
		s = s[1:]
	}
	if len(parts) == 1 && strings.HasPrefix(parts[0], "'") {
		return parts[0]
	}
	if !strings.HasPrefix(parts[0], "'") {
		parts = append([]string{"''"}, parts...) // so that it is a string that is added to
	}
	return "(" + strings.Join(parts, " + ") + ")"
}
