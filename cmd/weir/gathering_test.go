package main

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"testing"

	flowpb "weir/proto"
	"weir/store"
)

// TestGatheringSink tells of flows that begin, go on and end in any order, with bodies that come
// in any pieces: all are kept as they were at last, in the order in which they began, within the memory that
// is said.
func TestGatheringSink(t *testing.T) {
	for _, most := range []int{0, 7, gatheredFlows} {
		t.Run(fmt.Sprint(most), func(t *testing.T) { testGathering(t, most) })
	}
}

func testGathering(t *testing.T, most int) {
	s, err := store.Create(t.Context(), filepath.Join(t.TempDir(), "x.weir"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	w, err := s.NewWriter(t.Context(), store.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	sink := newGatheringSink(agentSink{Writer: w, agent: []byte("a test")}, most)
	const flows = 60
	sizes := []int{1, 1448, 40_000, gatheredBody, gatheredBody + 1}
	var want [flows + 1][]byte
	var heads [flows + 1]*flowpb.Flow
	for i := range flows {
		f := gatheredFlow(sizes[i%len(sizes)])
		if err := sink.Flow(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		if f.GetId() != uint64(i+1) {
			t.Fatalf("flow %d is numbered %d", i+1, f.GetId())
		}
		heads[f.GetId()] = f
		for j := range 4 {
			id := uint64(1 + (i+j)%(i+1)) // what came before goes on
			p := bytes.Repeat([]byte{byte(id), byte(j)}, sizes[(i+j)%len(sizes)])
			want[id] = append(want[id], p...)
			if err := sink.Body(t.Context(), id, flowpb.SideResponse, p); err != nil {
				t.Fatal(err)
			}
		}
		if i%3 > 0 {
			ended := heads[1+i*7%(i+1)]
			ended.State = flowpb.StateComplete
			if err := sink.Flow(t.Context(), ended); err != nil {
				t.Fatal(err)
			}
		}
		if i%20 == 19 {
			if err := sink.Message(t.Context(), &flowpb.Message{Flow: uint64(i - 3)}); err != nil {
				t.Fatal(err)
			}
		}
		if sink.held > gatheredAll+gatheredBody || len(sink.open) > most {
			t.Fatalf("%d bytes and %d flows are held, want %d and %d at most", sink.held, len(sink.open), gatheredAll, most)
		}
	}
	if err := sink.passAll(t.Context()); err != nil || sink.held != 0 || sink.flows != flows {
		t.Fatalf("%d bytes are held of %d flows at the end: %v", sink.held, sink.flows, err)
	}
	if err := w.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for id := uint64(1); id <= flows; id++ {
		checkGathered(t, s, heads[id], want[id])
	}
}

// gatheredFlow is a flow whose response says that it is so long, which need not be true.
func gatheredFlow(announced int) *flowpb.Flow {
	length := &flowpb.Field{Name: []byte("Content-Length"), Value: fmt.Append(nil, announced)}
	return &flowpb.Flow{State: flowpb.StateRequest, CreatedNs: 1, Protocol: &flowpb.Flow_Http{Http: &flowpb.Http{
		Request:  &flowpb.Request{},
		Response: &flowpb.Response{Headers: []*flowpb.Field{length}, Body: &flowpb.Body{State: flowpb.BodyStreaming}},
	}}}
}

// checkGathered compares what is stored of a flow.
func checkGathered(t *testing.T, s *store.Session, want *flowpb.Flow, content []byte) {
	t.Helper()
	head, err := s.Flow(t.Context(), want.GetId())
	if err != nil {
		t.Fatal(err)
	}
	if head.GetState() != want.GetState() || string(head.GetAgent()) != "a test" {
		t.Errorf("flow %d: got state %v by %q, want %v", want.GetId(), head.GetState(), head.GetAgent(), want.GetState())
	}
	body, err := s.Body(t.Context(), want.GetId(), flowpb.SideResponse)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(body.NewReader(t.Context()))
	if err != nil || !bytes.Equal(got, content) {
		t.Errorf("body of flow %d: got %d bytes, want %d (%v)", want.GetId(), len(got), len(content), err)
	}
}
