package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"weir/store"
	"weir/tui/widget"
)

func newVerify(std stdio) *cobra.Command {
	return &cobra.Command{
		Use:   "verify SESSION",
		Short: "Check that a session is whole",
		Long: `Reads the whole session and checks it: SQLite's integrity check, every flow's
head, the bodies' pieces, sizes and codings, the numbers of messages, and that all
that is referred to is there. It changes nothing. What is wrong is printed, a line
each, up to a thousand, and the exit code is 1.`,
		Args: usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error { return verifySession(cmd.Context(), std, args[0]) },
	}
}

func verifySession(ctx context.Context, std stdio, path string) error {
	s, err := store.Open(ctx, path, store.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer s.Close()
	p := newProgress(std, "opening")
	problems, err := s.VerifyProgress(ctx, p.of)
	p.stop()
	if err != nil {
		return err
	}
	for _, p := range problems {
		fmt.Fprintln(std.out, widget.Sanitize(p.String()))
	}
	if len(problems) > 0 {
		return hinted(fmt.Errorf("session %q: %d problems", path, len(problems)), repairHint)
	}
	_, err = fmt.Fprintln(std.out, "whole")
	return err
}

const repairHint = "'weir session repair' saves what can be read of it into a new session"
