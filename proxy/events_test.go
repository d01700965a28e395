package proxy

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	flowpb "weir/proto"
)

// eventStream is a stream of events, and eventRows what is recorded of it.
const eventStream = "event: add\nid: 7\nretry: 10\ndata: {\"a\":1}\n\n: hello\n\ndata: x\ndata: y\n\ndata: half"

var eventRows = []string{
	`server event "{\"a\":1}"`, `server event "x\ny"`,
	`server event "half": the stream ended inside it, so that browsers discard it`,
}

// coded is text under a content coding.
func coded(t *testing.T, coding, text string) string {
	t.Helper()
	var out bytes.Buffer
	var w io.WriteCloser
	switch coding {
	case "gzip":
		w = gzip.NewWriter(&out)
	case "deflate":
		w = zlib.NewWriter(&out)
	case "br":
		w = brotli.NewWriter(&out)
	case "zstd":
		var err error
		if w, err = zstd.NewWriter(&out, zstd.WithEncoderConcurrency(1)); err != nil {
			t.Fatal(err)
		}
	default:
		return text
	}
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestEvents records the events of a body that is one stream of them, whatever
// its pieces and its coding, and of no other body.
func TestEvents(t *testing.T) {
	for _, c := range []struct {
		name, fields, body string
		want               []string
		note               string
	}{
		{"a stream", "Content-Type: Text/Event-Stream; charset=utf-8\r\n", eventStream, eventRows, ""},
		{"something else", "Content-Type: text/plain\r\n", eventStream, nil, ""},
		{"gzip", "Content-Type: text/event-stream\r\nContent-Encoding: gzip\r\n", coded(t, "gzip", eventStream), eventRows, ""},
		{"deflate", "Content-Type: text/event-stream\r\nContent-Encoding: deflate\r\n", coded(t, "deflate", eventStream), eventRows, ""},
		{"br", "Content-Type: text/event-stream\r\nContent-Encoding: br\r\n", coded(t, "br", eventStream), eventRows, ""},
		{"zstd", "Content-Type: text/event-stream\r\nContent-Encoding: ZSTD\r\n", coded(t, "zstd", eventStream), eventRows, ""},
		{"identity", "Content-Type: text/event-stream\r\nContent-Encoding: identity\r\n", eventStream, eventRows, ""},
		{"a coding of nobody's", "Content-Type: text/event-stream\r\nContent-Encoding: rot13\r\n", eventStream, nil, ""},
		{
			"gzip that is none", "Content-Type: text/event-stream\r\nContent-Encoding: gzip\r\n", eventStream, nil,
			"not read to the end: decode gzip: gzip: invalid header",
		},
		{
			"gzip that is cut", "Content-Type: text/event-stream\r\nContent-Encoding: gzip\r\n", coded(t, "gzip", eventStream)[:30], nil,
			"not read to the end: decode gzip: input ends early",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			addr := origin(t, func(p *peer) {
				p.head()
				p.send("HTTP/1.1 200 OK\r\n" + c.fields + "\r\n")
				p.send(c.body[:20])
				p.send(c.body[20:])
			})
			s, sink := start(t, Options{})
			p := dial(t, s)
			p.send(get(addr))
			p.head()
			if got := p.rest(); got != c.body {
				t.Errorf("passed on: got %q", got)
			}
			f := sink.finished(t, 1)
			if diff := cmp.Diff(c.want, sink.rows()); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			if got := sink.body(1, flowpb.SideResponse); got != c.body {
				t.Errorf("body: got %q", got)
			}
			if got := noteOf(f, "events"); got != c.note {
				t.Errorf("note: got %q, want %q", got, c.note)
			}
			if len(c.want) > 0 {
				ev := sink.messages[0].GetEvent()
				if string(ev.GetType()) != "add" || string(ev.GetId()) != "7" || ev.GetRetryMs() != 10 || sink.messages[1].Event != nil {
					t.Errorf("fields: got %v and %v", ev, sink.messages[1].Event)
				}
			}
		})
	}
}

func noteOf(f *flowpb.Flow, key string) string {
	for _, m := range f.Meta {
		if m.Key == key {
			return m.Value
		}
	}
	return ""
}

// TestEventsWhileTheyArrive has each event of a coded stream recorded, and its
// bytes with the client, before the server says more.
func TestEventsWhileTheyArrive(t *testing.T) {
	heard := make(chan struct{})
	addr := origin(t, func(p *peer) {
		p.head()
		p.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\n\r\n")
		w := gzip.NewWriter(p)
		for i := range 3 {
			fmt.Fprintf(w, "data: %d\n\n", i)
			_ = w.Flush()
			<-heard
		}
		_ = w.Close()
	})
	s, sink := start(t, Options{})
	p := dial(t, s)
	p.send(get(addr))
	p.head()
	r, err := gzip.NewReader(p.r)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(r)
	for i := range 3 {
		want := fmt.Sprintf("data: %d\n\n", i)
		got := make([]byte, len(want))
		if _, err := io.ReadFull(lines, got); string(got) != want {
			t.Fatalf("got %q, %v, want %q", got, err, want)
		}
		sink.await(t, "the event's message", func() bool { return len(sink.messages) == i+1 })
		heard <- struct{}{}
	}
	sink.finished(t, 1)
}

// TestEventsHTTP2 is the same over HTTP/2, where the client leaves in the middle:
// the decoder ends with the stream.
func TestEventsHTTP2(t *testing.T) {
	transport, sink := start2(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		fmt.Fprint(z, "data: one\n\ndata: two\n\ndata: ha")
		_ = z.Flush()
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	ctx, leave := context.WithCancel(t.Context())
	resp, err := transport.RoundTrip(h2Request("GET", "https://a.test/", nil).WithContext(ctx))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	sink.await(t, "two events", func() bool { return len(sink.messages) == 2 })
	leave()
	f := sink.finished(t, 1)
	if f.Error.GetCode() != flowpb.CodeClientGone || noteOf(f, "events") != "" {
		t.Errorf("got %v", f)
	}
	want := []string{`server event "one"`, `server event "two"`, `server event "ha": the stream ended inside it, so that browsers discard it`}
	if diff := cmp.Diff(want, sink.rows()); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}
