package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"weir/store"
)

// Reading is how those did who read meanwhile, and the writer with them beside it.
type Reading struct {
	Readers        int     `json:"readers"`
	Pages          int     `json:"pages"`
	Page           Spread  `json:"page"`  // a page of 50 rows at a random position, heads decoded
	Alone          Spread  `json:"alone"` // the same afterwards, when nobody writes
	FlowsPerSecond float64 `json:"flows_per_second"`
	WALBytes       int64   `json:"wal_bytes"`
}

const (
	pageRows = 50
	// pagePause is what a reader waits between two pages: a key that repeats.
	pagePause = 10 * time.Millisecond
	alonePage = 200 // pages read when nobody writes
)

// readers records once more while others page at random, each with the file
// opened for itself.
func (o Stream) readers(ctx context.Context) (*Reading, error) {
	path := filepath.Join(o.Dir, "read.weir")
	out := &Reading{Readers: o.Readers}
	var mu sync.Mutex
	var times []time.Duration
	page := func(ctx context.Context) error {
		mine, err := pages(ctx, path, 0)
		mu.Lock()
		defer mu.Unlock()
		times = append(times, mine...)
		return err
	}
	r, err := o.record(ctx, path, slices.Repeat([]func(context.Context) error{page}, o.Readers)...)
	if err != nil {
		return nil, err
	}
	alone, err := pages(ctx, path, alonePage)
	if err != nil {
		return nil, err
	}
	out.Pages, out.Page, out.Alone = len(times), spread(times), spread(alone)
	out.FlowsPerSecond, out.WALBytes = r.FlowsPerSecond, r.WALBytes
	return out, removeSession(path)
}

// pages opens the session and reads pages at random positions of its list until
// the context ends, or n of them; it returns how long each took.
func pages(ctx context.Context, path string, n int) (times []time.Duration, err error) {
	s, err := store.Open(ctx, path, store.Options{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	v, err := s.View(ctx, store.Query{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	draw := rand.New(rand.NewPCG(1, 2))
	for seen := uint64(0); n == 0 || len(times) < n; {
		st, err := v.Wait(ctx, seen)
		if err = errors.Join(err, st.Err); err != nil {
			return times, ignoreEnd(ctx, err)
		}
		if st.Len == 0 {
			seen = st.Version
			continue
		}
		began := time.Now()
		rows, err := v.Rows(ctx, draw.IntN(max(1, st.Len-pageRows)), pageRows)
		if err != nil {
			return times, ignoreEnd(ctx, err)
		}
		times = append(times, time.Since(began))
		if len(rows) != min(pageRows, st.Len) {
			return times, fmt.Errorf("a page has %d rows of %d", len(rows), st.Len)
		}
		if n > 0 {
			continue
		}
		if err := rest(ctx, pagePause); err != nil {
			return times, ignoreEnd(ctx, err)
		}
	}
	return times, nil
}

// ignoreEnd drops the error that only says that ctx has ended.
func ignoreEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// rest waits, unless ctx ends first.
func rest(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
