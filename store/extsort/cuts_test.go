package extsort

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// A key stands where comparing says, whatever of it the stem knows.
func TestCutsAreSearchedAsTextsAre(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sample := rapid.SliceOfN(drawKey(), 0, 120).Draw(t, "sample")
		c := newCuts(sample, rapid.IntRange(0, 100).Draw(t, "cuts"))
		for _, key := range append(rapid.SliceOf(drawKey()).Draw(t, "keys"), sample...) {
			wantAt, wantIs := slices.BinarySearch(c.keys, key)
			n := rapid.IntRange(0, len(key)).Draw(t, "stem")
			stem := c.stem(key[:n])
			for _, s := range []struct {
				stem *Stem
				rest string
			}{{&c.root, key}, {&stem, key[n:]}} {
				if at, is := c.search(s.stem, s.rest); at != wantAt || is != wantIs {
					t.Fatalf("search of %q after %q in %q: got %d, %v, want %d, %v", s.rest, s.stem.prefix, c.keys, at, is, wantAt, wantIs)
				}
			}
			if !wantIs && !strings.HasPrefix(key, shared(c, wantAt)) {
				t.Fatalf("%q does not begin as its neighbours %q do", key, c.keys)
			}
		}
	})
}

// shared is what every key in a gap begins with.
func shared(c *cuts, gap int) string {
	if gap == 0 {
		return ""
	}
	return c.keys[gap-1][:c.shared[gap]]
}

// A text that ends looks, in words of eight bytes, like one that goes on with zeros.
func TestZerosBehindATextAreNotItsEnd(t *testing.T) {
	var sample []string
	for i := range 64 * fewCuts {
		sample = append(sample, "ab\x00\x00\x00\x00\x00\x00"+string(rune('a'+i%26))+strings.Repeat("x", i))
	}
	c := newCuts(sample, len(sample))
	for n := range 10 {
		for _, text := range []string{"ab" + strings.Repeat("\x00", n), "ab\x00\x00\x00\x00\x00\x00m" + strings.Repeat("x", n)} {
			at, is := c.search(&c.root, text)
			if wantAt, wantIs := slices.BinarySearch(c.keys, text); at != wantAt || is != wantIs {
				t.Errorf("search of %q: got %d, %v, want %d, %v", text, at, is, wantAt, wantIs)
			}
		}
	}
}

func TestCutsDivideEvenly(t *testing.T) {
	var sample []string
	for n := range uint64(1000) {
		sample = append(sample, Number(n), Number(500)) // every other key is the same
	}
	c := newCuts(sample, 9)
	if got, want := len(c.keys), 5; got < want || !slices.Contains(c.keys, Number(500)) {
		t.Errorf("cuts: got %x, want at least %d and the frequent key among them", c.keys, want)
	}
}
