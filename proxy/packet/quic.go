package packet

import (
	"bytes"
	"context"
	"crypto/tls"

	flowpb "weir/proto"
	"weir/proxy/packet/link"
	"weir/proxy/quic"
)

// maxInitials bounds the bytes of a QUIC connection that are held until it is known
// whom the client asks for.
const maxInitials = 16 << 10

// quicTalk reads what the hellos of a QUIC connection say into the connection, whose
// datagrams are messages of a udp flow. What they carry stays sealed.
type quicTalk struct {
	c        *conversation
	initials quic.Initials
	heard    []heard // until the ClientHello is whole
	size     int
	flow     *streamFlow
	info     *flowpb.Tls
}

// newDatagrams returns who understands an exchange of datagrams that begins with seg.
func newDatagrams(c *conversation, seg *link.Segment) speaker {
	switch {
	case isDNSPort(c.server.Port()) || isDNSPort(c.client.Port()):
		return &dnsTalk{c: c}
	case seg.Src == c.client && quic.Begins(seg.Payload):
		return &quicTalk{c: c}
	}
	return &streamFlow{c: c}
}

func (q *quicTalk) data(ctx context.Context, from flowpb.Side, p []byte, at int64) error {
	q.initials.Take(index(from), p)
	if q.flow != nil {
		return q.message(ctx, from, p, at)
	}
	q.heard = append(q.heard, heard{from: from, p: bytes.Clone(p), at: at})
	q.size += len(p)
	if q.initials.Halves[0].Client == nil && !q.initials.Done() && q.size < maxInitials {
		return nil
	}
	return q.open(ctx)
}

// open begins the flow, now that it is known whom the client asks for.
func (q *quicTalk) open(ctx context.Context) error {
	q.flow = &streamFlow{c: q.c}
	if hello := q.initials.Halves[0].Client; hello != nil {
		q.info = greeting(hello)
		q.c.name, q.c.tls = hello.ServerName, q.info
		if q.c.a.opts.Keys != nil {
			q.flow.sealed = "what QUIC carries is not opened"
		}
	}
	for _, h := range q.heard {
		if err := q.message(ctx, h.from, h.p, h.at); err != nil {
			return err
		}
	}
	q.heard = nil
	return nil
}

// message records a datagram, and the server's choice once it is known.
func (q *quicTalk) message(ctx context.Context, from flowpb.Side, p []byte, at int64) error {
	if err := q.flow.data(ctx, from, p, at); err != nil {
		return err
	}
	s := q.initials.Halves[1].Server
	if s == nil || q.info == nil || q.info.Version != "" {
		return nil
	}
	q.info.Version, q.info.Cipher = versionName(s.Version), tls.CipherSuiteName(s.Cipher)
	q.info.Resumed = s.PSK
	return q.c.a.sink.Conn(ctx, q.c.conn)
}

// gap takes what the capture cut off a datagram.
func (q *quicTalk) gap(ctx context.Context, from flowpb.Side, n, at int64) error {
	if q.flow == nil {
		if err := q.open(ctx); err != nil {
			return err
		}
	}
	return q.flow.gap(ctx, from, n, at)
}

func (q *quicTalk) end(context.Context, flowpb.Side, int64) error { return nil }

func (q *quicTalk) close(ctx context.Context, why ending, at int64) error {
	if q.flow == nil {
		if err := q.open(ctx); err != nil {
			return err
		}
	}
	return q.flow.close(ctx, why, at)
}
