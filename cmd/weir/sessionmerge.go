package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"weir/store"
	"weir/store/merge"
)

func newMerge(std stdio) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "merge SESSION... -o NEW",
		Short: "Put the flows of sessions into a new one",
		Long: `Copies the flows of sessions, with all they have, into a new session, in the order
in which they started. A flow keeps its uid: the session that recorded it and its
id there. One that is in several of the sessions is there once, with the notes of all.
Removed flows are left out. Of a session that is being captured the flows are
copied that it has by now.`,
		Example: `  weir session merge monday.weir tuesday.weir -o week.weir`,
		Args:    usageArgs(cobra.MinimumNArgs(1)),
		RunE:    func(cmd *cobra.Command, args []string) error { return mergeSessions(cmd.Context(), std, args, output) },
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "write the new session to NEW, which must not exist (required)")
	return cmd
}

func mergeSessions(ctx context.Context, std stdio, paths []string, output string) error {
	if output == "" {
		return usagef("-o is missing: the session to merge into").withHint("for example: weir session merge " + paths[0] + " -o merged.weir")
	}
	p := newProgress(std, "flows")
	defer p.stop()
	m, err := merge.Sessions(ctx, paths, output, merge.Options{
		Session:  store.Options{Creator: "weir " + version()},
		Progress: func(done, total uint64) { p.of("flows", done, total) },
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(std.out, "%s, %d of them met more than once\n", counted(m.Flows, "flow"), m.Duplicates)
	return err
}
