package flowdetail

import (
	"context"

	flowpb "weir/proto"
)

// Source reads one flow. Every method may block and is called from commands
// only; each returns early when its context ends.
type Source interface {
	// Flow returns the head of a flow with all that belongs to it.
	Flow(ctx context.Context, id uint64) (*Detail, error)
	// Body returns up to n bytes of a body as stored, from offset off; fewer mean
	// the end so far.
	Body(ctx context.Context, id uint64, side flowpb.Side, off int64, n int) ([]byte, error)
	// Messages returns up to n messages of a flow, from sequence first (1-based) on,
	// or the last n where that is 0. Each has the beginning of its content; Size is
	// set where there is more.
	Messages(ctx context.Context, id, first uint64, n int) ([]*flowpb.Message, error)
	// Message returns one message with all of its content, nil if there is none.
	Message(ctx context.Context, id, sequence uint64) (*flowpb.Message, error)
}

// Detail is all of one flow but its bodies and messages. It has the shape of
// tui.Detail, so that one converts to the other.
type Detail struct {
	Flow   *flowpb.Flow
	Client *flowpb.Conn // nil: not known
	Server *flowpb.Conn
	Note   flowpb.Note
}

// Result is what the user asked for that is not this screen's business. It is
// the answer of Do, or comes as a message where it took time or a menu.
type Result interface{ result() }

type (
	// NextFlow and PrevFlow ask for the neighbour in the list.
	NextFlow struct{}
	// PrevFlow is the other way.
	PrevFlow struct{}
	// Close asks to leave the screen.
	Close struct{}
	// Copy asks to put something on the user's clipboard.
	Copy struct {
		Flow uint64
		What string // for the status line: "response body"
		Data []byte
		// Format names what the program makes out of the flow itself ("curl"); Data
		// is then nil.
		Format string
	}
	// Problem asks to tell the user of something that went wrong.
	Problem struct{ Err error }
)

func (NextFlow) result() {}
func (PrevFlow) result() {}
func (Close) result()    {}
func (Copy) result()     {}
func (Problem) result()  {}
