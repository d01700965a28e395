package main

import (
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

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"weir/store"
	"weir/tui/widget"
)

func newSession(std stdio) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "session",
		Short: "About session files",
		Args:  usageArgs(cobra.NoArgs),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var listFormat, infoFormat string
	list := &cobra.Command{
		Use:   "list [DIR]",
		Short: "List the sessions of the data directory, or of DIR, newest first",
		Args:  usageArgs(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return listSessions(cmd.Context(), std, args, listFormat)
		},
	}
	info := &cobra.Command{
		Use:   "info SESSION",
		Short: "Say what a session holds",
		Args:  usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return sessionInfo(cmd.Context(), std, args[0], infoFormat)
		},
	}
	cmd.AddCommand(newVerify(std), newRepair(std), newCompact(std), newMerge(std))
	for sub, format := range map[*cobra.Command]*string{list: &listFormat, info: &infoFormat} {
		sub.Flags().StringVar(format, "format", "text", "FORMAT, text or json")
		complete(sub, "format", "text", "json")
		cmd.AddCommand(sub)
	}
	return cmd
}

// infoJSON is what is said of a session.
type infoJSON struct {
	Path      string  `json:"path"`
	UUID      string  `json:"uuid"`
	Creator   *string `json:"creator"`
	Format    int     `json:"format"`
	CreatedAt string  `json:"created_at"`
	FirstAt   *string `json:"first_at"`
	LastAt    *string `json:"last_at"`
	Flows     uint64  `json:"flows"`
	Marked    int     `json:"marked"`
	// RequestBytes and ResponseBytes are the sums of the bodies' sizes.
	RequestBytes  int64 `json:"request_bytes"`
	ResponseBytes int64 `json:"response_bytes"`
	FileBytes     int64 `json:"file_bytes"` // with the write-ahead log
}

func loadInfo(ctx context.Context, path string) (*infoJSON, error) {
	s, err := store.Open(ctx, path, store.Options{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	i, err := s.Info(ctx)
	if err != nil {
		return nil, err
	}
	return &infoJSON{
		Path: s.Path(), UUID: uuid.UUID(s.UUID()).String(), Creator: text(i.Creator), Format: i.Format, CreatedAt: timestamp(i.Created),
		FirstAt: moment(i.First), LastAt: moment(i.Last), Flows: i.Flows, Marked: i.Marked, RequestBytes: i.RequestBytes, ResponseBytes: i.ResponseBytes, FileBytes: i.FileBytes,
	}, nil
}

func sessionInfo(ctx context.Context, std stdio, path, format string) error {
	i, err := loadInfo(ctx, path)
	if err != nil {
		return err
	}
	switch format {
	case "json":
		return writeJSON(std, i)
	case "text":
		w := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
		for _, line := range [][2]string{
			{"session", i.Path},
			{"uuid", i.UUID},
			{"made by", deref(i.Creator)},
			{"format", fmt.Sprint(i.Format)},
			{"created", i.CreatedAt},
			{"first flow", deref(i.FirstAt)},
			{"last flow", deref(i.LastAt)},
			{"flows", fmt.Sprint(i.Flows)},
			{"marked", fmt.Sprint(i.Marked)},
			{"requests", widget.Size(i.RequestBytes)},
			{"responses", widget.Size(i.ResponseBytes)},
			{"file", widget.Size(i.FileBytes)},
		} {
			if line[1] != "" {
				fmt.Fprintf(w, "%s\t%s\n", line[0], widget.Sanitize(line[1]))
			}
		}
		return w.Flush()
	default:
		return usagef("--format %q: not a format of session info", format).withHint("the formats are: text json")
	}
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func writeJSON(std stdio, v any) error {
	line, err := marshal(v)
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
	paths, err := sessionFiles(args)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
	for _, path := range paths {
		i, err := loadInfo(ctx, path)
		if err != nil {
			fmt.Fprintln(std.err, "weir:", widget.Sanitize(err.Error()))
			continue
		}
		if format == "json" {
			if err := writeJSON(std, i); err != nil {
				return err
			}
			continue
		}
		created, _ := time.Parse(time.RFC3339Nano, i.CreatedAt)
		fmt.Fprintf(w, "%s\t%d flows\t%s\t%d marked\t%s\n", created.Local().Format("2006-01-02 15:04:05"), i.Flows,
			widget.Size(i.FileBytes), i.Marked, widget.Sanitize(i.Path))
	}
	return w.Flush()
}

// sessionFiles are the session files of a directory, newest name first.
func sessionFiles(args []string) ([]string, error) {
	var dir string
	if len(args) > 0 {
		dir = args[0]
	} else {
		var err error
		if dir, err = sessionDir(); err != nil {
			return nil, err
		}
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) && len(args) == 0 {
		return nil, nil // nothing was captured yet
	}
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	var paths []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), sessionSuffix) && !e.IsDir() {
			paths = append(paths, filepath.Join(dir, e.Name()))
		}
	}
	slices.Reverse(paths)
	return paths, nil
}
