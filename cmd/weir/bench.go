package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"weir/store"
	"weir/store/seed"
)

func newBench(std stdio) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure the writer and the encodings, and make sessions to measure with",
		Args:  usageArgs(cobra.NoArgs),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var flows, size int
	sow := &cobra.Command{
		Use:   "seed SESSION --flows N",
		Short: "Write a session of N synthetic flows, the same on each run",
		Long: `Writes a new session of N varied synthetic flows: 500 hosts, many paths, all
usual methods, statuses and types, 1 in 17 a 404. The same numbers give the
same flows.`,
		Args: usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runSeed(cmd.Context(), std, args[0], seed.Options{Flows: flows, BodySize: size})
		},
	}
	sow.Flags().IntVar(&flows, "flows", 0, "how many flows, N (required)")
	sow.Flags().IntVar(&size, "body-size", 0, "give each response a body of B bytes")
	cmd.AddCommand(sow, newBenchStream(std), newBenchCodec(std), newBenchFeed(std), newBenchFeedReader(std), newBenchCapture(std))
	return cmd
}

func runSeed(ctx context.Context, std stdio, path string, o seed.Options) error {
	if o.Flows <= 0 || o.BodySize < 0 {
		return usagef("bench seed: --flows must be at least 1 and --body-size not negative")
	}
	p := newProgress(std, "flows")
	o.Progress = func(n int) { p.of("flows", uint64(n), uint64(o.Flows)) }
	err := seedSession(ctx, path, o)
	p.stop()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(std.err, "seeded %s into %s\n", counted(o.Flows, "flow"), path)
	return err
}

// seedSession makes a session of synthetic flows, in transactions as large as pays.
func seedSession(ctx context.Context, path string, o seed.Options) error {
	s, err := store.Create(ctx, path, store.Options{Creator: "weir " + version()})
	if err != nil {
		return err
	}
	w, err := s.NewWriter(ctx, store.WriterOptions{BatchFlows: 4096, BatchBytes: 16 << 20, BatchDelay: time.Second})
	if err == nil {
		err = seed.Into(ctx, w, o)
	}
	if e := s.Close(); err == nil {
		err = e // what could not be written
	}
	if err != nil {
		return fmt.Errorf("seed session %q: %w", path, err)
	}
	return nil
}
