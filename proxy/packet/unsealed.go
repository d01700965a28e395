package packet

import (
	"bytes"
	"context"

	flowpb "weir/proto"
	"weir/proxy/handshake"
	"weir/proxy/packet/unseal"
)

// Keys finds the secrets of TLS connections by the random of their ClientHello; s is
// nil where there are none. They may still come if more is true: then what a
// connection says is held for a while.
type Keys interface {
	Find(random unseal.Random) (s *unseal.Secrets, more bool)
}

// Bounds in bytes of what one connection holds until its secrets come, of what all of
// them do, and of what one holds until its handshake comes to something: its bytes are
// told as they came where it does not.
const (
	maxKeyless    = 256 << 10
	maxAllKeyless = 16 << 20
	maxUndecided  = 256 << 10
)

// decide finds out whether a connection can be opened, now that its ClientHello is
// whole, or will not be. Where patient is false no secrets are waited for.
func (t *tlsTalk) decide(ctx context.Context, patient bool) error {
	hello, keys := t.halves[0].Client, t.c.a.opts.Keys
	if hello == nil || keys == nil {
		return t.open(ctx, "")
	}
	secrets, more := keys.Find(hello.Random)
	if secrets == nil {
		secrets = t.c.a.shared.Session(hello)
	}
	wait := more && patient && t.size <= maxKeyless && t.c.a.keyless > 0
	switch {
	case secrets != nil && (secrets.Complete() || !wait):
		return t.enter(ctx)
	case !wait:
		return t.open(ctx, t.unfound())
	}
	if !t.waits() {
		t.c.waits, t.since = t, t.c.last
		t.c.a.keyless -= int64(t.size)
	}
	return nil
}

// livePatienceNs is how long a connection waits for its secrets where somebody looks
// while the packets come, in nanoseconds.
const livePatienceNs = 5e9

// seekKeys looks for secrets that came without another packet of the connections that
// wait for them.
func (a *Assembler) seekKeys(ctx context.Context) error {
	if !a.opts.Live || a.keyless == maxAllKeyless {
		return nil
	}
	for _, class := range [...]int{connection, over} {
		for e := a.silent[class].Front(); e != nil; e = e.Next() {
			c := e.Value.(*conversation)
			if c.waits == nil {
				continue
			}
			if err := a.guard(ctx, c, func() error { return c.seekKeys(ctx) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// seekKeys looks for the secrets of a connection that waits for them.
func (c *conversation) seekKeys(ctx context.Context) error {
	if err := c.waits.decide(ctx, c.a.now-c.waits.since < livePatienceNs); err != nil {
		return err
	}
	if c.waits != nil || c.class != over {
		return nil
	}
	return c.part(ctx, c.why, c.endedNs)
}

// unfound says why a connection stays sealed for which there are no secrets.
func (t *tlsTalk) unfound() string {
	switch {
	case t.inside != nil:
		return t.inside.failed
	case t.halves[0].Client == nil || t.c.a.opts.Keys == nil:
		return ""
	}
	return "the key log has no secrets of this connection"
}

// unsealed goes on inside a TLS connection whose secrets are known. The bytes as they
// came are held until application data was opened: where none is, they are told.
type unsealed struct {
	t      *tlsTalk
	conn   *unseal.Conn
	inside speaker        // once application data was opened
	rest   [2]*streamFlow // of what stays sealed although something was opened
	failed string         // why nothing can be opened
}

// enter begins to open what was heard.
func (t *tlsTalk) enter(ctx context.Context) error {
	t.greeted(t.halves[0].Client)
	keys := t.c.a.opts.Keys
	u := &unsealed{t: t}
	u.conn = unseal.New(func(r unseal.Random) *unseal.Secrets {
		s, _ := keys.Find(r)
		return s
	}, &t.c.a.shared)
	all := t.heard
	t.forget()
	t.inside = u
	for _, h := range all {
		var err error
		if h.p == nil {
			err = t.gap(ctx, h.from, h.gap, h.at)
		} else {
			err = t.data(ctx, h.from, h.p, h.at)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (u *unsealed) data(ctx context.Context, from flowpb.Side, p []byte, at int64) error {
	if u.inside == nil {
		u.t.hear(heard{from: from, p: bytes.Clone(p), at: at})
	}
	return u.step(ctx, at, u.conn.Feed(index(from), p, at, u.take(ctx)))
}

func (u *unsealed) gap(ctx context.Context, from flowpb.Side, n, at int64) error {
	if u.inside == nil {
		u.t.hear(heard{from: from, gap: n, at: at})
	}
	return u.step(ctx, at, u.conn.Gap(index(from), n, at, u.take(ctx)))
}

// step looks at what the last bytes made of the connection.
func (u *unsealed) step(ctx context.Context, at int64, err error) error {
	t := u.t
	if err != nil {
		return err
	}
	if u.inside == nil && u.failed == "" && t.size > maxUndecided {
		u.failed = "its handshake is too long"
	}
	if u.failed != "" {
		return u.giveUp(ctx)
	}
	if t.over {
		return nil
	}
	t.learn(&u.conn.Halves)
	if !u.conn.Done() {
		return nil
	}
	return t.done(ctx, at)
}

// giveUp goes on with the connection as it came.
func (u *unsealed) giveUp(ctx context.Context) error {
	t := u.t
	t.inside, t.halves = nil, [2]handshake.Half{}
	for _, h := range t.heard {
		t.halves[index(h.from)].Feed(h.p)
	}
	return t.open(ctx, u.failed)
}

// take returns what takes the events of the connection.
func (u *unsealed) take(ctx context.Context) func(unseal.Event) error {
	return func(e unseal.Event) error {
		side := flowpb.SideRequest + flowpb.Side(e.Side)
		if u.failed != "" {
			return nil // it is all told again
		}
		switch e.Kind {
		case unseal.Data:
			u.begin()
			return u.inside.data(ctx, side, e.Data, e.AtNs)
		case unseal.Gap:
			if u.inside == nil {
				return nil
			}
			return u.inside.gap(ctx, side, e.Length, e.AtNs)
		case unseal.Lost:
			if u.inside == nil {
				u.failed = e.Reason
				return nil
			}
			u.rest[e.Side] = &streamFlow{c: u.t.c, sealed: e.Reason}
			return u.inside.gap(ctx, side, 0, e.AtNs)
		case unseal.Sealed:
			return u.rest[e.Side].data(ctx, side, e.Data, e.AtNs)
		case unseal.SealedGap:
			return u.rest[e.Side].gap(ctx, side, e.Length, e.AtNs)
		}
		return nil
	}
}

// begin begins what is inside, once something is.
func (u *unsealed) begin() {
	if u.inside != nil {
		return
	}
	u.t.forget() // from here on what was opened is told instead
	u.t.learn(&u.conn.Halves)
	u.t.c.a.stats.Opened++
	var protocol []byte
	if s := u.conn.Halves[1].Server; s != nil {
		protocol = s.Protocol
	}
	u.inside = u.t.c.inTLS(protocol)
}

func (u *unsealed) end(ctx context.Context, from flowpb.Side, at int64) error {
	if u.inside == nil {
		return nil
	}
	return u.inside.end(ctx, from, at)
}

// close ends what is inside. told is false where nothing was: then the bytes as they
// came are still to be told.
func (u *unsealed) close(ctx context.Context, why ending, at int64) (told bool, err error) {
	if err := u.conn.Close(at, u.take(ctx)); err != nil {
		return true, err
	}
	if u.inside == nil {
		return false, nil
	}
	if err := u.inside.close(ctx, why, at); err != nil {
		return true, err
	}
	for _, s := range u.rest {
		if s == nil {
			continue
		}
		if err := s.close(ctx, why, at); err != nil {
			return true, err
		}
	}
	return true, nil
}
