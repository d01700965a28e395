package main

import (
	"context"
	"fmt"
	"strconv"

	flowpb "weir/proto"
	"weir/store"
)

// Bounds of a [gatheringSink].
const (
	gatheredBody  = 256 << 10 // bytes of one body: a piece
	gatheredAll   = 8 << 20   // bytes of all bodies
	gatheredFlows = 1024
)

// gatheringSink hands flows and their bodies to the writer in larger pieces than they
// came in. It is for what is read from files, where nobody waits for what is there to begin
// with: flows are handed over in the order in which they began, when they have ended, so that each is written
// once and behind the others. Those that last, or become large, are handed over before that, with
// all that began before them.
type gatheringSink struct {
	agentSink
	flows  int        // that were begun
	most   int        // flows that are gathered at most; 0: each is handed over as it begins
	next   uint64     // the id of the next flow
	open   []gathered // flows that the writer does not have yet, in the order of their ids, up to next
	bodies map[bodyPart][]byte
	held   int // bytes of bodies
}

// gathered is a flow that the writer does not have yet.
type gathered struct {
	flow  *flowpb.Flow
	ended bool
}

type bodyPart struct {
	flow uint64
	side flowpb.Side
}

// newGatheringSink makes a sink that gathers so many flows. Nobody else may record flows into
// the writer while it is used.
func newGatheringSink(to agentSink, most int) *gatheringSink {
	return &gatheringSink{agentSink: to, most: most, next: to.Stats().Highest + 1, bodies: map[bodyPart][]byte{}}
}

// Flow implements packet.Sink.
func (s *gatheringSink) Flow(ctx context.Context, f *flowpb.Flow) error {
	switch i := s.place(f.GetId()); {
	case f.GetId() == 0:
		return s.begin(ctx, f)
	case i >= 0:
		s.open[i].ended = ended(f)
		return s.advance(ctx)
	}
	// A flow comes behind what there is of its bodies.
	if err := s.passFlow(ctx, f.GetId()); err != nil {
		return err
	}
	return s.agentSink.Flow(ctx, f)
}

func ended(f *flowpb.Flow) bool {
	return f.GetState() == flowpb.StateComplete || f.GetState() == flowpb.StateError
}

// begin takes a new flow.
func (s *gatheringSink) begin(ctx context.Context, f *flowpb.Flow) error {
	f.Id = s.next
	s.flows++
	s.next++
	s.open = append(s.open, gathered{f, ended(f)})
	for len(s.open) > s.most {
		if err := s.give(ctx); err != nil {
			return err
		}
	}
	return s.advance(ctx)
}

// place is where a flow is among those that the writer does not have; negative: it has it.
func (s *gatheringSink) place(flow uint64) int {
	return int(int64(flow) - int64(s.next) + int64(len(s.open)))
}

// advance hands over the flows that have ended, up to one that has not.
func (s *gatheringSink) advance(ctx context.Context) error {
	for len(s.open) > 0 && s.open[0].ended {
		if err := s.give(ctx); err != nil {
			return err
		}
	}
	return nil
}

// release hands over a flow, and all that began before it.
func (s *gatheringSink) release(ctx context.Context, flow uint64) error {
	for s.place(flow) >= 0 {
		if err := s.give(ctx); err != nil {
			return err
		}
	}
	return nil
}

// give hands over the flow that began first, with its bodies if it has ended.
func (s *gatheringSink) give(ctx context.Context) error {
	g := s.open[0]
	s.open[0] = gathered{}
	s.open = s.open[1:]
	id := g.flow.GetId()
	var parts []store.Part
	for _, side := range bodySides {
		if part := (bodyPart{id, side}); g.ended && s.bodies[part] != nil {
			parts = append(parts, store.Part{Side: side, Data: s.take(part)})
		}
	}
	g.flow.Id = 0
	err := s.Whole(ctx, g.flow, parts...)
	if err == nil && g.flow.GetId() != id {
		err = fmt.Errorf("flow %d got the number %d: somebody else records as well", id, g.flow.GetId())
	}
	return err
}

// bodySides are those that packets have bodies on.
var bodySides = []flowpb.Side{flowpb.SideRequest, flowpb.SideResponse}

// Message implements packet.Sink: a flow with messages is not gathered.
func (s *gatheringSink) Message(ctx context.Context, m *flowpb.Message) error {
	if err := s.release(ctx, m.GetFlow()); err != nil {
		return err
	}
	return s.agentSink.Message(ctx, m)
}

// Body implements packet.Sink.
func (s *gatheringSink) Body(ctx context.Context, flow uint64, side flowpb.Side, p []byte) error {
	part := bodyPart{flow, side}
	if len(s.bodies[part])+len(p) > gatheredBody {
		if err := s.release(ctx, flow); err != nil {
			return err
		}
		if err := s.pass(ctx, part); err != nil {
			return err
		}
	}
	if len(p) > gatheredBody {
		return s.agentSink.Body(ctx, flow, side, p)
	}
	s.bodies[part] = append(s.room(part, len(p)), p...)
	if s.held += len(p); s.held > gatheredAll {
		return s.passAll(ctx)
	}
	return nil
}

// room is what is gathered of a body, in a buffer that takes n bytes more.
func (s *gatheringSink) room(part bodyPart, n int) []byte {
	held := s.bodies[part]
	if len(held)+n <= cap(held) {
		return held
	}
	larger := append(s.Buffer(max(2*cap(held), len(held)+n, s.announced(part))), held...)
	s.Return(held)
	return larger
}

// announced is how long a body says that it is, as far as it is gathered.
func (s *gatheringSink) announced(part bodyPart) int {
	i := s.place(part.flow)
	if i < 0 {
		return 0
	}
	h := s.open[i].flow.GetHttp()
	headers := h.GetResponse().GetHeaders()
	if part.side == flowpb.SideRequest {
		headers = h.GetRequest().GetHeaders()
	}
	for _, v := range flowpb.Get(headers, "content-length") {
		if n, err := strconv.ParseUint(string(v), 10, 32); err == nil {
			return min(int(n), gatheredBody)
		}
	}
	return 0
}

// passFlow hands on what there is of a flow's bodies.
func (s *gatheringSink) passFlow(ctx context.Context, flow uint64) error {
	for _, side := range bodySides {
		if err := s.pass(ctx, bodyPart{flow, side}); err != nil {
			return err
		}
	}
	return nil
}

// pass hands on what there is of one body, whose flow the writer has.
func (s *gatheringSink) pass(ctx context.Context, part bodyPart) error {
	held := s.take(part)
	defer s.Return(held)
	return s.agentSink.Body(ctx, part.flow, part.side, held)
}

// take takes what was gathered of a body.
func (s *gatheringSink) take(part bodyPart) []byte {
	held := s.bodies[part]
	delete(s.bodies, part)
	s.held -= len(held)
	return held
}

// passAll hands on all there is.
func (s *gatheringSink) passAll(ctx context.Context) error {
	if err := s.release(ctx, s.next-1); err != nil {
		return err
	}
	for part := range s.bodies {
		if err := s.pass(ctx, part); err != nil {
			return err
		}
	}
	return nil
}
