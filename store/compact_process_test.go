package store

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	flowpb "weir/proto"
	"weir/store/body"
	"weir/store/compact"
	"weir/store/rowid"
)

// compactedBody is the body of a flow that playCompact records: every third one is the same,
// and some have several pieces.
func compactedBody(flow uint64) []byte {
	if flow%3 == 0 {
		return text(0, body.PieceSize+5000)
	}
	return text(int(flow), 5000+int(flow%7)*body.PieceSize/3)
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
		if _, err := compactWith(ctx, s, compact.Options{Wrote: w.tape.points.wrote, Budget: 16 << 10}); err != nil {
			return err
		}
	}
}

// TestCompactionBesideACapture lets the compactor run whenever the queue is empty, while
// flows come and go: no body is touched by that.
func TestCompactionBesideACapture(t *testing.T) {
	s, w := newWriter(t, WriterOptions{CompactAfter: time.Nanosecond})
	want := map[uint64][]byte{}
	for n := range 40 {
		content := compactedBody(uint64(n + 1))
		f := bodyFlow(len(content), "text/plain")
		f.State = flowpb.StateResponse
		record(t, w, f)
		for part := range slices.Chunk(content, body.PieceSize/2) {
			if err := w.Body(t.Context(), f.Id, flowpb.SideResponse, part); err != nil {
				t.Fatal(err)
			}
		}
		f.State = flowpb.StateComplete
		record(t, w, f)
		want[f.Id] = content
		if n%5 == 4 {
			if _, err := s.Drop(t.Context(), []uint64{f.Id - 2}); err != nil {
				t.Fatal(err)
			}
			delete(want, f.Id-2)
		}
		if got := readBody(t, s, f.Id); !bytes.Equal(got, content) {
			t.Fatalf("body of flow %d just recorded: got %d other bytes, want %d", f.Id, len(got), len(content))
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for flow, content := range want {
		if got := readBody(t, s, flow); !bytes.Equal(got, content) {
			t.Errorf("body of flow %d: got %d other bytes, want %d", flow, len(got), len(content))
		}
	}
	clean(t, s)
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
		flows, err := rowid.Select(t.Context(), s.read, "SELECT id FROM flow")
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
