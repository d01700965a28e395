package flowdetail

import (
	"context"
	"errors"
	"io"

	tea "charm.land/bubbletea/v2"
)

// walk goes through content that is not shown, from one place to another, for a
// match or for the content's end. It does so in steps, each a command; between
// two steps it travels in the message, so that only one owner has it.
type walk struct {
	origin   origin
	needle   *needle  // nil: only the end is wanted
	from, to int64          // to < 0: to the end
	known    int64          // matches that end here or before are shown already
	last     bool           // the last match is wanted, not the first

	reader io.ReadCloser // opened by the first step
	buf    []byte        // the content that was read last, and
	at     int64         // where it begins
	passed int64         // bytes as stored, for the progress
	best   int64         // the last match so far, -1 for none
}

// walked is the report of a step.
type walked struct {
	opened, asked uint64
	walk          *walk
	done          bool
	match         int64 // -1: none
	size          int64 // of the content, where done and to < 0
	err           error
}

// start begins a walk; the user sees it in the bar and can end it.
func (m *Model) start(w *walk) tea.Cmd {
	m.stop()
	m.generation++
	m.search.walking, m.search.progress = m.generation, 0
	scope, cancel := m.scope.Scope()
	m.search.scope, m.search.cancel = scope, cancel
	w.best = -1
	return m.step(w)
}

// stop ends the walk that goes on, and reports whether there was one.
func (m *Model) stop() bool {
	if m.search.walking == 0 {
		return false
	}
	m.search.cancel()
	m.search.walking = 0
	return true
}

func (m *Model) step(w *walk) tea.Cmd {
	opened, asked := m.opened, m.search.walking
	return m.search.scope.Do(func(ctx context.Context) tea.Msg {
		msg := w.step(ctx)
		msg.opened, msg.asked, msg.walk = opened, asked, w
		if msg.done || msg.err != nil || ctx.Err() != nil {
			w.close()
		}
		return msg
	})
}

// step reads on for a while.
func (w *walk) step(ctx context.Context) walked {
	if err := w.open(ctx); err != nil {
		return walked{match: -1, err: err}
	}
	for range walkStep / readStep {
		end, err := w.read()
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return walked{match: -1, err: err}
		}
		if at := w.search(); at >= 0 && !w.last {
			return walked{done: true, match: at}
		}
		if end {
			return walked{done: true, match: w.best, size: w.at + int64(len(w.buf))}
		}
	}
	return walked{match: -1}
}

func (w *walk) open(ctx context.Context) error {
	if w.reader != nil {
		return nil
	}
	w.at = w.from
	passed := func(n int64) { w.passed = n }
	if len(w.origin.codings) == 0 {
		w.reader = io.NopCloser(w.origin.stored(ctx, w.from, passed))
		return nil
	}
	r, err := w.origin.open(ctx, passed)
	if err != nil {
		return err
	}
	w.reader = r
	_, err = io.CopyN(io.Discard, r, w.from)
	return ctxOr(ctx, err)
}

// close frees the reader; a walk that was dropped between two steps has nothing
// that must be freed but memory.
func (w *walk) close() {
	if w.reader != nil {
		w.reader.Close()
	}
}

// read appends what comes next to the end of what was read before, of which it
// keeps as much as a match may span.
func (w *walk) read() (end bool, err error) {
	if cut := len(w.buf) - overlap; cut > 0 {
		w.at += int64(cut)
		w.buf = append(w.buf[:0], w.buf[cut:]...)
	}
	n := int64(readStep)
	if w.to >= 0 {
		n = min(n, w.to-w.at-int64(len(w.buf)))
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
func (w *walk) search() int64 {
	if w.needle == nil {
		return -1
	}
	for from := 0; from < len(w.buf); {
		start, end := w.needle.index(w.buf[from:])
		if start < 0 {
			return -1
		}
		at := w.at + int64(from+start)
		if w.at+int64(from+end) > w.known {
			w.best = max(w.best, at)
			if !w.last {
				return at
			}
		}
		from += end
	}
	return -1
}
