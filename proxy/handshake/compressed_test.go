package handshake

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

// TestCompressed reads certificates however they are compressed, and nothing that lies
// about its size.
func TestCompressed(t *testing.T) {
	message := []byte("\x00\x00\x00\x0b\x00\x00\x06abcdef\x00\x00")
	var br, zl bytes.Buffer
	b, z := brotli.NewWriter(&br), zlib.NewWriter(&zl)
	for _, w := range []interface {
		Write(p []byte) (int, error)
		Close() error
	}{b, z} {
		if _, err := w.Write(message); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	e, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name      string
		algorithm uint16
		size      int
		data      []byte
		want      int // certificates; -1: it is wrong
	}{
		{"zlib", 1, len(message), zl.Bytes(), 1},
		{"brotli", 2, len(message), br.Bytes(), 1},
		{"zstd", 3, len(message), e.EncodeAll(message, nil), 1},
		{"unknown", 4, len(message), message, 0},
		{"longer than it says", 2, len(message) - 1, br.Bytes(), -1},
		{"shorter than it says", 2, len(message) + 1, br.Bytes(), -1},
		{"far too long", 2, 1 << 20, br.Bytes(), -1},
		{"damaged", 3, len(message), []byte("nothing"), -1},
	} {
		p := binary.BigEndian.AppendUint16(nil, c.algorithm)
		p = append(p, byte(c.size>>16), byte(c.size>>8), byte(c.size), 0, 0, byte(len(c.data)))
		body := append(p, c.data...)
		var h Half
		h.Opened(versionTLS13, RecordHandshake, append([]byte{MessageCompressed, 0, 0, byte(len(body))}, body...))
		if got := len(h.Certificates); h.Broken != (c.want < 0) || got != max(0, c.want) {
			t.Errorf("%s: got %d certificates, wrong %v; want %d", c.name, got, h.Broken, c.want)
		}
	}
}
