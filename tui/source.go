package tui

import (
	"context"

	flowpb "weir/proto"
)

// Source is one session as the interface needs it. Every method may block and is
// therefore called from commands only, never from Update; each returns early with
// ctx.Err() when its context ends. Implementations are safe for concurrent use.
type Source interface {
	Lister
	Reader
	Noter
	Remover
	Monitor
}

// Lister makes lists out of the session.
type Lister interface {
	// List starts to build the flows that match q.Filter in q.Order and returns at
	// once; the building shows in List.Wait. A filter that does not parse is a
	// *filter.Error. The caller closes the list.
	List(ctx context.Context, q Query) (List, error)
	// Explain says in a word or two how the filter would run: "columns", "bodies" …
	Explain(expr string) (string, error)
}

// Query says which flows, and in which order.
type Query struct {
	Filter  string // "" for all
	Order   string // a sort key of the command line; "" for id
	Reverse bool
	// MarkedOnly keeps only marked flows, on top of Filter.
	MarkedOnly bool
}

// List is one filtered, ordered list that follows the session: flows that arrive
// or change enter, leave and move while it is open.
type List interface {
	// Wait blocks until the list's version is no longer seen, and returns its
	// status. The first status has a version above 0.
	Wait(ctx context.Context, seen uint64) (Status, error)
	// Page returns up to n rows from position first (0-based). Rows past the end are
	// left out, so a short page means the list is shorter than was thought.
	Page(ctx context.Context, first, n int) ([]flowpb.Row, error)
	// Find returns where the flow stands; found is false if it is not in the list,
	// and pos then is where its nearest neighbour in order stands.
	Find(ctx context.Context, id uint64) (pos int, found bool, err error)
	Close() error
}

// Status is a list's state at one version.
type Status struct {
	Version  uint64
	Len      int    // flows in the list so far
	Total    int    // flows in the session
	Building bool   // more rows may still be found or moved by the first build
	Progress int    // per cent of the build, 0–100
	How      string // "columns", "heads", "bodies": what the build has to read
	Err      error  // why the build ended early, if it did
}

// Reader reads one flow.
type Reader interface {
	// Flow returns a flow's head, its connections (nil where there is none) and its note.
	Flow(ctx context.Context, id uint64) (*Detail, error)
	// Body returns up to n bytes of a body as stored, from offset off; fewer mean the
	// end so far. Flow's Body.Size says how many there are.
	Body(ctx context.Context, id uint64, side flowpb.Side, off int64, n int) ([]byte, error)
	// Messages returns up to n messages of a flow, from sequence first (1-based) on,
	// or the last n where that is 0. Each has the beginning of its content; Size is
	// set where there is more.
	Messages(ctx context.Context, id, first uint64, n int) ([]*flowpb.Message, error)
	// Message returns one message with all of its content, nil if there is none.
	Message(ctx context.Context, id, sequence uint64) (*flowpb.Message, error)
}

// Detail is all of one flow but its bodies and messages.
type Detail struct {
	Flow   *flowpb.Flow
	Client *flowpb.Conn
	Server *flowpb.Conn
	Note   flowpb.Note
}

// Noter writes what the user says, and what the interface wants to find again.
type Noter interface {
	// Annotate changes the notes of flows in one transaction and returns them as
	// they now are, in the order of ids.
	Annotate(ctx context.Context, ids []uint64, change NoteChange) ([]flowpb.Note, error)
	// Unmark removes the marks of all flows and returns how many there were.
	Unmark(ctx context.Context) (int, error)
	// SaveState and LoadState keep one named blob of view state with the session;
	// LoadState returns nil where there is none.
	SaveState(ctx context.Context, name string, value []byte) error
	LoadState(ctx context.Context, name string) ([]byte, error)
}

// NoteChange is what to change in a note; a nil field stays as it is.
type NoteChange struct {
	Marked  *string   // "" removes the mark
	Comment *string   // "" removes the comment
	Tags    *[]string // replaces all tags
}

// Remover takes flows out of the session, and brings them back.
type Remover interface {
	// Remove removes flows, RemoveAll all, and RemoveOthers those that are not in the
	// list of q. Each returns how many there were, also if it fails or ctx ends on the way.
	Remove(ctx context.Context, ids []uint64) (int, error)
	RemoveAll(ctx context.Context) (int, error)
	RemoveOthers(ctx context.Context, q Query) (int, error)
	// Undo brings back the flows of the last removal that was not undone yet, and
	// returns how many there were; 0: nothing can be brought back.
	Undo(ctx context.Context) (int, error)
}

// Monitor tells how the session and the capture are doing.
type Monitor interface {
	// Stats returns the present figures; it is called about once a second.
	Stats(ctx context.Context) (Stats, error)
	// Notice blocks until there is something to put in the event log.
	Notice(ctx context.Context) (Notice, error)
}

// Stats feeds the status bar.
type Stats struct {
	Session  string // the session's short name, or that of several
	Sessions int    // how many are one list; 0: this is one session and no list of several
	Path     string
	Mode     Mode
	Listen   []string // addresses the proxy listens on, LIVE only
	Sniffing []string // interfaces that packets are captured from, LIVE only
	// PacketsLost is packets of those that could not be read; never silent.
	PacketsLost uint64
	Total       uint64  // flows in the session
	PerSecond   float64 // flows that arrived in the last second
	QueueBytes  int64   // waiting to be written
	QueueFlows  int
	Lost        uint64 // flows that could not be written; never silent
	Trouble     string // why the session is not written at the moment, in some words; "" if it is
	Dropped     uint64 // flows dropped because more than that are not to be kept
	RSS         uint64 // bytes
}

// Mode is what can be done with the session.
type Mode uint8

// The modes of the status bar.
const (
	Live     Mode = iota // this process captures into it
	Offline              // a saved session, notes can be written
	ReadOnly             // nothing can be written
)

// Notice is one line of the event log.
type Notice struct {
	At    int64 // ns since the epoch
	Level Level
	Text  string // one line; captured bytes in it are sanitised when shown
	Hint  string // the next step, "" where there is none
}

// Level is how much a notice matters.
type Level uint8

// The levels of the event log.
const (
	Info Level = iota
	Warn
	Error
)
