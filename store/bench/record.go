package bench

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"weir/store"
)

// Recording is how a writer did.
type Recording struct {
	Flows          int     `json:"flows"`
	Seconds        float64 `json:"seconds"` // until the last one was on disk
	FlowsPerSecond float64 `json:"flows_per_second"`
	BytesPerSecond float64 `json:"bytes_per_second"` // of payload
	Transactions   int     `json:"transactions"`
	Commit         Spread  `json:"commit"` // one transaction
	Delay          Spread  `json:"delay"`  // from the call that recorded the oldest of a transaction until it is on disk
	QueueBytes     int64   `json:"queue_bytes"`
	QueueFlows     int     `json:"queue_flows"` // the most seen waiting
	WALBytes       int64   `json:"wal_bytes"`   // the largest seen
	RSSBytes       uint64  `json:"rss_bytes"`   // the most seen
	PayloadBytes   int64   `json:"payload_bytes"`
	FileBytes      int64   `json:"file_bytes"`
	FileRatio      float64 `json:"file_ratio"` // file to payload
}

// record makes a session at path and streams flows into it. What is beside runs at
// the same time, until its context ends.
func (o Stream) record(ctx context.Context, path string, beside ...func(context.Context) error) (r Recording, err error) {
	s, err := store.Create(ctx, path, store.Options{Synchronous: o.Sync})
	if err != nil {
		return r, err
	}
	if err := errors.Join(o.fill(ctx, s, &r, beside), s.Close()); err != nil {
		return r, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return r, err
	}
	r.FileBytes = info.Size()
	if r.PayloadBytes, err = payload(ctx, path); err != nil {
		return r, err
	}
	r.FileRatio = float64(r.FileBytes) / float64(r.PayloadBytes)
	r.BytesPerSecond = float64(r.PayloadBytes) / r.Seconds
	return r, nil
}

// pour streams flows into a session that is there.
func (o Stream) pour(ctx context.Context) (r Recording, err error) {
	s, err := store.Open(ctx, o.Into, store.Options{Synchronous: o.Sync})
	if err != nil {
		return r, err
	}
	return r, errors.Join(o.fill(ctx, s, &r, nil), s.Close())
}

// fill streams flows into a session and watches how that goes.
func (o Stream) fill(ctx context.Context, s *store.Session, r *Recording, beside []func(context.Context) error) error {
	watch := &watcher{path: s.Path(), rss: o.RSS, report: r}
	w, err := s.NewWriter(ctx, store.WriterOptions{BatchFlows: o.Batch, BatchDelay: o.Flush, Observe: watch.committed})
	if err != nil {
		return err
	}
	err = together(ctx, append(beside, watch.sampler(w)), func(ctx context.Context) error { return o.stream(ctx, w, r) })
	if err = errors.Join(err, w.Close()); err != nil {
		return err
	}
	r.Commit, r.Delay, r.Transactions = spread(watch.took), spread(watch.delay), len(watch.took)
	return nil
}

// together runs main with others beside it, whose context ends when main does. Their
// goroutines are waited for.
func together(ctx context.Context, others []func(context.Context) error, main func(context.Context) error) error {
	aside, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	failed := make([]error, len(others))
	for i, other := range others {
		all.Go(func() { failed[i] = other(aside) })
	}
	err := main(ctx)
	cancel()
	all.Wait()
	return errors.Join(err, errors.Join(failed...))
}

// stream records until enough is recorded, and times it.
func (o Stream) stream(ctx context.Context, w *store.Writer, r *Recording) error {
	from := newSource(o.BodySize)
	began := time.Now()
	pace := &pacer{rate: o.Rate, began: began}
	for n := 0; o.more(n, began); n++ {
		if err := pace.wait(ctx, n); err != nil {
			return err
		}
		if err := from.record(ctx, w, n); err != nil {
			return err
		}
		r.Flows++
	}
	if err := w.Flush(ctx); err != nil {
		return err
	}
	r.Seconds = time.Since(began).Seconds()
	r.FlowsPerSecond = float64(r.Flows) / r.Seconds
	return nil
}

// more reports whether flow n is still wanted.
func (o Stream) more(n int, began time.Time) bool {
	return (o.Flows <= 0 || n < o.Flows) && (o.For <= 0 || time.Since(began) < o.For)
}

// watcher sees what happens while flows are recorded.
type watcher struct {
	path        string
	rss         func() uint64
	report      *Recording      // the sampler's fields are written by its goroutine only
	took, delay []time.Duration // written by the writer's goroutine; read after its end
}

func (w *watcher) committed(c store.Commit) {
	w.took = append(w.took, c.Took)
	w.delay = append(w.delay, c.Waited+c.Took)
}

// sampler looks now and then at what has no events.
func (w *watcher) sampler(of *store.Writer) func(context.Context) error {
	return func(ctx context.Context) error {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			st := of.Stats()
			w.report.QueueBytes = max(w.report.QueueBytes, st.QueuedBytes)
			w.report.QueueFlows = max(w.report.QueueFlows, st.QueuedFlows)
			w.report.RSSBytes = max(w.report.RSSBytes, w.rss())
			if info, err := os.Stat(w.path + "-wal"); err == nil {
				w.report.WALBytes = max(w.report.WALBytes, info.Size())
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return nil
			}
		}
	}
}
