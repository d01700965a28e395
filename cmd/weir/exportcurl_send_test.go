package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	flowpb "weir/proto"
)

// heard is a request as it came to a server, byte for byte.
type heard struct {
	Line    string
	Headers []string // "Name: value", but Host and those of the framing
	Host    string   // the Host line, "" without one
	Body    string
}

// hear answers one request on l.
func hear(l net.Listener) (heard, error) {
	conn, err := l.Accept()
	if err != nil {
		return heard{}, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return heard{}, err
	}
	var got []byte
	for buf := make([]byte, 4096); ; {
		h, whole := parseHeard(got)
		if whole {
			_, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
			return h, err
		}
		n, err := conn.Read(buf)
		if err != nil {
			return h, fmt.Errorf("after %q: %w", got, err)
		}
		got = append(got, buf[:n]...)
	}
}

// parseHeard is as simple as the requests that this test sends.
func parseHeard(p []byte) (h heard, whole bool) {
	head, body, ended := strings.Cut(string(p), "\r\n\r\n")
	if !ended {
		return h, false
	}
	lines := strings.Split(head, "\r\n")
	h.Line = lines[0]
	length, chunked := 0, false
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ":")
		switch strings.ToLower(name) {
		case "host":
			h.Host = line
		case "content-length":
			length, _ = strconv.Atoi(strings.TrimSpace(value))
		case "transfer-encoding":
			chunked = true
		default:
			h.Headers = append(h.Headers, name+": "+strings.TrimSpace(value))
		}
	}
	if chunked {
		h.Body = "chunked " + body
		return h, strings.HasSuffix(body, "0\r\n\r\n")
	}
	h.Body = body
	return h, len(body) >= length
}

// curlExec runs a command line as a user would, in a shell, with none of the user's
// own settings.
func curlExec(t *testing.T, line string) error {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh")
	cmd.Stdin = strings.NewReader(line + "\n") // a line longer than an argument may be
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

// The command, run by a shell and curl, sends the request that it was made of.
func TestCurlSendsTheSame(t *testing.T) {
	for _, tool := range []string{"sh", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("WEIR_E2E_REQUIRED") != "" {
				t.Fatalf("%s is not installed, and WEIR_E2E_REQUIRED is set", tool)
			}
			t.Skipf("%s is not installed", tool)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	every := make([]byte, 0, 2560)
	for i := range 2560 {
		every = append(every, byte(i*7))
	}
	for _, tt := range curlCases(every) {
		t.Run(tt.name, func(t *testing.T) {
			q, want := tt.request(l.Addr().String())
			c := curl{request: q, host: l.Addr().String(), body: tt.body}
			line, err := c.command()
			if err != nil {
				t.Fatal(err)
			}
			ran := make(chan error, 1)
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			go func() {
				err := curlExec(t, line)
				if err != nil && ctx.Err() == nil {
					// Nobody will call: let hear end.
					if conn, e := net.Dial("tcp", l.Addr().String()); e == nil {
						err = errors.Join(err, conn.Close())
					}
				}
				ran <- err
			}()
			got, err := hear(l)
			stop()
			if e := <-ran; e != nil || err != nil {
				t.Fatalf("%v %v\nof %.2000s", e, err, line)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("the server heard (-want +got):\n%s\nof %.2000s", diff, line)
			}
		})
	}
}

// curlCase is one request; what is empty is GET, / and HTTP/1.1.
type curlCase struct {
	name, method, path, version string
	headers                     []string
	host                        string // "": the server's, "-": none
	body                        []byte
	framed                      string // the body as heard, where it differs
}

func curlCases(every []byte) []curlCase {
	visible := "/"
	for c := byte('!'); c < 0x7f; c++ {
		if c != '#' {
			visible += string(c)
		}
	}
	return []curlCase{
		{name: "bare"},
		{name: "usual", headers: []string{"User-Agent: x", "Accept: */*", "Accept-Encoding: gzip, x-none", "Cookie: a=b", "Cookie: c=d"}},
		{name: "order, case and duplicates", headers: []string{"x-B: 1", "accept: text/html", "X-a: 2", "x-b: 3", "USER-AGENT: y", "X-a: 4"}},
		{name: "every visible character", path: visible + "?" + visible},
		{name: "brackets", path: "/a[1-3]{x,y}?q[]=1"},
		{name: "dot segments", path: "/a/./b/../c/%2e%2e/.."},
		{name: "odd path", path: "/a b#c\xff\x1b"},
		{name: "asterisk", method: "OPTIONS", path: "*"},
		{name: "no host", host: "-", version: "HTTP/1.0"},
		{name: "another host", host: "other.test:81"},
		{name: "odd values", headers: []string{"X-Empty: ", "X-Q: it's $HOME \"`id`\" \\n %s", "X-C: \x1b[2J\xff\xfe\t-", "X-D: -"}},
		{name: "text", method: "POST", headers: []string{"Content-Type: text/plain"}, body: []byte("@x 'y'\n$(id)\n\n\n")},
		{name: "crlf at the end", method: "POST", body: []byte("a\r\n\r\n\n\n")},
		{name: "text that looks like an option", method: "POST", body: []byte("-n\t%s\\n")},
		{name: "every byte", method: "PATCH", headers: []string{"Content-Type: x/y"}, body: every},
		{name: "large", method: "POST", body: bytes.Repeat(every, maxCurlWord/len(every))},
		{name: "large text", method: "POST", body: bytes.Repeat([]byte("0123456789abcde\n"), maxCurlWord/16)},
		{name: "empty post", method: "POST", body: []byte{}},
		{name: "empty put", method: "PUT", body: []byte{}},
		{name: "post without a body", method: "POST"},
		{name: "delete", method: "DELETE"},
		{name: "get with a body", body: []byte("x")},
		{name: "old version", method: "POST", version: "HTTP/1.0", body: []byte("x")},
		{name: "content coding", method: "POST", headers: []string{"Content-Encoding: gzip"}, body: []byte("\x1f\x8bno gzip at all")},
		{name: "chunked", method: "PUT", headers: []string{"Transfer-Encoding: chunked"}, body: []byte("abc\x00"), framed: "chunked 4\r\nabc\x00\r\n0\r\n\r\n"},
		{name: "head", method: "HEAD"},
	}
}

// request is the case's head as captured, and what the server at addr should hear.
func (c curlCase) request(addr string) (*flowpb.Request, heard) {
	q := &flowpb.Request{Method: []byte("GET"), Path: []byte("/"), Version: []byte("HTTP/1.1"), Scheme: []byte("http")}
	for _, p := range []struct {
		to   *[]byte
		from string
	}{{&q.Method, c.method}, {&q.Path, c.path}, {&q.Version, c.version}} {
		if p.from != "" {
			*p.to = []byte(p.from)
		}
	}
	want := heard{Line: fmt.Sprintf("%s %s %s", q.Method, q.Path, q.Version), Host: "Host: " + addr, Body: string(c.body)}
	host := []string{"Host: " + addr}
	switch c.host {
	case "":
	case "-":
		host, want.Host = nil, ""
	default:
		host, want.Host = []string{"Host: " + c.host}, "Host: "+c.host
	}
	if c.framed != "" {
		want.Body = c.framed
	}
	q.Headers = fields(append(host, c.headers...)...)
	for _, line := range c.headers {
		if !strings.HasPrefix(line, "Transfer-Encoding") {
			want.Headers = append(want.Headers, line)
		}
	}
	return q, want
}
