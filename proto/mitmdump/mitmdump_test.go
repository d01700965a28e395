package mitmdump

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"pgregory.net/rapid"

	flowpb "weir/proto"
	"weir/proto/mitmdump/tnetstring"
)

// all reads every flow, and which were skipped.
func all(t testing.TB, r io.Reader) (flows []*flowpb.Whole, skipped []error, err error) {
	t.Helper()
	reader := NewReader(r)
	for {
		w, err := reader.Next()
		var bad *flowpb.SkipError
		switch {
		case errors.As(err, &bad):
			skipped = append(skipped, bad)
		case errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
			return flows, skipped, nil
		case err != nil:
			return flows, skipped, err
		default:
			flows = append(flows, w)
		}
	}
}

func write(t testing.TB, flows []*flowpb.Whole) []byte {
	t.Helper()
	var out bytes.Buffer
	w := NewWriter(&out)
	for _, f := range flows {
		if err := w.Write(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// tell is a flow in a line or more of text.
func tell(t testing.TB, w *flowpb.Whole) string {
	t.Helper()
	var b strings.Builder
	s := flowpb.Summarize(w.Flow)
	fmt.Fprintf(&b, "%s %s %s %s %s %d", s.Kind, w.Flow.GetState().Label(), s.Method, s.URL(), s.Version, s.Status)
	for _, side := range []flowpb.Side{flowpb.SideRequest, flowpb.SideResponse} {
		r, err := w.Body(side)
		if err != nil {
			t.Fatal(err)
		}
		p, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, " %q", p)
	}
	fmt.Fprintf(&b, " %s -> %s", w.Flow.GetClient(), w.Flow.GetServer())
	if w.Messages != nil {
		for m, err := range w.Messages {
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, " %v:%q@%d", m.GetSide(), m.GetContent(), m.GetAtNs())
		}
	}
	fmt.Fprintf(&b, " [%s] %s", w.Note.Marked, w.Note.Comment)
	return b.String()
}

// equal compares flows with all that is beside them.
func equal(t testing.TB, want, got []*flowpb.Whole) {
	t.Helper()
	if len(want) != len(got) {
		t.Fatalf("got %d flows, want %d", len(got), len(want))
	}
	for i := range want {
		for _, c := range []struct {
			name      string
			want, got any
		}{
			{"flow", want[i].Flow, got[i].Flow},
			{"client", want[i].Client, got[i].Client},
			{"server", want[i].Server, got[i].Server},
			{"text", tell(t, want[i]), tell(t, got[i])},
		} {
			if diff := cmp.Diff(c.want, c.got, protocmp.Transform()); diff != "" {
				t.Errorf("%s of flow %d (-want +got):\n%s", c.name, i, diff)
			}
		}
	}
}

// old is a flow as a version before 0.17 wrote it.
func old(version tnetstring.List, change func(flow, request, response *tnetstring.Dict)) tnetstring.Dict {
	b := func(s string) []byte { return []byte(s) }
	e := func(key string, v any) tnetstring.Entry { return tnetstring.Entry{Key: []byte(key), Value: v} }
	where := func(host string, port int) tnetstring.Dict {
		return tnetstring.Dict{e("address", tnetstring.List{b(host), int64(port)}), e("use_ipv6", false)}
	}
	request := tnetstring.Dict{
		e("method", b("GET")), e("scheme", b("http")), e("host", b("a.test")), e("port", int64(80)), e("path", b("/x")),
		e("headers", tnetstring.List{tnetstring.List{b("Host"), b("a.test")}}),
		e("timestamp_start", 1469208634.5), e("timestamp_end", 1469208634.6),
	}
	response := tnetstring.Dict{
		e("headers", tnetstring.List{tnetstring.List{b("content-length"), b("2")}}),
		e("timestamp_start", 1469208634.7), e("timestamp_end", 1469208634.8),
	}
	flow := tnetstring.Dict{
		e("version", version), e("type", b("http")), e("id", b("x")), e("error", nil),
		e("client_conn", tnetstring.Dict{e("address", where("127.0.0.1", 4000)), e("timestamp_start", 1469208634.25), e("ssl_established", false)}),
		e("server_conn", tnetstring.Dict{e("address", where("a.test", 80)), e("source_address", where("10.0.0.1", 5000)), e("timestamp_start", 1469208634.375)}),
	}
	change(&flow, &request, &response)
	return append(flow, e("request", request), e("response", response))
}

// TestOldVersions reads one flow in the spelling of each age of the format.
func TestOldVersions(t *testing.T) {
	put := func(d *tnetstring.Dict, key string, v any) {
		*d = append(*d, tnetstring.Entry{Key: []byte(key), Value: v})
	}
	v := func(n ...int64) (l tnetstring.List) {
		for _, n := range n {
			l = append(l, n)
		}
		return l
	}
	modern := func(_, request, response *tnetstring.Dict) {
		put(request, "http_version", []byte("HTTP/1.1"))
		put(response, "http_version", []byte("HTTP/1.1"))
		put(response, "status_code", int64(200))
		put(response, "reason", []byte("OK"))
		put(response, "content", []byte("ok"))
	}
	const want = `http complete GET http://a.test/x HTTP/1.1 200 "" "ok" 127.0.0.1:4000 -> a.test:80 [] `
	for _, c := range []struct {
		version tnetstring.List
		change  func(flow, request, response *tnetstring.Dict)
		want    string
	}{
		{v(0, 11, 3), func(_, request, response *tnetstring.Dict) {
			put(request, "httpversion", v(1, 1))
			put(response, "httpversion", v(1, 1))
			put(response, "code", int64(200))
			put(response, "msg", []byte("OK"))
			put(response, "content", []byte("ok"))
		}, want},
		{v(0, 14), func(_, request, response *tnetstring.Dict) {
			put(request, "http_version", []byte("HTTP/1.1"))
			put(response, "http_version", []byte("HTTP/1.1"))
			put(response, "status_code", int64(200))
			put(response, "msg", []byte("OK"))
			put(response, "body", []byte("ok"))
		}, want},
		{v(0, 17), modern, want},
		{v(0, 18), func(f, q, p *tnetstring.Dict) { modern(f, q, p); put(f, "marked", true) }, strings.Replace(want, "[]", "[:default:]", 1)},
		{v(1, 0, 0), modern, want},
	} {
		t.Run(fmt.Sprint(c.version), func(t *testing.T) {
			raw, err := tnetstring.Append(nil, old(c.version, c.change))
			if err != nil {
				t.Fatal(err)
			}
			flows, skipped, err := all(t, bytes.NewReader(raw))
			if err != nil || len(skipped) > 0 || len(flows) != 1 {
				t.Fatalf("got %d flows, skipped %v, %v", len(flows), skipped, err)
			}
			if got := tell(t, flows[0]); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if got, want := flows[0].Flow.GetHttp().GetRequest().GetStartedNs(), int64(1469208634_500_000_000); got != want {
				t.Errorf("request began: got %d, want %d", got, want)
			}
			equal(t, flows, func() []*flowpb.Whole { f, _, _ := all(t, bytes.NewReader(write(t, flows))); return f }())
		})
	}
}

// TestUnstored reads bodies that were streamed and not kept: their size is what was
// announced, nothing where nothing was.
func TestUnstored(t *testing.T) {
	flow := old(tnetstring.List{int64(1), int64(0)}, func(_, request, response *tnetstring.Dict) {
		for _, d := range []*tnetstring.Dict{request, response} {
			*d = append(*d, tnetstring.Entry{Key: []byte("http_version"), Value: []byte("HTTP/1.1")}, tnetstring.Entry{Key: []byte("content"), Value: nil})
		}
		*response = append(*response, tnetstring.Entry{Key: []byte("reason"), Value: []byte("OK")})
	})
	raw, err := tnetstring.Append(nil, flow)
	if err != nil {
		t.Fatal(err)
	}
	flows, skipped, err := all(t, bytes.NewReader(raw))
	if err != nil || len(skipped) > 0 || len(flows) != 1 {
		t.Fatalf("got %d flows, skipped %v, %v", len(flows), skipped, err)
	}
	h := flows[0].Flow.GetHttp()
	for _, c := range []struct {
		body *flowpb.Body
		want uint64
	}{{h.GetRequest().GetBody(), 0}, {h.GetResponse().GetBody(), 2}} {
		if got := c.body; got.GetState() != flowpb.BodyDropped || got.GetSize() != c.want {
			t.Errorf("got %v of %d bytes, want a dropped body of %d", got.GetState(), got.GetSize(), c.want)
		}
	}
	equal(t, flows, func() []*flowpb.Whole { f, _, _ := all(t, bytes.NewReader(write(t, flows))); return f }())
}

// TestWebSocketOfTwoFlows joins a handshake and what was said after it, which
// versions before 12 wrote as two flows.
func TestWebSocketOfTwoFlows(t *testing.T) {
	e := func(key string, v any) tnetstring.Entry { return tnetstring.Entry{Key: key, Value: v} }
	conn := tnetstring.Dict{e("address", tnetstring.List{"127.0.0.1", int64(4000)}), e("timestamp_start", 1.5), e("timestamp_end", 9.5)}
	shake := tnetstring.Dict{
		e("version", int64(11)), e("type", "http"), e("id", "h"), e("client_conn", conn), e("server_conn", conn), e("marked", false),
		e("metadata", tnetstring.Dict{e("websocket", true)}),
		e("request", tnetstring.Dict{
			e("method", []byte("GET")), e("scheme", []byte("http")), e("host", "a.test"), e("port", int64(80)), e("path", []byte("/")),
			e("http_version", []byte("HTTP/1.1")), e("headers", tnetstring.List{}), e("timestamp_start", 2.0),
		}),
		e("response", tnetstring.Dict{e("status_code", int64(101)), e("http_version", []byte("HTTP/1.1")), e("headers", tnetstring.List{})}),
	}
	said := tnetstring.Dict{
		e("version", int64(11)), e("type", "websocket"), e("id", "w"), e("client_conn", conn), e("server_conn", conn), e("marked", false),
		e("metadata", tnetstring.Dict{e("websocket_handshake", "h")}), e("close_sender", "client"), e("close_code", int64(1000)),
		e("messages", tnetstring.List{
			tnetstring.List{int64(1), true, "hi", int64(3), false}, tnetstring.List{int64(2), false, []byte{0xff}, 4.5, true},
		}),
	}
	var dump []byte
	for _, d := range []tnetstring.Dict{shake, said} {
		var err error
		if dump, err = tnetstring.Append(dump, d); err != nil {
			t.Fatal(err)
		}
	}
	flows, skipped, err := all(t, bytes.NewReader(dump))
	if err != nil || len(skipped) > 0 || len(flows) != 2 {
		t.Fatalf("got %d flows, skipped %v, %v", len(flows), skipped, err)
	}
	const want = `http complete GET http://a.test/ HTTP/1.1 101 "" "" 127.0.0.1:4000 -> 127.0.0.1:4000 SIDE_REQUEST:"hi"@3000000000 SIDE_RESPONSE:"\xff"@4500000000 [] `
	if got := tell(t, flows[1]); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if ws := flows[1].Flow.GetHttp().GetWebsocket(); !ws.GetClosedByClient() || ws.GetCloseCode() != 1000 || ws.GetMessages() != 2 {
		t.Errorf("got %v, want two messages, closed by the client with 1000", ws)
	}
}

// TestLaw writes flows and reads them again.
func TestLaw(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		want := []*flowpb.Whole{drawFlow(r)}
		raw := write(t, want)
		got, skipped, err := all(t, bytes.NewReader(raw))
		if err != nil || len(skipped) > 0 {
			r.Fatalf("read back: skipped %v, %v", skipped, err)
		}
		for _, w := range got { // what a session gives and a dump does not
			w.Flow.Meta = w.Flow.GetMeta()[:0]
		}
		equal(t, want, got)
		if t.Failed() {
			r.Fatalf("via %q", raw)
		}
	})
}

// drawFlow draws a flow of what a dump can say.
func drawFlow(r *rapid.T) *flowpb.Whole {
	text := rapid.StringMatching(`[a-z/]{1,8}`)
	// Not every tenth of a microsecond is a Python float.
	at := func(label string) int64 { return asNs(seconds(rapid.Int64Range(1e18, 2e18).Draw(r, label))) }
	raw := rapid.SliceOfN(rapid.Byte(), 1, 20)
	client := &flowpb.Conn{
		Side: flowpb.SideRequest, Transport: flowpb.TransportTCP, Peer: &flowpb.Address{Host: []byte("10.0.0.1"), Port: 4000},
		StartedNs: at("client"), Mode: "regular",
	}
	server := &flowpb.Conn{
		Side: flowpb.SideResponse, Transport: flowpb.TransportTCP, Target: &flowpb.Address{Host: []byte("a.test"), Port: 443},
		StartedNs: at("server"), TlsNs: at("tls"),
		Tls: &flowpb.Tls{Version: "TLSv1.3", Alpn: []byte("h2"), AlpnOffers: [][]byte{[]byte("h2")}, Certificates: []*flowpb.Certificate{{Der: raw.Draw(r, "der")}}},
	}
	f := &flowpb.Flow{State: flowpb.StateComplete, CreatedNs: at("created"), Client: []byte("10.0.0.1:4000"), Server: []byte("a.test:443")}
	w := &flowpb.Whole{Flow: f, Client: client, Server: server, Note: flowpb.Note{Marked: rapid.SampledFrom([]string{"", ":default:", "X"}).Draw(r, "marked"), Comment: text.Draw(r, "comment")}}
	bodies := map[flowpb.Side][]byte{}
	w.Body = func(side flowpb.Side) (io.Reader, error) { return bytes.NewReader(bodies[side]), nil }
	body := func(side flowpb.Side) *flowpb.Body {
		bodies[side] = raw.Draw(r, "body")
		return &flowpb.Body{State: flowpb.BodyComplete, Size: uint64(len(bodies[side]))}
	}
	fields := []*flowpb.Field{{Name: raw.Draw(r, "name"), Value: raw.Draw(r, "value")}}
	var messages []*flowpb.Message
	message := func(kind flowpb.MessageType) {
		for range rapid.IntRange(0, 3).Draw(r, "messages") {
			messages = append(messages, &flowpb.Message{
				Side: rapid.SampledFrom([]flowpb.Side{flowpb.SideRequest, flowpb.SideResponse}).Draw(r, "side"), Type: kind, AtNs: at("message"), Content: raw.Draw(r, "content"),
			})
		}
		w.Messages = listed(messages)
	}
	switch kind := rapid.IntRange(0, 5).Draw(r, "kind"); kind {
	case 0, 5:
		message(flowpb.MessageData)
		s := &flowpb.Stream{Messages: uint64(len(messages))}
		for _, m := range messages {
			if m.GetSide() == flowpb.SideRequest {
				s.ClientBytes += uint64(len(m.GetContent()))
			} else {
				s.ServerBytes += uint64(len(m.GetContent()))
			}
			s.EndedNs = max(s.EndedNs, m.GetAtNs())
		}
		f.Protocol = &flowpb.Flow_Tcp{Tcp: s}
		if kind == 5 {
			f.Protocol = &flowpb.Flow_Udp{Udp: s}
			client.Transport, server.Transport = flowpb.TransportUDP, flowpb.TransportUDP
		}
	case 1:
		f.Protocol = &flowpb.Flow_Dns{Dns: &flowpb.Dns{
			Request: &flowpb.DnsMessage{Id: 7, RecursionDesired: true, AtNs: at("asked"), Questions: []*flowpb.DnsQuestion{{Name: []byte("a.test"), Type: 1, Class: 1}}},
			Response: &flowpb.DnsMessage{Id: 7, ResponseCode: 3, AtNs: at("answered"), Answers: []*flowpb.DnsRecord{
				{Name: []byte("a.test"), Type: 1, Class: 1, Ttl: 60, Data: raw.Draw(r, "data")},
			}},
		}}
	default:
		f.Protocol = &flowpb.Flow_Http{Http: &flowpb.Http{
			Request: &flowpb.Request{
				Method: []byte("POST"), Scheme: []byte("https"), Host: []byte("a.test"), Port: 443, Authority: []byte("b.test"), Path: []byte("/x?y"), Target: []byte("/x?y"),
				Version: []byte("HTTP/2"), Headers: fields, Body: body(flowpb.SideRequest), StartedNs: at("request"), EndedNs: at("request"),
			},
			Response: &flowpb.Response{
				Version: []byte("HTTP/1.1"), Status: 200, Reason: []byte("OK"), Headers: fields, Trailers: fields, Body: body(flowpb.SideResponse),
				StartedNs: at("response"), EndedNs: at("response"),
			},
		}}
		h := f.GetHttp()
		if rapid.Bool().Draw(r, "request changed") {
			h.OriginalRequest = proto.CloneOf(h.GetRequest())
			h.OriginalRequest.Body, h.OriginalRequest.Method = body(flowpb.SideOriginalRequest), []byte("PATCH")
		}
		if rapid.Bool().Draw(r, "response changed") {
			h.OriginalResponse = proto.CloneOf(h.GetResponse())
			h.OriginalResponse.Body, h.OriginalResponse.Status = body(flowpb.SideOriginalResponse), 500
		}
	}
	return w
}

// TestDamage sees that what came before a damaged place stands, and what comes behind
// a damaged flow as well.
func TestDamage(t *testing.T) {
	flow := func(path string) []byte {
		raw, err := tnetstring.Append(nil, old(tnetstring.List{int64(0), int64(17)}, func(_, request, _ *tnetstring.Dict) {
			*request = append(*request, tnetstring.Entry{Key: []byte("path"), Value: []byte(path)})
		}))
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	a, b := flow("/a"), flow("/b")
	unknown, err := tnetstring.Append(nil, tnetstring.Dict{{Key: "version", Value: int64(99)}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name           string
		dump           []byte
		flows, skipped int
		err            string
	}{
		{"nothing", nil, 0, 0, ""},
		{"a tail that is cut", bytes.Join([][]byte{a, b[:len(b)-5]}, nil), 1, 0, "after flow 1: "},
		{"a tail that is no flow", bytes.Join([][]byte{a, []byte("hello")}, nil), 1, 0, "after flow 1: "},
		{"damaged inside", bytes.Join([][]byte{a, bytes.Replace(b, []byte("4:path,"), []byte("4:path?"), 1), a}, nil), 2, 1, ""},
		{"of the future", bytes.Join([][]byte{a, unknown, b}, nil), 2, 1, ""},
		{"not a dictionary", []byte("1:x,"), 0, 1, ""},
		{"absurd length", []byte("99999999999:x,"), 0, 0, "limit"},
	} {
		t.Run(c.name, func(t *testing.T) {
			flows, skipped, err := all(t, bytes.NewReader(c.dump))
			if len(flows) != c.flows || len(skipped) != c.skipped {
				t.Errorf("got %d flows, skipped %v, want %d and %d", len(flows), skipped, c.flows, c.skipped)
			}
			if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
				t.Errorf("got error %v, want one with %q", err, c.err)
			}
		})
	}
}

func TestNoForm(t *testing.T) {
	w := NewWriter(io.Discard)
	if err := w.Write(&flowpb.Whole{Flow: &flowpb.Flow{Protocol: &flowpb.Flow_Tls{Tls: &flowpb.TlsFailure{}}}}); !errors.Is(err, flowpb.ErrNoForm) {
		t.Errorf("a failed handshake: got %v, want %v", err, flowpb.ErrNoForm)
	}
}

// TestCorpus reads dumps that mitmproxy itself wrote, which are not part of the repository.
func TestCorpus(t *testing.T) {
	want := map[string][]string{
		"dumpfile-011.mitm": {"http complete GET https://example.com/ HTTP/1.1 200"},
		"dumpfile-10.mitm":  {"http error GET https://example.com/ HTTP/1.1 0"},
	}
	files, err := filepath.Glob(filepath.FromSlash("../../../shared/corpus/mitm/*.mitm"))
	if err != nil || len(files) == 0 {
		t.Skip("no corpus beside the repository")
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			flows, skipped, err := all(t, bytes.NewReader(raw))
			if err != nil || len(skipped) > 0 {
				t.Fatalf("skipped %v, %v", skipped, err)
			}
			for i, w := range flows {
				got := tell(t, w)
				if list := want[filepath.Base(file)]; i < len(list) && !strings.HasPrefix(got, list[i]) {
					t.Errorf("flow %d: got %.200s, want %s", i, got, list[i])
				}
				t.Logf("%.160s", got)
			}
			again, skipped, err := all(t, bytes.NewReader(write(t, flows)))
			if err != nil || len(skipped) > 0 {
				t.Fatalf("written and read: skipped %v, %v", skipped, err)
			}
			for _, list := range [][]*flowpb.Whole{flows, again} {
				for _, w := range list {
					w.Flow.GetHttp().OriginalRequest, w.Flow.GetHttp().OriginalResponse = nil, nil
					if w.Client.GetPeer() == nil {
						w.Client.StartedNs = 0 // one has to be written
					}
				}
			}
			equal(t, flows, again)
		})
	}
}

func FuzzRead(f *testing.F) {
	raw, err := tnetstring.Append(nil, old(tnetstring.List{int64(0), int64(17)}, func(_, _, _ *tnetstring.Dict) {}))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte(`60:7:version;2:21#4:type;3:tcp;8:messages;17:13:4:true!0:,1:1#]]}`))
	f.Fuzz(func(t *testing.T, p []byte) {
		flows, _, _ := all(t, bytes.NewReader(p))
		w := NewWriter(io.Discard)
		for _, f := range flows {
			if err := w.Write(f); err != nil && !errors.Is(err, flowpb.ErrNoForm) {
				t.Fatal(err)
			}
		}
	})
}

// A session that another program wrote may have notes that are no text. They must not make
// a dump that nobody can read.
func TestNotesAreText(t *testing.T) {
	var dump bytes.Buffer
	w := NewWriter(&dump)
	flow := &flowpb.Flow{State: flowpb.StateComplete, Protocol: &flowpb.Flow_Tcp{Tcp: &flowpb.Stream{}}}
	if err := w.Write(&flowpb.Whole{Flow: flow, Note: flowpb.Note{Marked: "\xff", Comment: "a\xffb"}}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := NewReader(&dump).Next()
	if err != nil || got.Note.Comment != "a\ufffdb" || got.Note.Marked != "\ufffd" {
		t.Errorf("got %+v, %v, want the notes with U+FFFD", got, err)
	}
}
