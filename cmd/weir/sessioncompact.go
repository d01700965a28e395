package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"weir/store"
	"weir/tui/widget"
)

func newCompact(std stdio) *cobra.Command {
	var rewrite bool
	cmd := &cobra.Command{
		Use:   "compact SESSION",
		Short: "Make a session smaller",
		Long: `Drops the flows that were removed, keeps bodies with the same bytes once and
compresses the others, and gives the space back. A capture does the same while it is
idle; this does all of it now. Removed flows cannot be brought back afterwards. It
may be interrupted at any time.`,
		Args: usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return compactSession(cmd.Context(), std, args[0], rewrite)
		},
	}
	cmd.Flags().BoolVar(&rewrite, "rewrite", false, "also write the file anew, in order; needs as much free space as it takes")
	return cmd
}

func compactSession(ctx context.Context, std stdio, path string, rewrite bool) error {
	s, err := store.Open(ctx, path, store.Options{})
	if err != nil {
		return err
	}
	p := newProgress(std, "dropping removed flows")
	defer p.stop()
	r, err := s.Compact(ctx, store.CompactOptions{
		Rewrite:  rewrite,
		Progress: func(at store.CompactProgress) { p.of("flows", at.Flows, at.Total) },
	})
	if e := s.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(std.out, "%s → %s: %d removed flows dropped, %d bodies the same as others, %s less to store\n",
		widget.Size(r.Before), widget.Size(r.After), r.Dropped, r.Shared, widget.Size(r.Bytes))
	return err
}
