package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	flowpb "weir/proto"
	"weir/store"
)

// exporter writes one flow in some format. It returns false where the format has
// no form for the flow (a TCP flow as curl).
type exporter func(ctx context.Context, s *store.Session, id uint64, w io.Writer) (bool, error)

// exportFormats is every format of 'weir export', by name.
var exportFormats = []struct {
	name, help string
	write      exporter
}{
	{"jsonl", "one JSON object a line: what show prints, with both bodies in base64", exportJSONL},
	{"curl", "one curl command a flow", exportCurl},
	{"raw", "requests and responses as they were on the wire", exportRaw},
}

func exportNames() []string {
	out := make([]string, len(exportFormats))
	for i, f := range exportFormats {
		out[i] = f.name
	}
	return out
}

// findExporter returns the writer of a format.
func findExporter(name string) (exporter, error) {
	for _, f := range exportFormats {
		if f.name == name {
			return f.write, nil
		}
	}
	return nil, usagef("--format %q: not a format of export", name).withHint("the formats are: " + strings.Join(exportNames(), " "))
}

func newExport(std stdio) *cobra.Command {
	var format, output string
	help := "Writes the flows of a session, oldest first, in another format:\n"
	for _, f := range exportFormats {
		help += fmt.Sprintf("  %-6s %s\n", f.name, f.help)
	}
	cmd := &cobra.Command{
		Use:   "export SESSION [FILTER]",
		Short: "Write flows in another format",
		Long:  help,
		Example: `  weir export bug.weir '~id 12' --format curl
  weir export bug.weir '~d api' --format jsonl -o api.jsonl`,
		Args: usageArgs(cobra.RangeArgs(1, 2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runExport(cmd.Context(), std, format, output, args)
		},
	}
	cmd.Flags().StringVar(&format, "format", "", "FORMAT, one of: "+strings.Join(exportNames(), " ")+" (required)")
	cmd.Flags().StringVarP(&output, "output", "o", "", "write to FILE instead of standard output")
	complete(cmd, "format", exportNames()...)
	return cmd
}

func runExport(ctx context.Context, std stdio, format, output string, args []string) error {
	if format == "" {
		return usagef("--format is missing").withHint("the formats are: " + strings.Join(exportNames(), " "))
	}
	write, err := findExporter(format)
	if err != nil {
		return err
	}
	expr, err := parseFilter(args[1:])
	if err != nil {
		return err
	}
	s, err := store.Open(ctx, args[0], store.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer s.Close()
	var done, skipped int
	err = intoFile(std, output, func(w io.Writer) error {
		return eachRow(ctx, s, store.Query{Filter: expr}, func(r *flowpb.Row) error {
			ok, err := write(ctx, s, r.ID, w)
			if ok {
				done++
			} else if err == nil {
				skipped++
			}
			return err
		})
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(std.err, "exported %d flows as %s", done, format)
	if skipped > 0 {
		fmt.Fprintf(std.err, ", left out %d that have no such form", skipped)
	}
	fmt.Fprintln(std.err)
	return nil
}

// intoFile lets write fill standard output, or the file at path, which appears
// whole or not at all.
func intoFile(std stdio, path string, write func(io.Writer) error) error {
	if path == "" || path == "-" {
		buf := bufio.NewWriterSize(std.out, 64<<10)
		if err := write(buf); err != nil {
			return err
		}
		return buf.Flush()
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".weir-*")
	if err != nil {
		return fmt.Errorf("write %q: %w", path, err)
	}
	defer os.Remove(f.Name()) // a no-op once it was renamed
	buf := bufio.NewWriterSize(f, 64<<10)
	err = write(buf)
	if err == nil {
		err = buf.Flush()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %q: %w", path, err)
	}
	return nil
}
