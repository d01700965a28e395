package har

import (
	flowpb "weir/proto"
)

// phases is how an entry's time was spent, ns; -1: does not apply. HAR's ssl is
// part of its connect.
type phases struct{ blocked, dns, connect, ssl, send, wait, receive int64 }

// noPhases is how the time of an entry that says nothing of it was spent.
func noPhases() phases { return phases{-1, -1, -1, -1, -1, -1, -1} }

func (e *entry) timings(v value) {
	for key, v := range v.members() {
		field := e.spent.field(key)
		switch {
		case field == nil:
			e.keep(metaTimings, key, v)
		default:
			if ns, ok := span(v); ok {
				*field = ns
			}
		}
	}
}

func (p *phases) field(name string) *int64 {
	switch name {
	case "blocked":
		return &p.blocked
	case "dns":
		return &p.dns
	case "connect":
		return &p.connect
	case "ssl":
		return &p.ssl
	case "send":
		return &p.send
	case "wait":
		return &p.wait
	case "receive":
		return &p.receive
	}
	return nil
}

func told(ns int64) int64 { return max(0, ns) }

// before is what passes before the request is sent.
func (p *phases) before() int64 { return told(p.blocked) + told(p.dns) + told(p.connect) }

func (p *phases) sum() int64 { return p.before() + told(p.send) + told(p.wait) + told(p.receive) }

// settle gives the flow its times and its state, when all of the entry is known.
func (e *entry) settle() {
	q, p := e.http.GetRequest(), e.http.GetResponse()
	if s := flowpb.Summarize(e.flow); s.URL() != e.url {
		e.say(metaURL, e.url)
	}
	start := e.flow.GetCreatedNs()
	if start > 0 {
		q.StartedNs = start + e.spent.before()
		q.EndedNs = q.StartedNs + told(e.spent.send)
	}
	end := start + max(e.spent.sum(), told(e.total))
	if e.spent.sum() > 0 {
		end = start + e.spent.sum()
	}
	if p != nil && start > 0 {
		p.StartedNs = min(q.EndedNs+told(e.spent.wait), end)
		p.EndedNs = end
	}
	if p != nil && e.failure == "" {
		return
	}
	e.flow.State = flowpb.StateError
	e.flow.Error = &flowpb.Error{Message: e.failure, AtNs: end}
	if e.failure == "" {
		e.flow.Error.Message = "no response is in the file"
	}
	if start == 0 {
		e.flow.Error.AtNs = 0
	}
}

// connect gives the flow its connections, the one it shares with earlier flows if the
// file says so.
func (r *Reader) connect(e *entry, w *flowpb.Whole) {
	q := e.http.GetRequest()
	server := &flowpb.Address{Host: q.GetHost(), Port: q.GetPort()}
	e.flow.Server = hostPort(string(q.GetHost()), q.GetPort())
	if e.address == "" && e.conn == "" && e.spent.dns < 0 && e.spent.connect < 0 {
		return
	}
	key := connKey{e.conn, string(e.flow.GetServer())}
	if e.conn != "" {
		e.say(metaEntry+"connection", e.conn)
	}
	if known := r.conns[key]; e.conn != "" && known != nil {
		w.Server = known
		return
	}
	c := &flowpb.Conn{Side: flowpb.SideResponse, Transport: flowpb.TransportTCP, Target: server}
	if e.address != "" {
		c.Peer = &flowpb.Address{Host: []byte(e.address), Port: q.GetPort()}
	}
	if string(q.GetScheme()) == "https" {
		c.Tls = &flowpb.Tls{}
	}
	if at := e.flow.GetCreatedNs(); at > 0 && e.spent.connect >= 0 {
		c.StartedNs = at + told(e.spent.blocked)
		c.ResolvedNs = c.StartedNs + told(e.spent.dns)
		c.ConnectedNs = c.ResolvedNs + max(0, e.spent.connect-told(e.spent.ssl))
		if e.spent.ssl >= 0 {
			c.TlsNs = c.ConnectedNs + min(e.spent.ssl, e.spent.connect)
		}
	}
	if e.conn != "" {
		if len(r.conns) >= maxConns {
			clear(r.conns)
		}
		r.conns[key] = c
	}
	w.Server = c
}
