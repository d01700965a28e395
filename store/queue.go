package store

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// entry is one thing to be written: *flowEntry, *connEntry, *bodyEntry or *messageEntry.
type entry interface {
	// cost is the memory it holds, in bytes, as the queue's bound counts it.
	cost() int64
}

// queue is what stands between those who record and the goroutine that writes.
// It is bounded in bytes, those of what is being written included: put waits
// for room. One flow's bodies and messages are bounded besides, so that a download
// faster than the disk does not fill the queue's memory. Entries leave in the order they came.
type queue struct {
	limits WriterOptions

	mu      sync.Mutex
	entries []entry
	flows   int              // of the entries
	waiting int64            // bytes of the entries
	held    int64            // bytes of the entries and of what is on its way to the disk
	bodies  map[uint64]int64 // of held, bytes of bodies and messages by flow
	came    []time.Time      // when each of the entries did
	last    time.Time        // when a batch was taken, or the queue made
	in, out uint64           // entries that ever came, and that ever were committed
	flushTo uint64           // commit without delay up to this many
	fails   uint64           // failed commits so far
	failed  error            // why the last commit failed, nil if it did not
	urgent  bool             // somebody waits: try again now, whatever failed before
	blocked int              // calls of put that wait for room
	ending  bool             // nobody waits for a disk that refuses any more
	closed  bool             // nothing more gets in
	ended   bool             // nothing more gets out

	turn chan struct{} // closed and replaced whenever a commit ended or the queue closed
	wake chan struct{} // tells the writer to look again; holds one
}

func newQueue(limits WriterOptions) *queue {
	return &queue{
		limits: limits, bodies: map[uint64]int64{}, last: time.Now(),
		turn: make(chan struct{}), wake: make(chan struct{}, 1),
	}
}

// put appends e, waiting for room. An entry larger than the whole bound gets in
// when the queue is empty. assign is called under the queue's lock just before e is
// appended, so that numbers are given in the order of the queue and only to what
// is in it; if it returns false nothing is appended and put returns false.
//
// While commits fail it waits as well: what is recorded is never thrown away for
// a disk that is full. Only once the capture is ending it fails, with [ErrWrite].
func (q *queue) put(ctx context.Context, e entry, assign func() bool) (bool, error) {
	n := e.cost()
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.crowded(e, n) && !q.closed {
		if q.failed != nil && q.ending {
			return false, fmt.Errorf("%w: %w", ErrWrite, q.failed)
		}
		if err := q.await(ctx); err != nil {
			return false, err
		}
	}
	if q.closed {
		return false, fmt.Errorf("the session's writer: %w", ErrClosed)
	}
	if !assign() {
		return false, nil
	}
	q.push(e, n)
	return true, nil
}

// await waits for the next commit, or try at one; q.mu is held before and after.
func (q *queue) await(ctx context.Context) error {
	q.hurry(q.in)
	q.blocked++
	turn := q.turn
	q.mu.Unlock()
	err := await(ctx, turn)
	q.mu.Lock()
	q.blocked--
	return err
}

// crowded reports whether there is no room for e, of cost n. Alone it always has room.
func (q *queue) crowded(e entry, n int64) bool {
	if q.held > 0 && q.held+n > q.limits.QueueBytes {
		return true
	}
	if flow, ok := carries(e); ok {
		own := q.bodies[flow]
		return own > 0 && own+n > q.limits.BodyBytes
	}
	return false
}

// carries returns the flow whose content e is, false where it is none.
func carries(e entry) (flow uint64, ok bool) {
	switch e := e.(type) {
	case *bodyEntry:
		return e.flow, true
	case *messageEntry:
		return e.flow, true
	}
	return 0, false
}

func (q *queue) push(e entry, n int64) {
	if len(q.entries) == 0 {
		q.poke() // the delay begins
	}
	q.entries, q.came = append(q.entries, e), append(q.came, time.Now())
	q.in++
	q.waiting += n
	q.held += n
	if flow, ok := carries(e); ok {
		q.bodies[flow] += n
	} else if _, ok := e.(*flowEntry); ok {
		q.flows++
	}
	if q.full() {
		q.poke()
	}
}

// full reports whether a whole batch waits.
func (q *queue) full() bool {
	return q.flows >= q.limits.BatchFlows || q.waiting >= q.limits.BatchBytes
}

// poke makes next look again. A poke that is already there is as good.
func (q *queue) poke() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// hurry makes what came up to then due without delay; q.mu is held.
func (q *queue) hurry(upto uint64) {
	q.flushTo = max(q.flushTo, upto)
	q.poke()
}

// portion is a batch on its way to the disk.
type portion struct {
	entries []entry
	oldest  time.Time // when the first of them came
}

// next waits until a batch is due and takes it. ok is false when the queue is
// closed and empty.
func (q *queue) next() (b portion, ok bool) {
	for {
		b, wait, ended := q.take()
		if b.entries != nil || ended {
			return b, !ended
		}
		q.rest(wait)
	}
}

// empty reports whether all that came is on disk.
func (q *queue) empty() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.held == 0
}

// rest waits to be poked, at most so long; 0 is for ever.
func (q *queue) rest(wait time.Duration) {
	if wait <= 0 {
		<-q.wake
		return
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-q.wake:
	case <-t.C:
	}
}

// take takes the batch that is due, or says how long until one is; 0 is for ever.
func (q *queue) take() (b portion, wait time.Duration, ended bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.entries) == 0 {
		return portion{}, 0, q.closed
	}
	if !q.full() && !q.closed && q.flushTo <= q.in-uint64(len(q.entries)) {
		// What comes after a pause is written at once: so much later than the batch before
		// it there is nothing to gain by waiting.
		since := q.came[0]
		if q.last.Before(since) {
			since = q.last
		}
		if left := q.limits.BatchDelay - time.Since(since); left > 0 {
			return portion{}, left, false
		}
	}
	n, flows, bytes := q.prefix()
	b = portion{entries: q.entries[:n:n], oldest: q.came[0]}
	q.last = time.Now()
	if q.entries, q.came = q.entries[n:], q.came[n:]; len(q.entries) == 0 {
		q.entries, q.came = nil, nil
	}
	q.flows -= flows
	q.waiting -= bytes
	return b, 0, false
}

// prefix measures the next batch: all that waits, cut where a limit is reached.
func (q *queue) prefix() (n, flows int, bytes int64) {
	for _, e := range q.entries {
		if flows >= q.limits.BatchFlows || bytes >= q.limits.BatchBytes {
			break
		}
		if _, ok := e.(*flowEntry); ok {
			flows++
		}
		bytes += e.cost()
		n++
	}
	return n, flows, bytes
}

// dropped gives back the room of a batch that was given up.
func (q *queue) dropped(b []entry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.release(b)
	q.turned()
}

// release gives back room; q.mu is held.
func (q *queue) release(b []entry) {
	for _, e := range b {
		n := e.cost()
		q.held -= n
		if flow, ok := carries(e); ok {
			if q.bodies[flow] -= n; q.bodies[flow] <= 0 {
				delete(q.bodies, flow)
			}
		}
	}
}

// committed gives back the room of a batch that is on disk.
func (q *queue) committed(b []entry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.release(b)
	q.out += uint64(len(b))
	q.failed = nil
	q.turned()
}

// refused notes that a batch could not be written; it still takes its room.
func (q *queue) refused(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.failed = err
	q.fails++
	q.turned()
}

// turned wakes all who wait for a change; q.mu is held.
func (q *queue) turned() {
	close(q.turn)
	q.turn = make(chan struct{})
}

// close lets nothing more in. What is in will still be taken.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed, q.urgent = true, true
	q.turned()
	q.poke()
}

// closing reports whether nothing more gets in.
func (q *queue) closing() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed
}

// giveUp lets nobody wait any more for a disk that refuses.
func (q *queue) giveUp() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ending, q.urgent = true, true
	q.turned()
	q.poke()
}

// pause waits before another try at what was refused, at most d: a flush or the
// end cuts it short. It returns whether the queue is closed.
func (q *queue) pause(d time.Duration) (closing bool) {
	for end := time.Now().Add(d); ; {
		q.mu.Lock()
		urgent, closed := q.urgent, q.closed
		q.urgent = false
		q.mu.Unlock()
		left := time.Until(end)
		if urgent || left <= 0 {
			return closed
		}
		q.rest(left)
	}
}

// end says that nothing more will be written, whatever is left.
func (q *queue) end() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ended = true
	q.turned()
}

// flush waits until all that is in the queue now is committed. It fails when a
// commit does, though what was queued stays queued.
func (q *queue) flush(ctx context.Context) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	target, fails := q.in, q.fails
	q.urgent = true
	q.hurry(target)
	for q.out < target {
		switch {
		case q.failed != nil && q.fails != fails:
			return fmt.Errorf("%w: %w", ErrWrite, q.failed)
		case q.ended:
			return fmt.Errorf("the session's writer: %w", ErrClosed)
		}
		turn := q.turn
		q.mu.Unlock()
		err := await(ctx, turn)
		q.mu.Lock()
		if err != nil {
			return err
		}
	}
	return nil
}

// await waits for c to be closed or ctx to end.
func await(ctx context.Context, c <-chan struct{}) error {
	select {
	case <-c:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
