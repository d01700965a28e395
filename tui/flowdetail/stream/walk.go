package stream

import (
	"context"
	"errors"
	"io"
)

const (
	// Overlap is how long a match may be, in bytes, to be found where two reads
	// meet.
	Overlap = 4 << 10
	// stepSize is how much content a step passes, in bytes.
	stepSize = 8 << 20
)

// Walk goes through content from one place to another, for a match or for the
// content's end. It does so in steps, so that somebody can watch and end it. It
// belongs to one goroutine at a time.
type Walk struct {
	Origin   Origin
	Needle   *Needle // nil: only the end is wanted
	From, To int64   // To < 0: to the end
	Known    int64   // matches that end here or before do not count
	Last     bool    // the last match is wanted, not the first

	reader io.ReadCloser // opened by the first step
	buf    []byte        // the content that was read last, and
	at     int64         // where it begins
	passed int64         // bytes as stored, for the progress
	best   int64         // where the last match so far begins, plus one; 0: none
}

// Progress is how much of the content has been passed, in per cent.
func (w *Walk) Progress() int { return int(100 * w.passed / max(1, w.Origin.Size)) }

// Step is the report of a step.
type Step struct {
	Done  bool
	Match int64 // where the match that was wanted begins; -1: none so far, or none at all
	Size  int64 // of the content, where Done and To < 0
	Err   error
}

// Step reads on for a while. The context of the first step has to outlive the walk.
func (w *Walk) Step(ctx context.Context) Step {
	if err := w.open(ctx); err != nil {
		return Step{Match: -1, Err: err}
	}
	for range stepSize / readStep {
		end, err := w.read()
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return Step{Match: -1, Err: err}
		}
		if at := w.search(); at >= 0 && !w.Last {
			return Step{Done: true, Match: at}
		}
		if end {
			return Step{Done: true, Match: w.best - 1, Size: w.at + int64(len(w.buf))}
		}
	}
	return Step{Match: -1}
}

func (w *Walk) open(ctx context.Context) error {
	if w.reader != nil {
		return nil
	}
	w.at = w.From
	passed := func(n int64) { w.passed = n }
	if len(w.Origin.Codings) == 0 {
		w.reader = io.NopCloser(w.Origin.stored(ctx, w.From, passed))
		return nil
	}
	r, err := w.Origin.Open(ctx, passed)
	if err != nil {
		return err
	}
	w.reader = r
	_, err = io.CopyN(io.Discard, r, w.From)
	return ctxOr(ctx, err)
}

// Close frees what the walk holds. It may be called at any time but during a step.
func (w *Walk) Close() {
	if w.reader != nil {
		_ = w.reader.Close() // it was only read from: there is nothing left to fail
	}
}

// read appends what comes next to the end of what was read before, of which it
// keeps as much as a match may span.
func (w *Walk) read() (end bool, err error) {
	if cut := len(w.buf) - Overlap; cut > 0 {
		w.at += int64(cut)
		w.buf = append(w.buf[:0], w.buf[cut:]...)
	}
	n := int64(readStep)
	if w.To >= 0 {
		n = min(n, w.To-w.at-int64(len(w.buf)))
	}
	if n <= 0 {
		return true, nil
	}
	had := len(w.buf)
	w.buf = append(w.buf, make([]byte, n)...)
	got, err := io.ReadFull(w.reader, w.buf[had:])
	w.buf = w.buf[:had+got]
	switch {
	case err == nil:
		return false, nil
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), got > 0:
		return true, nil // damaged content is searched as far as it goes
	}
	return true, err
}

// search returns where the first match begins that is not known yet, -1 for none.
func (w *Walk) search() int64 {
	if w.Needle == nil {
		return -1
	}
	for from := 0; from < len(w.buf); {
		start, end := w.Needle.Index(w.buf[from:])
		if start < 0 {
			return -1
		}
		at := w.at + int64(from+start)
		if w.at+int64(from+end) > w.Known {
			w.best = max(w.best, at+1)
			if !w.Last {
				return at
			}
		}
		from += end
	}
	return -1
}
