package main

import (
	"bytes"
	"io"
	"path/filepath"
	"testing"

	flowpb "weir/proto"
	"weir/store"
)

// TestGatheringSink sees that bodies which came in any pieces, of several flows at once,
// are kept whole, within the memory that is said.
func TestGatheringSink(t *testing.T) {
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
	sink := newGatheringSink(agentSink{Writer: w})
	const flows = 300
	sizes := []int{1, 1448, 40_000, gatheredBody, 3*gatheredBody + 1}
	var want [flows + 1][]byte
	for i := range flows {
		f := &flowpb.Flow{State: flowpb.StateRequest, CreatedNs: 1, Protocol: &flowpb.Flow_Http{Http: &flowpb.Http{
			Request: &flowpb.Request{}, Response: &flowpb.Response{Body: &flowpb.Body{State: flowpb.BodyStreaming}},
		}}}
		if err := sink.Flow(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		for j := range 4 {
			id := uint64(1 + (i+j)%(i+1)) // what came before goes on
			p := bytes.Repeat([]byte{byte(id), byte(j)}, sizes[(i+j)%len(sizes)])
			want[id] = append(want[id], p...)
			if err := sink.Body(t.Context(), id, flowpb.SideResponse, p); err != nil {
				t.Fatal(err)
			}
		}
		if sink.held > gatheredAll+gatheredBody {
			t.Fatalf("%d bytes are held, want %d at most", sink.held, gatheredAll)
		}
	}
	if err := sink.passAll(t.Context()); err != nil || sink.held != 0 || sink.flows != flows {
		t.Fatalf("%d bytes are held of %d flows at the end: %v", sink.held, sink.flows, err)
	}
	if err := w.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for id := uint64(1); id <= flows; id++ {
		body, err := s.Body(t.Context(), id, flowpb.SideResponse)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(body.NewReader(t.Context()))
		if err != nil || !bytes.Equal(got, want[id]) {
			t.Fatalf("body of flow %d: got %d bytes, want %d (%v)", id, len(got), len(want[id]), err)
		}
	}
}
