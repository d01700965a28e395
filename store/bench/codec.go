package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"
)

// Codec says at which body sizes, in bytes, the encodings are compared, and where
// files are made and removed again. The zero value is 2 KB, 4, 10 and 50 MB, in
// the system's temporary directory.
type Codec struct {
	Dir   string
	Sizes []int
	For   time.Duration // how long each step is repeated, at most 100 times, at least 3; 300 ms
}

// CodecReport has a result for each format and size.
type CodecReport struct {
	Results []CodecResult `json:"results"`
}

// CodecResult is how one format does at one size. Dump makes the bytes of a flow and its response body;
// load makes the flow and the body of them; head makes what a list needs, which a
// format that keeps the body inside has to load all for. The disk's steps include the
// encoding, and a dump ends when it is durable.
type CodecResult struct {
	Format   string `json:"format"`
	BodySize int    `json:"body_size"`
	Bytes    int64  `json:"bytes"` // encoded
	Dump     Step   `json:"dump"`
	Load     Step   `json:"load"`
	Head     Step   `json:"head"`
	DiskDump Step   `json:"disk_dump"`
	DiskLoad Step   `json:"disk_load"`
	DiskHead Step   `json:"disk_head"`
}

// Step is the median of the repetitions.
type Step struct {
	Time      Millis `json:"ms"`
	Allocs    uint64 `json:"allocs"`
	Allocated uint64 `json:"allocated_bytes"`
}

// keeper is one way to keep a flow, in one place. Each step checks what it loads.
type keeper interface {
	dump(ctx context.Context) (bytes int64, err error)
	load(ctx context.Context) error
	head(ctx context.Context) error
	close() error
}

// Run measures.
func (o Codec) Run(ctx context.Context) (report *CodecReport, err error) {
	if len(o.Sizes) == 0 {
		o.Sizes = []int{2 << 10, 4 << 20, 10 << 20, 50 << 20}
	}
	if o.For <= 0 {
		o.For = 300 * time.Millisecond
	}
	if o.Dir, err = os.MkdirTemp(o.Dir, "weir-bench-"); err != nil {
		return nil, fmt.Errorf("bench codec: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(o.Dir)) }()
	report = &CodecReport{}
	for _, size := range o.Sizes {
		if err := o.measure(ctx, size, report); err != nil {
			return nil, fmt.Errorf("bench codec, body of %d bytes: %w", size, err)
		}
	}
	return report, nil
}

// measure adds the results of all formats at one size.
func (o Codec) measure(ctx context.Context, size int, report *CodecReport) error {
	flow, body := sampleFlow(1, size), jsonBody(size)
	stored, err := newStored(ctx, o.Dir, flow, body)
	if err != nil {
		return err
	}
	mitm, text := &inside{encoding: netstrings{}, flow: flow, body: body}, &inside{encoding: jsonText{}, flow: flow, body: body}
	for _, f := range []struct {
		name         string
		memory, disk keeper
	}{
		{"protobuf", &apart{flow: flow, body: body}, stored},
		{"tnetstring", mitm, &file{mitm, filepath.Join(o.Dir, "mitm")}},
		{"json", text, &file{text, filepath.Join(o.Dir, "json")}},
	} {
		r := CodecResult{Format: f.name, BodySize: size}
		err := errors.Join(
			o.steps(ctx, f.memory, &r.Bytes, &r.Dump, &r.Load, &r.Head),
			o.steps(ctx, f.disk, new(int64), &r.DiskDump, &r.DiskLoad, &r.DiskHead),
			f.disk.close())
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		report.Results = append(report.Results, r)
	}
	return nil
}

// steps measures the three steps of one keeper.
func (o Codec) steps(ctx context.Context, k keeper, bytes *int64, dump, load, head *Step) (err error) {
	*dump, err = o.repeat(ctx, func(ctx context.Context) (err error) { *bytes, err = k.dump(ctx); return err })
	if err != nil {
		return fmt.Errorf("dump: %w", err)
	}
	if *load, err = o.repeat(ctx, k.load); err != nil {
		return fmt.Errorf("load: %w", err)
	}
	if *head, err = o.repeat(ctx, k.head); err != nil {
		return fmt.Errorf("load head: %w", err)
	}
	return nil
}

const (
	fewest = 3
	most   = 100
)

// repeat runs a step several times and returns the median time; allocations are
// the average.
func (o Codec) repeat(ctx context.Context, run func(context.Context) error) (Step, error) {
	runtime.GC() // what was left by the step before is not this one's
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var times []time.Duration
	for began := time.Now(); len(times) < fewest || len(times) < most && time.Since(began) < o.For; {
		at := time.Now()
		if err := errors.Join(ctx.Err(), run(ctx)); err != nil {
			return Step{}, err
		}
		times = append(times, time.Since(at))
	}
	runtime.ReadMemStats(&after)
	n := uint64(len(times))
	slices.Sort(times)
	return Step{
		Time: millis(times[(n-1)/2]), Allocs: (after.Mallocs - before.Mallocs) / n, Allocated: (after.TotalAlloc - before.TotalAlloc) / n,
	}, nil
}
