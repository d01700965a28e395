package dns

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// split feeds a stream in pieces.
func split(pieces ...string) (out []string) {
	var s Splitter
	for _, p := range pieces {
		for {
			n, m := s.Feed([]byte(p))
			p = p[n:]
			if m == nil {
				break
			}
			out = append(out, string(m))
		}
	}
	return out
}

func TestSplitterAnyCut(t *testing.T) {
	const stream = "\x00\x03abc\x00\x00\x00\x01d\x01\x00"
	long := strings.Repeat("x", 256)
	want := "abc d " + long
	rapid.Check(t, func(t *rapid.T) {
		var pieces []string
		for rest := stream + long + "\x00\x05cut"; rest != ""; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "piece")
			pieces, rest = append(pieces, rest[:n]), rest[n:]
		}
		if got := strings.Join(split(pieces...), " "); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
