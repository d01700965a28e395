package coding

import (
	"bytes"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rawDeflate is how the tests name deflate without its zlib header.
const rawDeflate = "raw"

// encode applies codings in order; it is the other side of what is tested.
func encode(t testing.TB, p []byte, codings ...string) []byte {
	t.Helper()
	for _, coding := range codings {
		var out bytes.Buffer
		w := encoder(t, &out, coding)
		if _, err := w.Write(p); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		p = out.Bytes()
	}
	return p
}

func encoder(t testing.TB, out io.Writer, coding string) io.WriteCloser {
	t.Helper()
	switch coding {
	case "gzip":
		return gzip.NewWriter(out)
	case "deflate":
		return zlib.NewWriter(out)
	case "br":
		return brotli.NewWriter(out)
	case rawDeflate:
		w, err := flate.NewWriter(out, flate.DefaultCompression)
		if err != nil {
			t.Fatal(err)
		}
		return w
	case "zstd":
		w, err := zstd.NewWriter(out, zstd.WithEncoderConcurrency(1))
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	t.Fatalf("no encoder for %q", coding)
	return nil
}

// prose is text that compresses some, the same on each run.
func prose(n int) []byte {
	words := []string{"weir ", "river ", "flow ", "water ", "gate ", "mill ", "pass ", "hold ", "\n"}
	r := rand.New(rand.NewPCG(1, 2))
	var out []byte
	for len(out) < n {
		out = append(out, words[r.IntN(len(words))]...)
	}
	return out[:n]
}

// header is the Content-Encoding a server would send for the tests' coding.
func header(codings ...string) []string {
	var out []string
	for _, c := range codings {
		if c == rawDeflate {
			c = "deflate"
		}
		out = append(out, c)
	}
	return out
}
