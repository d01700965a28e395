package widget

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// maxCluster bounds the code points of one character: a letter and its accents.
// More are a stack that some terminals draw over the neighbouring lines.
const maxCluster = 4

// maxLook is how many bytes are looked at to find where a character ends. A
// longer cluster is taken apart, at no loss: its rest cannot stand on its own.
const maxLook = 64

// Sanitize makes captured text harmless and measurable: a string of one line
// whose every character occupies one or two cells, by code point and by grapheme
// cluster alike. It cannot move the cursor, set the title, write the clipboard or
// turn the text around. What it may not keep shows as an escape:
//
//	\n \r \t            these three controls
//	\x1b \x7f \xff      other C0 controls, DEL, and each byte that is not UTF-8
//	\u009b              C1 controls
//	\u202e \U000e0041   what has no ink or no certain width: bidi controls, joiners,
//	                    zero-width and unusual spaces, private use, unassigned
//
// A backslash stays as it is, so an escape can be imitated, but not disguised.
func Sanitize[T ~string | ~[]byte](captured T) string {
	s := string(captured)
	if plain(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	for len(s) > 0 {
		shown, n, _ := SanitizeNext(s)
		b.WriteString(shown)
		s = s[n:]
	}
	return b.String()
}

// SanitizeNext is [Sanitize] for the first character of captured text that is not
// empty: what to show for its first n bytes, and whether that is an escape in
// part or in whole. It looks at no more than the first bytes of the text.
func SanitizeNext[T ~string | ~[]byte](captured T) (shown string, n int, altered bool) {
	if c := captured[0]; c >= ' ' && c < 0x7f && (len(captured) == 1 || captured[1] < utf8.RuneSelf) {
		return string(captured[:1]), 1, false
	}
	return character(string(captured[:min(len(captured), maxLook)]))
}

// plain reports whether s is printable ASCII throughout, as nearly all of it is.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// character does the work of SanitizeNext. Of a cluster that cannot be kept whole
// the first code point may stay, and the rest is escaped, so that nothing written
// later joins it.
func character(s string) (shown string, n int, altered bool) {
	r, size := utf8.DecodeRuneInString(s)
	if !inked(r, size) {
		return escape(s[:size], r), size, true
	}
	cluster, _ := ansi.FirstGraphemeCluster(s, ansi.GraphemeWidth)
	if certain(cluster) && joined(cluster[size:]) {
		return cluster, len(cluster), false
	}
	if certain(s[:size]) {
		shown = s[:size]
	} else {
		shown = escape(s[:size], r)
	}
	for rest := cluster[size:]; len(rest) > 0; {
		r, size := utf8.DecodeRuneInString(rest)
		shown += escape(rest[:size], r)
		rest = rest[size:]
	}
	return shown, len(cluster), true
}

// certain reports whether terminals that measure by cluster and those that
// measure by code point agree on one or two cells, and whether the cluster stays
// apart from the ASCII of an escape before and after it.
func certain(cluster string) bool {
	width := ansi.StringWidth(cluster)
	if width != 1 && width != 2 || ansi.StringWidthWc(cluster) != width {
		return false
	}
	after, _ := ansi.FirstGraphemeCluster(cluster+`\`, ansi.GraphemeWidth)
	before, _ := ansi.FirstGraphemeCluster("0"+cluster, ansi.GraphemeWidth)
	return after == cluster && before == "0"
}

// joined reports whether all that follows a cluster's first code point may follow it.
func joined(rest string) bool {
	if utf8.RuneCountInString(rest) >= maxCluster {
		return false
	}
	for len(rest) > 0 {
		r, size := utf8.DecodeRuneInString(rest)
		if !inked(r, size) && !unicode.Is(unicode.Mn, r) {
			return false
		}
		rest = rest[size:]
	}
	return true
}

// inked reports whether a code point can stand on its own: assigned, visible,
// and no mark that would join what stands before it. unicode.IsPrint has no
// white space but U+0020.
func inked(r rune, size int) bool {
	if r == utf8.RuneError && size <= 1 {
		return false
	}
	return unicode.IsPrint(r) && !unicode.IsMark(r)
}

// escape is the visible form of the code point r, encoded as raw.
func escape(raw string, r rune) string {
	switch {
	case r == '\n':
		return `\n`
	case r == '\r':
		return `\r`
	case r == '\t':
		return `\t`
	case len(raw) == 1: // ASCII, or a byte that is not UTF-8
		return digits(`\x`, uint64(raw[0]), 2)
	case r < 0x10000:
		return digits(`\u`, uint64(r), 4)
	default:
		return digits(`\U`, uint64(r), 8)
	}
}

func digits(prefix string, v uint64, n int) string {
	s := strconv.FormatUint(v, 16)
	return prefix + strings.Repeat("0", max(0, n-len(s))) + s
}
