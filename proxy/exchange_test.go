package proxy

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	flowpb "weir/proto"
)

func TestHeadsPassByteForByte(t *testing.T) {
	const response = "HTTP/1.1 200 Fine  indeed\r\nx-a:1\r\nX-A:  2\r\nX-a: 1\r\nContent-LENGTH: 2\r\nFolded: a\r\n  b\r\n\r\nok"
	var seen string
	addr := origin(t, func(p *peer) {
		seen = p.head()
		p.send(response)
	})
	s, sink := start(t, Options{})
	c := dial(t, s)
	fields := "hOst: " + addr + "\r\nX-b: 1\r\nx-B:2\r\nAccept:\t*/*\r\nX-b: 1\r\nUser-Agent: t\r\n"
	c.send("GET http://" + addr + "/a?b=%41 HTTP/1.1\r\nProxy-Connection: keep-alive\r\n" + fields + "Proxy-Authorization: Basic eA==\r\n\r\n")
	c.expect(response)
	if diff := cmp.Diff("GET /a?b=%41 HTTP/1.1\r\n"+fields+"\r\n", seen); diff != "" {
		t.Errorf("head at the origin (-want +got):\n%s", diff)
	}
	f := sink.finished(t, 1)
	if got, want := f.State, flowpb.StateComplete; got != want {
		t.Errorf("state: got %v (%v), want %v", got, f.Error, want)
	}
	names := func(fs []*flowpb.Field) (s string) {
		for _, f := range fs {
			s += string(f.Name) + "=" + string(f.Value) + ";"
		}
		return s
	}
	if got, want := names(f.GetHttp().Response.Headers), "x-a=1;X-A=2;X-a=1;Content-LENGTH=2;Folded=a b;"; got != want {
		t.Errorf("recorded response fields: got %q, want %q", got, want)
	}
	if got, want := string(f.GetHttp().Request.Headers[0].Name), "Proxy-Connection"; got != want {
		t.Errorf("first recorded request field: got %q, want %q", got, want)
	}
	if got, want := string(f.GetHttp().Request.Path), "/a?b=%41"; got != want {
		t.Errorf("path: got %q, want %q", got, want)
	}
	if got, want := string(f.GetHttp().Response.Reason), "Fine  indeed"; got != want {
		t.Errorf("reason: got %q, want %q", got, want)
	}
}

// TestConversations runs scripted exchanges: what the client sends after the
// proxy's own rewriting, what the origin answers, and what the flow says.
func TestConversations(t *testing.T) {
	for _, tt := range []struct {
		name, request, response string
		body, reply             string // recorded
		trailers                int
	}{
		{
			name: "length", request: "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", response: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
			body: "abc", reply: "ok",
		},
		{
			name: "chunked both ways with extensions and trailers", request: "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x=1\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n",
			response: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: A\r\n\r\n001\r\no\r\n1;last\r\nk\r\n0\r\na: 1\r\nB:2\r\n\r\n",
			body:     "abc", reply: "ok", trailers: 2,
		},
		{name: "head", request: "HEAD / HTTP/1.1\r\n\r\n", response: "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"},
		{name: "204", request: "GET / HTTP/1.1\r\n\r\n", response: "HTTP/1.1 204 No Content\r\n\r\n"},
		{name: "304", request: "GET / HTTP/1.1\r\n\r\n", response: "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"},
		{name: "interim", request: "GET / HTTP/1.1\r\n\r\n", response: "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			addr := origin(t, func(p *peer) {
				want := strings.Replace(tt.request, "\r\n", "\r\nHost: "+p.LocalAddr().String()+"\r\n", 1) // put in as there is none
				for range 2 {                                                                              // keep-alive: the same connection takes it twice
					p.expect(want)
					p.send(tt.response)
				}
			})
			s, sink := start(t, Options{})
			c := dial(t, s)
			asked := strings.Replace(tt.request, " / ", " http://"+addr+"/ ", 1)
			for i := range 2 {
				c.send(asked)
				c.expect(tt.response)
				f := sink.finished(t, uint64(i+1))
				if f.State != flowpb.StateComplete || f.Error != nil {
					t.Fatalf("state: got %v (%v), want complete", f.State, f.Error)
				}
				if got := sink.body(f.Id, flowpb.SideRequest); got != tt.body {
					t.Errorf("request body: got %q, want %q", got, tt.body)
				}
				if got := sink.body(f.Id, flowpb.SideResponse); got != tt.reply {
					t.Errorf("response body: got %q, want %q", got, tt.reply)
				}
				if got := len(f.GetHttp().Response.Trailers); got != tt.trailers {
					t.Errorf("trailers: got %d, want %d", got, tt.trailers)
				}
				if f.ServerConn != 2 {
					t.Errorf("server connection: got %d, want 2 for both", f.ServerConn)
				}
			}
		})
	}
}
