package main

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"weir/store"
	"weir/store/repair"
	"weir/tui/widget"
)

func newRepair(std stdio) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "repair DAMAGED -o NEW",
		Short: "Save what can be read of a damaged session into a new one",
		Long: `Reads a session file that may be damaged in any way: bits flipped, pages gone, the
end cut off, the header unreadable. All that can be read goes into a new session,
with the ids it had; what is lost is said. The damaged file is never changed. If
there is a -wal file beside it, what was committed to that is taken in.`,
		Example: `  weir session repair bug.weir -o bug-repaired.weir`,
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return repairSession(cmd.Context(), std, args[0], output)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "write the new session to NEW, which must not exist (required)")
	return cmd
}

func repairSession(ctx context.Context, std stdio, path, output string) error {
	if output == "" {
		return usagef("-o is missing: the session to save into").withHint("for example: weir session repair " + path + " -o repaired.weir")
	}
	p := newProgress(std, "opening")
	r, err := repair.File(ctx, path, output, repair.Options{
		Session:  store.Options{Creator: "weir " + version()},
		Progress: p.step,
	})
	p.stop()
	if err != nil {
		return err
	}
	return printRepaired(std, r)
}

// printRepaired says what came through, then what did not.
func printRepaired(std stdio, r *repair.Report) error {
	w := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "pages\t%d, %d of them unreadable\n", r.Pages, r.Damage.Pages)
	fmt.Fprintf(w, "flows\t%d saved, %d of them rebuilt without their heads\n", r.Flows, r.Rebuilt)
	for _, t := range r.Tables {
		if t.Name != "flow" && t.Rows+t.Refused > 0 {
			fmt.Fprintf(w, "%s\t%d rows saved, %d refused\n", t.Name, t.Rows, t.Refused)
		}
	}
	fmt.Fprintf(w, "lost\t%s\n", lostOf(r))
	if err := w.Flush(); err != nil {
		return err
	}
	for _, p := range r.Findings {
		fmt.Fprintln(std.out, widget.Sanitize(p.String()))
	}
	if r.Unlisted > 0 {
		fmt.Fprintf(std.out, "and %d more\n", r.Unlisted)
	}
	return nil
}

// lostOf says what is lost, where it is known with ids.
func lostOf(r *repair.Report) string {
	if r.Whole() {
		return "nothing"
	}
	var parts []string
	if r.Lost > 0 {
		text := counted(r.Lost, "flow")
		if len(r.Missing) > 0 {
			text += " among " + ranges(r.Missing)
		}
		parts = append(parts, text)
	}
	if r.Damage.Cells > 0 {
		parts = append(parts, fmt.Sprintf("%d rows that contradict themselves", r.Damage.Cells))
	}
	if n := r.Refused(); n > 0 {
		parts = append(parts, fmt.Sprintf("%d rows that fit no table", n))
	}
	if n := len(r.Findings) + r.Unlisted; n > 0 {
		parts = append(parts, fmt.Sprintf("%d findings below", n))
	}
	if len(parts) == 0 {
		return "nothing that anybody would miss"
	}
	return strings.Join(parts, "; ")
}

// ranges writes ids as 3, 7-9.
func ranges(list []repair.Range) string {
	parts := make([]string, len(list))
	for i, r := range list {
		parts[i] = fmt.Sprint(r.First)
		if r.Last != r.First {
			parts[i] = fmt.Sprintf("%d-%d", r.First, r.Last)
		}
	}
	return strings.Join(parts, ", ")
}
