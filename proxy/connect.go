package proxy

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"time"

	flowpb "weir/proto"
	"weir/proxy/contain"
	"weir/proxy/h1"
	"weir/proxy/h2"
)

// connectOK answers CONNECT. It goes out before the server is dialled: only
// after it does the client say what it wants, and by then its name for the
// server is known and errors can be shown as pages.
const connectOK = "HTTP/1.1 200 Connection established\r\n\r\n"

// connect turns the connection into a tunnel and finds out what it carries.
func (c *client) connect(ctx context.Context, head *h1.Head, startedNs int64) error {
	t, err := h1.ParseTarget(head.Method, head.Target)
	r := routeOf(head, t)
	var f *flowError
	switch {
	case err != nil:
		f = &flowError{code: flowpb.CodeProtocol, side: flowpb.SideRequest, status: 400, message: err.Error()}
	case c.s.own.isName(r.host, r.port):
		f = ownAddressFailure(r)
	}
	if f != nil {
		x := &exchange{c: c, head: head, route: r}
		x.rec.to = c.to
		x.rec.begin(head, r, nil, startedNs)
		x.rec.request.Authority = t.Authority
		if c.stream != nil {
			x.rec.sentAs(c.stream.sent)
		}
		c.identify(&x.rec.flow, r)
		return x.fail(ctx, f)
	}
	if _, _, err := c.reader.Feed(nil); err != nil { // the end of CONNECT
		return clientFailure(err)
	}
	if _, err := c.conn.Write([]byte(connectOK)); err != nil {
		return clientFailure(err)
	}
	c.tunnel, c.trusted = r, true
	c.stream = nil // what it carries from now on is bytes
	return c.throughTunnel(ctx, nil)
}

// throughTunnel finds out what a tunnel carries and goes on with that. up is the
// connection to its server, nil where there is none yet.
func (c *client) throughTunnel(ctx context.Context, up *upstream) error {
	up, spoken, err := c.firstToSpeak(ctx, up)
	if err != nil {
		return c.nobodySpoke(ctx, up, err)
	}
	if reason := c.s.passReason(c.tunnel.hostPort()); reason != "" && !isTLS(c.in.unread()) {
		c.passing = reason
		return c.rawTunnel(ctx, up, spoken)
	}
	if len(spoken) > 0 || c.s.opts.Authority == nil && isTLS(c.in.unread()) {
		return c.rawTunnel(ctx, up, spoken)
	}
	if isTLS(c.in.unread()) {
		return c.intercept(ctx, up)
	}
	if c.s.opts.Mode.Kind != Reverse { // there the server's side does not depend on the client's
		c.tunnel.scheme = "http"
	}
	if up != nil {
		up.route = c.tunnel
	}
	return c.carry(ctx, up)
}

// carry goes on with what the tunnel turned out to hold: HTTP or anything else.
// up is the connection to its server, nil where there is none yet.
func (c *client) carry(ctx context.Context, up *upstream) error {
	if c.speaksHTTP2() {
		return c.priorKnowledge(ctx, up)
	}
	if !c.speaksHTTP() {
		return c.rawTunnel(ctx, up, nil)
	}
	return c.serveTunnel(ctx, up)
}

// priorKnowledge carries HTTP/2 that a server did not choose by ALPN (RFC 9113
// §3.3), or did: up tells, and may be nil. Our own page has no server.
func (c *client) priorKnowledge(ctx context.Context, up *upstream) error {
	if up == nil && c.refusal == nil && !isHome(c.tunnel.host) {
		var err error
		if up, err = c.reachAs(ctx, c.tunnel, []string{"h2", "http/1.1"}); err != nil {
			c.refusal = asFailure(err)
		}
	}
	if up != nil && !up.http2 && up.protocol() == "" && !up.greet() {
		up.close(ctx, nil)
		up = nil // it knows HTTP/1, and does not take a request after this
	}
	return c.serveHTTP2(ctx, up)
}

// serveHTTP2 carries a client's HTTP/2 connection to its end: frame by frame
// where its server speaks that too, which up tells, else stream by stream.
func (c *client) serveHTTP2(ctx context.Context, up *upstream) error {
	if c.refusal != nil || up != nil && up.http2 {
		return c.relayHTTP2(ctx, up)
	}
	return c.serveStreams(ctx, up)
}

// greet asks a server that negotiated nothing whether it speaks HTTP/2: the
// preface looks to a server of HTTP/1 like a request that it has to refuse
// (RFC 9113 §3.4), and one of HTTP/2 answers with its settings at once.
func (up *upstream) greet() bool {
	const patience = 2 * time.Second
	state := h2.NewConn(h2.Server, h2.Limits{})
	if _, err := up.conn.Write(state.AppendSettings(state.AppendPreface(nil), greeting())); err != nil {
		return false
	}
	_ = up.raw.SetReadDeadline(time.Now().Add(patience))
	defer resume(up.raw)
	first := make([]byte, 512)
	n, _ := up.conn.Read(first)
	if n == 0 || first[0] != 0 { // a SETTINGS frame is shorter than 2^16 bytes
		return false
	}
	up.greeted, up.http2, up.spoken = true, true, first[:n]
	return true
}

// greeting is the first settings of a client that greets.
func greeting() []h2.Setting { return []h2.Setting{{ID: h2.SettingEnablePush}} }

// serveTunnel carries the requests in a tunnel, over up where that is connected.
func (c *client) serveTunnel(ctx context.Context, up *upstream) error {
	if up != nil {
		if up.http2 {
			up.translate()
		}
		c.stow(ctx, up)
	}
	return c.serveHTTP(ctx)
}

// afterHandshake finds out what TLS carries where no protocol was negotiated,
// or one other than HTTP/1.1.
func (c *client) afterHandshake(ctx context.Context, up *upstream) error {
	up, spoken, err := c.firstToSpeak(ctx, up)
	switch {
	case err != nil:
		return c.nobodySpoke(ctx, up, err)
	case len(spoken) > 0:
		return c.rawTunnel(ctx, up, spoken)
	}
	return c.carry(ctx, up)
}

// nobodySpoke ends a tunnel that was never used. That is no flow, unless the
// client left because it does not trust our certificate, or the server could
// not be reached, which is recorded already.
func (c *client) nobodySpoke(ctx context.Context, up *upstream, err error) error {
	if up != nil {
		up.close(ctx, nil)
	}
	if isRemoteAlert(err) {
		return c.refusedLate(ctx, err)
	}
	if _, ok := errors.AsType[*flowError](err); ok {
		return err
	}
	return nil
}

// firstToSpeak waits for the first bytes in a fresh tunnel: of the client, then
// they are in the inbox, or of the server, then they are returned. Most clients
// speak at once. With one that does not, the server is dialled (up, where it is
// connected already) and may speak first, as those of SSH and SMTP do. It
// returns an error where nobody spoke.
func (c *client) firstToSpeak(ctx context.Context, up *upstream) (*upstream, []byte, error) {
	if len(c.in.unread()) > 0 {
		return up, nil, nil
	}
	_ = c.raw.SetReadDeadline(deadline(c.s.opts.Timeouts.Peek))
	_, err := c.in.fill(c.conn)
	resume(c.raw)
	if err == nil || !isTimeout(err) {
		return up, nil, err
	}
	if c.refusal != nil {
		return nil, nil, c.recordStreamFailure(ctx, c.refusal)
	}
	if up == nil {
		if up, err = c.openStream(ctx); err != nil {
			return nil, nil, err
		}
	}
	spoken, err := c.race(up)
	return up, spoken, err
}

// race waits until either side speaks or leaves, and returns what the server
// said. The error is the client's, where neither spoke.
func (c *client) race(up *upstream) (spoken []byte, err error) {
	buf := make([]byte, 4<<10)
	var n int
	var reading sync.WaitGroup
	contain.Go(&reading, func() {
		defer interrupt(c.raw)
		n, _ = up.conn.Read(buf)
	}, c.s.mistaken)
	_, err = c.in.fill(c.conn)
	interrupt(up.raw)
	reading.Wait()
	resume(up.raw)
	resume(c.raw)
	if n > 0 {
		return buf[:n], nil
	}
	return nil, err
}

// isTLS reports whether p begins like a TLS record with a handshake (RFC 8446 §5.1).
func isTLS(p []byte) bool {
	return len(p) > 0 && p[0] == 0x16 && (len(p) < 2 || p[1] == 3)
}

// speaksHTTP looks at the first line of what the client sends, and waits for a
// moment where it is not complete.
func (c *client) speaksHTTP() bool {
	patience := time.Now().Add(time.Second)
	for {
		switch p := c.in.unread(); {
		case looksLikeHTTP(p):
			return true
		case !mayBecomeHTTP(p) || c.in.full():
			return false
		}
		_ = c.raw.SetReadDeadline(patience)
		_, err := c.in.fill(c.conn)
		resume(c.raw)
		if err != nil {
			return false
		}
	}
}

// speaksHTTP2 reports whether the client begins with the preface of HTTP/2, and
// waits for a moment where that may still be.
func (c *client) speaksHTTP2() bool {
	patience := time.Now().Add(time.Second)
	for {
		p := c.in.unread()
		n := min(len(p), len(h2.Preface))
		switch {
		case n == 0, string(p[:n]) != h2.Preface[:n]:
			return false
		case n == len(h2.Preface):
			return true
		}
		_ = c.raw.SetReadDeadline(patience)
		_, err := c.in.fill(c.conn)
		resume(c.raw)
		if err != nil {
			return false
		}
	}
}

// looksLikeHTTP reports whether p begins with a whole HTTP request line.
func looksLikeHTTP(p []byte) bool {
	line, whole := firstLine(p)
	i := bytes.LastIndexByte(line, ' ')
	return whole && mayBecomeHTTP(p) && i > 0 && bytes.HasPrefix(line[i+1:], []byte("HTTP/"))
}

// mayBecomeHTTP reports whether p can be the beginning of a request line:
// capitals, then after a space anything up to the line end.
func mayBecomeHTTP(p []byte) bool {
	const longestMethod, longestLine = 24, 8 << 10
	for i, b := range p {
		switch {
		case b == ' ' && i > 0:
			line, whole := firstLine(p)
			return len(line) < longestLine && (!whole || bytes.Contains(line, []byte(" HTTP/")))
		case i >= longestMethod, (b < 'A' || b > 'Z') && b != '-' && b != '_':
			return false
		}
	}
	return true
}

// firstLine returns the first line of p without its end, and whether it has one.
func firstLine(p []byte) (line []byte, whole bool) {
	if i := bytes.IndexAny(p, "\r\n"); i >= 0 {
		return p[:i], true
	}
	return p, false
}
