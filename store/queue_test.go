package store

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// sized is an entry of so many bytes.
func sized(n int64) *bodyEntry { return &bodyEntry{room: n - entryCost} }

func always() bool { return true }

// mustPut puts an entry that there is room for.
func mustPut(t *testing.T, q *queue, e entry) {
	t.Helper()
	if ok, err := q.put(t.Context(), e, always); !ok || err != nil {
		t.Fatalf("put: got %v, %v, want true, nil", ok, err)
	}
}

// taken is a batch and when it was handed out.
type taken struct {
	entries int
	after   time.Duration
}

// takeAll plays the writer: it takes batches and commits each in no time.
func takeAll(q *queue, got chan<- taken) {
	begin := time.Now()
	for {
		b, ok := q.next()
		if !ok {
			close(got)
			return
		}
		got <- taken{len(b.entries), time.Since(begin)}
		q.committed(b.entries)
	}
}

func TestQueueHandsOutBatches(t *testing.T) {
	limits := WriterOptions{QueueBytes: 1 << 30, BodyBytes: 1 << 30, BatchFlows: 3, BatchBytes: 10_000, BatchDelay: 50 * time.Millisecond}
	flow := func() entry { return &flowEntry{size: 600} }
	for _, c := range []struct {
		name string
		do   func(t *testing.T, q *queue)
		want []taken
	}{
		{"one entry waits its delay", func(t *testing.T, q *queue) {
			mustPut(t, q, flow())
			time.Sleep(time.Second)
		}, []taken{{1, 50 * time.Millisecond}}},
		{"the delay counts from the first entry", func(t *testing.T, q *queue) {
			mustPut(t, q, flow())
			time.Sleep(40 * time.Millisecond)
			mustPut(t, q, flow())
			time.Sleep(time.Second)
		}, []taken{{2, 50 * time.Millisecond}}},
		{"enough flows do not wait", func(t *testing.T, q *queue) {
			for range 7 {
				mustPut(t, q, flow())
			}
			time.Sleep(time.Second)
		}, []taken{{3, 0}, {3, 0}, {1, 50 * time.Millisecond}}},
		{"enough bytes do not wait", func(t *testing.T, q *queue) {
			for range 3 {
				mustPut(t, q, sized(6_000))
			}
			time.Sleep(time.Second)
		}, []taken{{2, 0}, {1, 50 * time.Millisecond}}},
		{"a flush does not wait", func(t *testing.T, q *queue) {
			mustPut(t, q, flow())
			time.Sleep(10 * time.Millisecond)
			if err := q.flush(t.Context()); err != nil {
				t.Error(err)
			}
		}, []taken{{1, 10 * time.Millisecond}}},
		{"closing does not wait", func(t *testing.T, q *queue) {
			mustPut(t, q, flow())
			time.Sleep(10 * time.Millisecond)
		}, []taken{{1, 10 * time.Millisecond}}},
		{"nothing to flush", func(t *testing.T, q *queue) {
			if err := q.flush(t.Context()); err != nil {
				t.Error(err)
			}
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := newQueue(limits)
				got := make(chan taken, 10)
				go takeAll(q, got)
				c.do(t, q)
				q.close()
				var all []taken
				for b := range got {
					all = append(all, b)
				}
				// Entries that come at the same instant may be taken one batch earlier or
				// later; the number of batches and their times are what is promised.
				if len(all) != len(c.want) {
					t.Fatalf("got batches %v, want %v", all, c.want)
				}
				for i := range all {
					if all[i] != c.want[i] {
						t.Errorf("batch %d: got %v, want %v", i, all[i], c.want[i])
					}
				}
			})
		})
	}
}

func TestQueueWaitsForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(WriterOptions{QueueBytes: 2000, BodyBytes: 2000, BatchFlows: 9, BatchBytes: 1, BatchDelay: time.Hour})
		mustPut(t, q, sized(1500))
		done := make(chan error, 1)
		go func() {
			_, err := q.put(t.Context(), sized(1500), always)
			done <- err
		}()
		synctest.Wait()
		b, _ := q.next()
		synctest.Wait()
		select {
		case err := <-done:
			t.Fatalf("put returned %v while the batch before was still being written", err)
		default:
		}
		q.committed(b.entries)
		if err := <-done; err != nil {
			t.Errorf("put with room: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if ok, err := q.put(ctx, sized(1500), always); ok || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("put with an ended context: got %v, %v, want false, %v", ok, err, context.DeadlineExceeded)
		}
	})
}

// TestQueueBoundsABody sees that a fast body waits while others get in.
func TestQueueBoundsABody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(WriterOptions{QueueBytes: 1 << 30, BodyBytes: 2000, BatchFlows: 9, BatchBytes: 1, BatchDelay: time.Hour})
		mustPut(t, q, sized(1500))
		done := make(chan error, 1)
		go func() {
			_, err := q.put(t.Context(), sized(1500), always)
			done <- err
		}()
		synctest.Wait()
		other := sized(1500)
		other.flow = 7
		mustPut(t, q, other)
		mustPut(t, q, &flowEntry{size: 600})
		b, _ := q.next()
		q.committed(b.entries)
		if err := <-done; err != nil {
			t.Errorf("the second part of the body: %v", err)
		}
		for len(q.entries) > 0 {
			b, _ := q.next()
			q.committed(b.entries)
		}
		if q.held != 0 || len(q.bodies) != 0 {
			t.Errorf("held at the end: got %d bytes, %v, want nothing", q.held, q.bodies)
		}
	})
}

// TestQueueBoundsMessages counts a flow's messages with its bodies.
func TestQueueBoundsMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(WriterOptions{QueueBytes: 1 << 30, BodyBytes: 2000, BatchFlows: 9, BatchBytes: 1, BatchDelay: time.Hour})
		message := func(flow uint64) *messageEntry { return &messageEntry{flow: flow, content: make([]byte, 1500)} }
		body := sized(1500)
		body.flow = 3
		mustPut(t, q, message(3))
		mustPut(t, q, message(4))
		for _, e := range []entry{message(3), body} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if ok, err := q.put(ctx, e, always); ok || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("more of the flow: got %v, %v, want it to wait", ok, err)
			}
			cancel()
		}
		for len(q.entries) > 0 {
			b, _ := q.next()
			q.committed(b.entries)
		}
		if len(q.bodies) != 0 {
			t.Errorf("held at the end: got %v, want nothing", q.bodies)
		}
	})
}

func TestQueueTakesWhatIsLargerThanItself(t *testing.T) {
	q := newQueue(WriterOptions{QueueBytes: 1000, BodyBytes: 10, BatchFlows: 1, BatchBytes: 1, BatchDelay: time.Hour})
	mustPut(t, q, sized(100_000))
}

// TestQueueWhileCommitsFail sees that a flush is told, that what there is no room for
// waits, and that it gets in when commits succeed again.
func TestQueueWhileCommitsFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(WriterOptions{QueueBytes: 2000, BodyBytes: 2000, BatchFlows: 9, BatchBytes: 1, BatchDelay: time.Hour})
		mustPut(t, q, sized(1500))
		flushed, put := make(chan error, 1), make(chan error, 1)
		go func() { flushed <- q.flush(t.Context()) }()
		go func() {
			_, err := q.put(t.Context(), sized(1500), always)
			put <- err
		}()
		synctest.Wait()
		b, _ := q.next()
		cause := errors.New("no space")
		for range 3 {
			q.refused(cause)
			synctest.Wait()
		}
		if err := <-flushed; !errors.Is(err, ErrWrite) || !errors.Is(err, cause) {
			t.Errorf("flush while a commit fails: got %v, want %v and %v", err, ErrWrite, cause)
		}
		select {
		case err := <-put:
			t.Fatalf("put while commits fail: got %v, want it to wait", err)
		default:
		}
		if q.blocked != 1 {
			t.Errorf("calls that wait: got %d, want 1", q.blocked)
		}
		q.committed(b.entries)
		if err := <-put; err != nil {
			t.Errorf("put when a commit succeeds again: %v", err)
		}
		if b, ok := q.next(); !ok || len(b.entries) != 1 || q.blocked != 0 {
			t.Errorf("afterwards: got %d entries, %v, %d waiting, want the one that waited", len(b.entries), ok, q.blocked)
		}
	})
}

// TestQueueThatGivesUp sees that nobody waits for a failing disk any more once the
// capture ends, but for a slow one.
func TestQueueThatGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(WriterOptions{QueueBytes: 2000, BodyBytes: 2000, BatchFlows: 9, BatchBytes: 1, BatchDelay: time.Hour})
		mustPut(t, q, sized(1500))
		b, _ := q.next()
		put := make(chan error, 1)
		again := func() {
			_, err := q.put(t.Context(), sized(1500), always)
			put <- err
		}
		go again()
		q.giveUp()
		synctest.Wait()
		select {
		case err := <-put:
			t.Fatalf("put while the disk is slow: got %v, want it to wait", err)
		default:
		}
		cause := errors.New("no space")
		q.refused(cause)
		if err := <-put; !errors.Is(err, ErrWrite) || !errors.Is(err, cause) {
			t.Errorf("put that waits when a commit fails: got %v, want %v and %v", err, ErrWrite, cause)
		}
		go again()
		if err := <-put; !errors.Is(err, ErrWrite) {
			t.Errorf("put after that: got %v, want %v", err, ErrWrite)
		}
		q.committed(b.entries)
		mustPut(t, q, sized(1500))
		q.close()
		if ok, err := q.put(t.Context(), sized(600), always); ok || !errors.Is(err, ErrClosed) {
			t.Errorf("put after close: got %v, %v, want false, %v", ok, err, ErrClosed)
		}
		if b, ok := q.next(); !ok || len(b.entries) != 1 {
			t.Errorf("next after close: got %d entries, %v, want what was in", len(b.entries), ok)
		} else {
			q.committed(b.entries)
		}
		if _, ok := q.next(); ok {
			t.Error("next after the last: got true, want false")
		}
	})
}

func TestQueuePausesUntilSomebodyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(WriterOptions{QueueBytes: 2000, BodyBytes: 2000, BatchFlows: 9, BatchBytes: 1, BatchDelay: time.Hour})
		begin := time.Now()
		if closing := q.pause(time.Second); closing || time.Since(begin) != time.Second {
			t.Errorf("pause: got %v after %v, want false after 1s", closing, time.Since(begin))
		}
		go func() {
			time.Sleep(10 * time.Millisecond)
			mustPut(t, q, sized(600)) // nobody waits for that
			time.Sleep(10 * time.Millisecond)
			q.close()
		}()
		begin = time.Now()
		if closing := q.pause(time.Second); !closing || time.Since(begin) != 20*time.Millisecond {
			t.Errorf("pause cut short: got %v after %v, want true after 20ms", closing, time.Since(begin))
		}
	})
}

// TestQueueRefusedByAssign sees that what gets no number is not in the queue.
func TestQueueRefusedByAssign(t *testing.T) {
	q := newQueue(WriterOptions{QueueBytes: 2000, BodyBytes: 2000, BatchFlows: 9, BatchBytes: 1, BatchDelay: time.Hour})
	if ok, err := q.put(t.Context(), sized(600), func() bool { return false }); ok || err != nil {
		t.Errorf("put: got %v, %v, want false, nil", ok, err)
	}
	if q.held != 0 || len(q.entries) != 0 {
		t.Errorf("the queue holds %d bytes in %d entries, want nothing", q.held, len(q.entries))
	}
}
