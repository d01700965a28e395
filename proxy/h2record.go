package proxy

import (
	"context"
	"strconv"
	"time"

	flowpb "weir/proto"
	"weir/proxy/h2"
	"weir/proxy/record"
)

// h2stream is one stream of a relay: a request, what answers it, and its flow.
type h2stream struct {
	id       uint32
	rec      httpRecord
	sent     bool          // the client's half is over
	received bool          // the server's half is over
	answered bool          // the client was sent a final response
	moved    time.Time     // when something of either message came
	unsaved  bool          // it is on the relay's list to be saved
	connect  bool          // its method is CONNECT
	tunnel   *streamRecord // what the stream carries once the server agreed to that
}

// begin fills the flow from the head of the request.
func (s *h2stream) begin(ev *h2.Event, to route) {
	r := &s.rec
	r.flow.Protocol = &flowpb.Flow_Http{Http: &r.http}
	r.flow.CreatedNs = nowNs()
	r.flow.State = flowpb.StateRequest
	r.http.Request, r.http.StreamId = &r.request, ev.Stream
	r.dirty = true
	q := &r.request
	q.StartedNs = r.flow.CreatedNs
	q.Host, q.Port = []byte(to.host), uint32(to.port)
	record.StreamRequest(q, ev, to.scheme)
	s.connect = ev.Head.Method == "CONNECT"
	if !ev.End && !s.connect {
		r.openBody(&q.Body, 0, false)
	}
}

// respond fills the flow from the head of the final response.
func (s *h2stream) respond(ev *h2.Event) {
	r := &s.rec
	r.http.Response = &r.response
	r.response.StartedNs = nowNs()
	record.StreamResponse(&r.response, ev)
	r.events = record.NewEvents(r.response.Headers)
	r.flow.State = flowpb.StateResponse
	r.dirty = true
	if !ev.End && !s.opens(ev) {
		r.openBody(&r.response.Body, 1, false)
	}
}

// opens reports whether a response agrees to CONNECT, so that the stream is no
// longer HTTP.
func (s *h2stream) opens(ev *h2.Event) bool { return s.connect && ev.Head.Status/100 == 2 }

// open goes on with the stream as what the response in ev agreed to.
func (s *h2stream) open(ctx context.Context) error {
	s.rec.response.EndedNs = nowNs()
	s.tunnel = newUpgradeRecord(s.rec.to, &s.rec.flow, s.rec.request.Protocol)
	return s.tunnel.open(ctx)
}

// data records content of one side. What goes through CONNECT is messages.
func (s *h2stream) data(ctx context.Context, side flowpb.Side, p []byte) error {
	r := &s.rec
	switch {
	case len(p) == 0:
		return nil
	case s.tunnel != nil:
		_, err := s.tunnel.add(ctx, side, p)
		return err
	case side == flowpb.SideRequest && r.request.Body == nil: // of a CONNECT that nobody agreed to yet
		r.openBody(&r.request.Body, 0, false)
	}
	if r.flow.Id == 0 {
		if err := r.save(ctx); err != nil {
			return err
		}
	}
	return r.data(ctx, side, p)
}

// delivered reports whether the request is whole and the client was sent as much
// content as the response announced, so that only the word is missing that this
// was all: servers may send END_STREAM in a frame of its own, which not every
// client waits for.
func (s *h2stream) delivered() bool {
	if !s.sent || !s.answered || s.received || s.tunnel != nil {
		return false
	}
	lengths := flowpb.Get(s.rec.response.Headers, "content-length")
	if len(lengths) == 0 {
		return false
	}
	n, err := strconv.ParseUint(string(lengths[0]), 10, 63)
	return err == nil && n == s.rec.bodies[1].body.Size
}

// end closes the flow for good: complete, or failed with f. The error is the sink's.
func (s *h2stream) end(ctx context.Context, f *flowError) error {
	if s.tunnel == nil {
		return s.rec.end(ctx, f)
	}
	if f != nil {
		s.tunnel.failed(f)
	}
	if g := asFailure(s.tunnel.end(ctx)); g != nil && g.code == flowpb.CodeRecording {
		return g
	}
	return nil
}
