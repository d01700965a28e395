package proxy

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	flowpb "weir/proto"
	"weir/proxy/h2"
)

// sweepEvery is how often streams are looked at that may be silent for that long, those
// that are tunnels among them; negative for never.
func sweepEvery(t Timeouts) time.Duration {
	const times = 8
	every := t.Silence
	if every < 0 || t.Tunnel > 0 && t.Tunnel < every {
		every = t.Tunnel
	}
	if every < 0 {
		return -1
	}
	return every / times
}

// sweep ends the streams on which nothing moved for too long, whatever goes on
// beside them on the connection. What passes through CONNECT has a limit of its own.
func (r *relay) sweep(ctx context.Context) error {
	swept, err := r.endSilent(ctx)
	for _, e := range r.ends {
		if swept && err == nil {
			err = r.flush(e)
		}
	}
	return err
}

// endSilent is sweep under the lock. It reports whether it is time for that.
func (r *relay) endSilent(ctx context.Context) (swept bool, err error) {
	t := r.c.s.opts.Timeouts
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if every := sweepEvery(t); r.over || every < 0 || now.Sub(r.swept) < every {
		return false, nil
	}
	r.swept = now
	for _, id := range slices.Sorted(maps.Keys(r.streams)) {
		s := r.streams[id]
		limit := t.Silence
		if s.tunnel != nil {
			limit = t.Tunnel
		}
		if err == nil && limit > 0 && now.Sub(s.moved) >= limit {
			err = r.giveUp(ctx, s, silenceFailure(s, limit))
		}
	}
	return true, err
}

// silenceFailure is that nothing moved on a stream.
func silenceFailure(s *h2stream, silence time.Duration) *flowError {
	f := &flowError{
		code: flowpb.CodeTimeout, side: flowpb.SideResponse,
		message: fmt.Sprintf("nothing moved on the stream for %v, the limit on silence", silence),
	}
	if !s.sent {
		f.side = flowpb.SideRequest
	}
	return f
}

// giveUp ends a stream for a reason that is no end's: by a page where the client
// has seen nothing of an answer.
func (r *relay) giveUp(ctx context.Context, s *h2stream, f *flowError) error {
	if s.answered {
		return r.abandon(ctx, s, f, h2.Cancel)
	}
	r.page(s, f)
	if r.far != nil {
		r.far.out = r.far.state.AppendReset(r.far.out, s.id, h2.Cancel)
	}
	return r.closeStream(ctx, s, f)
}

// leave implements leaver.
func (r *relay) leave() {
	r.sayGoodbye()
	_ = r.flush(r.near)   // one that is gone hears nothing
	interrupt(r.near.raw) // it sees whether anything is open
}

// sayGoodbye appends GOAWAY for the client, once.
func (r *relay) sayGoodbye() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over || r.near.gone {
		return
	}
	r.leaving, r.near.gone, r.near.last = true, true, r.near.state.Last()
	r.near.out = r.near.state.AppendGoAway(r.near.out, r.near.last, h2.NoError, nil)
}
