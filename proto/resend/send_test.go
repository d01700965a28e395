package resend

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	flowpb "weir/proto"
)

// heard is a request as it came to a server, byte for byte.
type heard struct {
	Line    string
	Headers []string // "Name: value", but Host and those of the framing
	Host    string   // the Host line, "" without one
	Body    string
	addr    string // of the server
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

// runner is how the text of a tool is run, and what the tool cannot be kept from.
type runner struct {
	tool    Tool
	name    string   // of the program that runs it
	args    []string // before the name of the file
	file    string
	needs   []string // a command that must succeed for it to be there
	heard   func(heard) heard
	refuses string // the names of the cases that it has no form for, each in bars
}

func runners() map[string]runner {
	same := func(h heard) heard { return h }
	return map[string]runner{
		"curl": {tool: ByCurl(), name: "sh", file: "all.sh", needs: []string{"curl", "--version"}, heard: same, refuses: "|too large for a command|"},
		"python": {
			tool: ByPython(), name: "python3", file: "all.py", needs: []string{"python3", "-c", "import requests"}, heard: anyVersion,
			refuses: "|order, case and duplicates|usual|every visible character|brackets|dot segments|odd path|asterisk|",
		},
		"go": {
			tool: ByGo(), name: "go", args: []string{"run"}, file: "all.go", needs: []string{"go", "version"},
			heard: func(h heard) heard {
				h = anyVersion(h)
				slices.SortStableFunc(h.Headers, func(a, b string) int { return strings.Compare(nameOf(a), nameOf(b)) })
				return h
			},
			refuses: "|odd path|odd values|",
		},
		"fetch": {
			tool: ByFetch(), name: "node", file: "all.mjs", needs: []string{"node", "--version"}, heard: asFetch,
			refuses: "|order, case and duplicates|usual|every visible character|brackets|dot segments|odd path|asterisk|another host|odd values|get with a body|",
		},
	}
}

func nameOf(line string) string {
	name, _, _ := strings.Cut(line, ":")
	return name
}

// anyVersion leaves out what a tool that only speaks HTTP/1.1 cannot say.
func anyVersion(h heard) heard {
	h.Line = strings.Replace(h.Line, "HTTP/1.0", "HTTP/1.1", 1)
	h.Host = strings.Replace(h.Host, "Host: "+h.addr, "", 1)
	return h
}

// asFetch is a request as far as fetch can be told what to send: names are in lower
// case, bodies never chunked, and fields for what fetch accepts are added.
func asFetch(h heard) heard {
	h.Line = anyVersion(h).Line
	var kept []string
	for _, line := range h.Headers {
		name, value, _ := strings.Cut(line, ":")
		name = strings.ToLower(name)
		if !strings.Contains("|connection|accept|accept-language|sec-fetch-mode|user-agent|accept-encoding|", "|"+name+"|") {
			kept = append(kept, name+":"+value)
		}
	}
	h.Headers, h.Host = kept, strings.Replace(strings.ToLower(h.Host), "host: "+h.addr, "", 1)
	if strings.HasPrefix(h.Body, "chunked ") {
		h.Body = "abc\x00"
	}
	return h
}

// The text of each tool, run by what it is for, sends the requests that it was made of.
func TestSendsTheSame(t *testing.T) {
	every := make([]byte, 0, 2560)
	for i := range 2560 {
		every = append(every, byte(i*7))
	}
	for name, r := range runners() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := exec.CommandContext(t.Context(), r.needs[0], r.needs[1:]...).Run(); err != nil {
				if os.Getenv("WEIR_E2E_REQUIRED") != "" {
					t.Fatalf("%s is not installed, and WEIR_E2E_REQUIRED is set", name)
				}
				t.Skipf("%s is not installed: %v", name, err)
			}
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			wants, names, text := program(t, r, l.Addr().String(), every)
			ran := make(chan error, 1)
			go func() {
				err := run(t, r, text)
				l.Close() // nobody will call any more
				ran <- err
			}()
			for i, want := range wants {
				got, err := hear(l)
				if err != nil {
					t.Fatalf("%s: %v; %v", names[i], err, <-ran)
				}
				got.addr, want.addr = l.Addr().String(), l.Addr().String()
				if diff := cmp.Diff(r.heard(want), r.heard(got), cmp.AllowUnexported(heard{}), cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("%s: the server heard (-want +got):\n%.3000s", names[i], diff)
				}
			}
			if err := <-ran; err != nil {
				t.Error(err)
			}
		})
	}
}

// program is all cases that a tool has a form for as one text.
func program(t *testing.T, r runner, addr string, every []byte) (wants []heard, names []string, text string) {
	t.Helper()
	var out strings.Builder
	w := NewWriter(&out, r.tool)
	for _, tt := range curlCases(every) {
		q, want := tt.request(addr)
		host, port, _ := strings.Cut(addr, ":")
		n, err := strconv.Atoi(port)
		if err != nil {
			t.Fatal(err)
		}
		q.Host, q.Port = []byte(host), uint32(n)
		if tt.body != nil {
			q.Body = &flowpb.Body{State: flowpb.BodyComplete, Size: uint64(len(tt.body))}
		}
		err = w.Write(&flowpb.Whole{
			Flow: &flowpb.Flow{Id: 7, Protocol: &flowpb.Flow_Http{Http: &flowpb.Http{Request: q}}},
			Body: func(flowpb.Side) (io.Reader, error) { return bytes.NewReader(tt.body), nil },
		})
		if refused := strings.Contains(r.refuses, "|"+tt.name+"|"); refused != (err != nil) {
			t.Errorf("%s: got error %v, want one: %v", tt.name, err, refused)
		}
		if err == nil {
			wants, names = append(wants, want), append(names, tt.name)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return wants, names, out.String()
}

// run runs a program as a user would, with none of the user's own settings.
func run(t *testing.T, r runner, text string) error {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, r.file)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return err
	}
	cmd := exec.CommandContext(t.Context(), r.name, append(r.args, file)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "GOFLAGS=-mod=mod", "CGO_ENABLED=0", "GOCACHE=" + goCache()}
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

// goCache is where Go keeps what it has built, so that the standard library is not
// built again.
func goCache() string {
	if dir := os.Getenv("GOCACHE"); dir != "" {
		return dir
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "go-build")
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
		{name: "plain fields", headers: []string{"User-Agent: x", "X-b: 1", "Accept: text/html", "x-A: y; z=\"1\"", "Cookie: a=b; c='d'"}},
		{name: "quoted values", path: "/a?b=$HOME", headers: []string{"X-Q: it's $HOME \"`id`\" \\n %s ${x} #{y}", "X-L: caf\xe9"}},
		{name: "order, case and duplicates", headers: []string{"x-B: 1", "accept: text/html", "X-a: 2", "x-b: 3", "USER-AGENT: y", "X-a: 4"}},
		{name: "every visible character", path: visible + "?" + visible},
		{name: "brackets", path: "/a[1-3]{x,y}?q[]=1"},
		{name: "dot segments", path: "/a/./b/../c/%2e%2e/.."},
		{name: "odd path", path: "/a b#c\xff\x1b"},
		{name: "asterisk", method: "OPTIONS", path: "*"},
		{name: "no host", host: "-", version: "HTTP/1.0"},
		{name: "another host", host: "other.test:81"},
		{name: "odd values", headers: []string{"X-Empty: ", "X-Q: it's $HOME \"`id`\" \\n %s", "X-C: \x1b[2J\xff\xfe\t-", "X-D: -"}},
		{name: "values like options", headers: []string{"X-A: @file", "X-B: =1", "X-C: :", "X-D: ;", "X-E: <x"}},
		{name: "text", method: "POST", headers: []string{"Content-Type: text/plain"}, body: []byte("@x 'y'\n$(id)\n\n\n")},
		{name: "crlf at the end", method: "POST", body: []byte("a\r\n\r\n\n\n")},
		{name: "text that looks like an option", method: "POST", body: []byte("-n\t%s\\n")},
		{name: "every byte", method: "PATCH", headers: []string{"Content-Type: x/y"}, body: every},
		{name: "large", method: "POST", body: bytes.Repeat(every, MaxBody/len(every))},
		{name: "large text", method: "POST", body: bytes.Repeat([]byte("0123456789abcde\n"), MaxBody/16)},
		{name: "too large for a command", method: "POST", body: bytes.Repeat(every, MaxBody/len(every)+1)},
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
