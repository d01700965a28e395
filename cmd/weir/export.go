package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	flowpb "weir/proto"
	"weir/store"
)

// exporter writes one flow in some format. It returns false where the format has
// no form for the flow (a TCP flow as curl), and a [leftOutError] where it has
// one that cannot carry just this flow.
type exporter func(ctx context.Context, s reading, id uint64, w io.Writer) (bool, error)

// leftOutError says why one flow cannot be written in a format that others of its
// kind can be. An export goes on without it and says so.
type leftOutError struct{ err error }

func (e *leftOutError) Error() string { return e.err.Error() }
func (e *leftOutError) Unwrap() error { return e.err }

// exportFormats is every format of 'weir export', by name.
var exportFormats = []struct {
	name, help string
	begin      func(w io.Writer) exporting
}{
	{"har", "an HTTP Archive, as browsers and other proxies read and write it", exportHAR},
	{"mitm", "a dump of mitmproxy, version 21, without TLS handshakes that failed", exportMitm},
	{"jsonl", "one JSON object a line: what show prints, with both bodies in base64", eachAlone(exportJSONL)},
	{"curl", "one curl command a flow, which sends its request again", eachAlone(exportCurl)},
	{"raw", rawHelp, eachAlone(exportRaw)},
}

// exporting is a file being written: flow by flow, and then its end.
type exporting interface {
	// flow adds a flow; false and errors are as an [exporter]'s.
	flow(ctx context.Context, s reading, id uint64) (bool, error)
	end() error
}

// aloneFile is a file of flows that need nothing around them.
type aloneFile struct {
	write exporter
	w     io.Writer
}

func eachAlone(write exporter) func(io.Writer) exporting {
	return func(w io.Writer) exporting { return aloneFile{write, w} }
}

func (f aloneFile) flow(ctx context.Context, s reading, id uint64) (bool, error) {
	return f.write(ctx, s, id, f.w)
}

func (f aloneFile) end() error { return nil }

const rawHelp = `requests and responses as they were on the wire, save that the sizes
         of chunks are not kept, and that a head's first and closing line
         end in CRLF where they ended in a bare LF`

func exportNames() []string {
	out := make([]string, len(exportFormats))
	for i, f := range exportFormats {
		out[i] = f.name
	}
	return out
}

// findExporter returns what begins a file of a format.
func findExporter(name string) (func(io.Writer) exporting, error) {
	for _, f := range exportFormats {
		if f.name == name {
			return f.begin, nil
		}
	}
	return nil, usagef("--format %q: not a format of export", name).withHint("the formats are: " + strings.Join(exportNames(), " "))
}

func newExport(std stdio) *cobra.Command {
	var format, output string
	var masked bool
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
			return runExport(cmd.Context(), std, format, output, masked, args)
		},
	}
	cmd.Flags().StringVar(&format, "format", "", "write as FORMAT, one of: "+strings.Join(exportNames(), " ")+" (required)")
	cmd.Flags().StringVarP(&output, "output", "o", "", "write to FILE instead of standard output")
	cmd.Flags().BoolVar(&masked, "mask", false, maskHelp)
	complete(cmd, "format", exportNames()...)
	return cmd
}

func runExport(ctx context.Context, std stdio, format, output string, masked bool, args []string) error {
	if format == "" {
		return usagef("--format is missing").withHint("the formats are: " + strings.Join(exportNames(), " "))
	}
	begin, err := findExporter(format)
	if err != nil {
		return err
	}
	expr, err := parseFilter(args[1:])
	if err != nil {
		return err
	}
	if err := checkOutput(output, args[0]); err != nil {
		return err
	}
	s, err := store.Open(ctx, args[0], store.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer s.Close()
	var done, skipped int
	err = intoFile(std, output, func(w io.Writer) error {
		file := begin(w)
		err := eachRow(ctx, s, store.Query{Filter: expr}, func(r *flowpb.Row) error {
			ok, err := file.flow(ctx, reading{s, masked}, r.ID)
			if _, unfit := errors.AsType[*leftOutError](err); unfit {
				report(std.err, fmt.Errorf("left out %w", err))
				err = nil
			}
			if ok {
				done++
			} else if err == nil {
				skipped++
			}
			return err
		})
		if e := file.end(); err == nil {
			err = e
		}
		return err
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
