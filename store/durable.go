package store

import (
	"context"
	"fmt"
	"time"
)

// A commit is two things here: SQLite writes a transaction to the -wal file, which
// makes it visible, and the file is synced, which makes it durable. SQLite would do
// both while it holds the write lock. A writer does the second by itself and from
// another goroutine: while the disk takes one transaction the next is written, and a
// sync is for all that came before it. Nothing is acknowledged before.
//
//	run ──► tape.commit ──► made ──► acknowledge ──► tape.sync ──► queue.committed

// made is a transaction that is committed and not yet known to be durable.
type made struct {
	portion
	batch *batch
	begun time.Time // the commit
}

// maxMade is how many transactions may wait for one sync.
const maxMade = 16

// acknowledge tells of transactions when they are durable. It ends when run has.
func (w *Writer) acknowledge(ctx context.Context) {
	defer close(w.done)
	defer w.queue.end()
	for first := range w.made {
		group := append(make([]*made, 0, maxMade), first)
		for more := true; more && len(group) < maxMade; {
			select {
			case m, ok := <-w.made:
				if more = ok; ok {
					group = append(group, m)
				}
			default:
				more = false
			}
		}
		durable := w.sync(ctx)
		for _, m := range group {
			if durable {
				w.settled(m)
			} else {
				w.lose(m)
			}
		}
	}
}

// settled acknowledges a transaction.
func (w *Writer) settled(m *made) {
	w.flows.Add(uint64(len(m.batch.flows)))
	w.lastCommit.Store(time.Now().UnixNano())
	w.observe(Commit{Flows: len(m.batch.flows), Bytes: m.batch.bytes, Waited: m.begun.Sub(m.oldest), Took: time.Since(m.begun)})
	w.forget(m.batch.messages)
	w.queue.committed(m.entries)
}

// lose gives up what could not be written, or not made durable.
func (w *Writer) lose(m *made) {
	w.lost.Add(uint64(len(m.batch.touched)))
	w.queue.dropped(m.entries)
}

// sync makes what was committed durable, trying until it succeeds; false means that
// the writer closes and the last tries failed as well.
//
// A system may forget what it could not write and call the next sync a success. So
// after a failure it is not asked again: all is copied from the -wal file into the
// session instead, and that is synced.
func (w *Writer) sync(ctx context.Context) bool {
	err := w.tape.sync()
	wait := firstRetry
	for last := 0; err != nil && last < lastTries; wait = min(2*wait, lastRetry) {
		w.queue.refused(fmt.Errorf("sync: %w", err))
		if w.queue.closing() {
			last++
			wait = firstRetry
		}
		_ = rest(ctx, wait) // its context does not end
		err = w.tape.points.foldAll(ctx)
	}
	return err == nil
}
