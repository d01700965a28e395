package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"weir/cmd/weir/internal/contract"
	"weir/tui/widget"
)

func newSession(std stdio) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "session",
		Short: "About session files",
		Args:  usageArgs(cobra.NoArgs),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var listFormat string
	list := &cobra.Command{
		Use:   "list [DIR]",
		Short: "List the sessions of the data directory, or of DIR, newest first",
		Args:  usageArgs(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return listSessions(cmd.Context(), std, args, listFormat)
		},
	}
	cmd.AddCommand(list, newInfo(std), newVerify(std), newRepair(std), newCompact(std), newMerge(std))
	list.Flags().StringVar(&listFormat, "format", "text", "FORMAT, text or json")
	complete(list, "format", "text", "json")
	return cmd
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func writeJSON(std stdio, v any) error {
	line, err := contract.Marshal(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(std.out, "%s\n", line)
	return err
}

func listSessions(ctx context.Context, std stdio, args []string, format string) error {
	if format != "text" && format != "json" {
		return usagef("--format %q: not a format of session list", format).withHint("the formats are: text json")
	}
	dir, paths, err := sessionFiles(args)
	if err != nil {
		return err
	}
	var found []*infoJSON
	for _, path := range paths {
		i, err := loadInfo(ctx, path)
		if err != nil {
			fmt.Fprintln(std.err, "weir:", widget.Sanitize(err.Error()))
			continue
		}
		found = append(found, i)
	}
	slices.SortStableFunc(found, func(a, b *infoJSON) int { return cmp.Compare(b.CreatedAt, a.CreatedAt) })
	if len(paths) == 0 {
		fmt.Fprintln(std.err, "weir: no sessions in", widget.Sanitize(dir))
	}
	if format == "json" {
		for _, i := range found {
			if err := writeJSON(std, i); err != nil {
				return err
			}
		}
		return nil
	}
	return listText(std, found)
}

func listText(std stdio, found []*infoJSON) error {
	w := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
	for _, i := range found {
		created, _ := time.Parse(time.RFC3339Nano, i.CreatedAt)
		fmt.Fprintf(w, "%s\t%s\t%s\t%d marked\t%s\n", created.Local().Format("2006-01-02 15:04:05"), counted(i.Flows, "flow"),
			widget.Size(i.FileBytes), i.Marked, widget.Sanitize(i.Path))
	}
	return w.Flush()
}

// sessionFiles are the session files of a directory, and its name.
func sessionFiles(args []string) (dir string, paths []string, err error) {
	if len(args) > 0 {
		dir = args[0]
	} else if dir, err = sessionDir(); err != nil {
		return "", nil, err
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) && len(args) == 0 {
		return dir, nil, nil // nothing was captured yet
	}
	if err != nil {
		return "", nil, fmt.Errorf("list sessions: %w", err)
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), sessionSuffix) && !e.IsDir() {
			paths = append(paths, filepath.Join(dir, e.Name()))
		}
	}
	return dir, paths, nil
}
