package ws

import (
	"bytes"
	"compress/flate"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// inflate feeds input to an inflater in pieces of n bytes.
func inflate(z *inflater, input []byte, n int) (out []byte, err error) {
	for len(input) > 0 {
		piece := input[:min(n, len(input))]
		input = input[len(piece):]
		for {
			took, got, err := z.feed(piece)
			out = append(out, got...)
			piece = piece[took:]
			if err != nil {
				return out, err
			}
			if len(got) == 0 {
				break
			}
		}
	}
	return out, nil
}

// samples are contents that make every kind of block and every sort of string.
func samples() map[string][]byte {
	random := make([]byte, 100_000)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range random {
		random[i] = byte(r.Uint32())
	}
	skewed := make([]byte, 200_000)
	for i := range skewed {
		skewed[i] = byte(r.ExpFloat64() * 12)
	}
	return map[string][]byte{
		"nothing": nil, "a byte": []byte("a"), "short": []byte("Hello, hello, hello"),
		"zeros": make([]byte, 300_000), "random": random, "skewed": skewed,
		"text": []byte(strings.Repeat("The quick brown fox jumps over the lazy dog. ", 5000)),
		"far":  append(append(bytes.Clone(random[:32<<10]), random[:300]...), random[:32<<10]...),
	}
}

func TestInflate(t *testing.T) {
	for name, want := range samples() {
		for _, level := range []int{flate.HuffmanOnly, flate.NoCompression, flate.BestSpeed, flate.BestCompression} {
			var packed bytes.Buffer
			w, err := flate.NewWriter(&packed, level)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = w.Write(want) // into memory
			_ = w.Close()
			for _, n := range []int{1, 7, 8, 4096, packed.Len()} {
				z := new(inflater)
				got, err := inflate(z, packed.Bytes(), n)
				if !bytes.Equal(got, want) || err != nil || !z.between() {
					t.Errorf("%s at level %d in pieces of %d: got %d bytes (%v, at the end %v), want %d",
						name, level, n, len(got), err, z.between(), len(want))
				}
			}
		}
	}
}

// TestInflateDamage has each thing that can be wrong with a stream.
func TestInflateDamage(t *testing.T) {
	for _, c := range []struct {
		name, input, want string
	}{
		{"kind", "\x07", "a block of a kind that does not exist"},
		{"stored length", "\x01\x05\x00\x05\x00", "the length of a stored block contradicts itself"},
		{"length symbol", "\x1b\x03\x00\x00\x00\x00\x00\x00", "a length that does not exist"},
		{"distance symbol", "\x03\x3e\x00\x00\x00\x00\x00\x00", "a distance that does not exist"},
		{"before the beginning", "\x03\x02\x00\x00\x00\x00\x00\x00", "a reference to before the beginning"},
		{"too many symbols", "\xfd\xff\x00\x00\x00\x00\x00\x00", "more codes than there are symbols"},
		{"over-subscribed", "\x05\x00\xff\xff\xff\xff\xff\xff\xff\xff", "codes that are no code"},
	} {
		_, err := inflate(new(inflater), []byte(c.input), len(c.input))
		if d, ok := errors.AsType[damage](err); !ok || d.Error() != c.want {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
}

// TestInflateAsOthersDo damages streams at random: whatever the standard library
// reads, or refuses, so do we, and up to the damage both read the same.
func TestInflateAsOthersDo(t *testing.T) {
	var all [][]byte
	for _, name := range []string{"short", "skewed", "text"} {
		for _, level := range []int{flate.HuffmanOnly, flate.NoCompression, flate.BestCompression} {
			var packed bytes.Buffer
			w, _ := flate.NewWriter(&packed, level) // the levels are good ones
			p := samples()[name]
			_, _ = w.Write(p[:min(len(p), 3000)])
			_ = w.Close()
			all = append(all, packed.Bytes())
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		p := bytes.Clone(rapid.SampledFrom(all).Draw(t, "stream"))
		for range rapid.IntRange(0, 3).Draw(t, "flips") {
			p[rapid.IntRange(0, len(p)-1).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		}
		compareInflate(t, p)
	})
}

func FuzzInflate(f *testing.F) {
	for _, p := range []string{"\xf2\x48\xcd\xc9\xc9\x07\x00\x00\x00\xff\xff", "\x01\x05\x00\xfa\xffHello", "\x05\xc0\x81\x08\x00\x00\x00\x00\x20\x7f\xeb\x0b\x00"} {
		f.Add([]byte(p))
	}
	f.Fuzz(func(t *testing.T, p []byte) { compareInflate(t, p) })
}

// compareInflate reads p as the standard library does, up to the end of its
// stream, and fails where the two differ.
func compareInflate(t interface {
	Errorf(format string, args ...any)
}, p []byte,
) {
	in := bytes.NewReader(p)
	want, werr := io.ReadAll(io.LimitReader(flate.NewReader(in), 1<<20))
	if len(want) == 1<<20 {
		return
	}
	p = p[:len(p)-in.Len()]
	refused := werr != nil && !errors.Is(werr, io.ErrUnexpectedEOF)
	if refused {
		p = append(bytes.Clone(p), make([]byte, 8)...) // a code that is none may look like half of one
	}
	got, gerr := inflate(new(inflater), p, 16)
	if refused != (gerr != nil) {
		t.Errorf("% x: got %v, want %v", p, gerr, werr)
	}
	if werr == nil && !bytes.Equal(got, want) {
		t.Errorf("% x: got %d bytes, want %d", p, len(got), len(want))
	}
	if !bytes.HasPrefix(got, want) {
		t.Errorf("% x: the %d bytes before the damage differ from those %d", p, len(got), len(want))
	}
}
