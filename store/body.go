package store

import (
	"context"

	flowpb "weir/proto"
	"weir/store/body"
	"weir/store/rowid"
)

// Body opens a body of a flow. Where nothing is stored its size is 0; whether
// that is because there was no body, or an empty one, the flow's head says.
func (s *Session) Body(ctx context.Context, flow uint64, side flowpb.Side) (*body.Body, error) {
	return s.bodies(s.read).Open(ctx, flow, side)
}

// bodies is where bodies are read from: all connections, or one snapshot.
func (s *Session) bodies(q rowid.Querier) body.Source {
	return body.Source{DB: q, Calls: s.functions, Unpack: s.unpack}
}
