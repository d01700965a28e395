package store

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"weir/store/body"
)

// TestBuffers clones and gives back at random: what was cloned stays as it is until it
// is given back, and what is kept is bounded.
func TestBuffers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := buffers{most: 2 << 20}
		type lent struct{ got, want []byte }
		var out []lent
		for i := range 40 {
			if len(out) > 0 && rapid.Bool().Draw(t, "give") {
				at := rapid.IntRange(0, len(out)-1).Draw(t, "which")
				b.give(out[at].got)
				out = append(out[:at], out[at+1:]...)
			} else {
				n := rapid.OneOf(rapid.IntRange(1, body.PieceSize), rapid.SampledFrom([]int{leastBuffer / 2, leastBuffer, 32 << 10, body.PieceSize})).Draw(t, "size")
				p := bytes.Repeat([]byte{byte(i)}, n)
				out = append(out, lent{b.clone(p), p})
			}
			for _, l := range out {
				if !bytes.Equal(l.got, l.want) || cap(l.got) > 2*max(len(l.got), leastBuffer) {
					t.Fatalf("a clone of %d bytes has changed, or has room for %d", len(l.want), cap(l.got))
				}
			}
			if b.held > b.most {
				t.Fatalf("kept: got %d bytes, want at most %d", b.held, b.most)
			}
		}
	})
}

func TestBuffersAreUsedAgain(t *testing.T) {
	b := buffers{most: 2 << 20}
	part := make([]byte, 32<<10)
	b.give(b.clone(part))
	if n := testing.AllocsPerRun(100, func() { b.give(b.clone(part)) }); n > 0 {
		t.Errorf("allocations of a part after another: got %v, want none", n)
	}
	if b.give(make([]byte, 10_000)); b.held != 32<<10 {
		t.Errorf("kept after somebody else's bytes: got %d, want %d", b.held, 32<<10)
	}
}
