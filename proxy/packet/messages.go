package packet

import (
	"context"

	flowpb "weir/proto"
)

// streamFlow is a tcp or udp flow: what was said, or the part of it that no parser
// understands, each piece a message.
type streamFlow struct {
	c      *conversation
	flow   *flowpb.Flow
	stream flowpb.Stream
	last   int64
	sealed string // why it is not decrypted, where somebody wanted it to be
	// mistake is what weir made before, reading it as what it may be.
	mistake string
}

func (s *streamFlow) open(ctx context.Context, at int64) error {
	s.last = at
	if s.flow != nil {
		return nil
	}
	s.flow = &flowpb.Flow{State: flowpb.StateOpen, CreatedNs: at, Protocol: &flowpb.Flow_Tcp{Tcp: &s.stream}}
	if s.c.key.udp {
		s.flow.Protocol = &flowpb.Flow_Udp{Udp: &s.stream}
	}
	if s.sealed != "" {
		s.flow.Meta = append(s.flow.Meta, &flowpb.Meta{Key: "not decrypted", Value: s.sealed})
	}
	if err := s.c.identify(ctx, s.flow); err != nil {
		return err
	}
	return s.c.a.sink.Flow(ctx, s.flow)
}

func (s *streamFlow) data(ctx context.Context, from flowpb.Side, p []byte, at int64) error {
	if err := s.open(ctx, at); err != nil {
		return err
	}
	s.c.dispute(s.flow)
	s.stream.Messages++
	s.c.a.changed(s.flow)
	if from == flowpb.SideRequest {
		s.stream.ClientBytes += uint64(len(p))
	} else {
		s.stream.ServerBytes += uint64(len(p))
	}
	return s.c.a.sink.Message(ctx, &flowpb.Message{
		Flow: s.flow.GetId(), Side: from, Type: flowpb.MessageData, AtNs: at, Content: p,
	})
}

// maxGaps bounds what one flow keeps of its gaps.
const maxGaps = 1024

func (s *streamFlow) gap(ctx context.Context, from flowpb.Side, n, at int64) error {
	if err := s.open(ctx, at); err != nil {
		return err
	}
	offset := s.stream.GetClientBytes()
	if from == flowpb.SideResponse {
		offset = s.stream.GetServerBytes()
	}
	addGap(s.flow, from, offset, n)
	return nil
}

func addGap(f *flowpb.Flow, side flowpb.Side, offset uint64, n int64) {
	if len(f.Gaps) < maxGaps {
		f.Gaps = append(f.Gaps, &flowpb.Gap{Side: side, Offset: offset, Length: uint64(n)})
	}
}

func (s *streamFlow) end(context.Context, flowpb.Side, int64) error { return nil }

func (s *streamFlow) close(ctx context.Context, why ending, at int64) error {
	if s.flow == nil {
		return nil
	}
	s.stream.EndedNs = s.last
	s.flow.State = flowpb.StateComplete
	switch broken := why.broken(); {
	case s.mistake != "":
		s.flow.State, s.flow.Error = flowpb.StateError, mistakeError(s.mistake, at)
	case broken != "":
		s.flow.State, s.flow.Error = flowpb.StateError, &flowpb.Error{Code: why.code(), Message: broken, AtNs: at}
	}
	return s.c.a.tell(ctx, s.flow)
}
