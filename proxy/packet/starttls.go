package packet

import (
	"context"
	"encoding/binary"

	flowpb "weir/proto"
)

// plain records a conversation that no parser understands, until one can: from where a
// message can be told, where the beginning or some of it since was not captured; and from
// where the two begin to speak TLS in the middle of it, as SMTP, IMAP, POP3, FTP, LDAP,
// XMPP, PostgreSQL and MySQL do. How they agree on that is each protocol's own, and is not
// looked at: a whole ClientHello with which the client begins to speak again says enough.
type plain struct {
	c      *conversation
	flow   *streamFlow
	held   []byte // what may become such a ClientHello
	heldAt int64
	spoken bool    // something was said before
	torn   bool    // something before was not captured
	inside speaker // once it came, or what else can be understood
}

func newPlain(c *conversation) *plain { return &plain{c: c, flow: &streamFlow{c: c}, torn: !c.sure} }

// startsTLS is how many bytes tell a ClientHello from others.
const startsTLS = 11

// isWholeHello reports whether p begins with a record of TLS that has a ClientHello and
// nothing else in it, or, where that is longer, with the first of its records (RFC 8446,
// sections 4 and 5.1). Of less than startsTLS bytes it is whether they may become one.
func isWholeHello(p []byte) bool {
	if !isClientHello(p) {
		return false
	}
	if len(p) < startsTLS {
		return true
	}
	record, message := int(binary.BigEndian.Uint16(p[3:])), int(p[6])<<16|int(p[7])<<8|int(p[8])
	return p[9] == 3 && p[10] <= 4 && message+4 >= record
}

func (s *plain) data(ctx context.Context, from flowpb.Side, p []byte, at int64) error {
	if s.inside != nil {
		return s.inside.data(ctx, from, p, at)
	}
	if from == flowpb.SideRequest && s.spoken && isWholeHello(append(s.held, p...)) {
		if s.held == nil {
			s.heldAt = at
		}
		if s.held = append(s.held, p...); len(s.held) < startsTLS {
			return nil
		}
		return s.secure(ctx)
	}
	if err := s.release(ctx); err != nil {
		return err
	}
	if next, from := s.message(from, p); next != nil {
		return s.follow(ctx, next, from, p, at)
	}
	s.spoken = true
	return s.flow.data(ctx, from, p, at)
}

// secure goes on with TLS.
func (s *plain) secure(ctx context.Context) error {
	hello := s.held
	s.held = nil
	return s.follow(ctx, newTLS(s.c), flowpb.SideRequest, hello, s.heldAt)
}

// follow goes on with what can be understood, from p on. What was said before is a flow
// of its own.
func (s *plain) follow(ctx context.Context, next speaker, from flowpb.Side, p []byte, at int64) error {
	if err := s.flow.close(ctx, closed, at); err != nil {
		return err
	}
	s.inside = next
	return next.data(ctx, from, p, at)
}

// release records what was held back.
func (s *plain) release(ctx context.Context) error {
	held := s.held
	if s.held = nil; held == nil {
		return nil
	}
	return s.flow.data(ctx, flowpb.SideRequest, held, s.heldAt)
}

func (s *plain) gap(ctx context.Context, from flowpb.Side, n, at int64) error {
	if s.inside != nil {
		return s.inside.gap(ctx, from, n, at)
	}
	if err := s.release(ctx); err != nil {
		return err
	}
	s.spoken, s.torn = true, true
	return s.flow.gap(ctx, from, n, at)
}

func (s *plain) end(ctx context.Context, from flowpb.Side, at int64) error {
	if s.inside != nil {
		return s.inside.end(ctx, from, at)
	}
	return nil
}

func (s *plain) close(ctx context.Context, why ending, at int64) error {
	if s.inside != nil {
		return s.inside.close(ctx, why, at)
	}
	if err := s.release(ctx); err != nil {
		return err
	}
	return s.flow.close(ctx, why, at)
}
