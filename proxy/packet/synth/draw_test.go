package synth

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	flowpb "weir/proto"
)

// clock gives each thing that happens a time of its own.
type clock struct{ at int64 }

func (c *clock) tick() int64 {
	c.at += second / 1000
	return c.at
}

// drawFlows draws flows of a few connections.
func drawFlows(t *rapid.T) (flows []*kept) {
	c := &clock{at: 1_700_000_000 * second}
	n := rapid.IntRange(1, 3).Draw(t, "connections")
	for i := range n {
		client, server := drawConn(t, i, c)
		switch kind := rapid.SampledFrom([]string{"http", "HTTP/2", "websocket", "tcp", "udp", "dns"}).Draw(t, "kind"); kind {
		case "http", "HTTP/2", "websocket":
			var some []*kept
			switch kind {
			case "http":
				some = drawExchanges(t, c, client, server)
			case "HTTP/2":
				some = drawExchanges2(t, c, client, server)
			default:
				some = []*kept{drawWebSocket(t, c, client, server)}
			}
			if rapid.Bool().Draw(t, "TLS") {
				seal(some, client)
			}
			flows = append(flows, some...)
		case "tcp":
			stream := &flowpb.Stream{}
			k := newKept(c, client, server, &flowpb.Flow{Protocol: &flowpb.Flow_Tcp{Tcp: stream}})
			drawMessages(t, c, k, "\x00raw")
			flows = append(flows, k)
		case "udp":
			client.Transport, server.Transport = flowpb.TransportUDP, flowpb.TransportUDP
			k := newKept(c, client, server, &flowpb.Flow{Protocol: &flowpb.Flow_Udp{Udp: &flowpb.Stream{}}})
			drawMessages(t, c, k, "")
			flows = append(flows, k)
		case "dns":
			flows = append(flows, drawDNS(t, c, client, server))
		}
	}
	return flows
}

func drawConn(t *rapid.T, i int, c *clock) (client, server *flowpb.Conn) {
	hosts := [2]string{"10.0.0.1", "203.0.113.9"}
	if rapid.Bool().Draw(t, "IPv6") {
		hosts = [2]string{"2001:db8::1", "2001:db8::2"}
	}
	client = &flowpb.Conn{Id: uint64(2*i + 1), Side: flowpb.SideRequest, StartedNs: c.tick(), Peer: &flowpb.Address{Host: []byte(hosts[0]), Port: uint32(40000 + i)}}
	server = &flowpb.Conn{Id: uint64(2*i + 2), Side: flowpb.SideResponse, Peer: &flowpb.Address{Host: []byte(hosts[1]), Port: 8080}}
	return client, server
}

func newKept(c *clock, client, server *flowpb.Conn, f *flowpb.Flow) *kept {
	f.State, f.CreatedNs = flowpb.StateComplete, c.tick()
	f.Client, f.Server = hostPort(client.GetPeer()), hostPort(server.GetPeer())
	return &kept{flow: f, client: client, server: server}
}

func hostPort(a *flowpb.Address) []byte {
	return []byte(net.JoinHostPort(string(a.GetHost()), strconv.Itoa(int(a.GetPort()))))
}

// drawMessages draws what both sides say, the client first.
func drawMessages(t *rapid.T, c *clock, k *kept, begin string) {
	side := flowpb.SideRequest
	at := k.flow.GetCreatedNs()
	for range rapid.IntRange(1, 4).Draw(t, "messages") {
		p := append([]byte(begin), drawBytes(t, 4000)...)
		k.messages = append(k.messages, &flowpb.Message{Side: side, Type: flowpb.MessageData, AtNs: at, Content: p})
		begin, at = "more", c.tick()
		side = rapid.SampledFrom([]flowpb.Side{flowpb.SideRequest, flowpb.SideResponse}).Draw(t, "side")
	}
}

// drawBytes draws bytes; where there are many, most of them repeat.
func drawBytes(t *rapid.T, most int) []byte {
	p := rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "bytes")
	for n := rapid.IntRange(0, most).Draw(t, "size"); len(p) > 0 && len(p) < n; {
		p = append(p, p...)
	}
	return p
}

var value = rapid.StringMatching("[!-~\u00e9]([ -~\t]{0,30}[!-~])?")

// drawFields draws fields that mean nothing for the framing.
func drawFields(t *rapid.T) (out []*flowpb.Field) {
	for range rapid.IntRange(0, 3).Draw(t, "fields") {
		f := &flowpb.Field{
			Name:  []byte("X-" + rapid.StringMatching(`[a-zA-Z0-9!#$%&'*+.^_|~-]{1,8}`).Draw(t, "name")),
			Value: []byte(value.Draw(t, "value")),
		}
		if rapid.IntRange(0, 5).Draw(t, "odd") == 0 {
			f.Raw = fmt.Appendf(nil, "%s:%s\r\n", f.Name, f.Value)
		}
		out = append(out, f)
	}
	return out
}

// drawBody draws a body with the field that frames it.
func drawBody(t *rapid.T) (body *flowpb.Body, framing *flowpb.Field, trailers []*flowpb.Field, p []byte) {
	field := func(name, value string) *flowpb.Field {
		return &flowpb.Field{Name: []byte(name), Value: []byte(value)}
	}
	switch rapid.IntRange(0, 2).Draw(t, "framing") {
	case 0:
		return &flowpb.Body{State: flowpb.BodyComplete}, field("Content-Length", "0"), nil, nil
	case 1:
		p = append(drawBytes(t, 40000), 'x')
		return &flowpb.Body{State: flowpb.BodyComplete, Size: uint64(len(p))}, field("content-length", strconv.Itoa(len(p))), nil, p
	}
	p = drawBytes(t, 40000)
	body = &flowpb.Body{State: flowpb.BodyComplete, Size: uint64(len(p)), Chunked: true}
	if rapid.Bool().Draw(t, "extension") {
		body.ChunkExtensions = []*flowpb.ChunkExtension{{Offset: uint64(len(p)), Extension: []byte(";last=1")}}
	}
	if rapid.Bool().Draw(t, "trailers") {
		trailers = drawFields(t)
	}
	return body, field("Transfer-Encoding", "chunked"), trailers, p
}

// drawExchanges draws exchanges of one connection.
func drawExchanges(t *rapid.T, c *clock, client, server *flowpb.Conn) (flows []*kept) {
	for range rapid.IntRange(1, 3).Draw(t, "exchanges") {
		flows = append(flows, drawExchange(t, c, client, server))
	}
	return flows
}

// drawExchanges2 draws exchanges of one connection of HTTP/2, which may overlap.
func drawExchanges2(t *rapid.T, c *clock, client, server *flowpb.Conn) (flows []*kept) {
	for i := range rapid.IntRange(1, 3).Draw(t, "streams") {
		k := drawExchange(t, c, client, server)
		h := k.flow.GetHttp()
		h.StreamId, h.Informational = uint32(2*i+1), nil
		q, p := h.GetRequest(), h.GetResponse()
		q.Version, p.Version, p.Reason = []byte("HTTP/2"), []byte("HTTP/2"), nil
		q.PseudoOrder = []byte(rapid.SampledFrom([]string{"mspa", "masp", "pams"}).Draw(t, "order"))
		for _, fields := range []*[]*flowpb.Field{&q.Headers, &q.Trailers, &p.Headers, &p.Trailers} {
			*fields = fields2(*fields)
		}
		for _, b := range []*flowpb.Body{q.GetBody(), p.GetBody()} {
			if b != nil {
				b.Chunked, b.ChunkExtensions = false, nil
			}
		}
		flows = append(flows, k)
	}
	if rapid.Bool().Draw(t, "overlap") { // the last request is answered first
		for _, k := range slices.Backward(flows) {
			p := k.flow.GetHttp().GetResponse()
			p.StartedNs = c.tick()
			p.EndedNs = ended(c, p.StartedNs, p.Body)
		}
	}
	return flows
}

// fields2 are fields as HTTP/2 has them.
func fields2(fields []*flowpb.Field) (out []*flowpb.Field) {
	for _, f := range fields {
		name := strings.ToLower(string(f.GetName()))
		if name != "host" && name != "transfer-encoding" {
			out = append(out, &flowpb.Field{Name: []byte(name), Value: f.GetValue()})
		}
	}
	return out
}

// seal puts a connection and its flows into TLS.
func seal(flows []*kept, client *flowpb.Conn) {
	client.Tls = &flowpb.Tls{Sni: []byte("shop.test"), Alpn: []byte("http/1.1")}
	for _, k := range flows {
		q := k.flow.GetHttp().GetRequest()
		q.Scheme = []byte("https")
		if string(q.GetVersion()) == "HTTP/2" {
			client.Tls.Alpn = []byte("h2")
		}
	}
}

func drawExchange(t *rapid.T, c *clock, client, server *flowpb.Conn) *kept {
	q, p := &flowpb.Request{}, &flowpb.Response{}
	h := &flowpb.Http{Request: q, Response: p}
	k := newKept(c, client, server, &flowpb.Flow{Protocol: &flowpb.Flow_Http{Http: h}})
	q.Method = []byte(rapid.SampledFrom([]string{"GET", "POST", "PATCH", "OPTIONS"}).Draw(t, "method"))
	q.Scheme, q.Version, q.Host, q.Port = []byte("http"), []byte("HTTP/1.1"), server.GetPeer().GetHost(), server.GetPeer().GetPort()
	q.Target = []byte("/" + rapid.StringMatching(`[!-~]{0,40}`).Draw(t, "target"))
	q.Path, q.Authority = q.Target, []byte("shop.test")
	q.Headers = append([]*flowpb.Field{{Name: []byte("Host"), Value: q.Authority}}, drawFields(t)...)
	var framing *flowpb.Field
	q.Body, framing, q.Trailers, k.bodies[flowpb.SideRequest] = drawBody(t)
	q.Headers = append(q.Headers, framing)
	q.StartedNs = k.flow.GetCreatedNs()
	q.EndedNs = ended(c, q.StartedNs, q.Body)
	if rapid.Bool().Draw(t, "early hints") {
		h.Informational = []*flowpb.Response{{Version: []byte("HTTP/1.1"), Status: 103, Reason: []byte("Early Hints"), StartedNs: c.tick(), Headers: drawFields(t)}}
	}
	p.Version, p.Status, p.Reason = []byte("HTTP/1.1"), uint32(rapid.IntRange(200, 203).Draw(t, "status")), []byte("Fine")
	p.Headers = drawFields(t)
	p.Body, framing, p.Trailers, k.bodies[flowpb.SideResponse] = drawBody(t)
	p.Headers = append(p.Headers, framing)
	p.StartedNs = c.tick()
	p.EndedNs = ended(c, p.StartedNs, p.Body)
	return k
}

// ended is when a message was over: with a body, later than it began.
func ended(c *clock, started int64, body *flowpb.Body) int64 {
	if body.GetSize() == 0 && !body.GetChunked() {
		return started
	}
	return c.tick()
}

func drawWebSocket(t *rapid.T, c *clock, client, server *flowpb.Conn) *kept {
	k := drawExchange(t, c, client, server)
	h := k.flow.GetHttp()
	h.Informational = nil
	q, p := h.GetRequest(), h.GetResponse()
	q.Method, q.Body, q.Trailers, q.EndedNs = []byte("GET"), nil, nil, q.GetStartedNs()
	upgrade := []*flowpb.Field{{Name: []byte("Connection"), Value: []byte("Upgrade")}, {Name: []byte("Upgrade"), Value: []byte("websocket")}}
	q.Headers = append(append([]*flowpb.Field{{Name: []byte("Host"), Value: q.Authority}}, upgrade...), &flowpb.Field{Name: []byte("Sec-WebSocket-Key"), Value: []byte("dGhlIHNhbXBsZSBub25jZQ==")})
	p.Status, p.Headers, p.Body, p.Trailers, p.EndedNs = 101, upgrade, nil, nil, p.GetStartedNs()
	k.bodies = [5][]byte{}
	h.Upgrade = &flowpb.Upgrade{Protocol: []byte("websocket")}
	h.Websocket = &flowpb.WebSocket{}
	sides := rapid.SampledFrom([]flowpb.Side{flowpb.SideRequest, flowpb.SideResponse})
	for range rapid.IntRange(0, 4).Draw(t, "messages") {
		m := &flowpb.Message{Side: sides.Draw(t, "side"), Type: flowpb.MessageBinary, AtNs: c.tick(), Content: drawBytes(t, 70000)}
		if n := uint64(len(m.Content)); n > 1 && rapid.Bool().Draw(t, "fragments") {
			m.Frames = []uint64{1, 0, n - 1}
		}
		k.messages = append(k.messages, m)
	}
	closer := &flowpb.Message{Side: sides.Draw(t, "closer"), Type: flowpb.MessageClose, AtNs: c.tick(), Content: []byte("\x03\xe8bye")}
	k.messages = append(k.messages, closer)
	h.Websocket.Messages = uint64(len(k.messages))
	h.Websocket.ClosedByClient = proto.Bool(closer.GetSide() == flowpb.SideRequest)
	h.Websocket.CloseCode, h.Websocket.CloseReason, h.Websocket.EndedNs = proto.Uint32(1000), []byte("bye"), c.tick()
	return k
}

func drawDNS(t *rapid.T, c *clock, client, server *flowpb.Conn) *kept {
	server.Peer.Port = portDNS
	d := &flowpb.Dns{}
	k := newKept(c, client, server, &flowpb.Flow{Protocol: &flowpb.Flow_Dns{Dns: d}})
	name := []byte(rapid.StringMatching(`[a-z]{1,20}(\.[a-z0-9\\]{0}[a-z0-9-]{1,20}){0,3}(\\\.x|\\032y)?`).Draw(t, "name"))
	id := uint32(rapid.Uint16().Draw(t, "id"))
	question := []*flowpb.DnsQuestion{{Name: name, Type: 1, Class: 1}}
	d.Request = &flowpb.DnsMessage{Id: id, RecursionDesired: true, Questions: question, AtNs: k.flow.GetCreatedNs()}
	d.Response = &flowpb.DnsMessage{Id: id, RecursionDesired: true, RecursionAvailable: true, Questions: question, AtNs: c.tick()}
	for range rapid.IntRange(0, 3).Draw(t, "answers") {
		d.Response.Answers = append(d.Response.Answers, &flowpb.DnsRecord{Name: name, Type: 1, Class: 1, Ttl: 60, Data: []byte{192, 0, 2, 7}})
	}
	if rapid.Bool().Draw(t, "over TCP") {
		client.Transport = flowpb.TransportTCP
	}
	return k
}
