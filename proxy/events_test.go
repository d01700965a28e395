package proxy

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	flowpb "weir/proto"
)

// TestEvents records the events of a body that is one stream of them, whatever
// its pieces, and of no other body.
func TestEvents(t *testing.T) {
	const stream = "event: add\nid: 7\nretry: 10\ndata: {\"a\":1}\n\n: hello\n\ndata: x\ndata: y\n\ndata: half"
	for _, c := range []struct {
		name, fields string
		want         []string
	}{
		{"a stream", "Content-Type: Text/Event-Stream; charset=utf-8\r\n", []string{
			`server event "{\"a\":1}"`, `server event "x\ny"`,
			`server event "half": the stream ended inside it, so that browsers discard it`,
		}},
		{"something else", "Content-Type: text/plain\r\n", nil},
		{"a stream that is coded", "Content-Type: text/event-stream\r\nContent-Encoding: gzip\r\n", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			addr := origin(t, func(p *peer) {
				p.head()
				p.send("HTTP/1.1 200 OK\r\n" + c.fields + "\r\n")
				p.send(stream[:20])
				p.send(stream[20:])
			})
			s, sink := start(t, Options{})
			p := dial(t, s)
			p.send(get(addr))
			p.head()
			if got := p.rest(); got != stream {
				t.Errorf("passed on: got %q", got)
			}
			sink.finished(t, 1)
			if diff := cmp.Diff(c.want, sink.rows()); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			if got := sink.body(1, flowpb.SideResponse); got != stream {
				t.Errorf("body: got %q", got)
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
