package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	flowpb "weir/proto"
	"weir/proto/resend"
	"weir/store"
)

// fields makes header fields of "Name: value" lines.
func fields(lines ...string) (out []*flowpb.Field) {
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		out = append(out, &flowpb.Field{Name: []byte(name), Value: []byte(value)})
	}
	return out
}

// sent is a flow and what is stored of its bodies.
type sent struct {
	flow              *flowpb.Flow
	request, response []byte
}

// post is a complete flow with a request of that body.
func post(path string, body []byte) sent {
	return sent{request: body, flow: &flowpb.Flow{
		State: flowpb.StateComplete, CreatedNs: 1,
		Protocol: &flowpb.Flow_Http{Http: &flowpb.Http{Request: &flowpb.Request{
			Method: []byte("POST"), Scheme: []byte("http"), Host: []byte("a.test"), Port: 80, Authority: []byte("a.test"),
			Path: []byte(path), Target: []byte(path), Version: []byte("HTTP/1.1"), Headers: fields("Host: a.test"),
			Body: &flowpb.Body{State: flowpb.BodyComplete, Size: uint64(len(body))},
		}}},
	}}
}

// sessionOf makes a session that holds these flows, with the ids 1, 2, 3 …
func sessionOf(t *testing.T, flows ...sent) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s.weir")
	s, err := store.Create(t.Context(), path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	w, err := s.NewWriter(t.Context(), store.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	check := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range flows {
		check(w.Flow(t.Context(), f.flow))
		if len(f.request) > 0 {
			check(w.Body(t.Context(), f.flow.GetId(), flowpb.SideRequest, f.request))
		}
		if len(f.response) > 0 {
			check(w.Body(t.Context(), f.flow.GetId(), flowpb.SideResponse, f.response))
		}
	}
	check(w.Close())
	return path
}

// weir runs a command line in this process.
func weir(t *testing.T, args ...string) (code int, out, said string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = run(t.Context(), args, stdio{nil, &stdout, &stderr})
	return code, stdout.String(), stderr.String()
}

// A flow that has no curl command is left out, said so, and counted; the others
// come out.
func TestExportCurlLeavesOut(t *testing.T) {
	dropped := post("/dropped", nil)
	dropped.flow.GetHttp().GetRequest().Body = &flowpb.Body{State: flowpb.BodyDropped, Size: 3}
	short := post("/short", []byte("ab"))
	short.flow.GetHttp().GetRequest().GetBody().Size = 5
	elsewhere := post("/elsewhere", []byte("x"))
	elsewhere.flow.GetHttp().GetRequest().Authority = []byte("b.test:81")
	elsewhere.flow.GetHttp().GetRequest().Headers = fields("Host: b.test:81")
	session := sessionOf(t,
		post("/binary", []byte("\x00\xff")), post("/large", make([]byte, resend.MaxBody+1)), dropped, short, elsewhere,
		sent{flow: &flowpb.Flow{State: flowpb.StateComplete, Protocol: &flowpb.Flow_Tcp{Tcp: &flowpb.Stream{}}}},
	)
	code, out, said := weir(t, "export", session, "--format", "curl")
	if code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	for _, want := range []string{`printf '\000\377' | curl `, " -H 'Host: b.test:81' ", " http://a.test/elsewhere "} {
		if !strings.Contains(out, want) {
			t.Errorf("the output lacks %q:\n%.2000s", want, out)
		}
	}
	if got := strings.Count(out, "\n"); got != 2 {
		t.Errorf("%d commands, want 2:\n%.2000s", got, out)
	}
	for _, want := range []string{
		"weir: left out flow 2: its body is larger than a command line\nhint: weir show SESSION ID --body request",
		"weir: left out flow 3: its body was passed on and not kept\n",
		"weir: left out flow 4: only 2 of 5 bytes of its body are in the session\n",
		"exported 2 flows as curl, left out 4 that have no such form\n",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("it did not say %q:\n%s", want, said)
		}
	}
}

func TestExportRawChunks(t *testing.T) {
	ext := func(offset uint64, s string) *flowpb.ChunkExtension {
		return &flowpb.ChunkExtension{Offset: offset, Extension: []byte(s)}
	}
	for _, tt := range []struct {
		name  string
		state flowpb.BodyState
		exts  []*flowpb.ChunkExtension
		body  string
		want  string
	}{
		{"no extension", flowpb.BodyComplete, nil, "abcdef", "6\r\nabcdef\r\n0\r\nT: 1\r\n\r\n"},
		{"first chunk", flowpb.BodyComplete, []*flowpb.ChunkExtension{ext(0, ";a=1")}, "abcdef", "6;a=1\r\nabcdef\r\n0\r\nT: 1\r\n\r\n"},
		{"later chunk", flowpb.BodyComplete, []*flowpb.ChunkExtension{ext(2, ";a")}, "abcdef", "2\r\nab\r\n4;a\r\ncdef\r\n0\r\nT: 1\r\n\r\n"},
		{"all", flowpb.BodyComplete, []*flowpb.ChunkExtension{ext(0, ";a"), ext(1, ";b"), ext(6, ";c")}, "abcdef", "1;a\r\na\r\n5;b\r\nbcdef\r\n0;c\r\nT: 1\r\n\r\n"},
		{"only the last", flowpb.BodyComplete, []*flowpb.ChunkExtension{ext(0, ";c")}, "", "0;c\r\nT: 1\r\n\r\n"},
		{"damaged", flowpb.BodyComplete, []*flowpb.ChunkExtension{ext(4, ";a"), ext(1, ";b"), ext(99, ";c"), ext(1<<63, ";d")}, "abcdef", "4\r\nabcd\r\n2;a\r\nef\r\n0\r\nT: 1\r\n\r\n"},
		{"cut", flowpb.BodyCut, nil, "abc", "3\r\nabc\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := post("/", []byte(tt.body))
			q := f.flow.GetHttp().GetRequest()
			q.Body = &flowpb.Body{State: tt.state, Size: uint64(len(tt.body)), Chunked: true, ChunkExtensions: tt.exts}
			q.Trailers = fields("T: 1")
			code, out, said := weir(t, "export", sessionOf(t, f), "--format", "raw")
			if want := "POST / HTTP/1.1\r\nHost: a.test\r\n\r\n" + tt.want; code != 0 || out != want {
				t.Errorf("exit code %d, said %q\ngot  %q\nwant %q", code, said, out, want)
			}
		})
	}
}
