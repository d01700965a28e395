// Package seed makes synthetic flows, for benchmarks, for tests and for trying things
// out: some 500 hosts, all the usual methods, types, sizes and statuses, failures, DNS
// and TCP beside HTTP. Every 17th flow is a 404 and no other is; of the bodies one in a
// thousand holds the word "needle".
//
// It knows of sessions only what [Sink] says, so that the tests of package store can use it.
// One goroutine does it all. The flows depend on [Options] alone and are the same on
// each run; changing the tables changes them all.
package seed

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	flowpb "weir/proto"
)

// Options say what is made.
type Options struct {
	Flows    int // how many
	BodySize int // bytes of each response body; 0 stores none and lets sizes vary
	// Progress, if set, is called now and then with the number of flows made.
	Progress func(flows int)
}

// Sink is what records the flows. It gives their ids, and those of connections.
type Sink interface {
	Conn(ctx context.Context, c *flowpb.Conn) error
	Flow(ctx context.Context, f *flowpb.Flow) error
	Body(ctx context.Context, flow uint64, side flowpb.Side, p []byte) error
	Message(ctx context.Context, m *flowpb.Message) error
}

// progressEvery is how many flows are made between two calls of Options.Progress.
const progressEvery = 10_000

// Into makes flows and records them, one after the other.
func Into(ctx context.Context, to Sink, o Options) error {
	g := newSower(o.BodySize)
	if err := g.connections(ctx, to); err != nil {
		return err
	}
	for n := 1; n <= o.Flows; n++ {
		if err := g.flow(ctx, to, n); err != nil {
			return err
		}
		if o.Progress != nil && n%progressEvery == 0 {
			o.Progress(n)
		}
	}
	return nil
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
	start     = 1_767_225_600_000_000_000
	hostCount = 500
)

func newSower(bodySize int) *sower {
	g := &sower{Rand: rand.New(rand.NewPCG(0x77656972, 17)), bodySize: bodySize, at: start}
	for i := range hostCount {
		g.hosts = append(g.hosts, fmt.Sprintf("%s%d.%s.%s",
			prefixes[i%len(prefixes)], i, domains[i%len(domains)], ends[i%len(ends)]))
	}
	return g
}

// connections records one connection a host.
func (g *sower) connections(ctx context.Context, to Sink) error {
	for i, host := range g.hosts {
		c := &flowpb.Conn{
			Side: flowpb.SideResponse, Transport: flowpb.TransportTCP,
			Peer:      &flowpb.Address{Host: fmt.Appendf(nil, "192.0.2.%d", i%250+1), Port: 443},
			Target:    &flowpb.Address{Host: []byte(host), Port: 443},
			StartedNs: start, ConnectedNs: start + 12_000_000, TlsNs: start + 31_000_000,
			Tls: &flowpb.Tls{Version: "TLSv1.3", Cipher: "TLS_AES_128_GCM_SHA256", Alpn: []byte("http/1.1"), Sni: []byte(host), Verified: true},
		}
		if err := to.Conn(ctx, c); err != nil {
			return err
		}
		g.conns = append(g.conns, c.GetId())
	}
	return nil
}

// flow records flow number n with what belongs to it.
func (g *sower) flow(ctx context.Context, to Sink, n int) error {
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
		return to.Flow(ctx, f)
	case n%17 != 0 && g.IntN(80) == 0:
		return g.stream(ctx, to, f)
	}
	g.http(f, host, n%17 == 0)
	if err := to.Flow(ctx, f); err != nil {
		return err
	}
	if f.GetHttp().GetResponse().GetBody().GetState() != flowpb.BodyComplete {
		return nil
	}
	return to.Body(ctx, f.GetId(), flowpb.SideResponse, g.content(n))
}

// http makes a request and what answered it, or why nothing did.
func (g *sower) http(f *flowpb.Flow, host int, missing bool) {
	name := g.hosts[host]
	q := &flowpb.Request{
		Method: []byte(pick(g, methods)), Scheme: []byte("https"), Host: []byte(name), Port: 443, Authority: []byte(name),
		Version: []byte("HTTP/1.1"), StartedNs: g.at, EndedNs: g.at + 200_000,
		Path: fmt.Appendf(nil, "%s/%d?page=%d&q=%s", pick(g, paths), g.IntN(100_000), g.IntN(40), pick(g, words)),
	}
	if host%7 == 0 {
		q.Scheme, q.Port, f.Server = []byte("http"), 80, []byte(name+":80")
	}
	q.Headers = fields("Host", name, "User-Agent", pick(g, agents), "Accept", "*/*", "Accept-Encoding", "gzip, br",
		"Accept-Language", "en-GB,en;q=0.8", "Cookie", "session="+strconv.FormatUint(g.Uint64(), 36))
	if m := string(q.Method); m == "POST" || m == "PUT" || m == "PATCH" {
		q.Headers = append(q.Headers, fields("Content-Type", "application/json")...)
		q.Body = &flowpb.Body{State: flowpb.BodyDropped, Size: uint64(g.size() / 8)}
	}
	h := &flowpb.Http{Request: q}
	f.Protocol = &flowpb.Flow_Http{Http: h}
	if !missing && g.IntN(60) == 0 {
		e := pick(g, errors)
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
	status := pick(g, statuses)
	if missing {
		status = "404 Not Found"
	}
	number, reason, _ := strings.Cut(status, " ")
	code, _ := strconv.ParseUint(number, 10, 32)
	first := g.at + 1_000_000 + int64(g.ExpFloat64()*60e6)
	p := &flowpb.Response{
		Version: []byte("HTTP/1.1"), Status: uint32(code), Reason: []byte(reason),
		StartedNs: first, EndedNs: first + int64(g.ExpFloat64()*20e6),
		Headers: fields("Date", time.Unix(0, g.at).UTC().Format(time.RFC1123), "Server", pick(g, servers), "Cache-Control", "no-cache",
			"ETag", strconv.Quote(strconv.FormatUint(g.Uint64(), 16)), "X-Request-Id", strconv.FormatUint(g.Uint64(), 16)),
	}
	if code == 204 || code == 304 {
		return p
	}
	p.Headers = append(p.Headers, fields("Content-Type", pick(g, types))...)
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
		g.body = fmt.Appendf(g.body, "{%q: %q, %q: %d}\n", pick(g, words), pick(g, words), pick(g, words), g.IntN(1_000_000))
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
func (g *sower) stream(ctx context.Context, to Sink, f *flowpb.Flow) error {
	f.Protocol = &flowpb.Flow_Tcp{Tcp: &flowpb.Stream{
		Messages: 2, ClientBytes: 5, ServerBytes: 5, EndedNs: g.at + int64(g.ExpFloat64()*1e9),
	}}
	if err := to.Flow(ctx, f); err != nil {
		return err
	}
	for side, text := range []string{"PING\n", "PONG\n"} {
		err := to.Message(ctx, &flowpb.Message{
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
