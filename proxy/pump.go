package proxy

import (
	"context"
	"errors"
	"time"

	"weir/proxy/contain"
	"weir/proxy/h1"
)

// errServerDeaf ends an upload that the server takes no more of, or nothing at
// all. Its response, or the lack of one, decides what becomes of the exchange.
var errServerDeaf = errors.New("the server reads no more of the request")

// startPump starts the goroutine that reads from the client during an exchange.
// stopPump waits for it; every exchange that started one calls that before it
// touches the client's inbox again.
func (x *exchange) startPump(ctx context.Context) {
	x.pumping = true
	x.uploaded = make(chan struct{})
	x.progress.Store(nowNs())
	resume(x.c.raw)
	contain.Go(&x.pumps, func() { x.pump(ctx) }, x.c.s.mistaken)
}

// stopPump calls the pump back from its read and waits for it.
func (x *exchange) stopPump() {
	if !x.pumping {
		return
	}
	interrupt(x.c.raw)
	select {
	case <-x.uploaded:
	default: // it may wait for the server to read, and the connection is lost anyhow
		_ = x.up.raw.SetWriteDeadline(time.Unix(1, 0))
	}
	x.pumps.Wait()
	resume(x.c.raw)
	x.pumping = false
}

// pump passes the rest of the request on, then watches the client. It owns the
// client's read side, inbox and reader while it runs. An error that is not the
// server's ends the exchange: closing the server's connection wakes receive.
// The end of the client's bytes does not: it may have closed its sending half
// only, and one that is gone for good is noticed when the response is sent.
func (x *exchange) pump(ctx context.Context) {
	err := x.c.s.guard(func() error { return x.upload(ctx) })
	close(x.uploaded)
	if err == nil {
		err = x.c.s.guard(x.watch)
	}
	if err == nil || wasInterrupted(err) || isEndOfStream(err) || errors.Is(err, errServerDeaf) {
		return
	}
	x.mu.Lock()
	x.cause = clientFailure(err)
	x.mu.Unlock()
	_ = x.up.raw.Close()
}

// upload passes the request on as it arrives.
func (x *exchange) upload(ctx context.Context) error {
	in := &x.c.in
	for !x.sent {
		x.reading.Store(true)
		_, err := in.fill(x.c.conn)
		x.reading.Store(false)
		if err != nil {
			if isEndOfStream(err) {
				err = x.endUpload(ctx)
			}
			return err
		}
		if !x.expect.bodyComes() {
			return errServerDeaf
		}
		n, err := x.take(ctx, in.unread())
		if err != nil {
			return err
		}
		if x.sent {
			if err := x.rec.save(ctx); err != nil {
				return err
			}
		}
		x.writing.Store(true)
		_, err = x.up.conn.Write(in.unread()[:n])
		x.writing.Store(false)
		in.advance(n)
		if err != nil {
			return errServerDeaf
		}
		x.progress.Store(nowNs())
	}
	return nil
}

// endUpload handles the end of the client's bytes: that of a body that lasts
// until then, which the server has to see the same way, or an error.
func (x *exchange) endUpload(ctx context.Context) error {
	ev, err := x.c.reader.End()
	if err != nil || ev.Kind != h1.MessageEnd {
		return err
	}
	x.rec.requestEnd(fieldsOf(ev.Trailer))
	x.sent = true
	if err := x.rec.save(ctx); err != nil {
		return err
	}
	if !closeWrite(x.up.conn) {
		return errServerDeaf
	}
	return nil
}

// watch waits for the client to break the connection off. Bytes of a next request
// stay in the inbox; behind them nobody can see whether the client is still there.
func (x *exchange) watch() error {
	if len(x.c.in.unread()) > 0 {
		return nil
	}
	_, err := x.c.in.fill(x.c.conn)
	return err
}

// pumpCause returns why the pump ended the exchange, nil if it did not.
func (x *exchange) pumpCause() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.cause
}
