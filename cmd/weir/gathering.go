package main

import (
	"context"

	flowpb "weir/proto"
)

// Bounds of a [gatheringSink], in bytes.
const (
	gatheredBody = 64 << 10 // of one body
	gatheredAll  = 8 << 20
)

// gatheringSink hands bodies to the writer in larger pieces than the packets they came
// in. It is for what is read from files: nobody waits for the last bytes of a body.
type gatheringSink struct {
	agentSink
	flows  int // that were begun
	bodies map[bodyPart][]byte
	held   int // bytes of bodies
	spare  [][]byte
}

type bodyPart struct {
	flow uint64
	side flowpb.Side
}

func newGatheringSink(w agentSink) *gatheringSink {
	return &gatheringSink{agentSink: w, bodies: map[bodyPart][]byte{}}
}

// Flow implements packet.Sink. A flow comes behind what there is of its bodies.
func (s *gatheringSink) Flow(ctx context.Context, f *flowpb.Flow) error {
	if f.GetId() == 0 {
		s.flows++
		return s.agentSink.Flow(ctx, f)
	}
	for _, side := range []flowpb.Side{flowpb.SideRequest, flowpb.SideResponse} {
		if err := s.pass(ctx, bodyPart{f.GetId(), side}); err != nil {
			return err
		}
	}
	return s.agentSink.Flow(ctx, f)
}

// Body implements packet.Sink.
func (s *gatheringSink) Body(ctx context.Context, flow uint64, side flowpb.Side, p []byte) error {
	part := bodyPart{flow, side}
	if len(s.bodies[part])+len(p) > gatheredBody {
		if err := s.pass(ctx, part); err != nil {
			return err
		}
	}
	held, begun := s.bodies[part]
	if len(p) > gatheredBody && !begun {
		return s.Writer.Body(ctx, flow, side, p)
	}
	if n := len(s.spare); !begun && n > 0 {
		held, s.spare = s.spare[n-1][:0], s.spare[:n-1]
	}
	s.bodies[part] = append(held, p...)
	if s.held += len(p); s.held > gatheredAll {
		return s.passAll(ctx)
	}
	return nil
}

// pass hands on what there is of one body.
func (s *gatheringSink) pass(ctx context.Context, part bodyPart) error {
	const spares = 64
	held, begun := s.bodies[part]
	if !begun {
		return nil
	}
	delete(s.bodies, part)
	s.held -= len(held)
	if len(s.spare) < spares {
		s.spare = append(s.spare, held)
	}
	return s.Writer.Body(ctx, part.flow, part.side, held)
}

// passAll hands on all there is.
func (s *gatheringSink) passAll(ctx context.Context) error {
	for part := range s.bodies {
		if err := s.pass(ctx, part); err != nil {
			return err
		}
	}
	return nil
}
