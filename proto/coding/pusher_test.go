package coding

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// flusher is an encoder that can be told to let go of what it holds back.
type flusher interface {
	io.WriteCloser
	Flush() error
}

// stacked is every coding, and one on top of another.
var stacked = [][]string{{"gzip"}, {"deflate"}, {rawDeflate}, {"br"}, {"zstd"}, {"identity"}, {"br", "gzip"}, {"gzip", "zstd"}}

// flushing codes pieces of text, and returns the bytes that each flush made.
func flushing(t testing.TB, pieces []string, codings ...string) [][]byte {
	t.Helper()
	var out bytes.Buffer
	var to io.Writer = &out
	var layers []flusher
	for i := len(codings) - 1; i >= 0; i-- {
		if codings[i] == "identity" {
			continue
		}
		w := encoder(t, to, codings[i]).(flusher)
		layers = append([]flusher{w}, layers...)
		to = w
	}
	var coded [][]byte
	cut := func() {
		coded = append(coded, bytes.Clone(out.Bytes()))
		out.Reset()
	}
	for _, p := range pieces {
		if _, err := io.WriteString(to, p); err != nil {
			t.Fatal(err)
		}
		for _, l := range layers {
			if err := l.Flush(); err != nil {
				t.Fatal(err)
			}
		}
		cut()
	}
	for _, l := range layers {
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	cut()
	return coded
}

func newPusher(t *testing.T, codings ...string) *Pusher {
	t.Helper()
	p, err := NewPusher(codings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// into appends what is emitted to b.
func into(b *[]byte) func([]byte) error {
	return func(p []byte) error { *b = append(*b, p...); return nil }
}

// What was flushed is here once its bytes are, without a byte of what follows.
func TestPusherFollowsFlushes(t *testing.T) {
	texts := []string{"data: one\n\n", "data: two\n\n", strings.Repeat("data: three\n", 4000), "\n", "data: four\n\n"}
	for _, codings := range stacked {
		t.Run(strings.Join(codings, ","), func(t *testing.T) {
			p := newPusher(t, header(codings...)...)
			coded := flushing(t, texts, codings...)
			for i, text := range texts {
				var got []byte
				if err := p.Push(coded[i], into(&got)); err != nil {
					t.Fatal(err)
				}
				if string(got) != text {
					t.Errorf("after flush %d: got %d bytes, %.40q, want %d, %.40q", i, len(got), got, len(text), text)
				}
			}
			var got []byte
			err := errors.Join(p.Push(coded[len(texts)], into(&got)), p.End(into(&got)))
			if err != nil || len(got) > 0 {
				t.Errorf("at the end: got %q, %v, want nothing more", got, err)
			}
		})
	}
}

// However the bytes are cut, the same comes out.
func TestPusherAnyCut(t *testing.T) {
	text := prose(6000)
	coded := make([][]byte, len(stacked))
	for i, codings := range stacked {
		coded[i] = bytes.Join(flushing(t, []string{string(text[:2500]), string(text[2500:])}, codings...), nil)
	}
	rapid.Check(t, func(rt *rapid.T) {
		which := rapid.IntRange(0, len(stacked)-1).Draw(rt, "codings")
		p, err := NewPusher(header(stacked[which]...))
		if err != nil {
			rt.Fatal(err)
		}
		defer p.Close()
		var got []byte
		for rest := coded[which]; len(rest) > 0; {
			n := min(len(rest), rapid.IntRange(1, 1000).Draw(rt, "piece"))
			if err := p.Push(rest[:n], into(&got)); err != nil {
				rt.Fatal(err)
			}
			rest = rest[n:]
		}
		if err := p.End(into(&got)); err != nil || !bytes.Equal(got, text) {
			rt.Fatalf("%v: got %d bytes, %v, want the %d that went in", stacked[which], len(got), err, len(text))
		}
	})
}

// What is wrong with the input is said, and stays so.
func TestPusherErrors(t *testing.T) {
	whole := encode(t, prose(5000), "gzip")
	bomb := encode(t, make([]byte, 12<<20), "gzip")
	for _, c := range []struct {
		name  string
		input []byte
		want  func(error) bool
	}{
		{"cut", whole[:len(whole)/2], func(err error) bool { return errors.Is(err, ErrTruncated) }},
		{"not coded", []byte("data: plain\n\n"), func(err error) bool { return err != nil && strings.HasPrefix(err.Error(), "decode gzip") }},
		{"a bomb", bomb, func(err error) bool { return errors.Is(err, ErrTooLarge) }},
		{"nothing", nil, func(err error) bool { return err == nil }},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPusher(t, "gzip")
			n := 0
			count := func(b []byte) error { n += len(b); return nil }
			err := p.Push(c.input, count)
			if err == nil {
				err = p.End(count)
			}
			if !c.want(err) || n > ratioSlack+maxRatio*len(c.input) {
				t.Errorf("got %v after %d bytes", err, n)
			}
			if again := p.Push([]byte("more"), count); err != nil && !errors.Is(again, err) {
				t.Errorf("and then: got %v, want %v again", again, err)
			}
		})
	}
	if _, err := NewPusher([]string{"compress"}); err == nil {
		t.Error("an unknown coding: got no error")
	}
}

// The caller's own error comes back.
func TestPusherEmitFails(t *testing.T) {
	p := newPusher(t, "gzip")
	full := errors.New("the disk is full")
	coded := flushing(t, []string{"data: one\n\n"}, "gzip")
	if err := p.Push(coded[0], func([]byte) error { return full }); !errors.Is(err, full) {
		t.Errorf("got %v, want %v", err, full)
	}
}

func FuzzPusher(f *testing.F) {
	for i, codings := range stacked {
		f.Add(bytes.Join(flushing(f, []string{"data: a\n\n", "data: b\n\n"}, codings...), nil), uint8(i), uint8(3))
	}
	f.Fuzz(func(t *testing.T, input []byte, which, size uint8) {
		p := newPusher(t, header(stacked[int(which)%len(stacked)]...)...)
		n := 0
		count := func(b []byte) error { n += len(b); return nil }
		for rest := input; len(rest) > 0; {
			k := min(len(rest), 1+int(size))
			if p.Push(rest[:k], count) != nil {
				break
			}
			rest = rest[k:]
		}
		_ = p.End(count)
		if most := ratioSlack + maxRatio*len(input); n > most {
			t.Errorf("got %d bytes of %d, want at most %d", n, len(input), most)
		}
	})
}
