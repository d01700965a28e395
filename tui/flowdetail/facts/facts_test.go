package facts

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	flowpb "weir/proto"
	"weir/tui/content"
)

func text(d *content.Document) string {
	var b strings.Builder
	for i := range d.Len() {
		if i > 0 && !d.Continued(i) {
			b.WriteByte('\n')
		}
		b.WriteString(d.Text(i))
	}
	return b.String()
}

func field(name, value string) *flowpb.Field {
	return &flowpb.Field{Name: []byte(name), Value: []byte(value)}
}

func TestRequest(t *testing.T) {
	long := strings.Repeat("v", shortValue+10)
	tests := []struct {
		name string
		in   *flowpb.Request
		o    HeadOptions
		want string
	}{
		{
			"as sent",
			&flowpb.Request{
				Method: []byte("GET"), Target: []byte("http://a/b"), Version: []byte("HTTP/1.1"),
				Headers: []*flowpb.Field{field("b-B", "1"), field("A", ""), field("b-B", "2 ")},
			},
			HeadOptions{},
			"GET http://a/b HTTP/1.1\nb-B: 1\nA: \nb-B: 2 ",
		},
		{
			"start line kept",
			&flowpb.Request{Method: []byte("GET"), StartLine: []byte("GET  / HTTP/1.1 ")},
			HeadOptions{},
			"GET  / HTTP/1.1 ",
		},
		{
			"odd lines",
			&flowpb.Request{Method: []byte("X"), Headers: []*flowpb.Field{
				{Name: []byte("A"), Value: []byte("1"), Raw: []byte("A:1\r\n")},
				{Name: []byte("B"), Value: []byte("1 2"), Raw: []byte("B: 1\r\n\t2\r\n")},
				{Name: []byte("C"), Value: []byte("1"), Raw: []byte("C: 1\n")},
				{Name: []byte(""), Value: []byte("junk"), Raw: []byte("junk\r\n")},
			}},
			HeadOptions{},
			"X\nA:1\nB: 1\\r\\n\\t2\nC: 1\\n\njunk",
		},
		{
			"bytes",
			&flowpb.Request{Method: []byte("G\x1b"), Headers: []*flowpb.Field{field("\u202e", "❤\\\x00\xff")}},
			HeadOptions{},
			`G\x1b` + "\n" + `\xe2\x80\xae: \xe2\x9d\xa4\\\x00\xff`,
		},
		{
			"long value",
			&flowpb.Request{Method: []byte("X"), Headers: []*flowpb.Field{field("A", long)}},
			HeadOptions{},
			"X\nA: " + long[:shortValue] + " … 10 bytes more (o)",
		},
		{
			"long value in full",
			&flowpb.Request{Method: []byte("X"), Headers: []*flowpb.Field{field("A", long)}},
			HeadOptions{Full: true},
			"X\nA: " + long,
		},
		{
			"secrets",
			&flowpb.Request{Method: []byte("X"), Headers: []*flowpb.Field{field("AUTHORIZATION", "Basic abc"), field("Accept", "*/*")}},
			HeadOptions{Masked: true},
			"X\nAUTHORIZATION: (hidden, 9 bytes)\nAccept: */*",
		},
		{
			"trailers",
			&flowpb.Request{Method: []byte("X"), Trailers: []*flowpb.Field{field("Sum", "7")}},
			HeadOptions{},
			"X\ntrailers, after the body:\nSum: 7",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, text(Request(&flowpb.Http{Request: tt.in}, tt.o))); diff != "" {
				t.Errorf("head (-want +got):\n%s", diff)
			}
		})
	}
}

// TestHeadsLookDifferent holds escapes to the law that what shows alike is alike.
func TestHeadsLookDifferent(t *testing.T) {
	value := rapid.SliceOfN(rapid.SampledFrom([]byte("\\x0a1\n\r\t \x00\xff\xc3\xa9")), 0, 6)
	show := func(p []byte) string {
		return text(Request(&flowpb.Http{Request: &flowpb.Request{Headers: []*flowpb.Field{{Name: []byte("A"), Value: p}}}}, HeadOptions{}))
	}
	rapid.Check(t, func(r *rapid.T) {
		a, b := value.Draw(r, "a"), value.Draw(r, "b")
		if (string(a) == string(b)) != (show(a) == show(b)) {
			r.Fatalf("%q shows as %q, %q shows as %q", a, show(a), b, show(b))
		}
	})
}

func TestResponse(t *testing.T) {
	h := &flowpb.Http{
		Informational: []*flowpb.Response{{Version: []byte("HTTP/1.1"), Status: 100, Reason: []byte("Continue")}},
		Response:      &flowpb.Response{Version: []byte("HTTP/2"), Status: 200, Headers: []*flowpb.Field{field("a", "b")}},
	}
	want := "HTTP/1.1 100 Continue\n\nHTTP/2 200\na: b"
	if diff := cmp.Diff(want, text(Response(h, HeadOptions{}))); diff != "" {
		t.Errorf("head (-want +got):\n%s", diff)
	}
	if d := Response(&flowpb.Http{}, HeadOptions{}); d.Len() != 0 {
		t.Errorf("no response: got %q, want nothing", text(d))
	}
}

const ms = int64(1e6)

// TestTiming looks at the names and figures of the bars.
func TestTiming(t *testing.T) {
	const begin = 1_000_000 * ms
	http := func(state flowpb.State, q *flowpb.Request, r *flowpb.Response) *flowpb.Flow {
		return &flowpb.Flow{State: state, CreatedNs: begin, Protocol: &flowpb.Flow_Http{Http: &flowpb.Http{Request: q, Response: r}}}
	}
	request := &flowpb.Request{StartedNs: begin, EndedNs: begin + ms}
	response := &flowpb.Response{StartedNs: begin + 10*ms, EndedNs: begin + 30*ms}
	fresh := &flowpb.Conn{StartedNs: begin + 2*ms, ResolvedNs: begin + 3*ms, ConnectedNs: begin + 5*ms, TlsNs: begin + 8*ms}
	failed := http(flowpb.StateError, request, nil)
	failed.Error = &flowpb.Error{AtNs: begin + 40*ms}
	tests := []struct {
		name   string
		flow   *flowpb.Flow
		server *flowpb.Conn
		want   string
	}{
		{"fresh connection", http(flowpb.StateComplete, request, response), fresh, "DNS 1.0ms, connect 2.0ms, TLS 3.0ms, send 1.0ms, wait 2.0ms, receive 20ms, total 30ms"},
		{"reused connection", http(flowpb.StateComplete, request, response), &flowpb.Conn{StartedNs: begin - 9*ms, ConnectedNs: begin - 5*ms, TlsNs: begin - ms}, "send 1.0ms, wait 9.0ms, receive 20ms, total 30ms"},
		{"no name to resolve", http(flowpb.StateComplete, request, response), &flowpb.Conn{StartedNs: begin + 2*ms, ConnectedNs: begin + 5*ms}, "connect 3.0ms, send 1.0ms, wait 5.0ms, receive 20ms, total 30ms"},
		{"waiting", http(flowpb.StateWaiting, request, nil), fresh, "DNS 1.0ms, connect 2.0ms, TLS 3.0ms, send 1.0ms, total 8.0ms"},
		{"no such name", failed, &flowpb.Conn{StartedNs: begin + 2*ms}, "connect 38ms, send 1.0ms, total 40ms"},
		{"refused", failed, &flowpb.Conn{StartedNs: begin + 2*ms, ResolvedNs: begin + 3*ms}, "DNS 1.0ms, connect 37ms, send 1.0ms, total 40ms"},
		{"no handshake", failed, &flowpb.Conn{StartedNs: begin + 2*ms, ConnectedNs: begin + 3*ms, Error: &flowpb.Error{AtNs: begin + 7*ms}}, "connect 1.0ms, TLS 4.0ms, send 1.0ms, total 7.0ms"},
		{"timed out", failed, fresh, "DNS 1.0ms, connect 2.0ms, TLS 3.0ms, send 1.0ms, wait 32ms, total 40ms"},
		{"stream", &flowpb.Flow{CreatedNs: begin, Protocol: &flowpb.Flow_Tcp{Tcp: &flowpb.Stream{EndedNs: begin + 5*ms}}}, nil, "open 5.0ms, total 5.0ms"},
		{"times that run backwards", http(flowpb.StateComplete, &flowpb.Request{StartedNs: begin, EndedNs: begin - ms}, response), nil, "wait 11ms, receive 20ms, total 31ms"},
		{"nothing", &flowpb.Flow{}, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, width := range []int{0, 40, 200} {
				d := Timing(tt.flow, nil, tt.server, TimingOptions{Width: width, Fill: "#", Track: "|"})
				if got := bars(d); got != tt.want {
					t.Errorf("bars at width %d: got %s, want %s", width, got, tt.want)
				}
			}
		})
	}
}

// A connection that was there before is not said to have been used before: in captured
// packets, and through a proxy that connects first, that is the rule for the first request.
func TestTimingOfOlderConnection(t *testing.T) {
	f := &flowpb.Flow{CreatedNs: 1000 * ms, Protocol: &flowpb.Flow_Http{Http: &flowpb.Http{Request: &flowpb.Request{StartedNs: 1000 * ms, EndedNs: 1001 * ms}}}}
	got := text(Timing(f, nil, &flowpb.Conn{StartedNs: 990 * ms, ConnectedNs: 995 * ms}, TimingOptions{Width: 80}))
	if want := "the server connection was there already; it was opened 10ms before"; !strings.Contains(got, want) || strings.Contains(got, "reused") {
		t.Errorf("got\n%s\nwant %q", got, want)
	}
}

// bars are the names and figures of the lines with a bar.
func bars(d *content.Document) string {
	var out []string
	for line := range strings.SplitSeq(text(d), "\n") {
		if parts := strings.Split(line, "|"); len(parts) == 3 && strings.Contains(parts[1], "#") {
			out = append(out, fmt.Sprintf("%s %s", strings.TrimSpace(parts[0]), strings.TrimSpace(parts[2])))
		}
	}
	return strings.Join(out, ", ")
}

func TestNothingIsKnown(t *testing.T) {
	for name, d := range map[string]*content.Document{
		"request":    Request(nil, HeadOptions{}),
		"response":   Response(nil, HeadOptions{}),
		"timing":     Timing(nil, nil, nil, TimingOptions{}),
		"connection": Connection(nil, nil, nil, nil),
		"notes":      Notes(nil, nil, nil),
		"dns":        DNS(nil),
	} {
		if strings.Contains(text(d), "1970") {
			t.Errorf("%s of nothing: got\n%s\nwant no made-up times", name, text(d))
		}
	}
}

func FuzzCertificate(f *testing.F) {
	f.Add([]byte("no DER"))
	f.Add([]byte{0x30, 0x82, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, der []byte) {
		c := []*flowpb.Certificate{{Der: der}}
		d := Connection(nil, nil, &flowpb.Conn{Side: flowpb.SideResponse, Tls: &flowpb.Tls{Certificates: c}}, nil)
		if !strings.Contains(text(d), "SHA-256") && len(der) > 0 {
			t.Errorf("certificate %x: got\n%s\nwant its hash at least", der, text(d))
		}
	})
}
