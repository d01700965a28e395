package har

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
	"pgregory.net/rapid"

	flowpb "weir/proto"
)

// all reads every entry, and which were skipped.
func all(t testing.TB, r io.Reader) (flows []*flowpb.Whole, skipped []int, err error) {
	t.Helper()
	reader := NewReader(r)
	for {
		w, err := reader.Next()
		var bad *flowpb.SkipError
		switch {
		case errors.Is(err, io.EOF):
			return flows, skipped, nil
		case errors.As(err, &bad):
			skipped = append(skipped, bad.Index)
		case err != nil:
			return flows, skipped, err
		default:
			flows = append(flows, w)
		}
	}
}

func sample(t testing.TB) []*flowpb.Whole {
	t.Helper()
	f, err := os.Open("testdata/browsers.har")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	flows, skipped, err := all(t, f)
	if err != nil || !cmp.Equal(skipped, []int{3}) || len(flows) != 5 {
		t.Fatalf("sample: got %d flows, skipped %v, %v, want 5 and the third skipped", len(flows), skipped, err)
	}
	return flows
}

func body(t testing.TB, w *flowpb.Whole, side flowpb.Side) string {
	t.Helper()
	r, err := w.Body(side)
	if err != nil {
		t.Fatal(err)
	}
	p, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(p)
}

func TestRead(t *testing.T) {
	flows := sample(t)
	first := flows[0]
	q, p := first.Flow.GetHttp().GetRequest(), first.Flow.GetHttp().GetResponse()
	const start = 1772359200_250_000_000
	for _, c := range []struct {
		name      string
		got, want any
	}{
		{"path", string(q.GetPath()), "/a%20b?x=1&y=%C3%A4"},
		{"version", string(q.GetVersion()), "HTTP/2"},
		{"authority", string(q.GetAuthority()), "shop.test"},
		{"port", q.GetPort(), uint32(443)},
		{"header count", len(q.GetHeaders()), 4},
		{"header case", string(q.GetHeaders()[2].GetName()), "Accept"},
		{"created", first.Flow.GetCreatedNs(), int64(start)},
		{"request began", q.GetStartedNs(), int64(start + 33_500_000)},
		{"request ended", q.GetEndedNs(), int64(start + 33_750_000)},
		{"response began", p.GetStartedNs(), int64(start + 53_750_000)},
		{"response ended", p.GetEndedNs(), int64(start + 60_500_000)},
		{"body in its charset", body(t, first, flowpb.SideResponse), "gr\xfc\xdfe\n"},
		{"body is decoded", p.GetBody().GetDecoded(), true},
		{"received", p.GetBody().GetReceivedSize(), uint64(9)},
		{"no reason in HTTP/2", p.Reason == nil, true},
		{"comment", first.Note.Comment, "look here"},
		{"server", string(first.Server.GetPeer().GetHost()), "2001:db8::1"},
		{"TLS was up", first.Server.GetTlsNs(), int64(start + 33_500_000)},
		{"same connection", flows[1].Server == first.Server, true},
		{"zone without a colon", flows[1].Flow.GetCreatedNs(), int64(1772355601_000_000_000)},
		{"form", body(t, flows[1], flowpb.SideRequest), "a+b=1%262&c=%20"},
		{"status in quotes", flows[1].Flow.GetHttp().GetResponse().GetStatus(), uint32(302)},
		{"empty body", flows[1].Flow.GetHttp().GetResponse().GetBody(), (*flowpb.Body)(nil)},
		{"failed", flows[2].Flow.GetError().GetMessage(), "net::ERR_NAME_NOT_RESOLVED"},
		{"failed state", flows[2].Flow.GetState(), flowpb.StateError},
		{"no response", flows[2].Flow.GetHttp().GetResponse(), (*flowpb.Response)(nil)},
		{"websocket scheme", string(flows[3].Flow.GetHttp().GetRequest().GetScheme()), "https"},
		{"messages", flows[3].Flow.GetHttp().GetWebsocket().GetMessages(), uint64(2)},
		{"a body that is not in the file", flows[4].Flow.GetHttp().GetRequest().GetBody().GetState(), flowpb.BodyDropped},
		{"base64 with breaks", body(t, flows[4], flowpb.SideResponse), "\x89PNG"},
	} {
		if diff := cmp.Diff(c.want, c.got, protocmp.Transform()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
	var got []*flowpb.Message
	for m, err := range flows[3].Messages {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, m)
	}
	want := []*flowpb.Message{
		{Side: flowpb.SideRequest, Type: flowpb.MessageText, AtNs: 1772359202_123_456_789, Content: []byte("hi 😀")},
		{Side: flowpb.SideResponse, Type: flowpb.MessageBinary, AtNs: 1772359203_500_000_000, Content: []byte{0, 1, 2, 255}},
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
}

func write(t testing.TB, flows []*flowpb.Whole) []byte {
	t.Helper()
	var out bytes.Buffer
	w := NewWriter(&out, "1")
	for _, f := range flows {
		if err := w.Write(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if !json.Valid(out.Bytes()) {
		t.Fatalf("what was written is not JSON: %s", out.Bytes())
	}
	return out.Bytes()
}

// equal compares flows with their bodies and messages.
func equal(t testing.TB, want, got []*flowpb.Whole) {
	t.Helper()
	if len(want) != len(got) {
		t.Fatalf("got %d flows, want %d", len(got), len(want))
	}
	sorted := protocmp.SortRepeated(func(a, b *flowpb.Meta) bool { return a.GetKey() < b.GetKey() })
	for i := range want {
		if diff := cmp.Diff(want[i].Flow, got[i].Flow, protocmp.Transform(), sorted); diff != "" {
			t.Errorf("flow %d (-want +got):\n%s", i, diff)
		}
		if diff := cmp.Diff(want[i].Server, got[i].Server, protocmp.Transform()); diff != "" {
			t.Errorf("connection of flow %d (-want +got):\n%s", i, diff)
		}
		if diff := cmp.Diff(want[i].Note, got[i].Note); diff != "" {
			t.Errorf("note of flow %d (-want +got):\n%s", i, diff)
		}
		for _, side := range []flowpb.Side{flowpb.SideRequest, flowpb.SideResponse} {
			if w, g := body(t, want[i], side), body(t, got[i], side); w != g {
				t.Errorf("flow %d: body %v: got %q, want %q", i, side, g, w)
			}
		}
	}
}

// TestWriteThenRead is the format's law on a file that holds what programs write.
func TestWriteThenRead(t *testing.T) {
	flows := sample(t)
	once := write(t, flows)
	again, skipped, err := all(t, bytes.NewReader(once))
	if err != nil || len(skipped) > 0 {
		t.Fatalf("read back: skipped %v, %v", skipped, err)
	}
	equal(t, flows, again)
	if twice := write(t, again); !bytes.Equal(once, twice) {
		t.Errorf("writing again (-first +second):\n%s", cmp.Diff(string(once), string(twice)))
	}
}

// TestLaw draws entries, and sees that reading, writing and reading again changes nothing.
func TestLaw(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		text := rapid.StringOfN(rapid.RuneFrom([]rune("aäß\x00\"\\\n/😀€\ufeff<")), 0, 12, -1)
		ms := rapid.Float64Range(0, 5000)
		headers := func() []map[string]string {
			return rapid.SliceOfN(rapid.Custom(func(r *rapid.T) map[string]string {
				return map[string]string{
					"name":  rapid.SampledFrom([]string{"Content-Type", "content-encoding", "Cookie", "Set-Cookie", "X", "Location"}).Draw(r, "name"),
					"value": rapid.SampledFrom([]string{"text/html; charset=windows-1252", "gzip", "a=b; c", "text/plain", "é\t", ""}).Draw(r, "value"),
				}
			}), 0, 4).Draw(r, "headers")
		}
		entry := map[string]any{
			"startedDateTime": "2026-01-02T03:04:05.123456789Z",
			"request": map[string]any{
				"method": rapid.SampledFrom([]string{"GET", "POST", "ODD method"}).Draw(r, "method"), "headers": headers(),
				"url":         rapid.SampledFrom([]string{"http://a.test", "https://[::1]:8443/x?y=%zz&&=", "https://user@b.test:80/#f#g", "http://c.test?q"}).Draw(r, "url"),
				"httpVersion": rapid.SampledFrom([]string{"HTTP/1.1", "http/2.0", "h3", "SPDY", ""}).Draw(r, "version"),
				"postData":    map[string]any{"mimeType": "text/plain", "text": text.Draw(r, "post")},
			},
			"response": map[string]any{
				"status": rapid.SampledFrom([]int{0, 200, 304, 599}).Draw(r, "status"), "statusText": "OK", "headers": headers(),
				"httpVersion": "HTTP/1.1",
				"bodySize":    rapid.IntRange(-1, 50).Draw(r, "bodySize"),
				"content":     map[string]any{"size": 3, "mimeType": "text/plain", "text": text.Draw(r, "content")},
			},
			"timings": map[string]any{
				"blocked": ms.Draw(r, "blocked"), "send": ms.Draw(r, "send"), "wait": ms.Draw(r, "wait"), "receive": ms.Draw(r, "receive"),
				"connect": rapid.SampledFrom([]float64{-1, 0.5, 31.25}).Draw(r, "connect"),
			},
			"_x": text.Draw(r, "extra"), "connection": rapid.SampledFrom([]string{"", "1"}).Draw(r, "connection"),
		}
		if rapid.Bool().Draw(r, "websocket") {
			entry["_webSocketMessages"] = rapid.SliceOfN(rapid.Custom(func(r *rapid.T) map[string]any {
				return map[string]any{
					"type": rapid.SampledFrom([]string{"send", "receive"}).Draw(r, "type"), "time": 1.7e9 + float64(rapid.IntRange(0, 9).Draw(r, "time")),
					"opcode": rapid.SampledFrom([]int{1, 2}).Draw(r, "opcode"), "data": rapid.SampledFrom([]string{"", "aGk=", "AAE="}).Draw(r, "data"),
				}
			}), 0, 3).Draw(r, "messages")
		}
		file, err := json.Marshal(map[string]any{"log": map[string]any{"entries": []any{entry}}})
		if err != nil {
			t.Fatal(err)
		}
		flows, skipped, err := all(t, bytes.NewReader(file))
		if err != nil || len(skipped) > 0 || len(flows) != 1 {
			t.Fatalf("read %s: skipped %v, %v", file, skipped, err)
		}
		once := write(t, flows)
		again, _, err := all(t, bytes.NewReader(once))
		if err != nil {
			t.Fatal(err)
		}
		equal(t, flows, again)
		if t.Failed() {
			r.Fatalf("of %s\nvia %s", file, once)
		}
	})
}

func TestWrongFiles(t *testing.T) {
	const good = `{"request":{"method":"GET","url":"http://a.test/"}}`
	for _, c := range []struct {
		name, file string
		flows      int
		skipped    []int
		err        string
	}{
		{"empty", "", 0, nil, "offset 0"},
		{"no object", "[1]", 0, nil, "not a HAR file"},
		{"no entries", `{"log":{"pages":[]}}`, 0, nil, "no log.entries"},
		{"byte order mark", "\xef\xbb\xbf" + `{"log":{"entries":[` + good + `]}}`, 1, nil, ""},
		{"without log", `{"entries":[` + good + `]}`, 1, nil, ""},
		{"cut in the second", `{"log":{"entries":[` + good + `,{"request":`, 1, nil, "after entry 1: offset"},
		{"cut between", `{"log":{"entries":[` + good + `,`, 1, nil, "unexpected EOF"},
		{"bad entries between good ones", `{"log":{"entries":[` + good + `,{"request":{]},7,null,{},` + good + `]}}`, 2, []int{2, 3, 4, 5}, ""},
		{"cut behind the list", `{"log":{"entries":[` + good + `]`, 1, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			flows, skipped, err := all(t, strings.NewReader(c.file))
			if len(flows) != c.flows || !cmp.Equal(skipped, c.skipped) {
				t.Errorf("got %d flows, skipped %v, want %d, %v", len(flows), skipped, c.flows, c.skipped)
			}
			if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
				t.Errorf("got error %v, want one with %q", err, c.err)
			}
		})
	}
}

// TestGiantEntry sees that an entry above the limit is skipped, not held.
func TestGiantEntry(t *testing.T) {
	giant := io.MultiReader(
		strings.NewReader(`{"log":{"entries":[{"x":"`), io.LimitReader(endless{}, MaxEntry), strings.NewReader(`"},`+
			`{"request":{"method":"GET","url":"http://a.test/"}}]}}`))
	flows, skipped, err := all(t, giant)
	if err != nil || len(flows) != 1 || !cmp.Equal(skipped, []int{1}) {
		t.Errorf("got %d flows, skipped %v, %v, want the second entry alone", len(flows), skipped, err)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestNoForm(t *testing.T) {
	w := NewWriter(io.Discard, "1")
	err := w.Write(&flowpb.Whole{Flow: &flowpb.Flow{Protocol: &flowpb.Flow_Tcp{Tcp: &flowpb.Stream{}}}})
	if !errors.Is(err, flowpb.ErrNoForm) {
		t.Errorf("a TCP flow: got %v, want %v", err, flowpb.ErrNoForm)
	}
	if err := w.Close(); err != nil {
		t.Errorf("close: got %v, want nil: the file is whole", err)
	}
}

// FuzzRead sees that no bytes panic, and that what is read can be written and read again.
func FuzzRead(f *testing.F) {
	seed, err := os.ReadFile("testdata/browsers.har")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add([]byte(`{"entries":[{"request":{"url":"\ud800\u12","headers":[[],[1,2,3]]},"response":{"status":1e3,"content":{"text":"\\"}}}]}`))
	f.Fuzz(func(t *testing.T, p []byte) {
		flows, _, _ := all(t, bytes.NewReader(p))
		var fit []*flowpb.Whole
		for _, w := range flows {
			if len(w.Flow.GetHttp().GetRequest().GetMethod()) > 0 {
				fit = append(fit, w)
			}
		}
		once := write(t, fit)
		again, skipped, err := all(t, bytes.NewReader(once))
		if err != nil || len(skipped) > 0 || len(again) != len(fit) {
			t.Fatalf("read back: got %d flows, skipped %v, %v, want %d", len(again), skipped, err, len(fit))
		}
	})
}
