package httptext

import (
	"bytes"
	"io"
	"net/http/httputil"
	"strings"
	"testing"

	"pgregory.net/rapid"

	flowpb "weir/proto"
)

func TestHeads(t *testing.T) {
	fields := []*flowpb.Field{{Name: []byte("Host"), Value: []byte("a.test")}, {Name: []byte("x"), Value: []byte("y"), Raw: []byte("x:\ty\n")}}
	for _, tt := range []struct{ name, got, want string }{
		{"request", string(Request(&flowpb.Request{Method: []byte("GET"), Target: []byte("/"), Version: []byte("HTTP/1.1"), Headers: fields})), "GET / HTTP/1.1\r\nHost: a.test\r\nx:\ty\n\r\n"},
		{"request as received", string(Request(&flowpb.Request{StartLine: []byte("GET  /")})), "GET  /\r\n\r\n"},
		{"response", string(Response(&flowpb.Response{Version: []byte("HTTP/1.0"), Status: 99, Reason: []byte("Odd")})), "HTTP/1.0 099 Odd\r\n\r\n"},
		{"response as received", string(Response(&flowpb.Response{StartLine: []byte("HTTP/1.1 200")})), "HTTP/1.1 200\r\n\r\n"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, tt.got, tt.want)
		}
	}
}

// However a body is cut, and whatever a damaged head says of extensions, its chunks
// hold the body; and each extension in its place begins a chunk.
func TestChunker(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.SliceOfN(rapid.Byte(), 0, 60).Draw(t, "body")
		b := &flowpb.Body{Size: uint64(len(body)), Chunked: true}
		for range rapid.IntRange(0, 4).Draw(t, "extensions") {
			b.ChunkExtensions = append(b.ChunkExtensions, &flowpb.ChunkExtension{Offset: rapid.Uint64Range(0, 70).Draw(t, "offset"), Extension: []byte(";e")})
		}
		c := NewChunker(b)
		var out []byte
		for left := body; len(left) > 0; {
			n := rapid.IntRange(1, len(left)).Draw(t, "cut")
			out = c.Append(out, left[:n])
			left = left[n:]
		}
		out = c.End(out, nil)
		got, err := io.ReadAll(httputil.NewChunkedReader(bytes.NewReader(out)))
		if err != nil || !bytes.Equal(got, body) {
			t.Fatalf("%q is chunks of %q, %v, want %q", out, got, err, body)
		}
		last := uint64(0)
		for i, e := range b.GetChunkExtensions() {
			if i > 0 && e.GetOffset() <= last || e.GetOffset() > uint64(len(body)) {
				return // out of order: some may be passed over
			}
			last = e.GetOffset()
		}
		if n := strings.Count(string(out), ";e\r\n"); n < len(b.GetChunkExtensions()) {
			t.Fatalf("%q has %d extensions, want %d", out, n, len(b.GetChunkExtensions()))
		}
	})
}
