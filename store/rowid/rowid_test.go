package rowid

import (
	"testing"

	"pgregory.net/rapid"

	flowpb "weir/proto"
)

// TestRoundTrip takes apart what was packed.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		flow := rapid.Uint64Range(1, 1<<32-1).Draw(t, "flow")
		side := flowpb.Side(rapid.IntRange(1, MaxSide).Draw(t, "side"))
		number := rapid.IntRange(0, MaxPieces-1).Draw(t, "number")
		id := Piece(flow, side, number)
		if BodyFlow(id) != int64(flow) || Side(id) != side || Number(id) != int64(number) {
			t.Errorf("piece %d: got flow %d, side %d, number %d, want %d, %d, %d", id, BodyFlow(id), Side(id), Number(id), flow, side, number)
		}
		if First(id) != Piece(flow, side, 0) || Last(id) != Piece(flow, side, MaxPieces-1) || Body(id) != Body(First(id)) {
			t.Errorf("piece %d: got a body from %d to %d, number %d", id, First(id), Last(id), Body(id))
		}
		if next := Piece(flow, side, MaxPieces-1) + 1; side < MaxSide && next != Piece(flow, side+1, 0) || side == MaxSide && next != Piece(flow+1, 0, 0) {
			t.Errorf("flow %d, side %d: the next body begins at %d", flow, side, next)
		}
		sequence := rapid.Uint64Range(1, MaxMessages).Draw(t, "sequence")
		if m := Message(flow, sequence); MessageFlow(m) != int64(flow) || Sequence(m) != int64(sequence) {
			t.Errorf("message %d: got flow %d, sequence %d, want %d, %d", m, MessageFlow(m), Sequence(m), flow, sequence)
		}
	})
}

// TestLayout pins the numbers, which are those of docs/session-format.md.
func TestLayout(t *testing.T) {
	for name, got := range map[string]int64{
		"piece":   Piece(5, flowpb.SideResponse, 7) - (5<<23 | int64(flowpb.SideResponse)<<20 | 7),
		"message": Message(5, 7) - (5<<28 | 7),
	} {
		if got != 0 {
			t.Errorf("%s: got an id off by %d", name, got)
		}
	}
}
