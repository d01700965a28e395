package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// table prints the results as aligned text, all at the end, so that they stand
// together whatever was said while measuring.
type table struct {
	w       *tabwriter.Writer
	subject string // what is measured
	rows    int
}

func newTable(out io.Writer, subject string) *table {
	return &table{w: tabwriter.NewWriter(out, 0, 0, 2, ' ', 0), subject: subject}
}

// result is one line. Fields that do not apply are empty.
type result struct {
	what  string
	weir  string
	other string // the same of what it is compared with
	ratio string
	bar   verdict
}

// verdict is a bar and whether it was reached. The zero verdict is no bar.
type verdict struct {
	bar string
	met bool
}

func (v verdict) String() string {
	switch {
	case v.bar == "":
		return ""
	case v.met:
		return v.bar + "\tmet"
	}
	return v.bar + "\tMISSED"
}

// under is the verdict on a duration, which misses a bar it equals.
func under(got, bar time.Duration) verdict {
	return verdict{bar: "< " + bar.String(), met: got < bar}
}

// underMB is the verdict on a size in bytes.
func underMB(got, bar int64) verdict {
	return verdict{bar: "< " + megabytes(bar), met: got < bar}
}

// atLeast is the verdict on a ratio, none where there is no bar.
func atLeast(got, bar float64) verdict {
	if bar == 0 {
		return verdict{}
	}
	return verdict{bar: fmt.Sprintf(">= %.2f", bar), met: got >= bar}
}

func (t *table) add(r result) {
	if t.rows++; t.rows == 1 {
		fmt.Fprintf(t.w, "measure\t%s\tother\tratio\tbar\t\n", t.subject)
	}
	fmt.Fprintf(t.w, "%s\t%s\t%s\t%s\t%s\n", r.what, r.weir, r.other, r.ratio, r.bar)
}

func (t *table) flush() error {
	if err := t.w.Flush(); err != nil {
		return fmt.Errorf("print results: %w", err)
	}
	return nil
}

// quantile returns the value below which a share q of the values lies; 0.5 is
// the (lower) median. There must be values.
func quantile[T cmp.Ordered](values []T, q float64) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[int(q*float64(len(sorted)-1))]
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}

func microseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f µs", float64(d)/float64(time.Microsecond))
}
