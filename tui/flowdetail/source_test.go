package flowdetail

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	flowpb "weir/proto"
)

// fakeSource is a session with one flow of each sort that the screen knows. It
// counts what is read.
type fakeSource struct {
	flows    map[uint64]*Detail
	bodies   map[uint64]func(off int64, n int) []byte
	messages func(first uint64, n int) []*flowpb.Message
	read     int64 // bytes of bodies
	calls    int
	largest  int // of one read
	err      error
}

// The flows of the fake session.
const (
	flowJSON uint64 = iota + 1
	flowHuge
	flowError
	flowWaiting
	flowSocket
	flowHostile
	flowEmpty
	flowCut
	flowDropped
	flowTCP
	flowDNS
	flowTLS
	flowForm
	flowBroken // its gzip is none
	flowEarly  // a response before the request's end, then an error
	flowModified
)

const (
	hugeSize = 1 << 30
	hugeLine = "line %012d  lorem ipsum dolor sit amet\n"
	ms       = int64(time.Millisecond)
)

func start() int64 { return time.Date(2026, 11, 20, 12, 6, 1, 123456000, time.UTC).UnixNano() }

func newFake(t testing.TB) *fakeSource {
	t.Helper()
	s := &fakeSource{flows: make(map[uint64]*Detail), bodies: make(map[uint64]func(int64, int) []byte)}
	cert := certificate(t)
	for id := flowJSON; id <= flowModified; id++ {
		d := baseDetail(id, cert)
		s.flows[id] = d
		s.shape(id, d)
	}
	s.messages = func(first uint64, n int) []*flowpb.Message { return someMessages(first, n, 1000) }
	return s
}

// shape makes of a plain GET what the flow of that id is.
func (s *fakeSource) shape(id uint64, d *Detail) {
	f, h := d.Flow, d.Flow.GetHttp()
	switch id {
	case flowJSON:
		h.Response = response(200, "OK", "Content-Type", "application/json; charset=utf-8", "x-request-id", "5f2c", "CONTENT-encoding", "gzip")
		s.body(id, h.Response, zipped(jsonBody(5000)))
	case flowHuge:
		h.Response = response(200, "OK", "Content-Type", "text/plain")
		h.Response.Body = &flowpb.Body{}
		s.sizeHuge(hugeSize)
	case flowError:
		f.State = flowpb.StateError
		f.Error = &flowpb.Error{Code: flowpb.CodeConnect, Message: "connect api.shop.test:443: connection refused\x1b[31m", Hint: "is the server running?", AtNs: start() + 100*ms}
		d.Server.ConnectedNs, d.Server.TlsNs, d.Server.Tls = 0, 0, nil
	case flowWaiting:
		f.State = flowpb.StateWaiting
		d.Note = flowpb.Note{}
	case flowSocket:
		h.Response = response(101, "Switching Protocols", "Upgrade", "websocket")
		h.Upgrade = &flowpb.Upgrade{Protocol: []byte("websocket")}
		h.Websocket = &flowpb.WebSocket{Messages: 1000, EndedNs: start() + 90000*ms}
	case flowHostile:
		s.hostile(id, d)
	case flowEmpty:
		h.Request.Path, h.Request.Target = []byte("/"), []byte("/")
		h.Response = response(204, "No Content")
	case flowCut:
		h.Response = response(200, "OK", "Content-Type", "application/json")
		s.body(id, h.Response, []byte(`{"items": [1, 2, {"half": "of`))
		h.Response.Body.State = flowpb.BodyCut
	case flowDropped:
		h.Response = response(200, "OK", "Content-Type", "video/mp4")
		h.Response.Body = &flowpb.Body{State: flowpb.BodyDropped, Size: 5 << 30}
	case flowTCP:
		f.Protocol = &flowpb.Flow_Tcp{Tcp: &flowpb.Stream{Messages: 1000, ClientBytes: 4711, ServerBytes: 99, EndedNs: start() + 5000*ms}}
	case flowDNS:
		f.Protocol = &flowpb.Flow_Dns{Dns: question()}
	case flowTLS:
		f.State = flowpb.StateError
		f.Protocol = &flowpb.Flow_Tls{Tls: &flowpb.TlsFailure{Side: flowpb.SideRequest, Sni: []byte("pinned.test"), Host: []byte("192.0.2.1"), Port: 443, EndedNs: start() + 9*ms}}
		f.Error = &flowpb.Error{Message: "the client refused weir's certificate", Hint: "weir ca trust-help", AtNs: start() + 9*ms}
	case flowForm:
		h.Request.Method = []byte("POST")
		h.Request.Headers = append(h.Request.Headers, field("Content-Type", "application/x-www-form-urlencoded"))
		h.Request.Body = &flowpb.Body{State: flowpb.BodyComplete, Size: 33}
		s.bodies[id] = slice([]byte("user=J%C3%BCrgen&password=a%26b%3D"))
		h.Response = response(303, "See Other")
		h.Response.Body = &flowpb.Body{State: flowpb.BodyComplete}
	case flowBroken:
		h.Response = response(200, "OK", "Content-Type", "text/plain", "Content-Encoding", "gzip")
		s.body(id, h.Response, []byte("this is no gzip at all\n"))
	case flowEarly:
		f.State = flowpb.StateRequest
		h.Request.EndedNs = 0
		h.Request.Body = &flowpb.Body{State: flowpb.BodyStreaming}
	case flowModified:
		h.OriginalRequest = h.Request
		h.OriginalResponse = response(500, "No")
		h.Informational = []*flowpb.Response{response(103, "Early Hints", "Link", "</a.css>")}
		h.Response = response(200, "OK", "Trailer", "X-Sum")
		h.Response.Trailers = []*flowpb.Field{field("X-Sum", "7")}
		s.body(id, h.Response, []byte("changed"))
	}
}

// hostile fills a flow with what must not reach a terminal.
func (s *fakeSource) hostile(id uint64, d *Detail) {
	h := d.Flow.GetHttp()
	bad := "\x1b]0;owned\x07\x1b[2J\u202e\x00\x9b31m日本語\xff"
	h.Request.Method, h.Request.Path, h.Request.Target = []byte("GE\x1bT"), []byte("/"+bad), []byte("/"+bad)
	h.Request.Headers = []*flowpb.Field{
		field(bad, bad), field("back\\slash", "a\\x1b"),
		{Name: []byte("Folded"), Value: []byte("a b"), Raw: []byte("Folded:a\r\n b\n")},
		{Name: []byte("Tight"), Value: []byte("x"), Raw: []byte("Tight:x\r\n")},
	}
	h.Response = response(200, "OK\x1b[2J", "Content-Type", "text/html"+bad)
	s.body(id, h.Response, []byte("<p>"+bad+"</p>\n<b>e\u0301👩\u200d🚀 wide 日本語 "+strings.Repeat("漢字", 40)+"</b>"))
	d.Note = flowpb.Note{Marked: bad, Tags: []string{bad, "日本"}, Comment: "line one\nline two " + bad}
	d.Flow.Meta = []*flowpb.Meta{{Key: bad, Value: bad}}
	d.Flow.Error = &flowpb.Error{Message: bad, Hint: bad, AtNs: start() + 2*ms}
	d.Client.Mode, d.Server.Tls.VerifyError = bad, bad
	d.Server.Tls.Sni = []byte(bad)
}

func (s *fakeSource) body(id uint64, r *flowpb.Response, p []byte) {
	r.Body = &flowpb.Body{State: flowpb.BodyComplete, Size: uint64(len(p))}
	s.bodies[id] = slice(p)
}

func (s *fakeSource) Flow(_ context.Context, id uint64) (*Detail, error) {
	if s.err != nil {
		return nil, s.err
	}
	if d := s.flows[id]; d != nil {
		return d, nil
	}
	return nil, fmt.Errorf("flow %d: gone", id)
}

func (s *fakeSource) Body(ctx context.Context, id uint64, _ flowpb.Side, off int64, n int) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if s.err != nil {
		return nil, s.err
	}
	if s.bodies[id] == nil {
		return nil, errors.New("no such body")
	}
	p := s.bodies[id](off, n)
	s.calls++
	s.read += int64(len(p))
	s.largest = max(s.largest, n)
	return p, nil
}

func (s *fakeSource) Message(ctx context.Context, id, sequence uint64) (*flowpb.Message, error) {
	got, err := s.Messages(ctx, id, sequence, 1)
	if err != nil || len(got) == 0 {
		return nil, err
	}
	return got[0], nil
}

func (s *fakeSource) Messages(_ context.Context, _, first uint64, n int) ([]*flowpb.Message, error) {
	if s.err != nil {
		return nil, s.err
	}
	return s.messages(first, n), nil
}

func field(name, value string) *flowpb.Field {
	return &flowpb.Field{Name: []byte(name), Value: []byte(value)}
}

func response(status uint32, reason string, fields ...string) *flowpb.Response {
	r := &flowpb.Response{Version: []byte("HTTP/1.1"), Status: status, Reason: []byte(reason), StartedNs: start() + 600*ms, EndedNs: start() + 840*ms}
	for i := 0; i < len(fields); i += 2 {
		r.Headers = append(r.Headers, field(fields[i], fields[i+1]))
	}
	return r
}

func baseDetail(id uint64, cert []byte) *Detail {
	address := func(host string, port uint32) *flowpb.Address {
		return &flowpb.Address{Host: []byte(host), Port: port}
	}
	return &Detail{
		Flow: &flowpb.Flow{
			Id: id, State: flowpb.StateComplete, CreatedNs: start(), Client: []byte("127.0.0.1:50123"), Server: []byte("api.shop.test:443"),
			Protocol: &flowpb.Flow_Http{Http: &flowpb.Http{Request: &flowpb.Request{
				Method: []byte("GET"), Scheme: []byte("https"), Host: []byte("api.shop.test"), Port: 443, Version: []byte("HTTP/1.1"),
				Target: []byte("/v2/items?page=3&sort=-price"), Path: []byte("/v2/items?page=3&sort=-price"),
				Headers:   []*flowpb.Field{field("Host", "api.shop.test"), field("USER-agent", "curl/8.0"), field("Cookie", strings.Repeat("session=abcdef; ", 40))},
				StartedNs: start(), EndedNs: start() + 3*ms,
			}}},
		},
		Client: &flowpb.Conn{
			Side: flowpb.SideRequest, Peer: address("127.0.0.1", 50123), Local: address("127.0.0.1", 8080), Mode: "regular", StartedNs: start() - 20*ms, TlsNs: start() - 5*ms,
			Tls: &flowpb.Tls{Version: "TLSv1.3", Cipher: "TLS_AES_128_GCM_SHA256", Sni: []byte("api.shop.test"), AlpnOffers: [][]byte{[]byte("h2"), []byte("http/1.1")}, Presented: &flowpb.Certificate{Sha256: bytes.Repeat([]byte{0xab}, 32)}, Hello: &flowpb.ClientHello{
				Versions: []uint32{0x0a0a, 0x0304, 0x0303}, Ciphers: []uint32{0x1301, 0xc02f, 0xffff}, Groups: []uint32{29, 0x2a2a}, Extensions: []uint32{0, 16, 43},
				Ja3: "ada70206e40642a3e4461f35503241d5", Ja4: "t13d1516h2_8daaf6152771_e5627efa2ab1",
			}},
		},
		Server: &flowpb.Conn{
			Side: flowpb.SideResponse, Target: address("api.shop.test", 443), Peer: address("2001:db8::1", 443), StartedNs: start() + 4*ms,
			ResolvedNs: start() + 24*ms, ConnectedNs: start() + 60*ms, TlsNs: start() + 140*ms,
			Tls: &flowpb.Tls{Version: "TLSv1.3", Cipher: "TLS_AES_128_GCM_SHA256", Alpn: []byte("http/1.1"), Sni: []byte("api.shop.test"), VerifyError: "certificate has expired", Certificates: []*flowpb.Certificate{{Der: cert}, {Der: []byte("no DER")}}},
		},
		Note: flowpb.Note{Marked: flowpb.DefaultMarker, Tags: []string{"cart", "slow"}, Comment: "double submit?"},
	}
}

func question() *flowpb.Dns {
	q := []*flowpb.DnsQuestion{{Name: []byte("api.shop.test"), Type: 28, Class: 1}}
	return &flowpb.Dns{
		Request: &flowpb.DnsMessage{Id: 7, RecursionDesired: true, Questions: q, AtNs: start()},
		Response: &flowpb.DnsMessage{
			Id: 7, RecursionAvailable: true, Questions: q, AtNs: start() + 12*ms,
			Answers: []*flowpb.DnsRecord{
				{Name: []byte("api.shop.test"), Type: 28, Ttl: 60, Data: []byte("\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01")},
				{Name: []byte("api.shop.test"), Type: 16, Ttl: 60, Data: []byte("\x05v=spf\x1b")},
			},
		},
	}
}

func someMessages(first uint64, n int, total uint64) []*flowpb.Message {
	var out []*flowpb.Message
	if first == 0 {
		first = total - min(total, uint64(n)) + 1
	}
	for i := first; i < first+uint64(n) && i <= total; i++ {
		m := &flowpb.Message{Sequence: i, Side: flowpb.Side(1 + i%2), Type: flowpb.MessageText, AtNs: start() + int64(i)*100*ms, Content: fmt.Appendf(nil, `{"op":"sub","n":%d}`, i)}
		switch i {
		case 3:
			m.Type, m.Content = flowpb.MessageBinary, []byte("\x00\x01\x1b[2J\xff\xfe\u202e日本")
		case 4:
			m.Type, m.Content = flowpb.MessagePing, nil
		case 5:
			m.Dropped = true
		case 6:
			m.Type, m.Content, m.Note = flowpb.MessageClose, []byte("\x03\xe8done\x1b[2J"), "not masked\x1b[2J"
			m.Frames, m.Compressed = []uint64{2, 7}, true
		case 7:
			m.Type, m.Content = flowpb.MessageEvent, []byte("tick\ntock")
			m.Event = &flowpb.ServerEvent{Type: []byte("add\x1b[2J"), Id: []byte("71")}
		}
		out = append(out, m)
	}
	return out
}

func jsonBody(items int) []byte {
	var b strings.Builder
	b.WriteString(`{"items":[`)
	for i := range items {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":%d,"name":"Größe %d","price":%d.50,"ok":true}`, i, i, i)
	}
	b.WriteString("]}")
	return []byte(b.String())
}

func zipped(p []byte) []byte {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	_, _ = w.Write(p)
	_ = w.Close()
	return z.Bytes()
}

func slice(p []byte) func(int64, int) []byte {
	return func(off int64, n int) []byte {
		off = min(off, int64(len(p)))
		return p[off:min(off+int64(n), int64(len(p)))]
	}
}

// sizeHuge gives the huge flow a body of that size, made as it is read.
func (s *fakeSource) sizeHuge(size int64) {
	body := s.flows[flowHuge].Flow.GetHttp().GetResponse().GetBody()
	body.State, body.Size = flowpb.BodyComplete, uint64(size)
	line := fmt.Sprintf(hugeLine, 0)
	length := int64(len(line))
	s.bodies[flowHuge] = func(off int64, n int) []byte {
		n = int(max(0, min(int64(n), size-off)))
		b := bytes.Repeat([]byte(line), n/len(line)+2)
		for at, i := int64(0), off/length; at < int64(len(b)); at, i = at+length, i+1 {
			for digit, rest := at+int64(len("line "))+11, i; rest > 0; digit, rest = digit-1, rest/10 {
				b[digit] = byte('0' + rest%10)
			}
		}
		return b[off%length:][:n]
	}
}

func certificate(t testing.TB) []byte {
	t.Helper()
	p, err := os.ReadFile("testdata/cert.pem")
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(p)
	if block == nil {
		t.Fatal("testdata/cert.pem: no certificate in it")
	}
	return block.Bytes
}
