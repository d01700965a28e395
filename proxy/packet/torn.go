package packet

import (
	"context"

	flowpb "weir/proto"
)

// torn takes a request whose head breaks off: an exchange of what is known of it, or nil
// where that is not even what is asked for. What it does not tell is left over.
func (s *http) torn(ctx context.Context, at int64) (*exchange, error) {
	head := s.readers[0].Partial()
	if head == nil || s.asking != nil {
		return nil, nil
	}
	if len(head.Method) == 0 || len(head.Target) == 0 {
		return nil, s.leftover(ctx, flowpb.SideRequest, head.Raw, at)
	}
	if err := s.asked(ctx, head, at); err != nil {
		return nil, err
	}
	x := s.asking
	s.asking, s.lost[0] = nil, true
	return x, nil
}

// tornByHole keeps a request across a gap in its head: its response may have been captured.
func (s *http) tornByHole(ctx context.Context, n, at int64) error {
	x, err := s.torn(ctx, at)
	if x == nil || err != nil {
		return err
	}
	x.gap(flowpb.SideRequest, n)
	x.flow.Meta = append(x.flow.Meta, &flowpb.Meta{Key: "gap", Value: "not all of the request's head was captured"})
	return x.asked(ctx, nil, at)
}

// tornByEnd fails a request in whose head its sender stopped.
func (s *http) tornByEnd(ctx context.Context, code flowpb.ErrorCode, why string, at int64) error {
	x, err := s.torn(ctx, at)
	if x == nil || err != nil {
		return err
	}
	s.remove(x)
	return x.fail(ctx, code, flowpb.SideRequest, why, at)
}
