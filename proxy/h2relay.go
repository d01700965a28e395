package proxy

import (
	"context"
	"errors"
	"sync"
	"time"

	flowpb "weir/proto"
	"weir/proxy/contain"
)

// relay carries an HTTP/2 connection of a client and the one to its server,
// frame by frame, with the same numbers for the streams. Windows, settings,
// pings and priorities are passed on and not answered here: a client that reads
// slowly slows its server down, and nothing is held but what one read brought.
//
// Two goroutines read, one from each end. What a read brought is recorded and
// turned into frames for either end under mu, and sent after that.
type relay struct {
	c    *client
	up   *upstream // nil where there is no server: every request is refused
	near *h2end    // the client's end
	far  *h2end    // the server's; nil with up
	ends []*h2end  // both, or the client's alone

	mu      sync.Mutex
	streams map[uint32]*h2stream
	unsaved []*h2stream // flows that changed since the sink had them
	active  time.Time   // when either end said something
	swept   time.Time   // when the streams were last looked at, see sweep
	leaving bool        // the client was told that nothing more is taken
	calmed  time.Time   // see h2.Conn.Calm
	over    bool
	err     error // why it is over, nil in good order
}

// calmPeriod is what the limits of h2 on floods are for.
const calmPeriod = 5 * time.Second

// errIdle ends a connection on which nothing was asked for too long.
var errIdle = errors.New("the connection was idle for too long")

// errOver ends the reading of one end after the other's.
var errOver = errors.New("the other connection is over")

// relayHTTP2 carries a client's HTTP/2 connection to its end, over up. Without
// one, every request is answered with the client's refusal.
func (c *client) relayHTTP2(ctx context.Context, up *upstream) error {
	r := newRelay(c, up)
	if up == nil {
		r.near.out = r.near.state.AppendSettings(nil, r.ownSettings())
		_ = r.flush(r.near) // a client that is gone is noticed by reading
	}
	var other sync.WaitGroup
	if up != nil {
		contain.Go(&other, func() { // relayHTTP2 waits for it
			r.finish(ctx, r.far, c.s.guard(func() error { return r.read(ctx, r.far, up.spoken) }))
		}, c.s.mistaken)
	}
	c.s.enroll(r)
	defer c.s.dismiss(r)
	first := c.in.unread()
	err := c.s.guard(func() error { return r.read(ctx, r.near, first) })
	c.in.advance(len(first))
	r.finish(ctx, r.near, err)
	other.Wait()
	if up != nil {
		up.close(ctx, r.err)
	}
	if !isGone(err) && ctx.Err() == nil {
		c.linger() // it is to see our last words, and not a reset
	}
	return r.err
}

func newRelay(c *client, up *upstream) *relay {
	r := &relay{c: c, up: up, streams: make(map[uint32]*h2stream), active: time.Now()}
	r.calmed, r.swept = r.active, r.active
	r.near = c.http2End()
	c.rec.Http2 = &flowpb.Http2{}
	r.ends = []*h2end{r.near}
	if up == nil {
		return r
	}
	r.far = up.http2End()
	up.rec.Http2 = &flowpb.Http2{}
	r.ends = append(r.ends, r.far)
	if r.far.greeted = up.greeted; up.greeted {
		r.far.state.AppendSettings(nil, greeting()) // they were sent
	} else {
		r.far.out = r.far.state.AppendPreface(nil) // the client's settings go with it
	}
	return r
}

// other returns the opposite end, nil where there is none.
func (r *relay) other(e *h2end) *h2end {
	if e == r.near {
		return r.far
	}
	return r.near
}

// read takes what comes from one end until that fails. first was read already.
func (r *relay) read(ctx context.Context, from *h2end, first []byte) error {
	if err := r.take(ctx, from, first); err != nil {
		return err
	}
	in := newInbox(&r.c.s.buffers)
	defer in.release()
	for {
		if err := r.sweep(ctx); err != nil {
			return err
		}
		if err := r.await(from); err != nil {
			return err
		}
		r.rest(from, &in)
		n, err := in.fill(from.conn)
		if n > 0 {
			if err := r.take(ctx, from, in.unread()); err != nil {
				return err
			}
			in.advance(n)
		}
		if err != nil && !isTimeout(err) {
			return err
		}
	}
}

// rest gives a large buffer back while nothing is open on the connection.
func (r *relay) rest(from *h2end, in *inbox) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if from.idle() {
		in.rest()
	}
}

// await sets how long the next read may take. It returns an error where that
// time is over already, or where there is nothing to read for.
func (r *relay) await(from *h2end) error {
	t := r.c.s.opts.Timeouts
	r.mu.Lock()
	defer r.mu.Unlock()
	late, patience, since := errIdle, t.KeepAlive, r.active
	switch {
	case r.over:
		return errOver
	case r.leaving && len(r.streams) == 0:
		return errIdle
	case from.state.InHead():
		late, patience = context.DeadlineExceeded, t.Head
	case len(r.streams) > 0:
		late, patience, since = nil, sweepEvery(t), r.swept // the streams have limits of their own
	}
	if patience < 0 {
		resume(from.raw)
		return nil
	}
	until := since.Add(patience)
	if late != nil && !time.Now().Before(until) {
		return late
	}
	_ = from.raw.SetReadDeadline(until)
	return nil
}

// take acts on what one end said: what it amounts to is recorded, then sent.
func (r *relay) take(ctx context.Context, from *h2end, p []byte) error {
	grown, saved, err := r.act(ctx, from, p)
	if !saved {
		return err
	}
	for _, e := range grown {
		if e != nil {
			err = errors.Join(err, r.flush(e))
		}
	}
	return err
}

// act acts on p under the lock. It returns the ends that have more to be sent than
// before: what the other reader added, it sends itself. Nothing is to be sent where
// not everything could be saved.
func (r *relay) act(ctx context.Context, from *h2end, p []byte) (grown [2]*h2end, saved bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.ends {
		e.waits = len(e.out)
	}
	err = r.feed(ctx, from, p)
	if serr := r.save(ctx); serr != nil {
		return grown, false, serr
	}
	for i, e := range r.ends {
		if len(e.out) > e.waits {
			grown[i] = e
		}
	}
	return grown, true, err
}

// feed reads p and acts on every event.
func (r *relay) feed(ctx context.Context, from *h2end, p []byte) error {
	if r.over {
		return errOver
	}
	r.active = time.Now()
	if r.active.Sub(r.calmed) > calmPeriod {
		r.calmed = r.active
		for _, e := range r.ends {
			e.state.Calm()
		}
	}
	for len(p) > 0 {
		n, ev, err := from.state.Feed(p)
		if err != nil {
			return err
		}
		p = p[n:]
		if err := r.event(ctx, from, &ev); err != nil {
			return err
		}
	}
	return nil
}

// changed puts a flow on the list to be saved.
func (r *relay) changed(s *h2stream) {
	if !s.unsaved {
		s.unsaved = true
		r.unsaved = append(r.unsaved, s)
	}
}

// save hands the flows that changed to the sink. Nothing of them was sent yet.
func (r *relay) save(ctx context.Context) error {
	for _, s := range r.unsaved {
		s.unsaved = false
		if err := s.rec.save(ctx); err != nil {
			return err
		}
	}
	clear(r.unsaved)
	r.unsaved = r.unsaved[:0]
	return nil
}

// flush sends what is to be sent to one end. It blocks while that end does not
// read, so that nobody who waits for it produces more.
func (r *relay) flush(to *h2end) error { return to.flush(&r.mu) }
