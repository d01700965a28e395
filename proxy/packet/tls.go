package packet

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"strings"

	flowpb "weir/proto"
	"weir/proxy/handshake"
	"weir/proxy/record"
)

// maxHello bounds the bytes that are held until the ClientHello is whole.
const maxHello = 64 << 10

// tlsTalk reads what a TLS handshake says in clear into the connection; all bytes are
// messages of a tcp flow whose server has the name that the client asked for. A
// handshake that comes to nothing makes it a flow of kind tls with the reason.
type tlsTalk struct {
	c      *conversation
	halves [2]handshake.Half
	heard  []heard // until the ClientHello is whole
	size   int
	flow   *streamFlow
	info   *flowpb.Tls
	over   bool        // the handshake is done, or not to be judged
	first  flowpb.Side // who said first that it sends nothing more
}

// isClientHello reports whether p begins like a TLS record with a ClientHello (RFC
// 8446, sections 4 and 5.1), as far as it goes.
func isClientHello(p []byte) bool {
	return begins(p, "\x16\x03") && (len(p) < 6 || p[5] == 1)
}

func (t *tlsTalk) data(ctx context.Context, from flowpb.Side, p []byte, at int64) error {
	if !t.over {
		t.halves[index(from)].Feed(p)
	}
	if t.flow != nil {
		return t.message(ctx, from, p, at)
	}
	t.heard = append(t.heard, heard{from: from, p: bytes.Clone(p), at: at})
	t.size += len(p)
	if from == flowpb.SideRequest && t.halves[0].Client == nil && !t.halves[0].Broken && t.size < maxHello {
		return nil
	}
	return t.open(ctx)
}

// open begins the flow, now that it is known whom the client asks for.
func (t *tlsTalk) open(ctx context.Context) error {
	t.flow = &streamFlow{c: t.c}
	if hello := t.halves[0].Client; hello != nil {
		t.info = &flowpb.Tls{Sni: hello.ServerName, AlpnOffers: hello.Protocols, Hello: record.ClientHello(hello)}
		t.c.name = hello.ServerName
		if t.c.conn != nil {
			t.c.conn.Tls = t.info
		}
		t.c.tls = t.info
	} else {
		t.over = true
	}
	for _, h := range t.heard {
		if err := t.message(ctx, h.from, h.p, h.at); err != nil {
			return err
		}
	}
	t.heard = nil
	return nil
}

// message records bytes, and what the handshake is known to have come to with them.
func (t *tlsTalk) message(ctx context.Context, from flowpb.Side, p []byte, at int64) error {
	if err := t.flow.data(ctx, from, p, at); err != nil || t.over {
		return err
	}
	t.learn()
	if !handshake.Done(&t.halves[0], &t.halves[1]) {
		return nil
	}
	t.over, t.c.conn.TlsNs = true, at
	t.halves = [2]handshake.Half{}
	return t.c.a.sink.Conn(ctx, t.c.conn)
}

// learn takes what the server said into the connection.
func (t *tlsTalk) learn() {
	server := &t.halves[1]
	if s := server.Server; s != nil && t.info.Version == "" {
		t.info.Version = strings.Replace(tls.VersionName(s.Version), "TLS ", "TLSv", 1)
		t.info.Cipher = tls.CipherSuiteName(s.Cipher)
		t.info.Alpn = s.Protocol
		t.info.Resumed = handshake.Resumed(t.halves[0].Client, s)
	}
	if t.info.Certificates == nil {
		for _, der := range server.Certificates {
			sum := sha256.Sum256(der)
			t.info.Certificates = append(t.info.Certificates, &flowpb.Certificate{Sha256: sum[:], Der: der})
		}
	}
}

// gap ends the reading: what is missing may be any part of the handshake.
func (t *tlsTalk) gap(ctx context.Context, from flowpb.Side, n, at int64) error {
	if t.flow == nil {
		if err := t.open(ctx); err != nil {
			return err
		}
	}
	t.over = true
	return t.flow.gap(ctx, from, n, at)
}

func (t *tlsTalk) end(_ context.Context, from flowpb.Side, _ int64) error {
	if t.first == flowpb.SideUnspecified {
		t.first = from
	}
	return nil
}

func (t *tlsTalk) close(ctx context.Context, why ending, at int64) error {
	if t.flow == nil {
		if err := t.open(ctx); err != nil {
			return err
		}
	}
	side, reason := t.failure(why)
	if reason == "" {
		return t.flow.close(ctx, why, at)
	}
	to := t.c.to()
	f := t.flow.flow
	f.Protocol = &flowpb.Flow_Tls{Tls: &flowpb.TlsFailure{
		Side: flowpb.SideResponse, Sni: t.info.Sni, Host: to.GetHost(), Port: to.GetPort(), EndedNs: t.flow.last,
	}}
	f.State = flowpb.StateError
	f.Error = &flowpb.Error{Code: flowpb.CodeTLS, Message: reason, AtNs: t.flow.last, Side: side}
	return t.c.a.sink.Flow(ctx, f)
}

// failure says why the handshake came to nothing, and by whom; it is empty where it
// came to something, or where nobody can know.
func (t *tlsTalk) failure(why ending) (by flowpb.Side, reason string) {
	if t.over {
		return 0, ""
	}
	for i, half := range t.halves {
		by, who := flowpb.SideRequest+flowpb.Side(i), [...]string{"the client", "the server"}[i]
		if a := half.Alert; a != nil && a.Fatal() {
			return by, who + " gave up the TLS handshake: " + strings.TrimPrefix(tls.AlertError(a.Description).Error(), "tls: ")
		}
		if half.Broken {
			return by, who + " does not speak TLS"
		}
	}
	switch {
	case why == reset:
		return 0, "the connection was reset during the TLS handshake"
	case why == closed && t.first == flowpb.SideRequest:
		return t.first, "the client closed the connection during the TLS handshake"
	case why == closed:
		return t.first, "the server closed the connection during the TLS handshake"
	}
	return 0, ""
}
