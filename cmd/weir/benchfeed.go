package main

import (
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"weir/store/bench"
)

func newBenchFeed(std stdio) *cobra.Command {
	var o bench.Feed
	var format string
	cmd := &cobra.Command{
		Use:   "feed",
		Short: "Measure how soon other processes see what is captured",
		Long: `Starts readers as processes of their own, records flows at uneven distances, and tells
how long after it was recorded each flow was in each reader's list, how long a
mark of one reader took to reach the others, and what a reader costs while nothing
happens.`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			self, err := os.Executable()
			if err != nil {
				return fmt.Errorf("find this program: %w", err)
			}
			o.Program = []string{self, "bench", "feed-reader"}
			return printReport(std.out, format, func() (*bench.FeedReport, error) { return o.Run(cmd.Context()) }, printFeed)
		},
	}
	f := cmd.Flags()
	f.IntVar(&o.Readers, "readers", 5, "how many processes look")
	f.DurationVar(&o.For, "for", 5*time.Second, "how long flows arrive, and then how long none do")
	f.StringVar(&o.Dir, "dir", "", "where to record (default the system's temporary directory)")
	f.StringVar(&format, "format", "text", "print as FORMAT: text or json")
	complete(cmd, "format", "text", "json")
	return cmd
}

// newBenchFeedReader is what bench feed starts.
func newBenchFeedReader(std stdio) *cobra.Command {
	return &cobra.Command{
		Use:    "feed-reader SESSION",
		Short:  "Follow a session for bench feed",
		Hidden: true,
		Args:   usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return bench.Follow(cmd.Context(), args[0], std.in, std.out)
		},
	}
}

// printFeed writes a report for people.
func printFeed(out io.Writer, r *bench.FeedReport) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "reader\tof %d flows\tafter\tmarks\tafter\tidle\n", r.Flows)
	for i, saw := range r.Readers {
		fmt.Fprintf(t, "%d\t%d\t%v\t%d\t%v\t%.2f %% of a core\n", i+1, saw.Flows, saw.Delay, saw.Marks, saw.Mark, 100*saw.IdleCPU)
	}
	return t.Flush()
}
