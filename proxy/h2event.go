package proxy

import (
	"context"
	"fmt"
	"slices"
	"strings"

	flowpb "weir/proto"
	"weir/proxy/h2"
	"weir/proxy/record"
)

// event acts on one thing that an end said.
func (r *relay) event(ctx context.Context, from *h2end, ev *h2.Event) error {
	switch ev.Kind {
	case h2.Message:
		return r.message(ctx, from, ev)
	case h2.Interim:
		return r.interim(ctx, from, ev)
	case h2.Data:
		return r.data(ctx, from, ev)
	case h2.Trailers:
		return r.trailers(ctx, from, ev)
	case h2.Reset:
		return r.reset(ctx, from, ev)
	case h2.StreamError:
		return r.streamError(ctx, from, ev)
	case h2.Discarded:
		from.out = from.state.AppendWindowUpdate(from.out, 0, uint32(ev.Refund))
	case h2.GoAway:
		return r.goAway(ctx, from, ev)
	case h2.Settings:
		r.settings(from, ev.Settings)
	default:
		r.control(from, ev)
	}
	return nil
}

// control passes on what belongs to no message. Without a server it is answered.
func (r *relay) control(from *h2end, ev *h2.Event) {
	to := r.other(from)
	if to == nil {
		if ev.Kind == h2.Ping {
			from.out = from.state.AppendPing(from.out, ev.Data, true)
		}
		return
	}
	switch ev.Kind {
	case h2.SettingsAck:
		if from.greeted {
			from.greeted = false
			break
		}
		to.out = to.state.AppendSettingsAck(to.out)
	case h2.Ping, h2.PingAck:
		to.out = to.state.AppendPing(to.out, ev.Data, ev.Kind == h2.PingAck)
	case h2.WindowUpdate:
		if ev.Stream == 0 && !from.begun {
			from.rec.Http2.WindowUpdate += ev.Increment
		}
		to.out = to.state.AppendWindowUpdate(to.out, ev.Stream, ev.Increment)
	case h2.Priority:
		to.out = to.state.AppendPriority(to.out, ev.Stream, ev.Priority)
	case h2.Unknown:
		if r.isAltSvcFrame(ev.Type) {
			break
		}
		to.out = to.state.AppendUnknown(to.out, ev.Type, ev.Flags, ev.Stream, ev.Data)
	}
}

// message begins a flow, or its response.
func (r *relay) message(ctx context.Context, from *h2end, ev *h2.Event) error {
	if !from.begun {
		from.begun = true
		if err := r.c.to.conn(ctx, from.rec); err != nil {
			return err
		}
	}
	if from == r.near {
		return r.request(ctx, ev)
	}
	s := r.streams[ev.Stream]
	if s == nil {
		return nil
	}
	s.respond(ev)
	ev.Fields = r.withoutAltSvc(s, ev.Fields)
	s.answered = true
	if s.opens(ev) {
		if err := s.open(ctx); err != nil {
			return err
		}
	}
	return r.passHead(ctx, from, s, ev)
}

// request begins a flow and passes its head on, or refuses it.
func (r *relay) request(ctx context.Context, ev *h2.Event) error {
	s := r.newStream(ev)
	if r.near.gone && ev.Stream > r.near.last {
		return r.abandon(ctx, s, tooLate(), h2.RefusedStream)
	}
	f := r.c.refusal
	if odd := oddHost(ev); odd != "" {
		s.rec.note("odd request", odd)
		if g := r.c.s.refuseOddHost(odd); g != nil {
			f = g
		}
	}
	if g := r.checkLogin(ev.Fields); g != nil {
		f = g
	}
	if f != nil {
		if ev.End {
			s.rec.requestEnd(nil)
		}
		return r.refuse(ctx, s, f)
	}
	s.rec.server(r.up.rec.Id)
	ev.Fields = r.rewritten(ev.Fields)
	return r.passHead(ctx, r.near, s, ev)
}

// checkLogin returns why a request is refused that does not bring a good login
// though it has to, nil for any other.
func (r *relay) checkLogin(fields []h2.Field) *flowError {
	c := r.c
	if c.s.opts.Auth == nil || c.trusted {
		return nil
	}
	name := c.s.login().request
	i := slices.IndexFunc(fields, func(f h2.Field) bool { return strings.EqualFold(f.Name, name) })
	if i >= 0 && c.loggedIn([]byte(fields[i].Value)) {
		return nil
	}
	return c.loginFailure(i >= 0)
}

// rewritten returns the fields of a request as they are forwarded: as they are,
// but for what client.rewrite says.
func (r *relay) rewritten(fields []h2.Field) []h2.Field {
	rw := r.c.rewrite()
	if rw.Zero() {
		return fields
	}
	out := make([]h2.Field, 0, len(fields))
	for _, f := range fields {
		if slices.ContainsFunc(rw.Drop, func(name string) bool { return strings.EqualFold(name, f.Name) }) {
			continue
		}
		if rw.Host != nil && (f.Name == ":authority" || f.Name == "host") {
			f.Value = string(rw.Host)
		}
		out = append(out, f)
	}
	return out
}

// newStream makes the flow of a request.
func (r *relay) newStream(ev *h2.Event) *h2stream {
	r.c.trustsLeaf()
	s := &h2stream{id: ev.Stream, moved: r.active}
	s.rec.to = r.c.to
	s.begin(ev, r.c.tunnel)
	r.c.hideLogin(&s.rec)
	r.c.identify(&s.rec.flow, r.c.tunnel)
	r.streams[ev.Stream] = s
	return s
}

// passHead sends a head on, and ends the half of the stream where that is all.
func (r *relay) passHead(ctx context.Context, from *h2end, s *h2stream, ev *h2.Event) error {
	to := r.other(from)
	to.out = to.state.AppendHeaders(to.out, ev.Stream, ev.Fields, ev.Priority, ev.End)
	s.moved = r.active
	r.changed(s)
	if ev.End {
		return r.halfEnded(ctx, from, s, nil)
	}
	return nil
}

// interim passes a 1xx response on.
func (r *relay) interim(ctx context.Context, from *h2end, ev *h2.Event) error {
	s := r.streams[ev.Stream]
	if s == nil {
		return nil
	}
	p, size := &flowpb.Response{}, 0
	record.StreamResponse(p, ev)
	for i := range ev.Fields {
		size += int(ev.Fields[i].Size())
	}
	if !s.rec.addInterim(p, size) {
		f := &flowError{
			code: flowpb.CodeProtocol, side: flowpb.SideResponse,
			message: r.c.tunnel.hostPort() + " sent interim responses without end",
		}
		return r.abandon(ctx, s, f, h2.EnhanceYourCalm)
	}
	return r.passHead(ctx, from, s, ev)
}

// data records content, then passes it on. Padding is not: the windows that it
// took are opened again.
func (r *relay) data(ctx context.Context, from *h2end, ev *h2.Event) error {
	refund := uint32(ev.Refund)
	from.out = from.state.AppendWindowUpdate(from.out, 0, refund)
	from.out = from.state.AppendWindowUpdate(from.out, ev.Stream, refund)
	s, to := r.streams[ev.Stream], r.other(from)
	if s == nil || to == nil {
		from.out = from.state.AppendWindowUpdate(from.out, 0, uint32(len(ev.Data)))
		return nil
	}
	if err := s.data(ctx, from.side, ev.Data); err != nil {
		return err
	}
	s.moved = r.active
	to.out = to.state.AppendData(to.out, ev.Stream, ev.Data, ev.End)
	if ev.End {
		return r.halfEnded(ctx, from, s, nil)
	}
	return nil
}

func (r *relay) trailers(ctx context.Context, from *h2end, ev *h2.Event) error {
	s, to := r.streams[ev.Stream], r.other(from)
	if s == nil || to == nil {
		return nil
	}
	to.out = to.state.AppendHeaders(to.out, ev.Stream, ev.Fields, ev.Priority, true)
	return r.halfEnded(ctx, from, s, record.StreamFields(ev.Fields))
}

// halfEnded notes that one side of a stream has said all.
func (r *relay) halfEnded(ctx context.Context, from *h2end, s *h2stream, trailers []*flowpb.Field) error {
	if from == r.near {
		s.sent = true
	} else {
		s.received = true
	}
	if s.tunnel == nil {
		if from == r.near {
			s.rec.requestEnd(trailers)
		} else {
			s.rec.responseEnd(trailers)
		}
		r.changed(s)
	}
	if !s.sent || !s.received {
		return nil
	}
	return r.closeStream(ctx, s, nil)
}

// settings passes SETTINGS on, but for what would not hold between the two.
func (r *relay) settings(from *h2end, settings []h2.Setting) {
	if h := from.rec.Http2; len(h.Settings) == 0 && !from.begun {
		for _, s := range settings {
			h.Settings = append(h.Settings, &flowpb.Setting{Id: uint32(s.ID), Value: s.Value})
		}
	}
	to := r.other(from)
	if to == nil {
		from.out = from.state.AppendSettingsAck(from.out)
		return
	}
	passed := make([]h2.Setting, 0, len(settings)+1)
	first := !to.told
	to.told = true
	limit := r.streamLimit()
	for _, s := range settings {
		switch {
		case s.ID == h2.SettingHeaderTableSize, s.ID == h2.SettingEnablePush:
			continue // the tables are ours on each side, and push is off
		case s.ID == h2.SettingMaxStreams && to == r.near:
			s.Value = min(s.Value, limit)
			first = false
		}
		passed = append(passed, s)
	}
	switch {
	case first && to == r.near:
		passed = append(passed, h2.Setting{ID: h2.SettingMaxStreams, Value: limit})
	case first:
		passed = append(passed, h2.Setting{ID: h2.SettingEnablePush, Value: 0})
	}
	to.out = to.state.AppendSettings(to.out, passed)
}

// streamLimit is how many streams a client may open at once.
func (r *relay) streamLimit() uint32 { return uint32(r.near.state.Limits().Streams) }

// ownSettings are what a client is told where there is no server to tell it.
func (r *relay) ownSettings() []h2.Setting {
	return []h2.Setting{{ID: h2.SettingMaxStreams, Value: r.streamLimit()}}
}

// resetBy says who reset a stream, and how.
func (r *relay) resetBy(from *h2end, code h2.ErrCode) *flowError {
	return streamReset(from.side, r.c.tunnel, code)
}

// streamReset is that a side reset a stream. Where the server did not act on the
// request that is no loss.
func streamReset(side flowpb.Side, server route, code h2.ErrCode) *flowError {
	if side == flowpb.SideRequest {
		return &flowError{
			code: flowpb.CodeClientGone, side: side, message: fmt.Sprintf("the client reset the stream (%s)", code),
		}
	}
	f := &flowError{
		code: flowpb.CodeServerGone, side: side, message: fmt.Sprintf("%s reset the stream (%s)", server.hostPort(), code),
	}
	if code == h2.RefusedStream {
		f.hint = "it did not act on the request: the client may send it again"
	}
	return f
}
