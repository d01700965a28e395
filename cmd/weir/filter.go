package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"weir/cmd/weir/internal/contract"
	"weir/filter"
	"weir/store"
)

func newFilter(std stdio) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "filter",
		Short: "About filter expressions",
		Args:  usageArgs(cobra.NoArgs),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var format string
	explain := &cobra.Command{
		Use:   "explain EXPR",
		Short: "Show how an expression is read, and how it would run",
		Long: `Shows an expression in its canonical form, as a tree, and how it would run:
by the session's columns alone, or by reading heads or bodies as well.
docs/filter.md describes the language.`,
		Example: `  weir filter explain '~d api & (~c 5xx | ~e)'`,
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE:    func(_ *cobra.Command, args []string) error { return explainFilter(std, args[0], format) },
	}
	explain.Flags().StringVar(&format, "format", "text", "FORMAT, text or json")
	complete(explain, "format", "text", "json")
	cmd.AddCommand(explain)
	return cmd
}

func explainFilter(std stdio, src, format string) error {
	expr, err := filter.Parse(src)
	if err != nil {
		return usagef("%w", err)
	}
	e := filter.Explain(filter.Bind(expr, store.Clock(time.Now())))
	switch format {
	case "text":
		_, err = fmt.Fprint(std.out, e.String())
	case "json":
		var line []byte
		if line, err = contract.Marshal(e); err == nil {
			_, err = fmt.Fprintf(std.out, "%s\n", line)
		}
	default:
		return usagef("--format %q: not a format of explain", format).withHint("the formats are: text json")
	}
	return err
}
