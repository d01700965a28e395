package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"weir/filter"
	"weir/store"
)

const (
	cmdViews = "views" // the sub-command that makes views

	// viewPage is a screenful of rows.
	viewPage = 50
	// viewRuns is how often each view is made; the median counts.
	viewRuns = 3
)

// columnFilters is filters that columns decide, cheap and dear ones.
var columnFilters = []string{
	notFoundFilter,
	"~m POST",
	"~d example",
	"~u /api/",
	"~t json",
	"~c 500-599 | ~m DELETE",
	"!(~t image) & ~c 2xx",
}

// sortKeys is the sort keys of the command line.
var sortKeys = []string{
	"id", "started", "method", "host", "path", "url", "status", "type", "request_size", "response_size", "duration",
}

// notFoundFilter selects one flow in notFoundShare of a seeded session.
const (
	notFoundFilter = "~c 404"
	notFoundShare  = 17
)

// viewTimes is one line of what the sub-command prints.
type viewTimes struct {
	What  string        `json:"what"`
	First time.Duration `json:"first"` // until a page could be read
	Done  time.Duration `json:"done"`  // until the view was whole
	CPU   time.Duration `json:"cpu"`   // what it took of all processors together
	Len   int           `json:"len"`
	Peak  int64         `json:"peak"` // memory of the process while it was made
}

// benchViews opens sessions in every order and under some filters, and moves about
// in them.
func benchViews(ctx context.Context, b *bench) error {
	if b.scale == "" {
		if err := b.seed(ctx); err != nil {
			return err
		}
		return b.viewSession(ctx, b.session, b.options.session == "")
	}
	if err := b.build(ctx); err != nil {
		return err
	}
	dir := b.sessions
	if dir == "" {
		dir = b.dir
	}
	for size := range strings.SplitSeq(b.scale, ",") {
		flows, err := strconv.Atoi(size)
		if err != nil {
			return fmt.Errorf("-scale: %w", err)
		}
		path := filepath.Join(dir, "flows-"+size+".weir")
		if err := b.seedFlows(ctx, path, flows); err != nil {
			return err
		}
		if err := b.viewSession(ctx, path, true); err != nil {
			return err
		}
	}
	return nil
}

// viewSession measures one session; seeded says that it is known what is in it.
func (b *bench) viewSession(ctx context.Context, session string, seeded bool) error {
	flows, err := b.count(ctx, session)
	if err != nil {
		return err
	}
	bars := barsOf(flows)
	b.progress("making views of %d flows", flows)
	err = eachLine(ctx, func(v viewTimes) error {
		if want := flows / notFoundShare; v.What == notFoundFilter && seeded && (v.Len < want || v.Len > want+1) {
			return fmt.Errorf("%s selects %d flows of %d, want %d", v.What, v.Len, flows, want)
		}
		b.reportView(v, flows, bars)
		return nil
	}, cmdViews, session)
	if err != nil {
		return err
	}
	b.progress("moving about in %d flows", flows)
	err = eachLine(ctx, func(m moveTimes) error {
		b.reportMove(m, bars)
		return nil
	}, cmdMoves, session)
	if err != nil {
		return err
	}
	return b.sortOnTerminal(ctx, session, bars)
}

// count is how many flows a session has.
func (b *bench) count(ctx context.Context, session string) (int, error) {
	out, err := output(ctx, b.binary, "query", session, "--count")
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(out)))
}

// eachLine runs this program as one of its sub-commands, in a process whose memory
// is then the store's and nobody else's, and calls f with each line that it prints.
func eachLine[T any](ctx context.Context, f func(T) error, args ...string) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	out, err := output(ctx, self, args...)
	if err != nil {
		return err
	}
	for line := range bytes.Lines(out) {
		var v T
		if err := json.Unmarshal(line, &v); err != nil {
			return fmt.Errorf("read measurement: %w: %q", err, line)
		}
		if err := f(v); err != nil {
			return err
		}
	}
	return nil
}

// bars is what a session of some size has to reach.
type bars struct {
	first, whole time.Duration
	memory       int64 // bytes, of weir open
}

// barsOf grows with the number of flows: what reads each flow once takes as long.
func barsOf(flows int) bars {
	const million = 1_000_000
	switch {
	case flows <= million/10:
		return bars{50 * time.Millisecond, 500 * time.Millisecond, 64_000_000}
	case flows <= million:
		return bars{50 * time.Millisecond, 500 * time.Millisecond, memoryBar}
	default:
		whole := time.Duration(float64(500*time.Millisecond) * float64(flows) / million)
		return bars{100 * time.Millisecond, whole, 160_000_000}
	}
}

func (b *bench) reportView(v viewTimes, flows int, bars bars) {
	b.table.add(result{
		what:  fmt.Sprintf("view %s: first page, %d flows, RSS", v.What, v.Len),
		weir:  milliseconds(v.First) + ", " + milliseconds(v.Done) + ", " + megabytes(v.Peak),
		ratio: fmt.Sprintf("%.0f ns/flow, CPU %.0f", float64(v.Done)/float64(max(flows, 1)), float64(v.CPU)/float64(max(flows, 1))),
		bar: verdict{
			bar: fmt.Sprintf("< %v, %v, %s", bars.first, bars.whole, megabytes(bars.memory)),
			met: v.First < bars.first && v.Done < bars.whole && v.Peak < bars.memory,
		},
	})
}

// measureViews is the sub-command: it takes the session's path and prints a
// viewTimes, as JSON, for opening it, each order and each filter.
func measureViews(ctx context.Context, args []string, out io.Writer) (err error) {
	if len(args) != 1 {
		return errors.New("views: want a session")
	}
	began := time.Now()
	s, err := store.Open(ctx, args[0], store.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	flows, err := s.Count(ctx)
	if err != nil {
		return err
	}
	boundHeap(flows)
	results := json.NewEncoder(out)
	opened, err := makeView(ctx, s, store.Query{Order: store.OrderID}, began)
	if err != nil {
		return err
	}
	opened.What = "after opening"
	if err := results.Encode(opened); err != nil {
		return err
	}
	queries, err := viewQueries()
	if err != nil {
		return err
	}
	for _, q := range queries {
		v, err := medianView(ctx, s, q.query)
		if err != nil {
			return fmt.Errorf("view %s: %w", q.what, err)
		}
		v.What = q.what
		if err := results.Encode(v); err != nil {
			return err
		}
	}
	return nil
}

// boundHeap does what cmd/weir does for a session of so many flows.
func boundHeap(flows uint64) { debug.SetMemoryLimit(28<<20 + 8*int64(flows)) }

// viewQuery is a view to be measured.
type viewQuery struct {
	what  string
	query store.Query
}

func viewQueries() ([]viewQuery, error) {
	var queries []viewQuery
	for _, name := range sortKeys {
		order, err := store.ParseOrder(name)
		if err != nil {
			return nil, err
		}
		queries = append(queries, viewQuery{"by " + name, store.Query{Order: order, Reverse: true}})
	}
	for _, text := range columnFilters {
		expr, err := filter.Parse(text)
		if err != nil {
			return nil, err
		}
		queries = append(queries, viewQuery{text, store.Query{Filter: expr, Order: store.OrderID}})
	}
	return queries, nil
}

func medianView(ctx context.Context, s *store.Session, q store.Query) (viewTimes, error) {
	var first, done []time.Duration
	var v viewTimes
	if err := resetPeakOf(os.Getpid()); err != nil {
		return v, err
	}
	before, err := usageOf(os.Getpid())
	if err != nil {
		return v, err
	}
	for range viewRuns {
		var err error
		if v, err = makeView(ctx, s, q, time.Now()); err != nil {
			return v, err
		}
		first, done = append(first, v.First), append(done, v.Done)
	}
	v.First, v.Done = quantile(first, 0.5), quantile(done, 0.5)
	after, err := usageOf(os.Getpid())
	v.CPU = (after.cpu - before.cpu) / viewRuns
	return v, err
}

// makeView makes a view as the interface does: it waits for news, reads the
// first page as soon as there is one, and goes on until the view is whole.
func makeView(ctx context.Context, s *store.Session, q store.Query, began time.Time) (v viewTimes, err error) {
	view, err := s.View(ctx, q)
	if err != nil {
		return v, err
	}
	defer func() { err = errors.Join(err, view.Close()) }()
	for seen := uint64(0); ; {
		status, err := view.Wait(ctx, seen)
		if err = errors.Join(err, status.Err); err != nil {
			return v, err
		}
		seen, v.Len = status.Version, status.Len
		if v.First == 0 && (status.Len >= viewPage || !status.Building) {
			page, err := view.Rows(ctx, 0, viewPage)
			if err != nil {
				return v, err
			}
			if want := min(viewPage, status.Len); !status.Building && len(page) != want {
				return v, fmt.Errorf("first page has %d rows, want %d", len(page), want)
			}
			v.First = time.Since(began)
		}
		if !status.Building {
			v.Done = time.Since(began)
			u, err := usageOf(os.Getpid())
			v.Peak = u.peak
			return v, err
		}
	}
}
