package har

import (
	"encoding/base64"

	flowpb "weir/proto"
)

// spentBy is how the flow's time was spent. Connecting counts where this flow began it.
func spentBy(f *flowpb.Whole, h *flowpb.Http) phases {
	p := noPhases()
	q, r, c := h.GetRequest(), h.GetResponse(), f.Server
	start, sent := f.Flow.GetCreatedNs(), q.GetStartedNs()
	p.send, p.wait, p.receive = 0, 0, 0
	if sent == 0 || sent < start {
		sent = start
	}
	if start > 0 && c.GetConnectedNs() > 0 && c.GetStartedNs() >= start && max(c.GetConnectedNs(), c.GetTlsNs()) <= sent {
		p.connection(c, start)
	}
	if rest := sent - start - p.before(); rest > 0 {
		p.blocked = told(p.blocked) + rest
	}
	at := start + p.before() // a connection may be made while the request is read
	ended := max(q.GetEndedNs(), at)
	p.send = ended - at
	if r.GetStartedNs() > 0 {
		p.wait = max(0, r.GetStartedNs()-ended)
		p.receive = max(0, r.GetEndedNs()-ended-p.wait)
	} else if at := f.Flow.GetError().GetAtNs(); at > ended {
		p.wait = at - ended
	}
	return p
}

func (p *phases) connection(c *flowpb.Conn, start int64) {
	p.blocked = c.GetStartedNs() - start
	resolved := max(c.GetResolvedNs(), c.GetStartedNs())
	if d := resolved - c.GetStartedNs(); d > 0 {
		p.dns = d
	}
	p.connect = max(0, c.GetConnectedNs()-resolved)
	if d := c.GetTlsNs() - c.GetConnectedNs(); c.GetTlsNs() > 0 && d >= 0 {
		p.ssl = d
		p.connect += d
	}
}

// webSocket writes the messages, as Chrome does.
func (w *Writer) webSocket(f *flowpb.Whole, meta *metas) {
	meta.take(metaEntry + "_resourceType")
	w.member("_resourceType", "websocket")
	w.print(`,"_webSocketMessages":[`)
	if f.Messages != nil {
		n := 0
		for m, err := range f.Messages {
			if err != nil {
				w.fail(err)
				break
			}
			if n++; n > 1 {
				w.print(",")
			}
			w.message(m)
		}
	}
	w.print("]")
}

func (w *Writer) message(m *flowpb.Message) {
	w.print(`{"type":"`)
	if m.GetSide() == flowpb.SideRequest {
		w.print("send")
	} else {
		w.print("receive")
	}
	w.print(`","time":`)
	w.raw(appendSeconds(w.scratch[:0], m.GetAtNs()))
	w.print(`,"opcode":`)
	data := base64.StdEncoding.EncodeToString(m.GetContent())
	op := int64(2)
	for code, t := range opcodes {
		if t == m.GetType() {
			op = int64(code)
		}
	}
	if op == 1 {
		data = string(m.GetContent())
	}
	w.int(op)
	w.member("data", data)
	w.print("}")
}
