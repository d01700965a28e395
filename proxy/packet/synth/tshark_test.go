package synth

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	flowpb "weir/proto"
)

// tshark is what it finds in a capture of flows: the fields, a packet a line.
func tshark(t *testing.T, flows []*kept, filter string, fields ...string) []string {
	t.Helper()
	path, err := exec.LookPath("tshark")
	if err != nil {
		if os.Getenv("WEIR_E2E_REQUIRED") != "" {
			t.Fatal("tshark is not installed, and WEIR_E2E_REQUIRED is set")
		}
		t.Skip("tshark is not installed")
	}
	file := filepath.Join(t.TempDir(), "flows.pcapng")
	if err := os.WriteFile(file, written(t, flows...), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"-r", file, "-n", "-T", "fields", "-E", "separator=|", "-Y", filter, "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"}
	for _, f := range fields {
		args = append(args, "-e", f)
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Env = []string{"HOME=" + t.TempDir(), "PATH=" + os.Getenv("PATH")} // nobody's settings
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("tshark: %v\n%s", err, stderr.Bytes())
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return slices.DeleteFunc(lines, func(s string) bool { return s == "" })
}

// site is exchanges of one connection: a form that is sent, and a page of 100 KB.
func site(scheme, version string, conn uint64, c *clock) (flows []*kept) {
	tls := &flowpb.Tls{Version: "TLSv1.2", Sni: []byte("shop.test"), Alpn: []byte("http/1.1")}
	h2 := version == "HTTP/2"
	if h2 {
		tls.Alpn = []byte("h2")
	}
	if scheme == "http" {
		tls = nil
	}
	client := &flowpb.Conn{Id: conn, Side: flowpb.SideRequest, Peer: &flowpb.Address{Host: []byte("10.0.0.1"), Port: uint32(40000 + conn)}, StartedNs: c.tick(), Tls: tls}
	port := map[string]uint32{"http": 80, "https": 443}[scheme]
	for i := range 2 {
		request, response := fmt.Appendf(nil, "item=%d", i), bytes.Repeat(fmt.Appendf(nil, "page %d\n", i), 100<<10/7)
		q := &flowpb.Request{
			Method: []byte("POST"), Scheme: []byte(scheme), Host: []byte("shop.test"), Port: port, Version: []byte(version),
			Target: fmt.Appendf(nil, "/cart/%d", i), Path: fmt.Appendf(nil, "/cart/%d", i), Authority: []byte("shop.test"),
			Body:      &flowpb.Body{State: flowpb.BodyComplete, Size: uint64(len(request))},
			StartedNs: c.tick(), EndedNs: c.tick(),
		}
		p := &flowpb.Response{
			Version: []byte(version), Status: uint32(200 + i), Body: &flowpb.Body{State: flowpb.BodyComplete, Size: uint64(len(response)), Chunked: !h2},
			Headers: []*flowpb.Field{{Name: []byte("x-n"), Value: []byte("1")}}, StartedNs: c.tick(), EndedNs: c.tick(),
		}
		length := &flowpb.Field{Name: []byte("content-length"), Value: fmt.Appendf(nil, "%d", len(request))}
		q.Headers = []*flowpb.Field{length}
		if !h2 {
			q.Headers = append(q.Headers, &flowpb.Field{Name: []byte("Host"), Value: q.Authority})
			p.Reason = []byte("OK")
			p.Headers = append(p.Headers, &flowpb.Field{Name: []byte("Transfer-Encoding"), Value: []byte("chunked")})
		}
		k := newKept(c, client, nil, &flowpb.Flow{Protocol: &flowpb.Flow_Http{Http: &flowpb.Http{Request: q, Response: p, StreamId: uint32(2*i + 1)}}})
		k.flow.CreatedNs, k.flow.Server = q.StartedNs, nil
		k.bodies[flowpb.SideRequest], k.bodies[flowpb.SideResponse] = request, response
		flows = append(flows, k)
	}
	return flows
}

// column is the values of one field that tshark found, in the order of the packets.
func column(lines []string, fields []string, name string) (out []string) {
	i := slices.Index(fields, name)
	for _, line := range lines {
		if v := strings.Split(line, "|")[i]; v != "" {
			out = append(out, v)
		}
	}
	return out
}

// Without any settings tshark reads requests and responses, bodies and all, of each
// protocol that they can go over, and finds nothing wrong with the packets.
func TestTshark(t *testing.T) {
	c := &clock{at: 1_700_000_000 * second}
	peer := func(host string, port uint32) *flowpb.Conn {
		return &flowpb.Conn{Peer: &flowpb.Address{Host: []byte(host), Port: port}}
	}
	dns := newKept(c, peer("::1", 5000), peer("2001:db8::53", 53), &flowpb.Flow{Protocol: &flowpb.Flow_Dns{Dns: &flowpb.Dns{
		Request: &flowpb.DnsMessage{Id: 7, AtNs: c.tick(), Questions: []*flowpb.DnsQuestion{{Name: []byte("a.test"), Type: 1, Class: 1}}},
		Response: &flowpb.DnsMessage{
			Id: 7, AtNs: c.tick(), Questions: []*flowpb.DnsQuestion{{Name: []byte("a.test"), Type: 1, Class: 1}},
			Answers: []*flowpb.DnsRecord{{Name: []byte("a.test"), Type: 1, Class: 1, Ttl: 9, Data: []byte{192, 0, 2, 1}}},
		},
	}}})
	socket := site("https", "HTTP/1.1", 9, c)[0]
	h := socket.flow.GetHttp()
	h.Request.Method, h.Request.Body, h.Response.Body = []byte("GET"), nil, nil
	h.Request.Headers = []*flowpb.Field{
		{Name: []byte("Host"), Value: []byte("shop.test")},
		{Name: []byte("Connection"), Value: []byte("Upgrade")},
		{Name: []byte("Upgrade"), Value: []byte("websocket")},
		{Name: []byte("Sec-WebSocket-Key"), Value: []byte("dGhlIHNhbXBsZSBub25jZQ==")},
	}
	h.Response.Status, h.Response.Headers = 101, h.Request.Headers[1:3]
	h.Upgrade, h.Websocket = &flowpb.Upgrade{Protocol: []byte("websocket")}, &flowpb.WebSocket{EndedNs: c.tick() + second}
	for i, text := range []string{"ask", "answer"} {
		socket.messages = append(socket.messages, &flowpb.Message{
			Side: flowpb.SideRequest + flowpb.Side(i), Type: flowpb.MessageText, Content: []byte(text), AtNs: c.tick(),
		})
	}
	flows := slices.Concat(site("http", "HTTP/1.1", 1, c), site("https", "HTTP/1.1", 2, c), site("http", "HTTP/2", 3, c), site("https", "HTTP/2", 4, c))
	flows[1].note = flowpb.Note{Marked: flowpb.DefaultMarker, Comment: "twice"}
	fields := []string{
		"http.request.uri", "http.response.code", "http.file_data", "http2.headers.path", "http2.headers.status",
		"http2.data.data", "http2.body.reassembled.data", "frame.comment", "dns.qry.name", "dns.a", "websocket.payload.text", "tls.handshake.extensions_server_name",
	}
	got := tshark(t, append(flows, dns, socket), "frame", fields...)
	want := map[string][]string{
		"http.request.uri":     {"/cart/0", "/cart/0", "/cart/1", "/cart/0", "/cart/1"},
		"http.response.code":   {"101", "200", "201", "200", "201"},
		"http2.headers.path":   {"/cart/0", "/cart/1", "/cart/0", "/cart/1"},
		"http2.headers.status": {"200", "201", "200", "201"},
		"frame.comment":        {`marked :default:\ntwice`},
		"dns.qry.name":         {"a.test", "a.test"},
		"dns.a":                {"192.0.2.1"}, "websocket.payload.text": {"ask", "answer"},
		"tls.handshake.extensions_server_name": {"shop.test", "shop.test", "shop.test"},
	}
	for i, k := range flows {
		request, response := k.bodies[flowpb.SideRequest], k.bodies[flowpb.SideResponse]
		if i < 4 {
			for _, p := range [][]byte{request, response} {
				want["http.file_data"] = append(want["http.file_data"], strings.ReplaceAll(string(p), "\n", `\n`))
			}
			continue
		}
		if sent := column(got, fields, "http2.data.data"); !slices.Contains(sent, hex.EncodeToString(request)) {
			t.Errorf("the body of request %d is not among the data", i)
		}
		want["http2.body.reassembled.data"] = append(want["http2.body.reassembled.data"], hex.EncodeToString(response))
	}
	for name, values := range want {
		if diff := cmp.Diff(values, column(got, fields, name)); diff != "" {
			t.Errorf("%s (-want +got):\n%.4000s", name, diff)
		}
	}
	const faults = "tcp.analysis.flags || _ws.malformed || _ws.expert.severity >= 6291456 || tcp.checksum.status == 0 || ip.checksum.status == 0"
	if wrong := tshark(t, flows, faults, "frame.number", "_ws.col.Info"); len(wrong) > 0 {
		t.Errorf("tshark finds faults: %q", wrong)
	}
}
