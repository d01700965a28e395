package proxy

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	flowpb "weir/proto"
)

// address is where a flow says that a request was meant to go.
type address struct {
	Scheme, Host    string
	Port            uint32
	Authority, Path string
	Server          string
}

func addressOfFlow(f *flowpb.Flow) address {
	q := f.GetHttp().Request
	return address{string(q.Scheme), string(q.Host), q.Port, string(q.Authority), string(q.Path), string(f.Server)}
}

// TestRefusedTargets sends requests that lead nowhere: the flow says where the
// client meant them to go, as far as that can be told.
func TestRefusedTargets(t *testing.T) {
	for _, tt := range []struct {
		request string // start line and fields
		want    address
	}{
		{"OPTIONS * HTTP/1.1\r\nHost: h.test", address{"http", "h.test", 80, "h.test", "*", "h.test:80"}},
		{"OPTIONS * HTTP/1.1", address{Path: "*"}},
		{"GET /a HTTP/1.1\r\nHost: h.test:81", address{"http", "h.test", 81, "h.test:81", "/a", "h.test:81"}},
		{"GET /a HTTP/1.1\r\nHost: a b", address{"", "", 0, "a b", "/a", ""}},
		{"GET /a HTTP/1.0", address{Path: "/a"}},
		{"GET http:///a HTTP/1.1\r\nHost: h.test", address{"http", "", 80, "", "/a", ""}},
		{"GET http://h.test:x/a HTTP/1.1\r\nHost: h.test", address{"http", "", 80, "h.test:x", "/a", ""}},
		{"GET ftp://u:p@h.test/a HTTP/1.1\r\nHost: other.test", address{"ftp", "h.test", 0, "h.test", "/a", ""}},
		{"GET ftp://h.test:21/a HTTP/1.1", address{"ftp", "h.test", 21, "h.test:21", "/a", "h.test:21"}},
		{"GET a HTTP/1.1\r\nHost: h.test", address{"", "", 0, "h.test", "a", ""}},
		{"CONNECT h.test HTTP/1.1\r\nHost: other.test", address{"https", "h.test", 0, "h.test", "", ""}},
		{"CONNECT h.test:0 HTTP/1.1", address{"https", "", 0, "h.test:0", "", ""}},
	} {
		t.Run(strings.ReplaceAll(tt.request, "/", "|"), func(t *testing.T) {
			s, sink := start(t, Options{})
			c := dial(t, s)
			c.send(tt.request + "\r\n\r\n")
			if page := c.rest(); !strings.HasPrefix(page, "HTTP/1.1 400 ") {
				t.Errorf("page: got %q, want a 400", page)
			}
			if diff := cmp.Diff(tt.want, addressOfFlow(sink.finished(t, 1))); diff != "" {
				t.Errorf("address (-want +got):\n%s", diff)
			}
		})
	}
}

// TestTheTargetWins sends a Host that differs from the target (RFC 9112 §3.2.2):
// it is passed on as it came, but the flow names the server that was asked.
func TestTheTargetWins(t *testing.T) {
	heads := make(chan string, 2)
	addr := origin(t, func(p *peer) {
		heads <- p.head()
		p.send("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
	})
	s, sink := start(t, Options{})
	c := dial(t, s)
	c.send("GET http://u:p@" + addr + "/a HTTP/1.1\r\nHost: other.test\r\n\r\n")
	c.rest()
	if got, want := <-heads, "GET /a HTTP/1.1\r\nHost: other.test\r\n\r\n"; got != want {
		t.Errorf("head at the origin: got %q, want %q", got, want)
	}
	if got := string(sink.finished(t, 1).GetHttp().Request.Authority); got != addr {
		t.Errorf("authority of an absolute form: got %q, want %q", got, addr)
	}
	c = tunnel(t, s, addr)
	c.send("GET http://third.test/a HTTP/1.1\r\nHost: other.test\r\n\r\n")
	c.rest()
	<-heads
	if got, want := string(sink.finished(t, 2).GetHttp().Request.Authority), "other.test"; got != want {
		t.Errorf("authority in a tunnel: got %q, want %q", got, want)
	}
}

// TestRejectedHeadIsShown sends heads that cannot be read to their end: the flow
// keeps what stood before the fault.
func TestRejectedHeadIsShown(t *testing.T) {
	const begin = "GET http://h.test/a HTTP/1.1\r\nHost: h.test\r\n"
	for _, tt := range []struct{ name, head, status string }{
		{"NUL", begin + "X: a\x00b\r\n\r\n", "400"},
		{"bare CR", begin + "X: a\rb\r\n\r\n", "400"},
		{"too large", begin + "X: " + strings.Repeat("x", 2<<20) + "\r\n\r\n", "431"},
		{"too many fields", begin + strings.Repeat("Y: b\r\n", 3000) + "\r\n", "431"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, sink := start(t, Options{})
			c := dial(t, s)
			go c.send(tt.head)
			if page := c.head(); !strings.HasPrefix(page, "HTTP/1.1 "+tt.status+" ") {
				t.Errorf("page: got %q, want %s", page, tt.status)
			}
			q := sink.finished(t, 1).GetHttp().Request
			if string(q.Method) != "GET" || string(q.Target) != "http://h.test/a" || string(q.Host) != "h.test" || len(q.Headers) == 0 || string(q.Headers[0].Name) != "Host" {
				t.Errorf("got %.300v", q)
			}
			for _, h := range q.Headers {
				if string(h.Name) == "X" {
					t.Errorf("the field with the fault is kept: %.100v", h)
				}
			}
		})
	}
}
