package translate

import (
	"strings"
	"testing"

	"weir/proxy/h1"
	"weir/proxy/h2"
)

// FuzzResponse holds that no response of HTTP/2 becomes two of HTTP/1 (response
// splitting), whatever stands in its fields and trailers: it is one head to a client, with
// the content it had.
func FuzzResponse(f *testing.F) {
	f.Add("GET", "200", "content-type", "text/html", "content", "x-sum", "1", true)
	f.Add("GET", "200", "x-a", "b\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "", "", "", false)
	f.Add("HEAD", "204", "content-length", "7", "0\r\n\r\nHTTP/1.1 200 \r\n\r\n", "te\n", "\x00", true)
	f.Add("GET", "", "a", "b", "", "", "", true)
	f.Add("CONNECT", "200", "transfer-encoding", "chunked", "raw", "trailer", "x", true)
	f.Fuzz(func(t *testing.T, method, status, name, value, content, trailer, trailing string, body bool) {
		origin, ours := h2.NewConn(h2.Client, h2.Limits{}), h2.NewConn(h2.Server, h2.Limits{})
		out := ours.AppendSettings(ours.AppendPreface(nil), nil)
		feed(t, origin, ours.AppendHeaders(out, 1, asking(method), nil, true))
		in := origin.AppendSettings(nil, nil)
		in = origin.AppendHeaders(in, 1, []h2.Field{{Name: ":status", Value: status}, {Name: name, Value: value}}, nil, !body)
		if body {
			in = origin.AppendData(in, 1, []byte(content), trailer == "")
			if trailer != "" {
				in = origin.AppendHeaders(in, 1, []h2.Field{{Name: trailer, Value: trailing}}, nil, true)
			}
		}
		w := Writer{}
		w.ForRequest(Request{Method: method})
		var wire []byte
		for len(in) > 0 {
			n, ev, err := ours.Feed(in)
			if err != nil || ev.Kind == h2.StreamError {
				return
			}
			in = in[n:]
			if wire, err = w.Append(wire, &ev); err != nil {
				return
			}
		}
		if w.Endless() || strings.HasPrefix(status, "1") {
			return
		}
		r := h1.NewReader(h1.Response, h1.Limits{})
		r.ForRequest([]byte(method))
		heads, got := countMessages(r, wire)
		if heads > 1 || heads == 1 && body && got != content && method != "HEAD" && status != "204" && status != "304" {
			t.Errorf("%d heads, content %q of %q, in %q", heads, got, content, wire)
		}
	})
}

// asking is the fields of a request.
func asking(method string) []h2.Field {
	if method == "CONNECT" {
		return []h2.Field{{Name: ":method", Value: method}, {Name: ":authority", Value: "a.test:443"}}
	}
	return []h2.Field{{Name: ":method", Value: "GET"}, {Name: ":scheme", Value: "http"}, {Name: ":authority", Value: "a.test"}, {Name: ":path", Value: "/"}}
}

func feed(t *testing.T, c *h2.Conn, p []byte) {
	t.Helper()
	for len(p) > 0 {
		n, _, err := c.Feed(p)
		if err != nil {
			t.Fatalf("feed %q: %v", p, err)
		}
		p = p[n:]
	}
}

// FuzzReader holds that a message of HTTP/1, cut anywhere, becomes the same message of
// HTTP/2, and one that a peer takes: whatever a client or an origin sends, it is not weir
// that breaks the rules towards the other.
func FuzzReader(f *testing.F) {
	for _, c := range readTranslations(f, "testdata/reader.txt") {
		for _, line := range c.input {
			if line != "EOF" && line != "AGREED" {
				f.Add([]byte(unquote(f, `"`+line+`"`)), c.lines[0] == "response", false, uint8(3))
			}
		}
	}
	f.Fuzz(func(t *testing.T, wire []byte, response, lenient bool, piece uint8) {
		whole := readPieces(wire, response, lenient, len(wire))
		if got := readPieces(wire, response, lenient, int(piece)); got != whole {
			t.Errorf("in pieces of %d bytes: got\n%s\nwant\n%s", piece, got, whole)
		}
		r := newReader(response, lenient)
		for {
			n, part, err := r.Feed(wire)
			wire = wire[n:]
			if err != nil || part.Kind == NeedMore {
				return
			}
			if part.Kind == Head {
				taken(t, part, response)
			}
		}
	})
}

func newReader(response, lenient bool) *Reader {
	role := h1.Request
	if response {
		role = h1.Response
	}
	r := NewReader(role, h1.Limits{Lenient: lenient})
	r.Scheme, r.Authority = "http", "a.test"
	r.ForRequest(Request{Method: "GET"})
	return r
}

// readPieces is what comes of wire in pieces.
func readPieces(wire []byte, response, lenient bool, piece int) string {
	r := newReader(response, lenient)
	var out parts
	for len(wire) > 0 {
		n := min(max(1, piece), len(wire))
		if err := out.feed(r, wire[:n]); err != nil {
			out.flush()
			return out.lines.String() + "error " + err.Error()
		}
		wire = wire[n:]
	}
	out.flush()
	return out.lines.String()
}

// taken holds that the fields of a head pass a peer's rules (RFC 9113 section 8).
func taken(t *testing.T, head Part, response bool) {
	t.Helper()
	peer, ours := h2.NewConn(h2.Client, h2.Limits{}), h2.NewConn(h2.Server, h2.Limits{})
	out := ours.AppendSettings(ours.AppendPreface(nil), nil)
	in, reads := ours.AppendHeaders(out, 1, head.Fields, nil, head.Last), peer
	if response {
		feed(t, peer, ours.AppendHeaders(out, 1, asking("GET"), nil, true))
		in, reads = peer.AppendHeaders(peer.AppendSettings(nil, nil), 1, head.Fields, nil, head.Last), ours
	}
	for len(in) > 0 {
		n, ev, err := reads.Feed(in)
		if err != nil || ev.Kind == h2.StreamError {
			t.Fatalf("%q is refused: %v, %v", head.Fields, err, ev.Err)
		}
		in = in[n:]
	}
}

// countMessages reads messages of HTTP/1 as their receiver does.
func countMessages(r *h1.Reader, wire []byte) (heads int, content string) {
	for {
		n, ev, err := r.Feed(wire)
		wire = wire[n:]
		switch {
		case err != nil:
			return 0, "" // the receiver refuses it
		case ev.Kind == h1.MessageHead:
			heads++
		case ev.Kind == h1.Data:
			content += string(ev.Data)
		case ev.Kind == h1.NeedMore:
			return heads, content
		}
	}
}
