package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"weir/cmd/weir/internal/contract"
	"weir/filter"
	flowpb "weir/proto"
	"weir/store"
)

// queryFlags are the options of 'weir query'.
type queryFlags struct {
	format  string
	columns []string
	sort    string
	reverse bool
	limit   int
	count   bool
}

func newQuery(std stdio) *cobra.Command {
	var flags queryFlags
	cmd := &cobra.Command{
		Use:   "query " + sessionsUse,
		Short: "List the flows of a session, or of several as one",
		Long: `Lists flows, one a line, of a saved session or one that is being captured.
In a table a flow without a URL shows where it went, and one that failed shows
why; json and csv give each key its own value.

` + sessionsHelp + `

The JSON keys are: ` + strings.Join(contract.Columns[:contract.LineKeys], " ") + `.
--columns knows these as well: ` + strings.Join(contract.Columns[contract.LineKeys:], " ") + `.`,
		Example: `  weir query bug.weir '~c >=500' --sort duration --reverse --limit 10
  weir query bug.weir '~d api' --format json | jq -r .url
  weir query bug.weir --count
  weir query captures/ '~c >=500' --columns session,id,url`,
		Args: usageArgs(sessionsThenFilter),
		RunE: func(cmd *cobra.Command, args []string) error { return runQuery(cmd.Context(), std, flags, args) },
	}
	f := cmd.Flags()
	f.StringVar(&flags.format, "format", "table", "print as FORMAT: table, json (one object a line) or csv")
	f.StringSliceVar(&flags.columns, "columns", nil, "only these KEYS, in this order, separated by commas")
	f.StringVar(&flags.sort, "sort", "id", "sort by KEY, one of: "+strings.Join(store.OrderNames(), " "))
	f.BoolVar(&flags.reverse, "reverse", false, "sort downwards")
	f.IntVar(&flags.limit, "limit", 0, "at most N flows (0: all)")
	f.BoolVar(&flags.count, "count", false, "print only how many there are")
	complete(cmd, "format", "table", "json", "csv")
	complete(cmd, "columns", contract.Columns...)
	complete(cmd, "sort", store.OrderNames()...)
	return cmd
}

// complete offers fixed values for a flag in shell completion.
func complete(cmd *cobra.Command, flag string, values ...string) {
	err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	if err != nil {
		panic("completion for a flag that does not exist: " + flag) // a mistake in this program, caught by any test that runs it
	}
}

func runQuery(ctx context.Context, std stdio, flags queryFlags, args []string) error {
	paths, rest := sessionArgs(args)
	q, err := flags.query(rest)
	if err != nil {
		return err
	}
	if _, err := newPrinter(io.Discard, flags.format, flags.columns); err != nil {
		return err // before anything is opened
	}
	s, err := readShelf(ctx, std, paths)
	if err != nil {
		return err
	}
	defer s.Close()
	if flags.count {
		if err := printCount(ctx, std, s, q); err != nil {
			return err
		}
		return s.whole()
	}
	p, err := newPrinter(std.out, flags.format, flags.shown(s))
	if err != nil {
		return err
	}
	err = eachRow(ctx, s, q, func(r *flowpb.Row) error { return p.row(contract.NewRow(s.uuid(), r)) })
	if err != nil {
		return err
	}
	if err := p.close(); err != nil {
		return err
	}
	return s.whole()
}

// shown are the columns to print, nil for the format's own: a table of several
// sessions says whose flows they are.
func (f queryFlags) shown(s *shelf) []string {
	if f.columns == nil && f.format == "table" && s.set != nil {
		return append([]string{"session"}, tableColumns...)
	}
	return f.columns
}

// query checks everything that can be checked before the session is opened.
func (f queryFlags) query(wanted []string) (store.Query, error) {
	order, err := store.ParseOrder(f.sort)
	if err != nil {
		return store.Query{}, usagef("--sort: %w", err)
	}
	if f.limit < 0 {
		return store.Query{}, usagef("--limit %d: must not be negative", f.limit)
	}
	if err := checkColumns(f.columns); err != nil {
		return store.Query{}, err
	}
	expr, err := parseFilter(wanted)
	return store.Query{Filter: expr, Order: order, Reverse: f.reverse, Limit: f.limit}, err
}

// checkColumns refuses a list of keys that names none, or one that is none.
func checkColumns(names []string) error {
	hint := "the keys are: " + strings.Join(contract.Columns, " ")
	if names != nil && len(names) == 0 {
		return usagef("--columns: names no key").withHint(hint)
	}
	for _, name := range names {
		if !slices.Contains(contract.Columns, name) {
			return usagef("--columns: no key %q", name).withHint(hint)
		}
	}
	return nil
}

// parseFilter reads the optional filter argument; a mistake in it is a usage error.
func parseFilter(args []string) (filter.Expr, error) {
	if len(args) == 0 {
		return nil, nil
	}
	expr, err := filter.Parse(args[0])
	if err != nil {
		return nil, usagef("%w", err)
	}
	return expr, nil
}

func printCount(ctx context.Context, std stdio, s flows, q store.Query) error {
	n, err := s.CountMatching(ctx, q.Filter)
	if err != nil {
		return err
	}
	if q.Limit > 0 {
		n = min(n, q.Limit)
	}
	_, err = fmt.Fprintln(std.out, n)
	return err
}

// pageSize is how many rows are read at a time: enough to make the query cheap,
// few enough to keep memory flat.
const pageSize = 256

// eachRow calls do for every row of the query, in its order.
func eachRow(ctx context.Context, s flows, q store.Query, do func(*flowpb.Row) error) error {
	ids := make([]uint64, 0, pageSize)
	var failed error
	flush := func() bool {
		rows, err := s.Rows(ctx, ids)
		for i := range rows {
			if err == nil {
				err = do(&rows[i])
			}
		}
		ids = ids[:0]
		failed = err
		return err == nil
	}
	err := s.Select(ctx, q, func(id uint64) bool {
		ids = append(ids, id)
		return len(ids) < pageSize || flush()
	})
	if failed != nil {
		return failed
	}
	if err != nil {
		return err
	}
	flush()
	return failed
}
