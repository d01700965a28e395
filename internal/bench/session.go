package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	store "weir/store/bench"
)

// Bars of the session file and of those who read it.
const (
	rawBar        = 0.8   // of the bare driver's rate
	singleBar     = 25    // times the rate of a transaction a flow
	fileBar       = 1.1   // of the payload
	feedBar       = 150.0 // ms until other processes see a flow, 99 in 100
	readerIdleBar = 0.5   // per cent of a core
	pageBar       = 16.0  // ms for a page while somebody writes, 99 in 100
)

// atMost is the verdict on a figure that is to be small.
func atMost(got, bar float64, unit string) verdict {
	return verdict{bar: fmt.Sprintf("<= %g%s", bar, unit), met: got <= bar}
}

// ask runs one of weir's own benches in a process of its own and reads what it prints.
func (b *bench) ask(ctx context.Context, into any, args ...string) error {
	if err := b.build(ctx); err != nil {
		return err
	}
	out, err := output(ctx, b.binary, append([]string{"bench"}, append(args, "--dir", b.dir, "--format", "json")...)...)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(out, into); err != nil {
		return fmt.Errorf("read measurement: %w: %.200q", err, out)
	}
	return nil
}

// benchStream measures the writer at full speed.
func benchStream(ctx context.Context, b *bench) error {
	b.progress("recording at full speed")
	var r store.StreamReport
	if err := b.ask(ctx, &r, "stream", "--flows", fmt.Sprint(b.stream), "--rounds", fmt.Sprint(b.rounds)); err != nil {
		return err
	}
	w := r.Writer
	b.table.add(result{what: "record 3.7 KB flows", weir: rate(w.FlowsPerSecond) + fmt.Sprintf(", %.0f MB/s", w.BytesPerSecond/1e6)})
	b.table.add(result{what: "  the bare driver", other: rate(r.Raw.FlowsPerSecond), ratio: times(r.Raw.Ratio), bar: atLeast(r.Raw.Ratio, rawBar)})
	b.table.add(result{what: "  the driver, a transaction a flow", other: rate(r.Single.FlowsPerSecond), ratio: times(r.Single.Ratio), bar: atLeast(r.Single.Ratio, singleBar)})
	b.table.add(result{what: "  weir, a transaction a flow", other: rate(r.Unbatched.FlowsPerSecond), ratio: times(r.Unbatched.Ratio)})
	b.table.add(result{what: "  a commit: half, 99 in 100, all", weir: spread(w.Commit)})
	b.table.add(result{what: "  queue, memory, -wal at most", weir: megabytes(w.QueueBytes) + ", " + megabytes(int64(w.RSSBytes)) + ", " + megabytes(w.WALBytes)})
	b.table.add(result{what: "  file to payload", ratio: times(w.FileRatio), bar: atMost(w.FileRatio, fileBar, "")})
	b.table.add(result{what: "a page meanwhile: half, 99 in 100, all", weir: spread(r.Read.Page), bar: atMost(float64(r.Read.Page.Most), pageBar, " ms")})
	b.table.add(result{what: "  the writer meanwhile", weir: rate(r.Read.FlowsPerSecond)})
	b.table.add(result{what: "  a page when nobody writes", weir: spread(r.Read.Alone)})
	return nil
}

// benchPaced measures the writer at the rate of a busy proxy: how long until a flow is durable.
func benchPaced(ctx context.Context, b *bench) error {
	var r store.StreamReport
	if err := b.ask(ctx, &r, "stream", "--rate", "2000", "--for", b.duration.String(), "--rounds", "1", "--readers", "-1"); err != nil {
		return err
	}
	b.table.add(result{what: "2000 flows/s: on disk after half, 99 in 100, all", weir: spread(r.Writer.Delay)})
	b.table.add(result{what: "  memory at most", weir: megabytes(int64(r.Writer.RSSBytes))})
	return nil
}

// benchFeed measures how soon other processes see what is captured.
func benchFeed(ctx context.Context, b *bench) error {
	b.progress("following a capture from other processes")
	var r store.FeedReport
	if err := b.ask(ctx, &r, "feed", "--for", b.duration.String()); err != nil {
		return err
	}
	for i, reader := range r.Readers {
		idle := 100 * reader.IdleCPU
		b.table.add(result{
			what: fmt.Sprintf("reader %d of %d sees a flow: half, 99 in 100, all", i+1, len(r.Readers)), weir: spread(reader.Delay),
			bar: atMost(float64(reader.Delay.Most), feedBar, " ms"),
		})
		b.table.add(result{what: fmt.Sprintf("  of %d flows it saw %d; %d marks of others", r.Flows, reader.Flows, reader.Marks), weir: spread(reader.Mark)})
		b.table.add(result{what: "  of a core when idle", weir: fmt.Sprintf("%.2f %%", idle), bar: atMost(idle, readerIdleBar, " %")})
	}
	return nil
}

// benchCodec measures the encodings of a flow.
func benchCodec(ctx context.Context, b *bench) error {
	b.progress("encoding flows")
	var r store.CodecReport
	if err := b.ask(ctx, &r, "codec"); err != nil {
		return err
	}
	for _, c := range r.Results {
		b.table.add(result{
			what: fmt.Sprintf("%s, body of %s: dump, load, head", c.Format, megabytes(int64(c.BodySize))),
			weir: steps(c.Dump, c.Load, c.Head),
		})
		b.table.add(result{what: "  with the disk", weir: steps(c.DiskDump, c.DiskLoad, c.DiskHead)})
	}
	return nil
}

func rate(perSecond float64) string { return fmt.Sprintf("%.0f/s", perSecond) }

func times(ratio float64) string { return fmt.Sprintf("%.2f", ratio) }

func spread(s store.Spread) string {
	return fmt.Sprintf("%.1f, %.1f, %.1f ms", float64(s.Half), float64(s.Most), float64(s.Max))
}

func steps(all ...store.Step) (text string) {
	for i, s := range all {
		if i > 0 {
			text += ", "
		}
		text += milliseconds(time.Duration(float64(s.Time) * float64(time.Millisecond)))
	}
	return text
}
