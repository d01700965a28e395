package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"weir/store"
	"weir/store/bench"
)

func newBenchStream(std stdio) *cobra.Command {
	var o bench.Stream
	var format, sync string
	cmd := &cobra.Command{
		Use:   "stream",
		Short: "Record synthetic flows at a given pace and measure the writer",
		Long: `Records synthetic flows (a head of 1.4 KB and a body) into sessions that are
removed again, and tells how fast that went, how long a transaction took, how
much was waiting, and how large the file became. Without --rate it goes as fast as the
writer does, compares with the same rows inserted by the database driver alone
and in one transaction a flow, and records once more while others page at
random through the list.`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if o.Sync, err = parseSync(sync); err != nil {
				return err
			}
			o.RSS = residentSet
			return printReport(std.out, format, func() (*bench.StreamReport, error) { return o.Run(cmd.Context()) }, printStream)
		},
	}
	f := cmd.Flags()
	f.Float64Var(&o.Rate, "rate", 0, "flows a second; 0 is as fast as it goes")
	f.IntVar(&o.Flows, "flows", 0, "flows a round (default 100000, or what --for allows)")
	f.DurationVar(&o.For, "for", 0, "end a round after so long")
	f.IntVar(&o.BodySize, "body-size", 2<<10, "bytes of each response body; negative is none")
	f.IntVar(&o.Batch, "batch", 0, "flows a transaction at most (default 512)")
	f.DurationVar(&o.Flush, "flush", 0, "how long a flow waits for company in a transaction (default 50ms)")
	f.IntVar(&o.Rounds, "rounds", 3, "how often each side is measured, in turns")
	f.IntVar(&o.Readers, "readers", 1, "who page at random in the last round; negative leaves it out")
	f.StringVar(&sync, "sync", "full", "durability of a commit: full or normal")
	f.StringVar(&o.Dir, "dir", "", "where to record (default the system's temporary directory)")
	f.StringVar(&o.Into, "into", "", "record into the session `PATH`, which stays, once and without comparison")
	f.StringVar(&format, "format", "text", "print as FORMAT: text or json")
	complete(cmd, "format", "text", "json")
	complete(cmd, "sync", "full", "normal")
	return cmd
}

// printReport measures and prints what came of it, as text or as one line of JSON.
func printReport[R any](out io.Writer, format string, measure func() (R, error), text func(io.Writer, R) error) error {
	if format != "text" && format != "json" {
		return usagef("--format %q: not a format of bench", format).withHint("the formats are: text json")
	}
	report, err := measure()
	if err != nil {
		return err
	}
	if format == "json" {
		return json.NewEncoder(out).Encode(report)
	}
	return text(out, report)
}

// parseSync reads --sync.
func parseSync(name string) (store.Synchronous, error) {
	switch name {
	case "full":
		return store.SyncFull, nil
	case "normal":
		return store.SyncNormal, nil
	}
	return 0, usagef("--sync %q: want full or normal", name)
}

// printStream writes a report for people.
func printStream(out io.Writer, r *bench.StreamReport) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	w := &r.Writer
	fmt.Fprintf(t, "recorded\t%d flows in %v\t%.0f flows/s, %.1f MB/s\n", w.Flows, seconds(w.Seconds), w.FlowsPerSecond, w.BytesPerSecond/1e6)
	fmt.Fprintf(t, "commit\t%d transactions\t%v\n", w.Transactions, w.Commit)
	fmt.Fprintf(t, "on disk after\t\t%v\n", w.Delay)
	fmt.Fprintf(t, "queue at most\t\t%.1f MB, %d flows\n", float64(w.QueueBytes)/1e6, w.QueueFlows)
	fmt.Fprintf(t, "memory at most\t\t%.1f MB\n", float64(w.RSSBytes)/1e6)
	fmt.Fprintf(t, "-wal at most\t\t%.1f MB\n", float64(w.WALBytes)/1e6)
	if w.FileBytes > 0 {
		fmt.Fprintf(t, "file to payload\t%.1f MB of %.1f MB\t%.2f\n", float64(w.FileBytes)/1e6, float64(w.PayloadBytes)/1e6, w.FileRatio)
	}
	if r.Raw != nil {
		fmt.Fprintf(t, "driver alone\t%.0f flows/s\t%.2f of it\n", r.Raw.FlowsPerSecond, r.Raw.Ratio)
		fmt.Fprintf(t, "  a transaction a flow\t%.0f flows/s\t%.1f times it\n", r.Single.FlowsPerSecond, r.Single.Ratio)
		fmt.Fprintf(t, "the writer, a transaction a flow\t%.0f flows/s\t%.1f times it\n", r.Unbatched.FlowsPerSecond, r.Unbatched.Ratio)
	}
	if p := r.Read; p != nil {
		fmt.Fprintf(t, "with %d reading\t%d pages\t%v\n", p.Readers, p.Pages, p.Page)
		fmt.Fprintf(t, "  the writer\t\t%.0f flows/s, -wal at most %.1f MB\n", p.FlowsPerSecond, float64(p.WALBytes)/1e6)
		fmt.Fprintf(t, "  nobody writing\t\t%v\n", p.Alone)
	}
	return t.Flush()
}

// seconds is a time given in seconds, as people read it.
func seconds(s float64) time.Duration {
	return time.Duration(s * float64(time.Second)).Round(time.Millisecond)
}
