package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/term"
	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"weir/cmd/weir/internal/contract"
	"weir/filter"
	flowpb "weir/proto"
	"weir/store"
	"weir/tui"
	"weir/tui/theme"
)

// lookFlags say how the interface looks.
type lookFlags struct {
	theme themeName
	ascii bool
	mouse bool
}

func (f *lookFlags) register(cmd *cobra.Command) {
	cmd.Flags().Var(&f.theme, "theme", "colours by NAME, one of: "+strings.Join(theme.Names(), " ")+" (default: as the terminal is; NO_COLOR is obeyed)")
	cmd.Flags().BoolVar(&f.ascii, "ascii", false, "draw with ASCII characters only")
	cmd.Flags().BoolVar(&f.mouse, "mouse", false, "start with the mouse on; F2 toggles it")
	complete(cmd, "theme", theme.Names()...)
}

// themeName is a theme that there is: a mistake shows before anything is captured, also
// where there is no terminal to colour.
type themeName string

func (n *themeName) String() string { return string(*n) }
func (n *themeName) Type() string   { return "string" }

// Set takes the value of the flag.
func (n *themeName) Set(name string) error {
	if !slices.Contains(theme.Names(), name) {
		return fmt.Errorf("the themes are %s", strings.Join(theme.Names(), " "))
	}
	*n = themeName(name)
	return nil
}

// viewing is what the interface shows, and copies from.
type viewing interface {
	tui.Source
	tui.Exporter
}

// run shows a session until the user leaves, or the program is told to end.
func (f lookFlags) run(ctx context.Context, std stdio, out *os.File, s viewing, l library, p tui.Proxy, filter string) error {
	err := tui.Run(ctx, s, tui.Options{
		Proxy: p, Library: l,
		Theme: string(f.theme), ASCII: f.ascii, Mouse: f.mouse, Filter: filter, Exporter: s, In: std.in, Out: out,
	})
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}

// runCapture is the main job: capture and look. Where standard output is no
// terminal the flows go there as JSON lines, as they end. It stops after dur, 0: when
// told to.
func runCapture(ctx context.Context, std stdio, flags *captureFlags, dur time.Duration) error {
	c, err := flags.open(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := lasting(ctx, dur)
	defer cancel()
	var look func(context.Context) error
	if f, ok := terminal(std); ok {
		look = func(ctx context.Context) error {
			var p tui.Proxy // not an interface around nil
			if len(c.servers.Servers()) > 0 {
				p = c
			}
			return flags.look.run(ctx, std, f, newSource(c.session, c), newLibrary(c.session), p, flags.filter)
		}
	} else {
		c.announce(std)
	}
	err = c.runWith(ctx, std, look)
	if e := c.close(); err == nil {
		err = e
	}
	if c.sniffer != nil {
		c.sniffer.sum(std.err)
	}
	return err
}

// runWith serves until ctx ends or, where there is an interface, its user quits.
func (c *capture) runWith(ctx context.Context, std stdio, look func(context.Context) error) error {
	if look == nil {
		return c.run(ctx, func(ctx context.Context) error { return c.notices.print(ctx, std.err) }, func(ctx context.Context) error {
			return c.printFinished(ctx, std)
		})
	}
	ctx, quit := context.WithCancel(ctx)
	defer quit()
	served := make(chan error, 1)
	go func() { served <- c.run(ctx) }()
	err := look(ctx)
	quit()
	if e := <-served; err == nil {
		err = e
	}
	return err
}

// printFinished prints flows as JSON lines when they end, each at once.
func (c *capture) printFinished(ctx context.Context, std stdio) error {
	session := uuid.UUID(c.session.UUID())
	return eachFinished(ctx, c.session, c.start, func(ctx context.Context, rows []flowpb.Row) error {
		keep, err := c.session.Filter(ctx, c.filter, rowIDs(rows))
		if err != nil {
			return err
		}
		p, err := newPrinter(std.out, "json", nil)
		if err != nil {
			return err
		}
		for i := range rows {
			if len(keep) == 0 || keep[0] != rows[i].ID {
				continue
			}
			keep = keep[1:]
			if err := p.row(contract.NewRow(session, &rows[i])); err != nil {
				return err
			}
		}
		return p.close()
	})
}

// terminal returns standard output where it is one that a person looks at and
// types at.
func terminal(std stdio) (*os.File, bool) {
	f, ok := std.out.(*os.File)
	return f, ok && term.IsTerminal(f.Fd()) && term.IsTerminal(std.in.Fd())
}

func newOpen(std stdio) *cobra.Command {
	var readOnly bool
	var look lookFlags
	cmd := &cobra.Command{
		Use:   "open " + sessionsUse,
		Short: "Look at a saved session, or one that is still being captured; or at several as one",
		Long:  sessionsHelp,
		Example: `  weir open bug.weir
  weir open bug.weir '~c >=500' --read-only
  weir open captures/
  weir open monday.weir tuesday.weir '~session mon'`,
		Args: usageArgs(sessionsThenFilter),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runOpen(cmd.Context(), std, args, readOnly, look)
		},
	}
	cmd.Flags().BoolVar(&readOnly, "read-only", false, "write nothing, no marks and no comments either")
	look.register(cmd)
	return cmd
}

// runOpen shows sessions; where standard output is no terminal it prints the flows
// that match, as JSON lines, and ends.
func runOpen(ctx context.Context, std stdio, args []string, readOnly bool, look lookFlags) error {
	paths, rest := sessionArgs(args)
	expr, err := parseFilter(rest)
	if err != nil {
		return err
	}
	out, interactive := terminal(std)
	if !interactive {
		return printMatching(ctx, std, paths, expr)
	}
	s, err := openSource(ctx, paths, readOnly)
	if err != nil {
		return err
	}
	defer s.Close()
	flows, err := s.shelf.Count(ctx)
	if err != nil {
		return err
	}
	boundHeap(flows)
	return look.run(ctx, std, out, s, newLibrary(s.shelf.sessions()...), nil, strings.Join(rest, ""))
}

// printMatching prints flows as JSON lines.
func printMatching(ctx context.Context, std stdio, paths []string, expr filter.Expr) error {
	s, err := readShelf(ctx, std, paths)
	if err != nil {
		return err
	}
	defer s.Close()
	p, err := newPrinter(std.out, "json", nil)
	if err != nil {
		return err
	}
	err = eachRow(ctx, s, store.Query{Filter: expr}, func(r *flowpb.Row) error { return p.row(contract.NewRow(s.uuid(), r)) })
	if err != nil {
		return err
	}
	if err := p.close(); err != nil {
		return err
	}
	return s.whole()
}
