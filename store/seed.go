package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	flowpb "weir/proto"
)

// SeedOptions say what Seed makes.
type SeedOptions struct {
	Flows    int // how many
	BodySize int // bytes of each response body; 0 stores none and lets sizes vary
	// Progress, if set, is called now and then with the number of flows made.
	Progress func(flows int)
	Session  Options
}

// Seed makes a session of varied synthetic flows at path, for benchmarks and for
// trying things out: some 500 hosts, all the usual methods, types, sizes and
// statuses, failures, DNS and TCP beside HTTP. Every 17th flow is a 404 and no
// other is. The flows are the same on each run.
func Seed(ctx context.Context, path string, o SeedOptions) (err error) {
	s, err := Create(ctx, path, o.Session)
	if err != nil {
		return err
	}
	defer func() {
		if e := s.Close(); err == nil {
			err = e
		}
	}()
	w, err := s.NewWriter(ctx, WriterOptions{BatchFlows: 4096, BatchBytes: 16 << 20, BatchDelay: time.Second})
	if err != nil {
		return err
	}
	g := newSower(o.BodySize)
	if err := g.connections(ctx, w); err != nil {
		return fmt.Errorf("seed session %q: %w", path, err)
	}
	for n := 1; n <= o.Flows; n++ {
		if err := g.flow(ctx, w, n); err != nil {
			return fmt.Errorf("seed session %q: %w", path, err)
		}
		if o.Progress != nil && n%10_000 == 0 {
			o.Progress(n)
		}
	}
	return w.Flush(ctx)
}

// sower makes flows. What it draws depends on its seed and the order of calls only.
type sower struct {
	*rand.Rand
	bodySize int
	hosts    []string
	conns    []uint64 // of the hosts
	at       int64    // ns since the epoch
	body     []byte
}

// Where the synthetic session lies: it begins on 1 January 2026.
const (
	seedStart = 1_767_225_600_000_000_000
	seedHosts = 500
)

func newSower(bodySize int) *sower {
	g := &sower{Rand: rand.New(rand.NewPCG(0x77656972, 17)), bodySize: bodySize, at: seedStart}
	for i := range seedHosts {
		g.hosts = append(g.hosts, fmt.Sprintf("%s%d.%s.%s",
			seedPrefixes[i%len(seedPrefixes)], i, seedDomains[i%len(seedDomains)], seedEnds[i%len(seedEnds)]))
	}
	return g
}

// connections records one connection a host.
func (g *sower) connections(ctx context.Context, w *Writer) error {
	for i, host := range g.hosts {
		c := &flowpb.Conn{
			Side: flowpb.SideResponse, Transport: flowpb.TransportTCP,
			Peer:      &flowpb.Address{Host: fmt.Appendf(nil, "192.0.2.%d", i%250+1), Port: 443},
			Target:    &flowpb.Address{Host: []byte(host), Port: 443},
			StartedNs: seedStart, ConnectedNs: seedStart + 12_000_000, TlsNs: seedStart + 31_000_000,
			Tls: &flowpb.Tls{Version: "TLSv1.3", Cipher: "TLS_AES_128_GCM_SHA256", Alpn: []byte("http/1.1"), Sni: []byte(host), Verified: true},
		}
		if err := w.Conn(ctx, c); err != nil {
			return err
		}
		g.conns = append(g.conns, c.GetId())
	}
	return nil
}

// flow records flow number n with what belongs to it.
func (g *sower) flow(ctx context.Context, w *Writer, n int) error {
	g.at += int64(g.ExpFloat64() * 20e6)
	host := int(float64(len(g.hosts)) * g.Float64() * g.Float64()) // a few hosts have most of the traffic
	f := &flowpb.Flow{
		State: flowpb.StateComplete, CreatedNs: g.at, ServerConn: g.conns[host],
		Client: strconv.AppendInt([]byte("127.0.0.1:"), 32768+int64(g.IntN(28000)), 10),
		Server: []byte(g.hosts[host] + ":443"),
	}
	switch {
	case n%17 != 0 && g.IntN(50) == 0:
		g.dns(f, host)
		return w.Flow(ctx, f)
	case n%17 != 0 && g.IntN(80) == 0:
		return g.stream(ctx, w, f)
	}
	g.http(f, host, n%17 == 0)
	if err := w.Flow(ctx, f); err != nil {
		return err
	}
	if f.GetHttp().GetResponse().GetBody().GetState() != flowpb.BodyComplete {
		return nil
	}
	return w.Body(ctx, f.GetId(), flowpb.SideResponse, g.content(n))
}

// http makes a request and what answered it, or why nothing did.
func (g *sower) http(f *flowpb.Flow, host int, missing bool) {
	name := g.hosts[host]
	q := &flowpb.Request{
		Method: []byte(pick(g, seedMethods)), Scheme: []byte("https"), Host: []byte(name), Port: 443, Authority: []byte(name),
		Version: []byte("HTTP/1.1"), StartedNs: g.at, EndedNs: g.at + 200_000,
		Path: fmt.Appendf(nil, "%s/%d?page=%d&q=%s", pick(g, seedPaths), g.IntN(100_000), g.IntN(40), pick(g, seedWords)),
	}
	if host%7 == 0 {
		q.Scheme, q.Port, f.Server = []byte("http"), 80, []byte(name+":80")
	}
	q.Headers = fields("Host", name, "User-Agent", pick(g, seedAgents), "Accept", "*/*", "Accept-Encoding", "gzip, br",
		"Accept-Language", "en-GB,en;q=0.8", "Cookie", "session="+strconv.FormatUint(g.Uint64(), 36))
	if m := string(q.Method); m == "POST" || m == "PUT" || m == "PATCH" {
		q.Headers = append(q.Headers, fields("Content-Type", "application/json")...)
		q.Body = &flowpb.Body{State: flowpb.BodyDropped, Size: uint64(g.size() / 8)}
	}
	h := &flowpb.Http{Request: q}
	f.Protocol = &flowpb.Flow_Http{Http: h}
	if !missing && g.IntN(60) == 0 {
		e := pick(g, seedErrors)
		f.State = flowpb.StateError
		f.Error = &flowpb.Error{Code: e.code, Message: e.message, AtNs: g.at + int64(g.ExpFloat64()*1e9), Side: flowpb.SideResponse}
		return
	}
	h.Response = g.response(missing)
	if string(q.Method) == "HEAD" {
		h.Response.Body = nil // RFC 9110 section 9.3.2
	}
}

func (g *sower) response(missing bool) *flowpb.Response {
	status := pick(g, seedStatuses)
	if missing {
		status = "404 Not Found"
	}
	number, reason, _ := strings.Cut(status, " ")
	code, _ := strconv.ParseUint(number, 10, 32)
	first := g.at + 1_000_000 + int64(g.ExpFloat64()*60e6)
	p := &flowpb.Response{
		Version: []byte("HTTP/1.1"), Status: uint32(code), Reason: []byte(reason),
		StartedNs: first, EndedNs: first + int64(g.ExpFloat64()*20e6),
		Headers: fields("Date", time.Unix(0, g.at).UTC().Format(time.RFC1123), "Server", pick(g, seedServers), "Cache-Control", "no-cache",
			"ETag", strconv.Quote(strconv.FormatUint(g.Uint64(), 16)), "X-Request-Id", strconv.FormatUint(g.Uint64(), 16)),
	}
	if code == 204 || code == 304 {
		return p
	}
	p.Headers = append(p.Headers, fields("Content-Type", pick(g, seedTypes))...)
	p.Body = &flowpb.Body{State: flowpb.BodyDropped, Size: uint64(g.size())}
	if g.bodySize > 0 {
		p.Body = &flowpb.Body{State: flowpb.BodyComplete, Size: uint64(g.bodySize)}
	}
	p.Headers = append(p.Headers, fields("Content-Length", strconv.FormatUint(p.Body.Size, 10))...)
	return p
}

// size draws a body's size: most are some KB, a few are many MB.
func (g *sower) size() int64 { return int64(100 + 3000*g.ExpFloat64()*(1+1/(g.Float64()+0.0005))) }

// content is the body of flow n: words, the same for all but for its beginning,
// so that making it costs little. One in a thousand holds the word "needle".
func (g *sower) content(n int) []byte {
	for len(g.body) < g.bodySize {
		g.body = fmt.Appendf(g.body, "{%q: %q, %q: %d}\n", pick(g, seedWords), pick(g, seedWords), pick(g, seedWords), g.IntN(1_000_000))
	}
	g.body = g.body[:g.bodySize]
	mark := fmt.Sprintf("{\"flow\": %09d, \"is\": \"haysta\"}\n", n)
	if n%1000 == 0 {
		mark = fmt.Sprintf("{\"flow\": %09d, \"is\": \"needle\"}\n", n)
	}
	copy(g.body, mark)
	return g.body
}

func (g *sower) dns(f *flowpb.Flow, host int) {
	question := []*flowpb.DnsQuestion{{Name: []byte(g.hosts[host]), Type: 1, Class: 1}}
	f.Server, f.ServerConn = []byte("192.0.2.53:53"), 0
	id := uint32(g.IntN(1 << 16))
	f.Protocol = &flowpb.Flow_Dns{Dns: &flowpb.Dns{
		Request: &flowpb.DnsMessage{Id: id, RecursionDesired: true, Questions: question, AtNs: g.at},
		Response: &flowpb.DnsMessage{
			Id: id, RecursionAvailable: true, Questions: question, AtNs: g.at + int64(g.ExpFloat64()*8e6),
			Answers: []*flowpb.DnsRecord{{Name: question[0].Name, Type: 1, Class: 1, Ttl: 300, Data: []byte{192, 0, 2, byte(host)}}},
		},
	}}
}

// stream records a TCP stream of two messages.
func (g *sower) stream(ctx context.Context, w *Writer, f *flowpb.Flow) error {
	f.Protocol = &flowpb.Flow_Tcp{Tcp: &flowpb.Stream{
		Messages: 2, ClientBytes: 5, ServerBytes: 5, EndedNs: g.at + int64(g.ExpFloat64()*1e9),
	}}
	if err := w.Flow(ctx, f); err != nil {
		return err
	}
	for side, text := range []string{"PING\n", "PONG\n"} {
		err := w.Message(ctx, &flowpb.Message{
			Flow: f.GetId(), Side: flowpb.Side(side + 1), Type: flowpb.MessageData, AtNs: g.at + int64(side), Content: []byte(text),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func pick[E any](g *sower, from []E) E { return from[g.IntN(len(from))] }

// fields makes header lines of name, value, name, value …
func fields(pairs ...string) (out []*flowpb.Field) {
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, &flowpb.Field{Name: []byte(pairs[i]), Value: []byte(pairs[i+1])})
	}
	return out
}
