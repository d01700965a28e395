package packet

import (
	"bytes"
	"context"

	flowpb "weir/proto"
	"weir/proxy/h2"
)

// maxPrelude bounds the bytes that are looked at before they are taken for
// anything. A request line that is longer than this is none.
const maxPrelude = 8 << 10

// detector finds out what is spoken from the first bytes, and passes them and all
// that follows to who understands it.
type detector struct {
	c     *conversation
	inner speaker // once it is known
	heard []heard // until then
	size  int
	ends  [2]bool
	// tunnel says that this is inside a connection that an HTTP request opened: who
	// is the client is known.
	tunnel bool
}

// heard is what came before it was known what it is.
type heard struct {
	from flowpb.Side
	p    []byte // nil: a gap
	gap  int64
	at   int64
}

func newDetector(c *conversation) *detector { return &detector{c: c} }

func (d *detector) data(ctx context.Context, from flowpb.Side, p []byte, at int64) error {
	if d.inner != nil {
		return d.inner.data(ctx, from, p, at)
	}
	d.heard = append(d.heard, heard{from: from, p: bytes.Clone(p), at: at})
	d.size += len(p)
	return d.decide(ctx)
}

func (d *detector) gap(ctx context.Context, from flowpb.Side, n, at int64) error {
	if d.inner != nil {
		return d.inner.gap(ctx, from, n, at)
	}
	d.heard = append(d.heard, heard{from: from, gap: n, at: at})
	return d.settle(ctx, newPlain(d.c))
}

func (d *detector) end(ctx context.Context, from flowpb.Side, at int64) error {
	if d.inner != nil {
		return d.inner.end(ctx, from, at)
	}
	d.ends[index(from)] = true
	return nil
}

func (d *detector) close(ctx context.Context, why ending, at int64) error {
	if d.inner == nil {
		if len(d.heard) == 0 && d.tunnel {
			return nil
		}
		if err := d.settle(ctx, &streamFlow{c: d.c}); err != nil {
			return err
		}
		if len(d.heard) == 0 {
			return d.silent(ctx, why, at)
		}
	}
	return d.inner.close(ctx, why, at)
}

// silent records a connection on which nothing was said, or that was refused.
func (d *detector) silent(ctx context.Context, why ending, at int64) error {
	s := d.inner.(*streamFlow)
	if err := s.open(ctx, d.c.begun); err != nil {
		return err
	}
	s.last = at
	if why == reset && !d.c.answered {
		s.stream.EndedNs = at
		s.flow.State, s.flow.Error = flowpb.StateError, &flowpb.Error{Code: flowpb.CodeConnect, Message: "connection refused", AtNs: at}
		return d.c.a.sink.Flow(ctx, s.flow)
	}
	return s.close(ctx, why, at)
}

// decide looks at what was heard so far.
func (d *detector) decide(ctx context.Context) error {
	first := d.heard[0].from
	opening := d.opening(first)
	switch {
	case d.c.server.Port() == portDNS && !d.tunnel:
		return d.settle(ctx, &dnsTalk{c: d.c})
	case begins(opening, h2.Preface):
		if len(opening) < len("PRI ") {
			return nil
		}
		if first == flowpb.SideResponse && (d.tunnel || !d.turn()) {
			return d.settle(ctx, &streamFlow{c: d.c})
		}
		return d.settle(ctx, newHTTP2(d.c, false))
	case begins(opening, "HTTP/1."):
		if first == flowpb.SideRequest && !d.tunnel {
			d.turn()
		}
		return d.settle(ctx, newHTTP(d.c))
	case isRequest(opening):
		if first == flowpb.SideResponse && (d.tunnel || !d.turn()) {
			return d.settle(ctx, &streamFlow{c: d.c})
		}
		return d.settle(ctx, newHTTP(d.c))
	case isSOCKS(opening) && !d.tunnel:
		if first == flowpb.SideResponse && !d.turn() {
			return d.settle(ctx, &streamFlow{c: d.c})
		}
		return d.settle(ctx, &socksTunnel{c: d.c})
	case isClientHello(opening):
		if len(opening) < 6 {
			return nil
		}
		if first == flowpb.SideResponse && (d.tunnel || !d.turn()) {
			return d.settle(ctx, &streamFlow{c: d.c})
		}
		return d.settle(ctx, newTLS(d.c))
	case isSealed(opening):
		return d.settle(ctx, &streamFlow{c: d.c, sealed: "the TLS handshake was not captured"})
	case mayBecomeRequest(opening) && d.size < maxPrelude:
		return nil
	case !d.c.sure && h2.BeginsWithFrames(opening):
		return d.settle(ctx, newHTTP2(d.c, true))
	}
	return d.settle(ctx, newPlain(d.c))
}

// opening is what a side said before the other answered.
func (d *detector) opening(from flowpb.Side) []byte {
	if len(d.heard) == 1 {
		return d.heard[0].p
	}
	var out []byte
	for _, h := range d.heard {
		if h.from != from {
			break
		}
		out = append(out, h.p...)
	}
	return out
}

// turn changes who is taken for the client, and with it what was heard.
func (d *detector) turn() bool {
	if !d.c.turn() {
		return false
	}
	for i := range d.heard {
		d.heard[i].from = other(d.heard[i].from)
	}
	d.ends[0], d.ends[1] = d.ends[1], d.ends[0]
	return true
}

// settle gives all that was heard to s, in order.
func (d *detector) settle(ctx context.Context, s speaker) error {
	d.inner = s
	for _, h := range d.heard {
		var err error
		if h.p == nil {
			err = s.gap(ctx, h.from, h.gap, h.at)
		} else {
			err = s.data(ctx, h.from, h.p, h.at)
		}
		if err != nil {
			return err
		}
	}
	for i, ended := range d.ends {
		if ended {
			if err := s.end(ctx, flowpb.SideRequest+flowpb.Side(i), d.c.last); err != nil {
				return err
			}
		}
	}
	if len(d.heard) > 0 {
		d.heard = []heard{{}} // not its bytes, but that there were some
	}
	return nil
}

func begins(p []byte, prefix string) bool {
	n := min(len(p), len(prefix))
	return n > 0 && string(p[:n]) == prefix[:n]
}

// isRequest reports whether p begins with a request line (RFC 9112, section 3): a
// method in capitals, a target, and a version where the line is complete.
func isRequest(p []byte) bool {
	method, rest, found := bytes.Cut(p, []byte(" "))
	if !found || !isMethod(method) || len(rest) == 0 {
		return false
	}
	line, _, complete := bytes.Cut(rest, []byte("\n"))
	if !complete {
		return rest[0] == '/' || rest[0] == '*' || bytes.Contains(rest, []byte("://")) || string(method) == "CONNECT"
	}
	return bytes.Contains(line, []byte(" HTTP/"))
}

func isMethod(p []byte) bool {
	if len(p) < 2 || len(p) > 24 {
		return false
	}
	for _, c := range p {
		if (c < 'A' || c > 'Z') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// mayBecomeRequest reports whether p, which is no request line so far, may be the
// beginning of one.
func mayBecomeRequest(p []byte) bool {
	method, rest, found := bytes.Cut(p, []byte(" "))
	if found {
		return isMethod(method) && bytes.IndexByte(rest, '\n') < 0
	}
	return len(p) < 2 && len(p) > 0 && isMethod(append(p[:1:1], 'A')) || isMethod(p)
}
