package coding

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

var codings = []string{"gzip", "deflate", rawDeflate, "br", "zstd"}

func TestNewReader(t *testing.T) {
	body := prose(100_000)
	concatenated := append(encode(t, body[:60_000], "gzip"), encode(t, body[60_000:], "gzip")...)
	tests := []struct {
		name     string
		encoding []string
		input    []byte
		want     []byte
	}{
		{"no coding", nil, body, body},
		{"identity", []string{"identity", "none", ""}, body, body},
		{"gzip", []string{"gzip"}, encode(t, body, "gzip"), body},
		{"x-gzip, upper case", []string{"X-GZIP"}, encode(t, body, "gzip"), body},
		{"gzip members", []string{"gzip"}, concatenated, body},
		{"deflate with zlib header", []string{"deflate"}, encode(t, body, "deflate"), body},
		{"deflate without", []string{"deflate"}, encode(t, body, rawDeflate), body},
		{"br", []string{"br"}, encode(t, body, "br"), body},
		{"zstd", []string{"zstd"}, encode(t, body, "zstd"), body},
		{"zstd frames", []string{"zstd"}, append(encode(t, body[:1], "zstd"), encode(t, body[1:], "zstd")...), body},
		{"two", []string{"br", "gzip"}, encode(t, body, "br", "gzip"), body},
		{"five and identity", []string{"gzip", "identity", "deflate", "br", "zstd", "gzip"}, encode(t, body, "gzip", "deflate", "br", "zstd", "gzip"), body},
		{"empty gzip", []string{"gzip"}, encode(t, nil, "gzip"), nil},
		{"empty zstd", []string{"zstd"}, encode(t, nil, "zstd"), nil},
		{"no input at all", []string{"br", "zstd", "deflate", "gzip"}, nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := NewReader(bytes.NewReader(tt.input), tt.encoding)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(r)
			if err != nil {
				t.Error(err)
			}
			if !bytes.Equal(got, tt.want) {
				t.Errorf("got %d bytes, want %d", len(got), len(tt.want))
			}
			if err := r.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
			if n, err := r.Read(make([]byte, 1)); n != 0 || err == nil || errors.Is(err, io.EOF) {
				t.Errorf("read after close: got %d, %v, want an error", n, err)
			}
		})
	}
}

func TestNewReaderRefuses(t *testing.T) {
	_, err := NewReader(strings.NewReader(""), []string{"gzip", "compress"})
	unknown, ok := errors.AsType[*UnknownError](err)
	if !ok || unknown.Coding != "compress" {
		t.Errorf("got %v, want an UnknownError for compress", err)
	}
	hostile := &UnknownError{Coding: "\x1b[2J" + strings.Repeat("x", 1000)}
	if got := hostile.Error(); len(got) > 100 || strings.Contains(got, "\x1b") {
		t.Errorf("got %q, want it short and quoted", got)
	}
	six := []string{"gzip", "gzip", "gzip", "gzip", "gzip", "gzip"}
	if _, err := NewReader(strings.NewReader(""), six); !errors.Is(err, ErrTooMany) {
		t.Errorf("got %v, want ErrTooMany", err)
	}
}

// Wherever the input is cut, the output is a prefix of the whole, and unless
// the cut fell between two complete units, the error says so.
func TestTruncated(t *testing.T) {
	body := prose(3000)
	for _, coding := range codings {
		t.Run(coding, func(t *testing.T) {
			whole := encode(t, body, coding)
			longest := 0
			for n := 1; n < len(whole); n++ {
				got, err := Decode(whole[:n], header(coding), 1<<20)
				if !bytes.HasPrefix(body, got) {
					t.Fatalf("cut at %d: output is no prefix", n)
				}
				if !errors.Is(err, ErrTruncated) {
					t.Fatalf("cut at %d of %d: got %v, want ErrTruncated", n, len(whole), err)
				}
				longest = max(longest, len(got))
			}
			if coding != "zstd" && longest < len(body)/2 { // zstd has but one block here.
				t.Errorf("longest prefix from cut input: got %d bytes of %d", longest, len(body))
			}
		})
	}
}

// Large cut inputs give what came before the cut, whatever the stack.
func TestTruncatedStack(t *testing.T) {
	body := prose(4 << 20)
	for _, stack := range [][]string{{"zstd"}, {"br"}, {"gzip", "br"}, {"br", "zstd"}, {"zstd", "gzip"}, {rawDeflate, "deflate"}} {
		whole := encode(t, body, stack...)
		got, err := Decode(whole[:len(whole)*3/4], header(stack...), 1<<30)
		if !errors.Is(err, ErrTruncated) {
			t.Errorf("%v: got %v, want ErrTruncated", stack, err)
		}
		if !bytes.HasPrefix(body, got) || len(got) < len(body)/4 {
			t.Errorf("%v: got %d bytes of %d, want most of a prefix", stack, len(got), len(body))
		}
	}
}

func TestDamaged(t *testing.T) {
	body := prose(600_000)
	for _, coding := range codings {
		if got, err := Decode([]byte("<!doctype html><p>not coded at all</p>"), header(coding), 1<<20); err == nil {
			t.Errorf("%s: plain text decoded to %q", coding, got)
		}
		if coding == rawDeflate || coding == "br" {
			continue // These have no checksum to notice by.
		}
		damaged := slices.Clone(encode(t, body, coding))
		damaged[len(damaged)*3/4] ^= 0x55
		got, err := Decode(damaged, header(coding), 1<<20)
		if err == nil {
			t.Errorf("%s: damage went unnoticed", coding)
		}
		if !bytes.HasPrefix(got, body[:1000]) {
			t.Errorf("%s: got %d bytes, want those before the damage", coding, len(got))
		}
	}
}

// Errors of the source arrive as they are, and are not taken for a cut.
func TestSourceError(t *testing.T) {
	body := prose(100_000)
	broken := errors.New("disk on fire")
	for _, coding := range codings {
		whole := encode(t, body, coding)
		r, err := NewReader(io.MultiReader(bytes.NewReader(whole[:len(whole)/2]), iotest.ErrReader(broken)), header(coding))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if !errors.Is(err, broken) || errors.Is(err, ErrTruncated) {
			t.Errorf("%s: got %v, want the source's error", coding, err)
		}
		if !bytes.HasPrefix(body, got) {
			t.Errorf("%s: output is no prefix", coding)
		}
		_, again := r.Read(make([]byte, 1))
		if !errors.Is(again, broken) {
			t.Errorf("%s: the error did not stay: %v", coding, again)
		}
		r.Close()
	}
}

// A decoder that panics ends the body, not the program.
func TestDecoderPanic(t *testing.T) {
	l := &layer{coding: "gzip", dec: panicking{}}
	for range 2 {
		if n, err := l.Read(make([]byte, 1)); n != 0 || err == nil || !strings.Contains(err.Error(), "decode gzip") {
			t.Errorf("got %d, %v, want an error", n, err)
		}
	}
}

type panicking struct{}

func (panicking) Read(p []byte) (int, error) { return len(p[:len(p)+1]), nil }

// Any cut of the input into reads, and of the output, gives the same bytes.
func TestChunking(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		body := rapid.SliceOfN(rapid.ByteRange('a', 'f'), 0, 5000).Draw(rt, "body")
		stack := rapid.SliceOfN(rapid.SampledFrom(codings), 0, 3).Draw(rt, "codings")
		var src io.Reader = bytes.NewReader(encode(t, body, stack...))
		if rapid.Bool().Draw(rt, "byte by byte") {
			src = iotest.OneByteReader(src)
		}
		if rapid.Bool().Draw(rt, "data with error") {
			src = iotest.DataErrReader(src)
		}
		r, err := NewReader(src, header(stack...))
		if err != nil {
			rt.Fatal(err)
		}
		defer r.Close()
		var got []byte
		for err == nil {
			p := make([]byte, rapid.IntRange(1, 3000).Draw(rt, "read"))
			var n int
			n, err = r.Read(p)
			got = append(got, p[:n]...)
		}
		if !errors.Is(err, io.EOF) || !bytes.Equal(got, body) {
			rt.Fatalf("got %d bytes and %v, want %d and EOF", len(got), err, len(body))
		}
	})
}
