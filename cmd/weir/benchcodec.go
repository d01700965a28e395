package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"weir/store/bench"
)

func newBenchCodec(std stdio) *cobra.Command {
	var o bench.Codec
	var format string
	cmd := &cobra.Command{
		Use:   "codec",
		Short: "Compare protobuf, mitmproxy's tnetstrings and JSON as encodings of a flow",
		Long: `Dumps and loads one flow as a protobuf head with its body beside it in pieces (which is
what a session holds), as a mitmproxy tnetstring and as JSON, at several body
sizes: in memory, and through the disk until it is durable. "head" is loading what a list
shows, for which only the first leaves the body alone.`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, size := range o.Sizes {
				if size < 0 {
					return usagef("bench codec: --size must not be negative")
				}
			}
			return printReport(std.out, format, func() (*bench.CodecReport, error) { return o.Run(cmd.Context()) }, printCodec)
		},
	}
	f := cmd.Flags()
	f.IntSliceVar(&o.Sizes, "size", []int{2 << 10, 4 << 20, 10 << 20, 50 << 20}, "bytes of the body, several by commas")
	f.StringVar(&o.Dir, "dir", "", "where files are made (default the system's temporary directory)")
	f.StringVar(&format, "format", "text", "print as FORMAT: text or json")
	complete(cmd, "format", "text", "json")
	return cmd
}

// printCodec writes a report for people: times in milliseconds, with the memory that was
// allocated for it.
func printCodec(out io.Writer, r *bench.CodecReport) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "body\tformat\tbytes\tdump ms\tallocs\tMB\tload ms\tallocs\tMB\thead ms\tto disk ms\tfrom disk ms\thead ms\t")
	for _, c := range r.Results {
		fmt.Fprintf(t, "%d\t%s\t%d\t", c.BodySize, c.Format, c.Bytes)
		for _, s := range []bench.Step{c.Dump, c.Load} {
			fmt.Fprintf(t, "%.3f\t%d\t%.1f\t", float64(s.Time), s.Allocs, float64(s.Allocated)/1e6)
		}
		for _, s := range []bench.Step{c.Head, c.DiskDump, c.DiskLoad, c.DiskHead} {
			fmt.Fprintf(t, "%.3f\t", float64(s.Time))
		}
		fmt.Fprintln(t)
	}
	return t.Flush()
}
