package coding

import (
	"errors"
	"io"
	"iter"
)

// What a Pusher gives out is bounded by what it is given: text of any sense does
// not shrink to a two-hundredth, and a bomb would else make gigabytes of a
// message that took a second to send.
const (
	maxRatio   = 200
	ratioSlack = 4 << 20 // bytes that a Pusher may give out whatever it is given
	pieceSize  = 16 << 10
)

// Pusher undoes content codings of bytes as they come: what their sender flushed
// can be read at once, however long the next bytes take. It is for one goroutine
// at a time, and must be closed.
//
// The decoders are pull-style, so they run as a coroutine, which waits inside
// their read for the bytes of the next Push. It never runs beside the caller.
type Pusher struct {
	stack *stack
	in    []byte // of this Push, not yet read
	coded int64  // bytes taken so far
	plain int64  // bytes given out so far
	ended bool
	yield func([]byte, error) bool // while the coroutine runs

	next func() ([]byte, error, bool)
	stop func()
	err  error // sticky
}

// NewPusher returns a Pusher for the codings that NewReader knows, given in the
// order in which they were applied.
func NewPusher(codings []string) (*Pusher, error) {
	p := &Pusher{}
	var err error
	if p.stack, err = newStack(source{p}, codings, maxBetween); err != nil {
		return nil, err
	}
	p.next, p.stop = iter.Pull2(p.pieces)
	return p, nil
}

// Push gives emit what can be decoded now that b is here too, in pieces that are
// good until emit returns. The error is emit's, or why the input cannot be
// decoded; either stays. Of an input that is whole it is nil.
func (p *Pusher) Push(b []byte, emit func([]byte) error) error {
	if p.err != nil {
		return p.err
	}
	p.in, p.coded = b, p.coded+int64(len(b))
	return p.drain(emit)
}

// End is Push where no more will come: of an input that is not whole the error
// has ErrTruncated in its chain.
func (p *Pusher) End(emit func([]byte) error) error {
	if p.err != nil {
		return p.err
	}
	p.ended = true
	return p.drain(emit)
}

// drain runs the coroutine until it needs more input or is done.
func (p *Pusher) drain(emit func([]byte) error) error {
	for {
		piece, err, running := p.next()
		if !running { // the input is whole
			return nil
		}
		if err != nil {
			if !errors.Is(err, errMore) {
				p.err = err
				return err
			}
			return nil
		}
		p.plain += int64(len(piece))
		if p.plain > ratioSlack+maxRatio*p.coded {
			p.err = ErrTooLarge
			return p.err
		}
		if p.err = emit(piece); p.err != nil {
			return p.err
		}
	}
}

// errMore is what the coroutine yields where it has to wait for input.
var errMore = errors.New("more input is needed")

// pieces is the coroutine: it yields what is decoded, errMore each time all input
// was used, and at last the error that ends it, if one does.
func (p *Pusher) pieces(yield func([]byte, error) bool) {
	p.yield = yield
	buf := make([]byte, pieceSize)
	for {
		n, err := p.stack.Read(buf)
		if n > 0 && !yield(buf[:n], nil) {
			return
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF), errors.Is(err, errClosed):
			return
		default:
			yield(nil, err)
			return
		}
	}
}

// Close frees the decoders. Nothing may be pushed afterwards.
func (p *Pusher) Close() error {
	p.stop()
	p.err = errClosed
	return p.stack.Close()
}

// source is what the decoders read: the bytes of each Push.
type source struct{ p *Pusher }

func (s source) Read(b []byte) (int, error) {
	p := s.p
	for len(p.in) == 0 {
		if p.ended {
			return 0, io.EOF
		}
		if !p.yield(nil, errMore) {
			return 0, errClosed // Close ends the coroutine
		}
	}
	n := copy(b, p.in)
	p.in = p.in[n:]
	return n, nil
}
