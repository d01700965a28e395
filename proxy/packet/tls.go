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

// tlsTalk reads what a TLS handshake says in clear into the connection. Where the
// secrets are known it goes on inside; else all bytes are messages of a tcp flow whose
// server has the name that the client asked for. A handshake that comes to nothing
// makes it a flow of kind tls with the reason.
type tlsTalk struct {
	c      *conversation
	halves [2]handshake.Half
	heard  []heard // until it is known how to go on
	size   int
	since  int64 // when it began to wait for secrets
	flow   *streamFlow
	inside *unsealed // where the secrets are known
	info   *flowpb.Tls
	over   bool        // the handshake is done, or not to be judged
	first  flowpb.Side // who said first that it sends nothing more
}

// isClientHello reports whether p begins like a TLS record with a ClientHello (RFC
// 8446, sections 4 and 5.1), as far as it goes.
func isClientHello(p []byte) bool {
	return begins(p, "\x16\x03") && (len(p) < 6 || p[5] == 1)
}

// isSealed reports whether p begins with a record of encrypted data, as a connection
// does whose handshake was not captured.
func isSealed(p []byte) bool {
	return len(p) > 5 && begins(p, "\x17\x03") && p[2] <= 4 && p[3] <= 0x48 && p[3]|p[4] != 0
}

func newTLS(c *conversation) *tlsTalk {
	c.a.stats.TLS++
	return &tlsTalk{c: c}
}

func (t *tlsTalk) data(ctx context.Context, from flowpb.Side, p []byte, at int64) error {
	if t.inside != nil {
		return t.inside.data(ctx, from, p, at)
	}
	if !t.over {
		t.halves[index(from)].Feed(p)
	}
	if t.flow != nil {
		return t.message(ctx, from, p, at)
	}
	t.hear(heard{from: from, p: bytes.Clone(p), at: at})
	if from == flowpb.SideRequest && t.halves[0].Client == nil && !t.halves[0].Broken && t.size < maxHello {
		return nil
	}
	return t.decide(ctx, true)
}

// waits reports whether secrets are waited for.
func (t *tlsTalk) waits() bool { return t.c.waits == t }

func (t *tlsTalk) hear(h heard) {
	t.heard = append(t.heard, h)
	t.size += len(h.p)
	if t.waits() {
		t.c.a.keyless -= int64(len(h.p))
	}
}

// forget lets go of what was heard.
func (t *tlsTalk) forget() {
	if t.waits() {
		t.c.a.keyless += int64(t.size)
	}
	t.heard, t.size, t.c.waits = nil, 0, nil
}

// greeting is what a client says of itself.
func greeting(hello *handshake.ClientHello) *flowpb.Tls {
	return &flowpb.Tls{Sni: hello.ServerName, AlpnOffers: hello.Protocols, Hello: record.ClientHello(hello)}
}

// versionName is a version of TLS as flows name it.
func versionName(v uint16) string { return strings.Replace(tls.VersionName(v), "TLS ", "TLSv", 1) }

// greeted takes who the client is and whom it asks for, once.
func (t *tlsTalk) greeted(hello *handshake.ClientHello) {
	if t.info != nil {
		return
	}
	t.info = greeting(hello)
	t.c.name, t.c.tls = hello.ServerName, t.info
	if t.c.conn != nil {
		t.c.conn.Tls = t.info
	}
}

// open begins the flow of what stays sealed, and says why it does where somebody
// wanted otherwise.
func (t *tlsTalk) open(ctx context.Context, why string) error {
	t.flow = &streamFlow{c: t.c, sealed: why}
	if hello := t.halves[0].Client; hello != nil {
		t.greeted(hello)
	} else {
		t.over = true
	}
	all := t.heard
	t.forget()
	for _, h := range all {
		var err error
		if h.p == nil {
			t.over = true // what is missing may be any part of the handshake
			err = t.flow.gap(ctx, h.from, h.gap, h.at)
		} else {
			err = t.message(ctx, h.from, h.p, h.at)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// message records bytes, and what the handshake is known to have come to with them.
func (t *tlsTalk) message(ctx context.Context, from flowpb.Side, p []byte, at int64) error {
	if err := t.flow.data(ctx, from, p, at); err != nil || t.over {
		return err
	}
	t.learn(&t.halves)
	if !handshake.Done(&t.halves[0], &t.halves[1]) {
		return nil
	}
	err := t.done(ctx, at)
	t.halves = [2]handshake.Half{}
	return err
}

// done records the end of the handshake.
func (t *tlsTalk) done(ctx context.Context, at int64) error {
	t.over, t.c.tlsNs = true, at
	if t.c.conn == nil {
		return nil
	}
	t.c.conn.TlsNs = at
	return t.c.a.sink.Conn(ctx, t.c.conn)
}

// learn takes what the server said into the connection.
func (t *tlsTalk) learn(halves *[2]handshake.Half) {
	server := &halves[1]
	if s := server.Server; s != nil && (t.info.Version == "" || server.Encrypted) {
		t.info.Version = versionName(s.Version)
		t.info.Cipher = tls.CipherSuiteName(s.Cipher)
		t.info.Alpn = s.Protocol
		t.info.Resumed = handshake.Resumed(halves[0].Client, s)
	}
	if t.info.Certificates == nil {
		for _, der := range server.Certificates {
			sum := sha256.Sum256(der)
			t.info.Certificates = append(t.info.Certificates, &flowpb.Certificate{Sha256: sum[:], Der: der})
		}
	}
}

// gap ends the reading of what is in clear: what is missing may be any part of the
// handshake.
func (t *tlsTalk) gap(ctx context.Context, from flowpb.Side, n, at int64) error {
	switch {
	case t.inside != nil:
		return t.inside.gap(ctx, from, n, at)
	case t.waits():
		t.hear(heard{from: from, gap: n, at: at})
		return nil
	case t.flow == nil:
		if err := t.open(ctx, ""); err != nil {
			return err
		}
	}
	t.over = true
	return t.flow.gap(ctx, from, n, at)
}

func (t *tlsTalk) end(ctx context.Context, from flowpb.Side, at int64) error {
	if t.first == flowpb.SideUnspecified {
		t.first = from
	}
	if t.inside != nil {
		return t.inside.end(ctx, from, at)
	}
	return nil
}

func (t *tlsTalk) close(ctx context.Context, why ending, at int64) error {
	halves := &t.halves
	if t.inside == nil && t.flow == nil {
		if err := t.decide(ctx, false); err != nil {
			return err
		}
	}
	if t.inside != nil {
		halves = &t.inside.conn.Halves
		told, err := t.inside.close(ctx, why, at)
		if told || err != nil {
			return err
		}
	}
	if t.flow == nil { // nothing was said in it
		if err := t.open(ctx, t.unfound()); err != nil {
			return err
		}
	}
	side, reason := t.failure(halves, why)
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
	return t.c.a.tell(ctx, f)
}

// failure says why the handshake came to nothing, and by whom; it is empty where it
// came to something, or where nobody can know.
func (t *tlsTalk) failure(halves *[2]handshake.Half, why ending) (by flowpb.Side, reason string) {
	if t.over && t.inside == nil {
		return 0, ""
	}
	for i := range halves {
		half := &halves[i]
		by, who := flowpb.SideRequest+flowpb.Side(i), [...]string{"the client", "the server"}[i]
		if a := half.Alert; a != nil && a.Fatal() && !a.Notice() {
			return by, who + " gave up the TLS handshake: " + strings.TrimPrefix(tls.AlertError(a.Description).Error(), "tls: ")
		}
		if half.Broken {
			return by, who + " does not speak TLS"
		}
	}
	switch {
	case t.over:
		return 0, ""
	case why == reset:
		return 0, "the connection was reset during the TLS handshake"
	case why == closed && t.first == flowpb.SideRequest:
		return t.first, "the client closed the connection during the TLS handshake"
	case why == closed:
		return t.first, "the server closed the connection during the TLS handshake"
	}
	return 0, ""
}
