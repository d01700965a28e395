package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	flowpb "weir/proto"
	"weir/store/lock"
)

// WriterOptions bound the queue and the batches of a [Writer]. The zero value of
// each field is its default.
type WriterOptions struct {
	QueueBytes int64         // memory of what is not on disk yet; 8 MB: four batches
	BodyBytes  int64         // of that, for the bodies and messages of one flow; 1 MB
	BatchFlows int           // flows a transaction at most; 512
	BatchBytes int64         // bytes a transaction at most, about; 2 MB
	BatchDelay time.Duration // how long something waits for company at most; 50 ms
	// CompactAfter is how long nothing must have been recorded before the session is
	// compacted in the background; 1 s. Below 0 it never is.
	CompactAfter time.Duration
	// Observe, if set, is told of each transaction once it is on disk, by the goroutine that syncs, which waits for it.
	Observe func(Commit)
}

// Commit is a transaction that is on disk.
type Commit struct {
	Flows  int           // heads in it
	Bytes  int64         // of memory that its content took in the queue
	Waited time.Duration // how long the oldest of it was in the queue, at most
	Took   time.Duration // from the beginning of the transaction until it was durable
}

func (o WriterOptions) withDefaults() WriterOptions {
	if o.QueueBytes <= 0 {
		o.QueueBytes = 8 << 20
	}
	if o.BodyBytes <= 0 {
		o.BodyBytes = 1 << 20
	}
	if o.BatchFlows <= 0 {
		o.BatchFlows = 512
	}
	if o.BatchBytes <= 0 {
		o.BatchBytes = 2 << 20
	}
	if o.BatchDelay <= 0 {
		o.BatchDelay = 50 * time.Millisecond
	}
	if o.CompactAfter == 0 {
		o.CompactAfter = time.Second
	}
	return o
}

// Tries after a failed commit: the pause doubles between the two, and after Close
// so many more tries are made before what is left is given up.
const (
	firstRetry = 100 * time.Millisecond
	lastRetry  = 2 * time.Second
	lastTries  = 3
)

// Writer records into a session. Each method returns once what it was given is in
// the queue, and waits while that is full: the disk's pace becomes the capture's.
// [Writer.Flush] waits for the disk.
//
// One goroutine, which ends in Close, writes the queue in transactions (see
// [WriterOptions]), another one syncs them, and a third one compacts the session while the queue is empty. When the disk refuses, it keeps what it has and tries again;
// the queue then fills up, after which calls fail with [ErrWrite] instead of
// waiting, until a try succeeds.
//
// A Writer is safe for concurrent use. What one goroutine records is written in
// that order.
type Writer struct {
	s     *Session
	queue *queue
	lock  *lock.Lock
	tape  *tape
	made  chan *made    // transactions that are to be made durable
	done  chan struct{} // closed when the goroutines ended
	idle  *idleCompactor

	buffers buffers // of body entries

	mu       sync.Mutex // of the fields below; taken under the queue's lock, never around it
	lastFlow uint64     // the last id given
	lastConn uint64
	counters map[uint64]*counter // of flows with messages
	known    map[[sha256.Size]byte]struct{}
	full     map[uint64]struct{} // flows with a body that takes no more

	finding sync.Mutex // held while a counter is looked up: no two lookups overtake each other

	flows      atomic.Uint64 // on disk
	lost       atomic.Uint64
	lastCommit atomic.Int64

	closing sync.Once
	result  error // what Close returns
}

// counter numbers the messages of a flow; guarded by Writer.mu.
type counter struct {
	last   uint64 // sequence
	queued int    // messages in the queue
}

// Bounds of what a writer remembers. All of it can be found in the file again.
const (
	maxCounters  = 4096
	maxKnown     = 16384 // certificates
	maxBodyTails = 4096
)

// NewWriter begins to record into the session. A file has one writer at a time,
// in whatever process: a second one gets [lock.ErrCapturing]. The context bounds the
// opening only.
func (s *Session) NewWriter(ctx context.Context, o WriterOptions) (*Writer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return nil, fmt.Errorf("write session %q: %w", s.path, ErrClosed)
	case s.readOnly:
		return nil, fmt.Errorf("write session %q: %w", s.path, ErrReadOnly)
	}
	if s.bulk {
		o = o.inBulk()
	}
	w, err := s.newWriter(ctx, o.withDefaults())
	if err != nil {
		return nil, fmt.Errorf("write session %q: %w", s.path, err)
	}
	s.writer = w
	return w, nil
}

func (s *Session) newWriter(ctx context.Context, o WriterOptions) (_ *Writer, err error) {
	w := &Writer{
		s: s, queue: newQueue(o), made: make(chan *made, maxMade), done: make(chan struct{}),
		buffers:  buffers{most: int(o.BatchBytes)},
		counters: map[uint64]*counter{}, known: map[[sha256.Size]byte]struct{}{}, full: map[uint64]struct{}{},
	}
	if w.lock, err = lock.Take(s.path); err != nil {
		return nil, err
	}
	if w.tape, err = newTape(ctx, s, w.overflow); err != nil {
		return nil, errors.Join(err, w.lock.Release())
	}
	err = w.tape.conn.QueryRowContext(ctx, "SELECT ("+highestID+"), (SELECT coalesce(max(id), 0) FROM conn)").Scan(&w.lastFlow, &w.lastConn)
	if err != nil {
		return nil, errors.Join(err, w.tape.close(), w.lock.Release())
	}
	// The goroutines outlive the opening; Close ends them.
	go w.run(context.WithoutCancel(ctx))
	go w.acknowledge(context.WithoutCancel(ctx))
	w.idle = newIdleCompactor(context.WithoutCancel(ctx), w, o.CompactAfter)
	return w, nil
}

// Flow records the head f as it is now. With f.Id 0 it is a new flow and gets its
// id, the next one; else it replaces the head of that flow, which must be one of
// this session. What becomes of f afterwards is the caller's business.
func (w *Writer) Flow(ctx context.Context, f *flowpb.Flow) error {
	return w.record(ctx, &flowEntry{fresh: f.GetId() == 0}, f)
}

// record queues the head f by e.
func (w *Writer) record(ctx context.Context, e *flowEntry, f *flowpb.Flow) (err error) {
	e.summary = flowpb.Summarize(f)
	if e.blob, err = flowpb.Encode(nil, f); err != nil {
		return fmt.Errorf("record flow: %w", err)
	}
	if len(e.blob) > flowpb.MaxHead {
		return fmt.Errorf("record flow: a head of %d bytes: %w", len(e.blob), ErrLimit)
	}
	e.size += entryCost + int64(len(e.blob))
	known := true
	_, err = w.queue.put(ctx, e, func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		if e.fresh {
			w.lastFlow++
			e.summary.ID = w.lastFlow
		}
		known = e.summary.ID <= w.lastFlow
		return known
	})
	switch {
	case err != nil:
		if errors.Is(err, ErrWrite) && e.fresh {
			w.lost.Add(1)
		}
		return fmt.Errorf("record flow: %w", err)
	case !known:
		return fmt.Errorf("record flow %d: %w", f.GetId(), ErrNotFound)
	}
	f.Id = e.summary.ID
	return nil
}

// Flush returns when all that was recorded before it is on disk, as durably as the
// session's [Synchronous] says, or with the reason why it is not.
func (w *Writer) Flush(ctx context.Context) error { return w.queue.flush(ctx) }

// GiveUp says that the capture ends: from now on a call that finds the queue full fails
// with [ErrWrite] if the disk refuses to take anything, and so do those that wait. A disk that is only slow is still waited for.
func (w *Writer) GiveUp() { w.queue.giveUp() }

// WriterStats tells how a writer is doing.
type WriterStats struct {
	QueuedBytes int64     // memory of what is not on disk yet
	QueuedFlows int       // heads among that, the batch being written excepted
	Flows       uint64    // heads written, each update counted
	Highest     uint64    // the last id that was given to a flow; 0: none was
	Lost        uint64    // flows that were not taken in, were given up at the end, or are not whole
	LastCommit  time.Time // zero: none yet
	Err         error     // why the last commit failed, nil if it did not; wraps ErrFull where that is why
	Waiting     int       // calls that wait for room in the queue
}

// Stats returns the present figures; it never waits for the disk.
func (w *Writer) Stats() WriterStats {
	w.queue.mu.Lock()
	st := WriterStats{QueuedBytes: w.queue.held, QueuedFlows: w.queue.flows, Err: w.queue.failed, Waiting: w.queue.blocked}
	w.queue.mu.Unlock()
	w.mu.Lock()
	st.Highest = w.lastFlow
	w.mu.Unlock()
	st.Flows, st.Lost = w.flows.Load(), w.lost.Load()
	if at := w.lastCommit.Load(); at != 0 {
		st.LastCommit = time.Unix(0, at)
	}
	return st
}

// Close writes what is queued and ends the writer. The error tells of flows that
// could not be written. Closing again returns the same.
func (w *Writer) Close() error {
	w.closing.Do(func() {
		w.idle.close()
		w.queue.close()
		<-w.done
		if n := w.lost.Load(); n > 0 {
			w.result = fmt.Errorf("close the writer of session %q: %d flows not recorded, or not whole: %w", w.s.path, n, ErrWrite)
		}
		if err := errors.Join(w.tape.close(), w.lock.Release()); err != nil && w.result == nil {
			w.result = fmt.Errorf("close the writer of session %q: %w", w.s.path, err)
		}
		w.s.mu.Lock()
		defer w.s.mu.Unlock()
		if w.s.writer == w {
			w.s.writer, w.s.bulk = nil, false
		}
	})
	return w.result
}

// run writes batches until the queue is closed and empty.
func (w *Writer) run(ctx context.Context) {
	defer close(w.made)
	for {
		b, ok := w.queue.next()
		if !ok {
			return
		}
		m := &made{portion: b, batch: fold(b.entries), begun: time.Now()}
		if w.write(ctx, m.batch) {
			w.reuse(m)
			w.made <- m
		} else {
			w.lose(m)
		}
	}
}

// reuse gives back what bodies were copied into: SQLite has copied it once more.
func (w *Writer) reuse(m *made) {
	m.batch.bodies = nil
	for _, e := range m.entries {
		switch e := e.(type) {
		case *bodyEntry:
			w.takeBack(e)
		case *flowEntry:
			for _, b := range e.bodies {
				w.takeBack(b)
			}
		}
	}
}

func (w *Writer) takeBack(e *bodyEntry) {
	w.buffers.give(e.data)
	e.data = nil
}

// observe tells whoever wants to know of each transaction.
func (w *Writer) observe(c Commit) {
	if w.queue.limits.Observe != nil {
		w.queue.limits.Observe(c)
	}
}

// write commits b, trying until it succeeds; false means that the writer closes
// and the last tries failed as well.
func (w *Writer) write(ctx context.Context, b *batch) bool {
	wait := firstRetry
	for last := 0; last < lastTries; wait = min(2*wait, lastRetry) {
		err := w.tape.commit(ctx, b)
		if err == nil {
			return true
		}
		w.queue.refused(err)
		if w.queue.pause(wait) {
			last++
			wait = firstRetry
		}
	}
	return false
}
