package store

import (
	"context"
	"errors"
	"time"

	"weir/store/compact"
)

// idleCompactor compacts a session while its writer has nothing to do: it begins when
// nothing was recorded for a while, and stands still at its next step, which is some
// milliseconds away, when something comes. Its goroutine ends in close.
type idleCompactor struct {
	w      *Writer
	quiet  time.Duration // that nothing must have come for
	opened time.Time
	cancel context.CancelFunc
	done   chan struct{}
}

const (
	// compactRetry is the wait after a compaction that failed: the disk is full, perhaps.
	compactRetry = time.Minute
	// compactPinned is the wait for a reader that keeps the -wal file from being folded.
	compactPinned = time.Second
)

func newIdleCompactor(ctx context.Context, w *Writer, quiet time.Duration) *idleCompactor {
	ctx, cancel := context.WithCancel(ctx)
	i := &idleCompactor{w: w, quiet: quiet, opened: time.Now(), cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(i.done)
		if quiet >= 0 {
			i.run(ctx)
		}
	}()
	return i
}

// run compacts once for each time that something was written, and once before.
func (i *idleCompactor) run(ctx context.Context) {
	for {
		next, closed := i.w.s.feed.watch()
		if closed {
			return
		}
		if err := i.once(ctx); err != nil && rest(ctx, compactRetry) != nil {
			return
		}
		select {
		case <-next:
		case <-ctx.Done():
			return
		}
	}
}

// once compacts as much as there is.
func (i *idleCompactor) once(ctx context.Context) (err error) {
	if err := i.pause(ctx, func() {}); err != nil {
		return err
	}
	points := i.w.tape.points
	var c *compact.Compactor
	pause := func(ctx context.Context) error { return i.pause(ctx, func() { c.Rest(ctx) }) }
	c, db, err := i.w.s.compactor(ctx, compact.Options{Pause: pause, Wrote: points.wrote})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := c.Run(ctx); err != nil {
		return err
	}
	if c.Done().Pages > 0 {
		points.soon() // only then the file is shorter
	}
	return nil
}

// pause returns when the writer is idle. Where it is not, begin is called first: what a
// compaction holds in memory is not to be beside what a capture needs.
func (i *idleCompactor) pause(ctx context.Context, begin func()) error {
	for waited := false; ; waited = true {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		wait := i.wait()
		if wait <= 0 && i.w.tape.points.pinned(ctx) {
			wait = compactPinned
		}
		if wait <= 0 {
			return nil
		}
		if !waited {
			begin()
		}
		if err := rest(ctx, wait); err != nil {
			return err
		}
	}
}

// wait is how long the compactor has to wait at least.
func (i *idleCompactor) wait() time.Duration {
	if !i.w.queue.empty() {
		return max(i.quiet, time.Millisecond)
	}
	last := i.opened
	if at := i.w.lastCommit.Load(); at != 0 {
		last = time.Unix(0, at)
	}
	return i.quiet - time.Since(last)
}

// close ends the goroutine.
func (i *idleCompactor) close() {
	i.cancel()
	<-i.done
}
