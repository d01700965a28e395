package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

// TestImportCompressed sees that a capture is the same from standard input under any
// compression, and under several.
func TestImportCompressed(t *testing.T) {
	plain, err := os.ReadFile("testdata/two.pcap")
	if err != nil {
		t.Fatal(err)
	}
	wrap := map[string]func(io.Writer) io.WriteCloser{
		"gzip": func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
		"zlib": func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) },
		"zstd": func(w io.Writer) io.WriteCloser {
			z, err := zstd.NewWriter(w)
			if err != nil {
				t.Fatal(err)
			}
			return z
		},
	}
	for _, layers := range []string{"", "gzip", "zlib", "zstd", "gzip zstd"} {
		file := plain
		for layer := range strings.FieldsSeq(layers) {
			var out bytes.Buffer
			w := wrap[layer](&out)
			if _, err := w.Write(file); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			file = out.Bytes()
		}
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "in"), file, 0o600); err != nil {
			t.Fatal(err)
		}
		in, err := os.Open(filepath.Join(dir, "in"))
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		var said bytes.Buffer
		std := stdio{in, io.Discard, &said}
		session := filepath.Join(dir, "x.weir")
		if err := runImport(t.Context(), std, session, "", nil, []string{"-"}); err != nil {
			t.Errorf("%q: %v", layers, err)
		}
		if got, want := said.String(), "imported 2 flows from 1 files\n"; !strings.HasSuffix(got, want) {
			t.Errorf("%q: got %q, want %q at its end", layers, got, want)
		}
	}
}
