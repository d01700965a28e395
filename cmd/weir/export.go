package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"weir/cmd/weir/internal/contract"
	flowpb "weir/proto"
	"weir/proto/export"
	"weir/proto/resend"
	"weir/proxy/packet/synth"
	"weir/store"
)

// exporting is a file being written: flow by flow, and then its end.
type exporting interface {
	// flow adds a flow. The error is [flowpb.ErrNoForm] where the format has no form for
	// the flow (a TCP flow as curl), and a [flowpb.UnfitError] where it has one that
	// cannot carry just this flow: an export goes on without it.
	flow(ctx context.Context, s reading, id uint64) error
	end() error
}

// wholeFile is a file in a format that is made of flows alone.
type wholeFile struct{ export.Writer }

func (f wholeFile) flow(ctx context.Context, s reading, id uint64) error {
	whole, err := loadWhole(ctx, s, id)
	if err != nil {
		return err
	}
	return f.Write(whole)
}

func (f wholeFile) end() error { return f.Close() }

// beginExport begins a file; columns are of CSV, nil for all.
func beginExport(w io.Writer, format export.Format, columns []string) (exporting, error) {
	switch format.Name {
	case "csv":
		p, err := newPrinter(w, "csv", columns)
		return csvFile{p}, err
	case "jsonl":
		return jsonlFile{w}, nil
	case "pcapng":
		packets, err := synth.NewWriter(w, "weir "+version())
		return wholeFile{packets}, err
	}
	writer, err := format.New(w, version())
	return wholeFile{writer}, err
}

// unfit reports whether an export goes on behind an error of one flow, and tells the
// person where it is not of its kind alone.
func unfit(std stdio, err error) bool {
	if one, ok := errors.AsType[*flowpb.UnfitError](err); ok {
		said := fmt.Errorf("left out %w", one)
		if errors.Is(err, resend.ErrLargeBody) {
			said = hinted(said, "weir show SESSION ID --body request --as wire > FILE, then curl --data-binary @FILE")
		}
		report(std.err, said)
		return true
	}
	return errors.Is(err, flowpb.ErrNoForm)
}

func exportNames() (out []string) {
	for _, f := range export.Formats() {
		out = append(out, f.Name)
	}
	return out
}

func findFormat(name string) (export.Format, error) {
	f, ok := export.Find(name)
	if !ok {
		return f, usagef("--format %q: not a format of export", name).withHint("the formats are: " + strings.Join(exportNames(), " "))
	}
	return f, nil
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
	for _, f := range export.Formats() {
		help += fmt.Sprintf("  %-12s %s\n", f.Name, strings.ReplaceAll(f.Help, "\n", "\n               "))
	}
	cmd := &cobra.Command{
		Use:   "export " + sessionsUse,
		Short: "Write flows in another format",
		Long:  help + "\n" + sessionsHelp,
		Example: `  weir export bug.weir '~id 12' --format curl
  weir export bug.weir '~d api' --format jsonl -o api.jsonl`,
		Args: usageArgs(sessionsThenFilter),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runExport(cmd.Context(), std, &flags, args)
		},
	}
	cmd.Flags().StringVar(&flags.format, "format", "", "write as FORMAT, one of: "+strings.Join(exportNames(), " ")+" (required)")
	cmd.Flags().StringVarP(&flags.output, "output", "o", "", "write to FILE instead of standard output")
	cmd.Flags().StringSliceVar(&flags.columns, "columns", nil, "of csv: only these KEYS of query, in this order, separated by commas")
	cmd.Flags().BoolVar(&flags.masked, "mask", false, maskHelp)
	complete(cmd, "format", exportNames()...)
	complete(cmd, "columns", contract.Columns...)
	return cmd
}

// check refuses what can be refused before the session is opened.
func (f *exportFlags) check(sessions []string) error {
	switch {
	case f.format == "":
		return usagef("--format is missing").withHint("the formats are: " + strings.Join(exportNames(), " "))
	case f.columns != nil && f.format != "csv":
		return usagef("--columns goes with --format csv")
	}
	if err := checkColumns(f.columns); err != nil {
		return err
	}
	return checkOutput(f.output, sessions...)
}

func runExport(ctx context.Context, std stdio, flags *exportFlags, args []string) error {
	paths, wanted := sessionArgs(args)
	files, err := expandFolders(paths)
	if err != nil {
		return err
	}
	if err := flags.check(files); err != nil {
		return err
	}
	format, err := findFormat(flags.format)
	if err != nil {
		return err
	}
	if len(wanted) == 0 && format.Filter != "" {
		wanted = []string{format.Filter}
	}
	expr, err := parseFilter(wanted)
	if err != nil {
		return err
	}
	s, err := openShelf(ctx, paths, store.Options{ReadOnly: true}, func(err error) { report(std.err, err) })
	if err != nil {
		return err
	}
	defer s.Close()
	var done, skipped int
	err = intoFile(std, flags.output, func(w io.Writer) error {
		file, err := beginExport(w, format, flags.columns)
		if err != nil {
			return err
		}
		err = eachRow(ctx, s, store.Query{Filter: expr}, func(r *flowpb.Row) error {
			session, number, err := s.at(r.ID, flags.masked)
			if err == nil {
				err = file.flow(ctx, session, number)
			}
			switch {
			case err == nil:
				done++
			case unfit(std, err):
				skipped++
			default:
				return err
			}
			return nil
		})
		if e := file.end(); err == nil {
			err = e
		}
		return err
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(std.err, "exported %s as %s", counted(done, "flow"), flags.format)
	if skipped > 0 {
		fmt.Fprintf(std.err, ", left out %d that have no such form", skipped)
	}
	fmt.Fprintln(std.err)
	return s.whole()
}
