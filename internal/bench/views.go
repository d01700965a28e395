package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"time"

	"weir/filter"
	"weir/store"
)

const (
	// cmdViews is the sub-command that measures in a process of its own, whose
	// memory is then the store's and nobody else's.
	cmdViews = "views"

	firstPageBar = 50 * time.Millisecond
	wholeViewBar = 500 * time.Millisecond

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
	Len   int           `json:"len"`
	Peak  int64         `json:"peak"` // memory of the process so far
}

// benchViews opens a large session in every order and under some filters.
func benchViews(ctx context.Context, b *bench) error {
	if err := b.seed(ctx); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	b.progress("making views")
	out, err := output(ctx, self, cmdViews, b.session)
	if err != nil {
		return err
	}
	var peak int64
	for line := range bytes.Lines(out) {
		var v viewTimes
		if err := json.Unmarshal(line, &v); err != nil {
			return fmt.Errorf("read measurement: %w: %q", err, line)
		}
		if want := b.flows / notFoundShare; v.What == notFoundFilter && b.options.session == "" && (v.Len < want || v.Len > want+1) {
			return fmt.Errorf("%s selects %d flows of %d, want %d", v.What, v.Len, b.flows, want)
		}
		b.reportView(v)
		peak = max(peak, v.Peak)
	}
	b.table.add(result{what: "  RSS at most", weir: megabytes(peak), bar: underMB(peak, memoryBar)})
	return nil
}

func (b *bench) reportView(v viewTimes) {
	b.table.add(result{
		what: fmt.Sprintf("view %s: first page, %d flows", v.What, v.Len),
		weir: milliseconds(v.First) + ", " + milliseconds(v.Done),
		bar: verdict{
			bar: fmt.Sprintf("< %v, %v", firstPageBar, wholeViewBar),
			met: v.First < firstPageBar && v.Done < wholeViewBar,
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
	debug.SetMemoryLimit(40<<20 + 24*int64(flows)) // as cmd/weir does for a session
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
	for range viewRuns {
		var err error
		if v, err = makeView(ctx, s, q, time.Now()); err != nil {
			return v, err
		}
		first, done = append(first, v.First), append(done, v.Done)
	}
	v.First, v.Done = quantile(first, 0.5), quantile(done, 0.5)
	return v, nil
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
