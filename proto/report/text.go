package report

import (
	"strings"
	"unicode"
)

// plain is text without what could act on who shows it: control and formatting
// characters, line feeds and tabs excepted.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r == '\r':
			return -1
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029':
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// longest is the longest run of backquotes in s.
func longest(s string) (most int) {
	n := 0
	for _, c := range s {
		if c != '`' {
			n = 0
			continue
		}
		n++
		most = max(most, n)
	}
	return most
}

// fenced is a block of code that holds s (CommonMark section 4.5).
func fenced(s string) string {
	s = plain(s)
	fence := strings.Repeat("`", max(3, longest(s)+1))
	return fence + "http\n" + strings.TrimSuffix(s, "\n") + "\n" + fence + "\n"
}

// code is s as code within a line (CommonMark section 6.1); "" stays so.
func code(s string) string {
	s = strings.TrimSpace(strings.NewReplacer("\n", " ", "\t", " ").Replace(plain(s)))
	if s == "" {
		return ""
	}
	fence := strings.Repeat("`", longest(s)+1)
	if s[0] == '`' || s[len(s)-1] == '`' {
		s = " " + s + " "
	}
	return fence + s + fence
}

// escape is a line of text that means nothing to Markdown.
func escape(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r < 0x80 && unicode.IsPunct(r) || strings.ContainsRune("$+<=>^`|~", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
