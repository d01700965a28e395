package record

import "strconv"

// Printable escapes control characters and broken UTF-8, and leaves the rest.
func Printable(s string) string {
	out := make([]byte, 0, len(s))
	for _, r := range s {
		if strconv.IsPrint(r) && r != '\uFFFD' {
			out = append(out, string(r)...)
			continue
		}
		q := strconv.QuoteRuneToASCII(r)
		out = append(out, q[1:len(q)-1]...)
	}
	return string(out)
}
