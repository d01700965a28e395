package translate

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"weir/proxy/h1"
	"weir/proxy/h2"
)

// TestCuts cuts the input of every case anywhere: the parts must be the same.
func TestCuts(t *testing.T) {
	all := readTranslations(t, "testdata/reader.txt")
	rapid.Check(t, func(rt *rapid.T) {
		c := rapid.SampledFrom(all).Draw(rt, "case")
		got := c.read(t, func(s string) (pieces []string) {
			for len(s) > 0 {
				n := rapid.IntRange(1, len(s)).Draw(rt, "piece")
				pieces, s = append(pieces, s[:n]), s[n:]
			}
			return pieces
		})
		if got != c.want {
			rt.Errorf("%s:\n%s", c.name, cmp.Diff(c.want, got))
		}
	})
}

// TestThereAndBack takes requests and responses of HTTP/2 to HTTP/1 and back.
func TestThereAndBack(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		name := rapid.StringMatching(`x-[a-z0-9]{1,8}`)
		value := rapid.StringMatching(`[!-~]([ -~]{0,20}[!-~])?`)
		ev := &h2.Event{Kind: h2.Message, Stream: 1}
		reader := NewReader(h1.Request, h1.Limits{})
		if rapid.Bool().Draw(rt, "request") {
			addField(ev, true, "method", rapid.SampledFrom([]string{"GET", "POST", "PURGE"}).Draw(rt, "method"))
			addField(ev, true, "scheme", "https")
			addField(ev, true, "authority", "a.test")
			addField(ev, true, "path", "/"+rapid.StringMatching(`[!-~]{0,20}`).Draw(rt, "path"))
			reader.Scheme = "https"
		} else {
			addField(ev, true, "status", rapid.SampledFrom([]string{"200", "404", "599"}).Draw(rt, "status"))
			reader = NewReader(h1.Response, h1.Limits{})
		}
		for range rapid.IntRange(0, 5).Draw(rt, "fields") {
			addField(ev, false, name.Draw(rt, "name"), value.Draw(rt, "value"))
		}
		content := rapid.SliceOfN(rapid.StringN(1, 10, -1), 1, 5).Draw(rt, "content")
		trailer := h2.Field{Name: name.Draw(rt, "trailer"), Value: value.Draw(rt, "trailing")}

		var w Writer
		wire, err := w.Append(nil, ev)
		for _, p := range content {
			wire, _ = w.Append(wire, &h2.Event{Kind: h2.Data, Data: []byte(p)})
		}
		wire, _ = w.Append(wire, &h2.Event{Kind: h2.Trailers, Fields: []h2.Field{trailer}})
		if err != nil {
			rt.Fatal(err)
		}
		head, body, end := readBack(rt, reader, wire)
		if diff := cmp.Diff(ev.Fields, head); diff != "" {
			rt.Errorf("head (-want +got):\n%s", diff)
		}
		if body != strings.Join(content, "") || len(end) != 1 || end[0] != trailer {
			rt.Errorf("got body %q, trailers %v, want %q, %v", body, end, content, trailer)
		}
	})
}

// readBack is the one message that wire holds.
func readBack(t interface{ Fatalf(string, ...any) }, r *Reader, wire []byte) (head []h2.Field, body string, trailers []h2.Field) {
	for {
		n, part, err := r.Feed(wire)
		if err != nil {
			t.Fatalf("read back %q: %v", wire, err)
		}
		wire = wire[n:]
		switch part.Kind {
		case NeedMore:
			return head, body, trailers
		case Head:
			head = append(head, part.Fields...)
		case Data:
			body += string(part.Data)
		case End:
			trailers = append(trailers, part.Fields...)
		}
	}
}

// FuzzRequest holds that no request of HTTP/2 becomes two of HTTP/1, whatever
// stands in its fields: what h2 lets through is one head, then its content.
func FuzzRequest(f *testing.F) {
	f.Add("GET", "a.test", "/", "cookie", "a=1", "content", false)
	f.Add("POST", "a.test", "/ HTTP/1.1\r\nhost: b\r\n\r\n", "te", "trailers", "GET / HTTP/1.1\r\n\r\n", true)
	f.Add("CONNECT", "a.test:443", "", "content-length", "3", "raw", true)
	f.Fuzz(func(t *testing.T, method, authority, path, name, value, content string, body bool) {
		fields := []h2.Field{{Name: ":method", Value: method}, {Name: ":scheme", Value: "http"}, {Name: ":authority", Value: authority}}
		if method != "CONNECT" {
			fields = append(fields, h2.Field{Name: ":path", Value: path})
		} else {
			fields = append(fields[:1], fields[2])
		}
		fields = append(fields, h2.Field{Name: name, Value: value})
		peer := h2.NewConn(h2.Server, h2.Limits{})
		in := peer.AppendSettings(peer.AppendPreface(nil), nil)
		in = peer.AppendHeaders(in, 1, fields, nil, !body)
		if body {
			in = peer.AppendData(in, 1, []byte(content), true)
		}
		w := Writer{Absolute: true}
		var wire []byte
		ours := h2.NewConn(h2.Client, h2.Limits{})
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
		if w.Endless() {
			return
		}
		heads, got := countMessages(h1.NewReader(h1.Request, h1.Limits{}), wire)
		if heads > 1 || heads == 1 && body && got != content {
			t.Errorf("%d heads, content %q of %q, in %q", heads, got, content, wire)
		}
	})
}
