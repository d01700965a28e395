package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"time"

	flowpb "weir/proto"
	"weir/proxy/h1"
)

// receive reads from the server until its final response is whole.
func (x *exchange) receive(ctx context.Context) error {
	x.up.reader.ForRequest(x.head.Method)
	buf := x.c.s.buffers.get()
	defer x.c.s.buffers.put(buf)
	for {
		n, err := x.readServer(ctx, *buf)
		if n > 0 {
			x.heard = true
			done, rerr := x.relay(ctx, (*buf)[:n])
			if done || rerr != nil {
				return rerr
			}
		}
		if err != nil {
			return x.serverEnded(ctx, err)
		}
	}
}

// readServer makes one read from the server. While the server is silent it has
// the client watched.
func (x *exchange) readServer(ctx context.Context, p []byte) (int, error) {
	silence := x.c.s.opts.Timeouts.Silence
	wait := silence
	if !x.pumping {
		wait = x.c.watchAfter()
	}
	for {
		_ = x.up.raw.SetReadDeadline(deadline(wait))
		n, err := x.up.conn.Read(p)
		if n > 0 || err == nil || !isTimeout(err) {
			return n, err
		}
		switch last := time.Unix(0, x.progress.Load()); {
		case !x.pumping:
			x.startPump(ctx)
			wait = silence
		case silence > 0 && time.Since(last) < silence:
			wait = silence - time.Since(last) // the request is still moving
		default:
			return 0, err
		}
	}
}

// serverEnded handles the end of the server's bytes: the end of a body that
// lasts until then, or an error.
func (x *exchange) serverEnded(ctx context.Context, err error) error {
	if x.response != nil && x.response.Framing == h1.FramingClose && isEndOfStream(err) {
		x.c.unclean = isTruncatedTLS(x.up, err) // the client may judge as it would have
		ev, err := x.up.reader.End()
		if err != nil {
			return x.up.failure(err)
		}
		x.rec.responseEnd(trailersOf(x.up.stream, ev.Trailer))
		return x.rec.save(ctx)
	}
	if isTimeout(err) {
		return x.silenceFailure(err)
	}
	if !isGone(err) {
		return x.up.failure(err)
	}
	if _, perr := x.up.reader.End(); perr != nil {
		err = errors.Join(perr, err)
	} else if x.response != nil {
		return &flowError{
			code: flowpb.CodeServerGone, side: flowpb.SideResponse, cause: err,
			message: x.route.hostPort() + " broke the connection off during the response",
		}
	}
	return x.up.failure(err)
}

// relay records what p holds of the response, then passes it on, and reports
// whether the final response is whole. Nothing is passed on before it is
// recorded, and nothing is held back but a head that is not complete.
func (x *exchange) relay(ctx context.Context, p []byte) (done bool, err error) {
	reader := x.up.reader
	var early []byte // a head that began in an earlier read
	from, to, pos := 0, 0, 0
	for {
		took, ev, err := reader.Feed(p[pos:])
		pos += took
		if err != nil {
			_ = x.pass(ctx, early, p[from:to])
			return false, x.up.failure(err)
		}
		switch ev.Kind {
		case h1.NeedMore:
			if !reader.InHead() {
				to = pos
			}
			return false, x.pass(ctx, early, p[from:to])
		case h1.MessageHead:
			if raw, changed := x.headToClient(ev.Head); changed || took != len(ev.Head.Raw) {
				if err := x.pass(ctx, early, p[from:to]); err != nil {
					return false, err
				}
				early, from = raw, pos
			}
			err = x.takeResponseHead(ctx, ev.Head)
		case h1.Data:
			err = x.rec.data(ctx, flowpb.SideResponse, ev.Data)
		case h1.ChunkExtension:
			x.rec.extension(flowpb.SideResponse, ev.Data)
		case h1.MessageEnd:
			if x.response != nil {
				x.expect.answer() // before the client has it all and goes on to its next request
				x.endResponse(ev.Trailer, p[pos:])
				return true, x.pass(ctx, early, p[from:pos])
			}
			// The next head overwrites an interim one that has to be sent from the reader.
			err = x.pass(ctx, early, p[from:pos])
			early, from = nil, pos
		}
		if err != nil {
			return false, err
		}
		to = pos
	}
}

// takeResponseHead notes an interim or the final response.
func (x *exchange) takeResponseHead(ctx context.Context, head *h1.Head) error {
	if err := x.up.settle(ctx); err != nil {
		return err
	}
	if !head.Informational() {
		x.response = head
		if x.up.stream.declined() {
			x.rec.note("not passed on", "Upgrade: websocket, as the server takes none over HTTP/2 (RFC 8441)")
		}
		x.rec.responseHead(head, x.up.stream.headAsSent())
		x.rec.odd(flowpb.SideResponse, head.Oddities)
		return nil
	}
	if head.Status == 100 {
		x.expect.bodyComes()
	}
	if !x.rec.informational(head, x.up.stream.headAsSent()) {
		return &flowError{
			code: flowpb.CodeProtocol, side: flowpb.SideResponse,
			message: x.route.hostPort() + " sent interim responses without end",
		}
	}
	return nil
}

// endResponse notes that the final response is whole, and what came after it.
func (x *exchange) endResponse(trailer []h1.Field, rest []byte) {
	if x.response.Framing != h1.FramingTunnel {
		x.rec.responseEnd(trailersOf(x.up.stream, trailer))
	}
	x.leftover = append([]byte(nil), rest...)
}

// pass saves the flow where it changed, then sends the bytes to the client in
// one write.
func (x *exchange) pass(ctx context.Context, early, p []byte) error {
	err := x.rec.save(ctx)
	if err != nil {
		return err
	}
	if len(early) > 0 {
		x.c.out = append(append(x.c.out[:0], early...), p...)
		p = x.c.out
	}
	if len(p) == 0 {
		return nil
	}
	x.answered = x.response != nil // after an interim response there can still be a page
	silence := x.c.s.opts.Timeouts.Silence
	_ = x.c.raw.SetWriteDeadline(deadline(silence))
	_, err = x.c.conn.Write(p)
	_ = x.c.raw.SetWriteDeadline(time.Time{})
	switch {
	case err == nil:
		return nil
	case isTimeout(err):
		return &flowError{
			code: flowpb.CodeTimeout, side: flowpb.SideRequest, cause: err,
			message: fmt.Sprintf("the client took nothing of the response for %v", silence),
		}
	}
	return clientFailure(err)
}

// silenceFailure says who was silent for too long while the server's answer was
// waited for: the client in the middle of its request, or the server.
func (x *exchange) silenceFailure(err error) error {
	switch {
	case x.reading.Load():
		return &flowError{
			code: flowpb.CodeTimeout, side: flowpb.SideRequest, status: 408, cause: err,
			message: "the client was silent for too long in the middle of its request",
		}
	case x.writing.Load():
		return x.deafFailure(err)
	}
	return x.up.failure(err)
}

func (x *exchange) deafFailure(err error) error {
	return &flowError{
		code: flowpb.CodeTimeout, side: flowpb.SideResponse, cause: err,
		message: x.route.hostPort() + " took nothing of the request for too long",
	}
}

// isEndOfStream reports whether err is the end of a connection that was closed,
// politely or not, but not reset.
func isEndOfStream(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// isTruncatedTLS reports whether a TLS connection ended without its goodbye.
func isTruncatedTLS(up *upstream, err error) bool {
	_, overTLS := up.conn.(*tls.Conn)
	return overTLS && errors.Is(err, io.ErrUnexpectedEOF)
}
