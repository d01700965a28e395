package main

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

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
		if got, want := said.String(), "imported 2 flows from 1 file\n"; !strings.HasSuffix(got, want) {
			t.Errorf("%q: got %q, want %q at its end", layers, got, want)
		}
	}
}

// TestImportUTF16 reads a HAR file that passed through a program which writes UTF-16.
func TestImportUTF16(t *testing.T) {
	const file = `{"log":{"entries":[{"request":{"method":"GET","url":"http://x.test/ü"}}]}}`
	for name, order := range map[string]binary.AppendByteOrder{"little": binary.LittleEndian, "big": binary.BigEndian} {
		raw := order.AppendUint16(nil, 0xfeff)
		for _, u := range utf16.Encode([]rune(file)) {
			raw = order.AppendUint16(raw, u)
		}
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "in"), raw, 0o600); err != nil {
			t.Fatal(err)
		}
		var said bytes.Buffer
		if err := runImport(t.Context(), stdio{nil, io.Discard, &said}, filepath.Join(dir, "x.weir"), "", nil, []string{filepath.Join(dir, "in")}); err != nil {
			t.Errorf("%s endian: %v", name, err)
		}
		if got, want := said.String(), "imported 1 flow from 1 file\n"; got != want {
			t.Errorf("%s endian: got %q, want %q", name, got, want)
		}
	}
}
