package proxy

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	flowpb "weir/proto"
)

// streamRecord is the flow of bytes that pass both ways for as long as it
// lasts: a TCP stream, or what follows an upgrade. Two goroutines add to it, one
// a direction.
type streamRecord struct {
	to      recorder
	flow    *flowpb.Flow
	split   splitter
	client  *uint64 // bytes from the client
	server  *uint64 // bytes from the server
	endedNs *int64

	mu    sync.Mutex
	saved time.Time
	err   error // the first that ended a direction
}

// splitter makes messages of the bytes of a stream, each direction by itself.
// It is called by one goroutine at a time.
type splitter interface {
	// Take gives emit the messages that are whole with p, which came from side. It
	// may change what it counts in the flow. The error is emit's.
	Take(side flowpb.Side, p []byte, emit func(*flowpb.Message) error) error
	// End gives emit what is left of messages that will not be whole any more, since
	// the stream ended at that time, in nanoseconds since 1970.
	End(at int64, emit func(*flowpb.Message) error) error
}

// open records the flow as open.
func (r *streamRecord) open(ctx context.Context) error {
	r.flow.State = flowpb.StateOpen
	r.saved = time.Now()
	return r.to.flow(ctx, r.flow)
}

// add records what p, which came from side, holds of messages, and about every
// second the counts beside them.
func (r *streamRecord) add(ctx context.Context, side flowpb.Side, p []byte) ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.client
	if side == flowpb.SideResponse {
		n = r.server
	}
	*n += uint64(len(p))
	now := time.Now()
	if err := r.split.Take(side, p, r.emit(ctx, now)); err != nil {
		return nil, err
	}
	if now.Sub(r.saved) < time.Second {
		return p, nil
	}
	r.saved = now
	return p, r.to.flow(ctx, r.flow)
}

// emit returns what records a message of the flow as of now.
func (r *streamRecord) emit(ctx context.Context, now time.Time) func(*flowpb.Message) error {
	return func(m *flowpb.Message) error {
		m.Flow, m.AtNs = r.flow.Id, now.UnixNano()
		return r.to.message(ctx, m)
	}
}

// failed notes why a direction ended, if it is the first, or a mistake of ours.
func (r *streamRecord) failed(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil || isMistake(err) {
		r.err = err
	}
}

// end records the flow as over and returns the error it ended with.
func (r *streamRecord) end(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	split := r.split
	r.split = unkept{} // it is asked once, whatever comes of it
	serr := split.End(now.UnixNano(), r.emit(ctx, now))
	r.flow.State = flowpb.StateComplete
	*r.endedNs = now.UnixNano()
	err := stopFailure(ctx, r.err)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	if err == nil {
		err = serr
	}
	if err != nil {
		r.flow.State, r.flow.Error = flowpb.StateError, asFailure(err).record()
	}
	if rerr := r.to.flow(ctx, r.flow); rerr != nil {
		return rerr
	}
	return err
}

// newStreamRecord returns the record of a TCP stream.
func newStreamRecord(to recorder, flow *flowpb.Flow, stream *flowpb.Stream) *streamRecord {
	return &streamRecord{
		to: to, flow: flow, split: &rawMessages{stream: stream}, endedNs: &stream.EndedNs,
		client: &stream.ClientBytes, server: &stream.ServerBytes,
	}
}

// rawMessages has each read as a message.
type rawMessages struct {
	stream *flowpb.Stream // counts the messages; nil where nothing does
	begun  bool
}

// startTLS is the note on a ClientHello in the middle of a stream. What follows
// it is passed on as it is.
const startTLS = "TLS begins here, and is not intercepted"

// Take implements splitter.
func (r *rawMessages) Take(side flowpb.Side, p []byte, emit func(*flowpb.Message) error) error {
	m := &flowpb.Message{Side: side, Type: flowpb.MessageData, Content: p}
	if side == flowpb.SideRequest && r.begun && isClientHello(p) {
		m.Note = startTLS
	}
	r.begun = true
	if r.stream != nil {
		r.stream.Messages++
	}
	return emit(m)
}

// End implements splitter.
func (*rawMessages) End(int64, func(*flowpb.Message) error) error { return nil }

// isClientHello reports whether p begins like a TLS record with a ClientHello
// (RFC 8446 §4, §5.1).
func isClientHello(p []byte) bool {
	const handshake, clientHello = 0x16, 1
	return len(p) > 5 && p[0] == handshake && p[1] == 3 && p[5] == clientHello
}
