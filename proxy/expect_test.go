package proxy

import (
	"strings"
	"sync/atomic"
	"testing"

	flowpb "weir/proto"
)

// TestAnsweredInsteadOfContinued has the origin answer a request that expects
// 100-continue at once and keep its connection. What the client sends next may
// be the body or another request, so that the connection must end, cleanly,
// with nothing of it passed on.
func TestAnsweredInsteadOfContinued(t *testing.T) {
	const refusal = "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 2\r\n\r\nno"
	for _, tt := range []struct{ name, next string }{
		{"the request again without the expectation", "POST http://%s/ HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"},
		{"the body all the same", "hello"},
		{"nothing", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var conns atomic.Int32
			addr := origin(t, func(p *peer) {
				if conns.Add(1) == 1 {
					p.head()
					p.send(refusal)
					if more := p.rest(); more != "" {
						t.Errorf("the origin was sent %q as the body", more)
					}
					return
				}
				p.head()
				p.expect("hello")
				p.send("HTTP/1.1 204 No Content\r\n\r\n")
			})
			s, sink := start(t, Options{})
			c := dial(t, s)
			request := "POST http://" + addr + "/ HTTP/1.1\r\nHost: " + addr + "\r\nContent-Length: 5\r\n"
			c.send(request + "Expect: 100-continue\r\n\r\n")
			c.expect(refusal)
			c.send(strings.ReplaceAll(tt.next, "%s", addr))
			if rest := c.rest(); rest != "" {
				t.Errorf("after the response: got %q, want a clean end", rest)
			}
			c.Close()
			f := sink.finished(t, 1)
			if b := f.GetHttp().Request.Body; f.Error != nil || b.State != flowpb.BodyCut || b.Size != 0 {
				t.Errorf("got %v", f)
			}
			c = dial(t, s)
			c.send(request + "\r\nhello")
			c.expect("HTTP/1.1 204 No Content\r\n\r\n")
			if f := sink.finished(t, 2); f.Error != nil || f.GetHttp().Request.Body.Size != 5 {
				t.Errorf("got %v", f)
			}
		})
	}
}

// TestBodyInsteadOfWaiting has the client begin with its body before it is asked
// to: then the framing is plain, and the connection goes on.
func TestBodyInsteadOfWaiting(t *testing.T) {
	const answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	begun := make(chan struct{})
	addr := origin(t, func(p *peer) {
		p.head()
		close(begun)
		p.expect("hel")
		p.send(answer)
		p.expect("lo")
		p.head()
		p.send(answer)
	})
	s, sink := start(t, Options{})
	c := dial(t, s)
	c.send("POST http://" + addr + "/ HTTP/1.1\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
	<-begun
	c.send("hel")
	c.expect(answer)
	c.send("lo" + get(addr))
	c.expect(answer)
	if f := sink.finished(t, 1); f.Error != nil || f.GetHttp().Request.Body.State != flowpb.BodyComplete {
		t.Errorf("got %v", f)
	}
}
