package resend

import "strings"

// hexUpper are the digits of percent-encodings that nobody writes differently.
const hexUpper = "0123456789ABCDEF"

// unreserved are characters of targets that no tool encodes (RFC 3986 section 2).
const unreserved = "-._~!$&()*+,;=:@/ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// settled reports whether a target is one that no library for URLs writes differently:
// a path without dot segments and maybe a query that is not empty, of characters that
// need no encoding.
func settled(target string) bool {
	path, query, asked := strings.Cut(target, "?")
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || hasDots(path) || asked && query == "" {
		return false
	}
	for _, part := range []string{path, strings.ReplaceAll(query, "?", "/")} {
		for i := range len(part) {
			if part[i] == '%' {
				if i+2 >= len(part) || !strings.ContainsRune(hexUpper, rune(part[i+1])) || !strings.ContainsRune(hexUpper, rune(part[i+2])) {
					return false
				}
				continue
			}
			if !strings.ContainsRune(unreserved, rune(part[i])) {
				return false
			}
		}
	}
	return true
}
