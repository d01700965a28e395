package packet

import (
	"context"
	"fmt"
	"maps"
	"slices"

	flowpb "weir/proto"
	"weir/proxy/h2"
)

// http2 follows HTTP/2 (RFC 9113) by two readers of the proxy's that only listen. A
// stream is a flow. Where bytes are missing between frames a side is lost until a frame
// can be told from other bytes again; what its header fields refer to is then unknown.
type http2 struct {
	c       *conversation
	readers [2]*h2.Conn
	streams map[uint32]*stream // that may still say something
	order   []uint32           // in which they began, with some that are gone
	lost    [2]bool            // a side whose frames cannot be found
	gone    [2]string          // how a side gave the connection up
	rest    *streamFlow        // of what could not be followed
}

// h2Limits are the default ones but for streams, which the speaker bounds.
var h2Limits = h2.Limits{Streams: 2 * maxPending}

// newHTTP2 begins where the connection does, or with joined somewhere in it.
func newHTTP2(c *conversation, joined bool) *http2 {
	c.http2 = &flowpb.Http2{}
	if c.conn != nil {
		c.conn.Http2 = c.http2
	}
	return &http2{
		c: c, streams: map[uint32]*stream{}, lost: [2]bool{joined, joined},
		readers: [2]*h2.Conn{h2.NewObserver(h2.Client, h2Limits, joined), h2.NewObserver(h2.Server, h2Limits, joined)},
	}
}

// adopt makes an exchange of HTTP/1 the first stream, whose response comes in HTTP/2
// (RFC 7540, section 3.2).
func (s *http2) adopt(x *exchange) {
	x.http.StreamId = 1
	s.streams[1] = &stream{x: x, asked: true}
}

func (s *http2) data(ctx context.Context, from flowpb.Side, p []byte, at int64) error {
	i := index(from)
	if s.lost[i] {
		n := h2.FindFrame(p, func(id uint32) bool { return s.streams[id] != nil })
		if n < 0 {
			return s.leftover(ctx, from, p, at)
		}
		if err := s.leftover(ctx, from, p[:n], at); err != nil {
			return err
		}
		p = p[n:]
		s.lost[i] = false
		s.readers[i].Join()
	}
	for {
		n, ev, err := s.readers[i].Feed(p)
		if err != nil {
			return s.misread(ctx, from, p, at, err)
		}
		p = p[n:]
		if ev.Kind == h2.NeedMore {
			return nil
		}
		if s.turned(from, &ev) {
			from, i = other(from), 1-i
		}
		if err := s.event(ctx, from, &ev, at); err != nil {
			return err
		}
	}
}

// turned changes who is taken for the client where that was a guess and the first
// message says otherwise.
func (s *http2) turned(from flowpb.Side, ev *h2.Event) bool {
	said := flowpb.SideRequest
	if ev.Head.Status != 0 {
		said = flowpb.SideResponse
	}
	if ev.Kind != h2.Message || ev.Head.Pseudo == 0 || said == from || s.c.conn != nil || !s.c.turn() {
		return false
	}
	s.readers[0], s.readers[1] = s.readers[1], s.readers[0]
	s.lost[0], s.lost[1] = s.lost[1], s.lost[0]
	return true
}

// event takes one thing that a side said.
func (s *http2) event(ctx context.Context, from flowpb.Side, ev *h2.Event, at int64) error {
	switch ev.Kind {
	case h2.Message, h2.Interim, h2.Data, h2.Trailers, h2.StreamError:
		return s.onStream(ctx, from, ev, at)
	case h2.Promise:
		return s.promised(ctx, ev, at)
	case h2.Reset:
		return s.reset(ctx, from, ev, at)
	case h2.GoAway:
		return s.goAway(ctx, from, ev, at)
	case h2.Settings:
		if h := s.c.http2; from == flowpb.SideResponse && len(h.Settings) == 0 {
			for _, x := range ev.Settings[:min(len(ev.Settings), maxSettings)] {
				h.Settings = append(h.Settings, &flowpb.Setting{Id: uint32(x.ID), Value: x.Value})
			}
		}
	case h2.WindowUpdate:
		if from == flowpb.SideResponse && ev.Stream == 0 && len(s.streams) == 0 {
			s.c.http2.WindowUpdate += ev.Increment
		}
	}
	return nil
}

// maxSettings bounds what a connection keeps of its first SETTINGS.
const maxSettings = 64

// onStream takes a part of a message. What belongs to no stream that is known begins one
// whose beginning was not captured.
func (s *http2) onStream(ctx context.Context, from flowpb.Side, ev *h2.Event, at int64) error {
	t := s.streams[ev.Stream]
	if t == nil {
		if err := s.makeRoom(ctx, at); err != nil {
			return err
		}
		t = s.begin(ev.Stream, at)
	}
	if err := t.take(ctx, from, ev, at); err != nil {
		return err
	}
	if ev.Kind == h2.StreamError {
		return s.fail(ctx, ev.Stream, flowpb.CodeProtocol, from, ev.Err.Error(), at)
	}
	return s.retire(ctx, ev.Stream, t, at)
}

// retire leaves a stream of which nothing more is to come.
func (s *http2) retire(ctx context.Context, id uint32, t *stream, at int64) error {
	if t.x.done[0] && t.x.done[1] && t.asked {
		delete(s.streams, id)
		return t.close(ctx, closed, at)
	}
	return nil
}

// begin begins a stream.
func (s *http2) begin(id uint32, at int64) *stream {
	if len(s.order) > 2*maxPending {
		s.order = slices.DeleteFunc(s.order, func(id uint32) bool { return s.streams[id] == nil })
	}
	t := newStream(s.c, id, at)
	s.streams[id] = t
	s.order = append(s.order, id)
	return t
}

// makeRoom ends the stream that began first where there are too many.
func (s *http2) makeRoom(ctx context.Context, at int64) error {
	if len(s.streams) < maxPending {
		return nil
	}
	first := slices.IndexFunc(s.order, func(id uint32) bool { return s.streams[id] != nil })
	if first < 0 { // the one that was adopted
		first, s.order = 0, s.open()
	}
	id := s.order[first]
	s.order = s.order[first+1:]
	return s.fail(ctx, id, flowpb.CodeServerGone, flowpb.SideResponse, "no response among those that follow", at)
}

// fail ends one stream for a reason, and leaves it.
func (s *http2) fail(ctx context.Context, id uint32, code flowpb.ErrorCode, side flowpb.Side, why string, at int64) error {
	t := s.streams[id]
	delete(s.streams, id)
	for _, r := range s.readers {
		r.Forget(id)
	}
	return t.fail(ctx, code, side, why, at)
}

// promised begins the flow of a request that the server made up.
func (s *http2) promised(ctx context.Context, ev *h2.Event, at int64) error {
	if s.streams[ev.Promised] != nil {
		return nil
	}
	if err := s.makeRoom(ctx, at); err != nil {
		return err
	}
	t := s.begin(ev.Promised, at)
	t.x.flow.Meta = append(t.x.flow.Meta, &flowpb.Meta{Key: "pushed", Value: fmt.Sprintf("by the server, with stream %d", ev.Stream)})
	return t.take(ctx, flowpb.SideRequest, ev, at)
}

// sideNames are the two ends as sentences call them.
var sideNames = [2]string{"the client", "the server"}

func (s *http2) reset(ctx context.Context, from flowpb.Side, ev *h2.Event, at int64) error {
	if s.streams[ev.Stream] == nil {
		return nil
	}
	why := fmt.Sprintf("%s reset the stream (%s)", sideNames[index(from)], ev.Code)
	return s.fail(ctx, ev.Stream, gone(from), from, why, at)
}

// goAway fails what a server never took, and remembers why the rest may fail.
func (s *http2) goAway(ctx context.Context, from flowpb.Side, ev *h2.Event, at int64) error {
	if ev.Code != h2.NoError {
		s.gone[index(from)] = fmt.Sprintf("%s gave the connection up (%s)", sideNames[index(from)], ev.Code)
	}
	if from == flowpb.SideRequest {
		return nil
	}
	for _, id := range s.open() {
		if id > ev.Last && id%2 == 1 {
			why := fmt.Sprintf("the server did not take the request: it is going away (%s)", ev.Code)
			if err := s.fail(ctx, id, flowpb.CodeServerGone, from, why, at); err != nil {
				return err
			}
		}
	}
	return nil
}

// open is the streams there are, in order.
func (s *http2) open() []uint32 { return slices.Sorted(maps.Keys(s.streams)) }

// misread gives a side up from p on, until a frame can be told again.
func (s *http2) misread(ctx context.Context, from flowpb.Side, p []byte, at int64, cause error) error {
	if err := s.lose(ctx, from, cause.Error(), at); err != nil {
		return err
	}
	return s.leftover(ctx, from, p, at)
}

// lose leaves a side. Whatever it had begun may go on where nobody sees it.
func (s *http2) lose(ctx context.Context, from flowpb.Side, why string, at int64) error {
	s.lost[index(from)] = true
	for _, id := range s.open() {
		if err := s.streams[id].missed(ctx, from, why, at); err != nil {
			return err
		}
	}
	return nil
}

// leftover records what cannot be followed.
func (s *http2) leftover(ctx context.Context, from flowpb.Side, p []byte, at int64) error {
	if len(p) == 0 {
		return nil
	}
	if s.rest == nil {
		s.rest = &streamFlow{c: s.c}
	}
	return s.rest.data(ctx, from, p, at)
}

// gap lets zeros stand for content, and leaves out what is missing of the frame behind it.
// Where more is missing, or nobody knows how much, the next frame may begin anywhere.
func (s *http2) gap(ctx context.Context, from flowpb.Side, n, at int64) error {
	i := index(from)
	if n == 0 && !s.lost[i] {
		return s.lose(ctx, from, "frames of it may not have been captured", at)
	}
	for n > 0 && !s.lost[i] {
		k := min(n, s.readers[i].Content(), fillStep)
		if k == 0 {
			if n = s.readers[i].Lose(n); n > 0 {
				return s.lose(ctx, from, "frames of it may not have been captured", at)
			}
			return nil
		}
		if err := s.fill(ctx, from, k, at); err != nil {
			return err
		}
		n -= k
	}
	if s.rest == nil || n == 0 {
		return nil
	}
	return s.rest.gap(ctx, from, n, at)
}

// fill lets n zeros stand for content.
func (s *http2) fill(ctx context.Context, from flowpb.Side, n, at int64) error {
	if t := s.streams[s.readers[index(from)].Stream()]; t != nil {
		if err := t.gap(ctx, from, n, at); err != nil {
			return err
		}
		t.filling = true
		defer func() { t.filling = false }()
	}
	return s.data(ctx, from, make([]byte, n), at)
}

func (s *http2) end(context.Context, flowpb.Side, int64) error { return nil }

func (s *http2) close(ctx context.Context, why ending, at int64) (err error) {
	reason := endings[why]
	for _, said := range s.gone {
		if said != "" {
			reason = said
		}
	}
	for _, id := range s.open() {
		t := s.streams[id]
		delete(s.streams, id)
		if t.tunnel != nil {
			err = t.close(ctx, why, at)
		} else {
			err = t.fail(ctx, why.code(), flowpb.SideResponse, reason, at)
		}
		if err != nil {
			return err
		}
	}
	if s.rest != nil {
		return s.rest.close(ctx, why, at)
	}
	return nil
}
