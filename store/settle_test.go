package store

import (
	"testing"

	flowpb "weir/proto"
)

// A killed capture leaves flows open; the next one ends them, and only them.
func TestSettle(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	done, open := httpFlow(1), httpFlow(2)
	done.State = flowpb.StateComplete
	done.GetHttp().Response.Body = nil
	open.State = flowpb.StateResponse
	open.GetHttp().Response.Body = &flowpb.Body{State: flowpb.BodyStreaming, Size: 1}
	record(t, w, done, open)
	if err := w.Body(t.Context(), open.GetId(), flowpb.SideResponse, []byte("so far")); err != nil {
		t.Fatal(err)
	}
	flush(t, w)

	if n, err := w.Settle(t.Context()); err != nil || n != 1 {
		t.Fatalf("settled %d flows, %v, want 1", n, err)
	}
	flush(t, w)
	got, err := s.Flow(t.Context(), open.GetId())
	if err != nil {
		t.Fatal(err)
	}
	body := got.GetHttp().GetResponse().GetBody()
	if got.GetState() != flowpb.StateError || got.GetError().GetCode() != flowpb.CodeStopped ||
		body.GetState() != flowpb.BodyCut || body.GetSize() != uint64(len("so far")) {
		t.Errorf("the open flow became %v", got)
	}
	if problems, err := s.Verify(t.Context()); err != nil || len(problems) > 0 {
		t.Errorf("verify: %v, %v", problems, err)
	}
	if n, err := w.Settle(t.Context()); err != nil || n != 0 {
		t.Errorf("settled %d flows again, %v", n, err)
	}
}
