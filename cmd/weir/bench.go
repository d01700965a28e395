package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"weir/store"
)

func newBench(std stdio) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure the writer and the encodings, and make sessions to measure with",
		Args:  usageArgs(cobra.NoArgs),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var flows, size int
	seed := &cobra.Command{
		Use:   "seed SESSION --flows N",
		Short: "Write a session of N synthetic flows, the same on each run",
		Long: `Writes a new session of N varied synthetic flows: 500 hosts, many paths, all
usual methods, statuses and types, 1 in 17 a 404. The same numbers give the
same flows.`,
		Args: usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runSeed(cmd.Context(), std, args[0], store.SeedOptions{Flows: flows, BodySize: size})
		},
	}
	seed.Flags().IntVar(&flows, "flows", 0, "how many flows, N (required)")
	seed.Flags().IntVar(&size, "body-size", 0, "give each response a body of B bytes")
	cmd.AddCommand(seed, newBenchStream(std), newBenchCodec(std), newBenchFeed(std), newBenchFeedReader(std), newBenchCapture(std))
	return cmd
}

func runSeed(ctx context.Context, std stdio, path string, o store.SeedOptions) error {
	if o.Flows <= 0 || o.BodySize < 0 {
		return usagef("bench seed: --flows must be at least 1 and --body-size not negative")
	}
	if err := store.Seed(ctx, path, o); err != nil {
		return err
	}
	_, err := fmt.Fprintf(std.err, "seeded %d flows into %s\n", o.Flows, path)
	return err
}
