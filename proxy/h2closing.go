package proxy

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	flowpb "weir/proto"
	"weir/proxy/h2"
	"weir/proxy/record"
)

// closeStream ends a flow; nothing more of it is passed on. That the client left
// with all of its answer is no failure.
func (r *relay) closeStream(ctx context.Context, s *h2stream, f *flowError) error {
	delete(r.streams, s.id)
	if r.leaving && len(r.streams) == 0 {
		interrupt(r.near.raw) // that was the last one
	}
	if (f == nil || f.code == flowpb.CodeClientGone) && s.delivered() {
		s.rec.responseEnd(nil)
		f = nil
	}
	return r.c.s.conclude(f, func(f *flowError) error { return s.end(ctx, f) })
}

// abandon ends a flow and tells both ends.
func (r *relay) abandon(ctx context.Context, s *h2stream, f *flowError, code h2.ErrCode) error {
	r.near.out = r.near.state.AppendReset(r.near.out, s.id, code)
	if r.far != nil {
		r.far.out = r.far.state.AppendReset(r.far.out, s.id, code)
	}
	return r.closeStream(ctx, s, f)
}

// reset passes on that an end gave a stream up. After a whole response that is
// no failure: the rest of the request is not wanted, or not given.
func (r *relay) reset(ctx context.Context, from *h2end, ev *h2.Event) error {
	if to := r.other(from); to != nil {
		to.out = to.state.AppendReset(to.out, ev.Stream, ev.Code)
	}
	s := r.streams[ev.Stream]
	if s == nil {
		return nil
	}
	if s.received && s.tunnel == nil {
		return r.closeStream(ctx, s, nil)
	}
	return r.closeStream(ctx, s, r.resetBy(from, ev.Code))
}

// streamError ends a stream that an end broke the rules on.
func (r *relay) streamError(ctx context.Context, from *h2end, ev *h2.Event) error {
	from.out = from.state.AppendWindowUpdate(from.out, 0, uint32(ev.Refund))
	f := brokenRule(ev.Err)
	s := r.streams[ev.Stream]
	if s == nil && from == r.near && len(ev.Fields) > 0 {
		s = r.newStream(ev) // a request that never became one is a flow all the same
	}
	if s == nil {
		from.out = from.state.AppendReset(from.out, ev.Stream, ev.Err.Code)
		return nil
	}
	return r.abandon(ctx, s, f, ev.Err.Code)
}

// brokenRule explains an error that an end made.
func brokenRule(err *h2.Error) *flowError {
	f := &flowError{code: flowpb.CodeProtocol, side: flowpb.SideRequest, status: 400, message: err.Error(), cause: err}
	if err.Peer == h2.Server {
		f.side, f.status = flowpb.SideResponse, 0
	}
	if err.Limit != "" {
		f.code = flowpb.CodeLimit
	}
	return f
}

// goAway passes on that an end takes no more, and fails what it never took.
func (r *relay) goAway(ctx context.Context, from *h2end, ev *h2.Event) error {
	to := r.other(from)
	if to == nil {
		return nil
	}
	last := ev.Last
	if to.gone {
		last = min(last, to.last) // it never grows (RFC 9113 §6.8)
	}
	to.out = to.state.AppendGoAway(to.out, last, ev.Code, ev.Data)
	if from == r.near {
		return nil // a server has no streams of its own to be refused
	}
	to.gone, to.last = true, last
	for _, id := range slices.Sorted(maps.Keys(r.streams)) {
		if id <= last {
			continue
		}
		r.far.state.AppendReset(nil, id, h2.RefusedStream) // both know: nothing is sent
		r.near.state.AppendReset(nil, id, h2.RefusedStream)
		f := notTaken(r.c.tunnel, ev.Code)
		if err := r.closeStream(ctx, r.streams[id], f); err != nil {
			return err
		}
	}
	return nil
}

// refuse answers a request with an error page.
func (r *relay) refuse(ctx context.Context, s *h2stream, f *flowError) error {
	if f.conn != 0 {
		s.rec.server(f.conn)
	}
	r.page(s, f)
	return r.closeStream(ctx, s, f)
}

// page sends the error page for f, or as much as the client's window lets by,
// and ends the stream.
func (r *relay) page(s *h2stream, f *flowError) {
	accept := flowpb.Get(s.rec.request.Headers, "accept")
	status, contentType, body := pageFor(f, slices.Concat(accept...))
	fields := []h2.Field{
		{Name: ":status", Value: strconv.Itoa(status)},
		{Name: "server", Value: "weir"},
		{Name: "content-type", Value: contentType},
		{Name: "content-length", Value: strconv.Itoa(len(body))},
		{Name: "cache-control", Value: "no-store"},
	}
	if name, value, ok := strings.Cut(strings.TrimSuffix(f.header, "\r\n"), ": "); ok {
		fields = append(fields, h2.Field{Name: strings.ToLower(name), Value: value})
	}
	head := string(s.rec.request.Method) == "HEAD"
	if r.near.state.Window(s.id) < len(body) && !head {
		fields, head = slices.Delete(fields, 2, 4), true
	}
	r.near.out = r.near.state.AppendHeaders(r.near.out, s.id, fields, nil, head)
	if !head {
		r.near.out = r.near.state.AppendData(r.near.out, s.id, []byte(body), true)
	}
	r.near.out = r.near.state.AppendReset(r.near.out, s.id, h2.NoError) // where the request is not whole
}

// finish ends both connections after the reading of one failed with err, and
// every flow that is open. The first of the two readers decides.
func (r *relay) finish(ctx context.Context, from *h2end, err error) {
	if !r.endAll(ctx, from, err) {
		return
	}
	for _, e := range r.ends {
		_ = r.flush(e) // one that is gone hears nothing
	}
}

// endAll is finish under the lock. It reports false where all has ended.
func (r *relay) endAll(ctx context.Context, from *h2end, err error) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return false
	}
	r.over = true
	from = r.broke(from, err)
	f := r.why(ctx, from, err)
	if f != nil {
		r.err = f
	}
	if f != nil && f.code == flowpb.CodeRecording {
		for _, e := range r.ends {
			e.out = nil // what waits to be sent is not recorded
		}
	}
	if f != nil && len(r.streams) == 0 && isMistake(f) { // or nobody would be told
		_ = r.c.recordStreamFailure(ctx, f)
	}
	r.closeStreams(ctx, from, f)
	r.farewell(from, err)
	for _, e := range r.ends {
		interrupt(e.raw)
		e.patience = lastWords
		_ = e.raw.SetWriteDeadline(time.Now().Add(lastWords)) // of a write that is under way
	}
	return true
}

// lastWords is how long an end is given to take what ends its connection.
const lastWords = time.Second

// broke returns the end that err came from: the one that was read, or one that
// takes no more.
func (r *relay) broke(from *h2end, err error) *h2end {
	if send, ok := errors.AsType[*sendError](err); ok {
		return send.to
	}
	return from
}

// why explains the end of the connections, nil where that is in good order.
func (r *relay) why(ctx context.Context, from *h2end, err error) *flowError {
	rule, broken := errors.AsType[*h2.Error](err)
	f, known := errors.AsType[*flowError](err)
	switch {
	case known:
		return f
	case ctx.Err() != nil && len(r.streams) > 0:
		return asFailure(stopFailure(ctx, err))
	case broken:
		return brokenRule(rule)
	case len(r.streams) == 0 && (isGone(err) || errors.Is(err, errIdle)):
		return nil
	case from == r.near && isGone(err) && r.delivered():
		return nil
	case from == r.near:
		return asFailure(clientFailure(err))
	}
	return asFailure(r.up.failure(err))
}

// delivered reports whether every open stream is.
func (r *relay) delivered() bool {
	for _, s := range r.streams {
		if !s.delivered() {
			return false
		}
	}
	return true
}

// closeStreams fails every flow that is open. Where the client is still there it
// is told: by a page if it has seen nothing of a response.
func (r *relay) closeStreams(ctx context.Context, from *h2end, f *flowError) {
	told := f != nil && f.code != flowpb.CodeClientGone && f.code != flowpb.CodeStopped
	recorded := f == nil || f.code != flowpb.CodeRecording
	for _, id := range slices.Sorted(maps.Keys(r.streams)) {
		s := r.streams[id]
		g := f
		if from == r.far && s.answered && f.code == flowpb.CodeServerGone {
			g = &flowError{
				code: f.code, side: f.side, cause: f,
				message: r.c.tunnel.hostPort() + " broke the connection off during the response",
			}
		}
		switch {
		case told && !s.answered && recorded: // a header after one that was dropped could not be read
			r.page(s, g)
		case told:
			r.near.out = r.near.state.AppendReset(r.near.out, id, h2.InternalError)
		}
		if err := r.closeStream(ctx, s, g); err != nil {
			r.err = err
		}
	}
	if g := asFailure(r.err); g != nil && g.code == flowpb.CodeRecording {
		r.c.s.opts.Notify(Notice{Text: record.Printable(g.message), Hint: g.hint})
	}
}

// farewell says goodbye to both ends, with the reason to the one that is at fault.
func (r *relay) farewell(from *h2end, err error) {
	code, debug := h2.NoError, ""
	if rule, broken := errors.AsType[*h2.Error](err); broken {
		code, debug = rule.Code, rule.Reason
	} else if f := asFailure(r.err); f != nil && f.code == flowpb.CodeRecording {
		code, debug = h2.InternalError, f.message
	}
	switch {
	case from == r.far && code != h2.NoError && r.far != nil:
		r.far.out = r.far.state.AppendGoAway(r.far.out, 0, code, []byte(debug))
		r.near.out = r.near.state.AppendGoAway(r.near.out, r.near.state.Last(), h2.InternalError, nil)
	case (from == r.near || !r.near.gone) && (!r.leaving || code != h2.NoError):
		r.near.out = r.near.state.AppendGoAway(r.near.out, r.near.state.Last(), code, []byte(debug))
	}
}
