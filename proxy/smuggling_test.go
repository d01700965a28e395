package proxy

import (
	"io"
	"strings"
	"testing"

	flowpb "weir/proto"
	"weir/proxy/h1"
)

// shapes are requests whose end two readers could see in different places.
var shapes = []struct{ name, request, odd string }{
	{"CL and TE", "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "both Transfer-Encoding and Content-Length"},
	{"TE and CL", "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "both Transfer-Encoding and Content-Length"},
	{"two lengths", "Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde", "different values of Content-Length"},
	{"lengths in a list", "Content-Length: 4, 5\r\n\r\nabcde", "different values of Content-Length"},
	{"bad length", "Content-Length: +4\r\n\r\nabcd", "Content-Length that is no number"},
	{"two codings", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", "odd Transfer-Encoding"},
	{"hidden coding", "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "odd Transfer-Encoding"},
	{"bare LF", "A: b\nContent-Length: 0\r\n\r\n", "a line ends in LF without CR"},
	{"fold", "A: b\r\n c\r\n\r\n", "a folded field (obs-fold)"},
	{"folded coding", "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", "Content-Length or Transfer-Encoding written oddly"},
	{"space before colon", "A : b\r\n\r\n", "white space before a colon"},
	{"space before colon of length", "Content-Length : 4\r\n\r\nabcd", "Content-Length or Transfer-Encoding written oddly"},
	{"CR", "A: b\rContent-Length: 4\r\n\r\n", "NUL or CR without LF"},
	{"chunk size in hex notation", "Transfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n", "broken chunked framing"},
	{"absurd chunk size", "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\na\r\n0\r\n\r\n", "broken chunked framing"},
	{"chunk without CRLF", "Transfer-Encoding: chunked\r\n\r\n1\r\na0\r\n\r\n", "broken chunked framing"},
}

func TestSmugglingIsRefused(t *testing.T) {
	for _, tt := range shapes {
		t.Run(tt.name, func(t *testing.T) {
			addr := origin(t, func(p *peer) { _, _ = io.Copy(io.Discard, p.r) })
			s, sink := start(t, Options{})
			c := dial(t, s)
			c.send("POST http://" + addr + "/ HTTP/1.1\r\nHost: " + addr + "\r\n" + tt.request)
			if got := c.rest(); !strings.HasPrefix(got, "HTTP/1.1 400 ") || !strings.Contains(got, "--lenient") {
				t.Errorf("got %q", got)
			}
			f := sink.finished(t, 1)
			if f.Error.GetCode() != flowpb.CodeProtocol || f.Error.Hint == "" || metaOf(f, "odd request") != tt.odd {
				t.Errorf("recorded %v and %v, want %q", f.Error, f.Meta, tt.odd)
			}
		})
	}
}

// Under Lenient the origin gets what the client sent, byte for byte, and the flow
// says what is odd about it.
func TestSmugglingIsForwardedOnRequest(t *testing.T) {
	for _, tt := range shapes {
		t.Run(tt.name, func(t *testing.T) {
			got := make(chan string, 1)
			addr := origin(t, func(p *peer) {
				b := make([]byte, len("POST / HTTP/1.1\r\n")+len(tt.request))
				n, _ := io.ReadFull(p.r, b)
				got <- string(b[:n])
				p.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
			})
			opts := mode(t, "reverse:http://"+addr)
			opts.KeepHost, opts.Limits = true, h1.Limits{Lenient: true}
			s, sink := start(t, opts)
			c := dial(t, s)
			c.send("POST / HTTP/1.1\r\n" + tt.request)
			if answer := c.reply(); answer != "ok" {
				t.Errorf("answer: got %q", answer)
			}
			if got, want := <-got, "POST / HTTP/1.1\r\n"+tt.request; got != want {
				t.Errorf("the origin got %q, want %q", got, want)
			}
			if f := sink.finished(t, 1); metaOf(f, "odd request") != tt.odd || f.Error != nil {
				t.Errorf("recorded %v and %v, want %q", f.Error, f.Meta, tt.odd)
			}
		})
	}
}

// A body until the client closes reaches the origin with its end.
func TestEndlessRequest(t *testing.T) {
	addr := origin(t, func(p *peer) {
		p.head()
		body, _ := io.ReadAll(p.r)
		p.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n" + string(body[:3]))
	})
	s, sink := start(t, Options{Limits: h1.Limits{Lenient: true}})
	c := dial(t, s)
	c.send("POST http://" + addr + "/ HTTP/1.1\r\nContent-Length: x\r\n\r\nabc")
	closeWrite(c.Conn)
	if got := c.reply(); got != "abc" {
		t.Errorf("got %q, want abc", got)
	}
	if f := sink.finished(t, 1); f.Error != nil || f.GetHttp().Request.Body.State != flowpb.BodyComplete || sink.body(1, flowpb.SideRequest) != "abc" {
		t.Errorf("recorded %v", f)
	}
}

// What servers do oddly and clients put up with passes, flagged.
func TestOddResponses(t *testing.T) {
	addr := origin(t, func(p *peer) {
		p.head()
		p.send("HTTP/1.1 200 OK\nA : b\nContent-Length: 2\n\nok")
	})
	s, sink := start(t, Options{})
	c := dial(t, s)
	c.send(get(addr))
	c.expect("HTTP/1.1 200 OK\nA : b\nContent-Length: 2\n\nok")
	if f := sink.finished(t, 1); metaOf(f, "odd response") != "a line ends in LF without CR; white space before a colon" || f.Error != nil {
		t.Errorf("recorded %v and %v", f.Error, f.Meta)
	}
}
