package record

import (
	flowpb "weir/proto"
	"weir/proxy/h2"
)

// versionHTTP2 is the version of every message of HTTP/2.
const versionHTTP2 = "HTTP/2"

// StreamRequest fills q with the head of a request of HTTP/2 that went over a connection
// with that scheme. Where it went and when is not in it.
func StreamRequest(q *flowpb.Request, ev *h2.Event, scheme string) {
	h := &ev.Head
	q.Method, q.Version, q.Scheme = []byte(h.Method), []byte(versionHTTP2), []byte(scheme)
	q.Path, q.Authority, q.Protocol = []byte(h.Path), []byte(h.Authority), []byte(h.Protocol)
	q.Target = q.Path
	if h.Path == "" {
		q.Target = q.Authority
	}
	if h.Scheme != "" && h.Scheme != scheme {
		q.SentScheme = []byte(h.Scheme)
	}
	q.PseudoOrder = pseudoOrder(ev.Fields[:h.Pseudo])
	q.Headers = StreamFields(ev.Fields[h.Pseudo:])
	if h.Authority == "" {
		if hosts := flowpb.Get(q.Headers, "host"); len(hosts) > 0 {
			q.Authority = hosts[0]
		}
	}
}

// pseudoOrder returns the initials of pseudo-header fields, see Request.pseudo_order.
func pseudoOrder(fields []h2.Field) []byte {
	order := make([]byte, 0, len(fields))
	for i := range fields {
		switch name := fields[i].Name; name {
		case ":protocol":
			order = append(order, 'r')
		case ":method", ":scheme", ":authority", ":path":
			order = append(order, name[1])
		}
	}
	return order
}

// StreamResponse fills p with the head of a response of HTTP/2.
func StreamResponse(p *flowpb.Response, ev *h2.Event) {
	p.Version, p.Status = []byte(versionHTTP2), uint32(ev.Head.Status)
	p.Headers = StreamFields(ev.Fields[ev.Head.Pseudo:])
}

// StreamFields copies fields as flows keep them, in three allocations.
func StreamFields(fields []h2.Field) []*flowpb.Field {
	if len(fields) == 0 {
		return nil
	}
	size := 0
	for i := range fields {
		size += len(fields[i].Name) + len(fields[i].Value)
	}
	text := make([]byte, 0, size)
	piece := func(s string) []byte {
		start := len(text)
		text = append(text, s...)
		return text[start:len(text):len(text)]
	}
	all := make([]flowpb.Field, len(fields))
	out := make([]*flowpb.Field, len(fields))
	for i := range fields {
		all[i].Name, all[i].Value, all[i].Sensitive = piece(fields[i].Name), piece(fields[i].Value), fields[i].Sensitive
		out[i] = &all[i]
	}
	return out
}
