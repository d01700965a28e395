package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"weir/store"
)

// Stream says what to record and how. The zero value of each field is its default.
type Stream struct {
	Dir      string        // where the sessions are made, and removed again; the system's temporary directory
	Flows    int           // flows a round; 100 000, or what For allows
	For      time.Duration // length of a round; no limit
	Rate     float64       // flows a second; 0: as fast as the writer takes them
	BodySize int           // bytes of each response body, negative: none; 2 KB
	Batch    int           // flows a transaction at most; the writer's own default
	Flush    time.Duration // how long a flow waits for company; the writer's own default
	Rounds   int           // how often each side is measured, in turns; 3
	Readers  int           // who page at random in a last round; 1, negative: no such round
	Sync     store.Synchronous
	// Into is an existing session to record into, once, instead of new ones that are removed again; it is
	// then compared with nothing, and its size is not told.
	Into string
	// RSS, if set, returns the memory of the process in bytes.
	RSS func() uint64
}

func (o Stream) withDefaults() Stream {
	if o.Flows <= 0 && o.For <= 0 {
		o.Flows = 100_000
	}
	if o.BodySize == 0 {
		o.BodySize = 2 << 10
	}
	if o.Rounds <= 0 {
		o.Rounds = 3
	}
	if o.Readers == 0 {
		o.Readers = 1
	}
	if o.RSS == nil {
		o.RSS = func() uint64 { return 0 }
	}
	return o
}

// StreamReport is what was measured. Of several rounds the one with the median rate is told.
type StreamReport struct {
	Writer Recording `json:"writer"`
	// What it is compared with: the same rows inserted by the driver alone, in
	// transactions of the same size (Raw) and of one flow (Single), and this writer with a
	// transaction a flow (Unbatched). The latter two are synchronous FULL. All are nil when
	// a rate was given: the source would be what is measured.
	Raw       *Baseline `json:"raw"`
	Single    *Baseline `json:"single"`
	Unbatched *Baseline `json:"unbatched"`
	// Read is pages read at random positions while the writer writes; nil if nobody did.
	Read *Reading `json:"read"`
}

// Baseline is what is compared with.
type Baseline struct {
	FlowsPerSecond float64 `json:"flows_per_second"`
	Ratio          float64 `json:"ratio"` // the writer's rate to this one, the median over the rounds
}

// Run measures. What it makes on the disk it removes.
func (o Stream) Run(ctx context.Context) (report *StreamReport, err error) {
	o = o.withDefaults()
	if o.Into != "" {
		r, err := o.pour(ctx)
		if err != nil {
			return nil, fmt.Errorf("bench stream: %w", err)
		}
		return &StreamReport{Writer: r}, nil
	}
	if o.Dir, err = os.MkdirTemp(o.Dir, "weir-bench-"); err != nil {
		return nil, fmt.Errorf("bench stream: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(o.Dir)) }()
	if report, err = o.run(ctx); err != nil {
		return nil, fmt.Errorf("bench stream: %w", err)
	}
	return report, nil
}

func (o Stream) run(ctx context.Context) (*StreamReport, error) {
	var rounds []round
	for n := range o.Rounds {
		r, err := o.round(ctx, n)
		if err != nil {
			return nil, err
		}
		rounds = append(rounds, r)
	}
	report := &StreamReport{Writer: middle(rounds, func(r round) float64 { return r.writer.FlowsPerSecond }).writer}
	if o.Rate == 0 {
		report.Raw = compared(rounds, func(r round) *Baseline { return r.raw })
		report.Single = compared(rounds, func(r round) *Baseline { return r.single })
		report.Unbatched = compared(rounds, func(r round) *Baseline { return r.unbatched })
	}
	if o.Readers < 0 {
		return report, nil
	}
	var err error
	report.Read, err = o.readers(ctx)
	return report, err
}

// round is one measurement of each side, made one after the other.
type round struct {
	writer                 Recording
	raw, single, unbatched *Baseline
}

func (o Stream) round(ctx context.Context, n int) (r round, err error) {
	path := filepath.Join(o.Dir, fmt.Sprintf("writer-%d.weir", n))
	if r.writer, err = o.record(ctx, path); err != nil || o.Rate != 0 {
		return r, errors.Join(err, removeSession(path))
	}
	batch := (r.writer.Flows + r.writer.Transactions - 1) / r.writer.Transactions // what the writer made them
	if r.raw, err = o.insert(ctx, path, batch, o.Sync); err != nil {
		return r, err
	}
	if r.single, err = o.insert(ctx, path, 1, store.SyncFull); err != nil {
		return r, err
	}
	if r.unbatched, err = o.unbatched(ctx); err != nil {
		return r, err
	}
	for _, b := range []*Baseline{r.raw, r.single, r.unbatched} {
		b.Ratio = r.writer.FlowsPerSecond / b.FlowsPerSecond
	}
	return r, removeSession(path)
}

// unbatched lets the writer make a transaction of each flow.
func (o Stream) unbatched(ctx context.Context) (*Baseline, error) {
	path := filepath.Join(o.Dir, "unbatched.weir")
	o.Batch, o.Sync, o.For = 1, store.SyncFull, singleFor
	r, err := o.record(ctx, path)
	if err != nil {
		return nil, err
	}
	return &Baseline{FlowsPerSecond: r.FlowsPerSecond}, removeSession(path)
}

// compared is the baseline of the round with the median ratio.
func compared(rounds []round, of func(round) *Baseline) *Baseline {
	return of(middle(rounds, func(r round) float64 { return of(r).Ratio }))
}

// removeSession removes a session with all that stands beside it.
func removeSession(path string) error {
	names, err := filepath.Glob(path + "*")
	for _, name := range names {
		err = errors.Join(err, os.Remove(name))
	}
	return err
}
