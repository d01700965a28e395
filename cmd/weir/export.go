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
	begin      func(w io.Writer, f *exportFlags) (exporting, error)
}{
	{"har", "an HTTP Archive, as browsers and other proxies read and write it", exportHAR},
	{"mitm", "a dump of mitmproxy, version 21, without TLS handshakes that failed", exportMitm},
	{"pcapng", "packets as Wireshark opens them, made of what was said; TLS with its keys", exportPcapng},
	{"jsonl", "one JSON object a line: what show prints, with both bodies in base64", eachAlone(exportJSONL)},
	{"csv", "the keys of query as columns, all of them or those of --columns", beginCSV},
	{"curl", "one curl command a flow, which sends its request again", eachAlone(exportCurl)},
	{"httpie", "one command of HTTPie a flow, the same way", eachAlone(exportHTTPie)},
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

func eachAlone(write exporter) func(io.Writer, *exportFlags) (exporting, error) {
	return func(w io.Writer, _ *exportFlags) (exporting, error) { return aloneFile{write, w}, nil }
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
func findExporter(name string) (func(io.Writer, *exportFlags) (exporting, error), error) {
	for _, f := range exportFormats {
		if f.name == name {
			return f.begin, nil
		}
	}
	return nil, usagef("--format %q: not a format of export", name).withHint("the formats are: " + strings.Join(exportNames(), " "))
}

// exportFlags are the options of export.
type exportFlags struct {
	format, output string
	columns        []string // of CSV; nil: all
	masked         bool
}

func newExport(std stdio) *cobra.Command {
	var flags exportFlags
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
			return runExport(cmd.Context(), std, &flags, args)
		},
	}
	cmd.Flags().StringVar(&flags.format, "format", "", "write as FORMAT, one of: "+strings.Join(exportNames(), " ")+" (required)")
	cmd.Flags().StringVarP(&flags.output, "output", "o", "", "write to FILE instead of standard output")
	cmd.Flags().StringSliceVar(&flags.columns, "columns", nil, "of csv: only these KEYS of query, in this order, separated by commas")
	cmd.Flags().BoolVar(&flags.masked, "mask", false, maskHelp)
	complete(cmd, "format", exportNames()...)
	complete(cmd, "columns", columns...)
	return cmd
}

// check refuses what can be refused before the session is opened.
func (f *exportFlags) check(session string) error {
	switch {
	case f.format == "":
		return usagef("--format is missing").withHint("the formats are: " + strings.Join(exportNames(), " "))
	case f.columns != nil && f.format != "csv":
		return usagef("--columns goes with --format csv")
	}
	if err := checkColumns(f.columns); err != nil {
		return err
	}
	return checkOutput(f.output, session)
}

func runExport(ctx context.Context, std stdio, flags *exportFlags, args []string) error {
	if err := flags.check(args[0]); err != nil {
		return err
	}
	begin, err := findExporter(flags.format)
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
	err = intoFile(std, flags.output, func(w io.Writer) error {
		file, err := begin(w, flags)
		if err != nil {
			return err
		}
		err = eachRow(ctx, s, store.Query{Filter: expr}, func(r *flowpb.Row) error {
			ok, err := file.flow(ctx, reading{s, flags.masked}, r.ID)
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
	fmt.Fprintf(std.err, "exported %d flows as %s", done, flags.format)
	if skipped > 0 {
		fmt.Fprintf(std.err, ", left out %d that have no such form", skipped)
	}
	fmt.Fprintln(std.err)
	return nil
}
