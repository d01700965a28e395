package proxy

import (
	"context"

	flowpb "weir/proto"
)

// Sink receives what the proxy saw. Calls for one flow come from one goroutine
// at a time, in order, and calls for different flows come from many goroutines
// at once. A call may block: that is the back-pressure, since nothing is passed
// on before it is recorded. An error ends the connection.
type Sink interface {
	// Conn records a connection, again when it learned more or ended. The first call assigns c.Id.
	Conn(ctx context.Context, c *flowpb.Conn) error
	// Flow records the present state of f; the sink copies (encodes) what it needs before it returns. The first call assigns f.Id.
	Flow(ctx context.Context, f *flowpb.Flow) error
	// Body appends bytes to one body of a flow, in order; p is copied.
	Body(ctx context.Context, flow uint64, side flowpb.Side, p []byte) error
	// Message appends one message (TCP, upgraded stream …) of a flow.
	Message(ctx context.Context, m *flowpb.Message) error
}
