package store

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	flowpb "weir/proto"
)

// compactedBody is the body of a flow that playCompact records: every third one is the same,
// and some have several pieces.
func compactedBody(flow uint64) []byte {
	if flow%3 == 0 {
		return text(0, PieceSize+5000)
	}
	return text(int(flow), 5000+int(flow%7)*PieceSize/3)
}

// playCompact makes a session busy with all that compaction does.
func playCompact(ctx context.Context, s *Session) error {
	w, err := s.NewWriter(ctx, never(WriterOptions{}))
	if err != nil {
		return err
	}
	for round := 1; ; round++ {
		var last uint64
		for range 6 {
			f := bodyFlow(0, "text/plain")
			f.GetHttp().Response.Body.State = flowpb.BodyCut // it may be, and verify must not mind
			if err := w.Flow(ctx, f); err != nil {
				return err
			}
			last = f.GetId()
			if err := w.Body(ctx, last, flowpb.SideResponse, compactedBody(last)); err != nil {
				return err
			}
		}
		if err := w.Flush(ctx); err != nil {
			return err
		}
		fmt.Println(round)
		if _, err := s.Drop(ctx, []uint64{last - 1, last - 3}); err != nil {
			return err
		}
		c, err := newCompactor(ctx, s)
		if err != nil {
			return err
		}
		c.budget = leastBudget
		c.pause, c.wrote = func(context.Context) error { return nil }, w.tape.points.wrote
		if err := c.run(ctx); err != nil {
			return err
		}
		if err := c.close(); err != nil {
			return err
		}
	}
}

// TestKilledCompactionLeavesTheFileWhole kills a process that compacts at a random moment,
// again and again: nothing is wrong with the file then, and every body is what was recorded.
func TestKilledCompactionLeavesTheFileWhole(t *testing.T) {
	s := newSession(t)
	for range soakRounds(t, 4) {
		if killCapture(t, start(t, roleCompact, s)) == 0 {
			t.Fatal("the process was killed before it did anything")
		}
		clean(t, s)
		flows, err := queryIDs(t.Context(), s.read, "SELECT id FROM flow")
		if err != nil || len(flows) == 0 {
			t.Fatalf("flows: got %d, %v, want some", len(flows), err)
		}
		for _, flow := range flows {
			// What was not acknowledged may be there in part.
			want := compactedBody(flow)
			if got := readBody(t, s, flow); !bytes.Equal(got, want) && !bytes.HasPrefix(want, got) {
				t.Fatalf("body of flow %d: got %d other bytes, want %d", flow, len(got), len(want))
			}
		}
	}
}
