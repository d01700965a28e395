package store

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// drawTexts makes texts up that have much in common.
func drawTexts(t *rapid.T, label string) []string {
	piece := rapid.SampledFrom([]string{"", "a", "b", "\x00", "\xff", "https://", "/api/v1/items/", "0123456789", "\x00\x00\x00\x00\x00\x00\x00\x00"})
	text := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(piece, 0, 5).Draw(t, "pieces"), "")
	})
	return rapid.SliceOfN(text, 0, 120).Draw(t, label)
}

func TestKeysSortAsTextsDo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sample := drawTexts(t, "sample")
		c := newCoder(slices.Clone(sample))
		if rapid.Bool().Draw(t, "leave cuts together") {
			c.root = c.stem("", rapid.IntRange(1, 30).Draw(t, "few"))
		}
		texts := append(drawTexts(t, "texts"), sample...)
		for _, a := range texts {
			at, is := c.root.search(a)
			if wantAt, wantIs := slices.BinarySearch(c.cuts, a); at != wantAt || is != wantIs {
				t.Fatalf("search of %q in %q: got %d, %v, want %d, %v", a, c.cuts, at, is, wantAt, wantIs)
			}
			for _, b := range texts {
				ka, tailA := c.key(a)
				kb, tailB := c.key(b)
				want := strings.Compare(a, b)
				switch {
				case ka < kb && want >= 0, ka > kb && want <= 0:
					t.Fatalf("keys of %q and %q: got %x and %x, but the texts compare as %d", a, b, ka, kb, want)
				case ka == kb && strings.Compare(tailA, tailB) != want:
					t.Fatalf("tails of %q and %q: got %q and %q, but the texts compare as %d", a, b, tailA, tailB, want)
				case ka == kb && isWhole(ka) && want != 0:
					t.Fatalf("%q and %q have the same key %x, which says it is whole", a, b, ka)
				}
			}
		}
	})
}

// A text that ends looks, in words of eight bytes, like one that goes on with zeros.
func TestZerosBehindATextAreNotItsEnd(t *testing.T) {
	var sample []string
	for i := range 4 * fewCuts {
		sample = append(sample, "ab\x00\x00\x00\x00\x00\x00"+string(rune('a'+i%26))+strings.Repeat("x", i))
	}
	c := newCoder(sample)
	for n := range 10 {
		for _, text := range []string{"ab" + strings.Repeat("\x00", n), "ab\x00\x00\x00\x00\x00\x00m" + strings.Repeat("x", n)} {
			at, is := c.root.search(text)
			if wantAt, wantIs := slices.BinarySearch(c.cuts, text); at != wantAt || is != wantIs {
				t.Errorf("search of %q: got %d, %v, want %d, %v", text, at, is, wantAt, wantIs)
			}
		}
	}
}
