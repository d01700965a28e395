package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"charm.land/fang/v2"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// stdio is the three streams a command talks to.
type stdio struct {
	in  *os.File
	out io.Writer
	err io.Writer
}

// run executes one command line and returns its exit code.
func run(ctx context.Context, args []string, std stdio) int {
	root := newRoot(std)
	root.AddCommand(newMan(std))
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err != nil {
		report(std.err, err)
	}
	return exitCode(err)
}

// newMan prints the manual page, which is a command of fang's. Nothing else runs by it:
// it asks the terminal for its colours before it prints an error or a help, and waits
// seconds for terminals that never answer.
func newMan(std stdio) *cobra.Command {
	return &cobra.Command{
		Use:    "man",
		Short:  "Print the manual page",
		Hidden: true,
		Args:   usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			root := newRoot(std)
			root.SetArgs([]string{"man"})
			return fang.Execute(cmd.Context(), root, fang.WithVersion(version()))
		},
	}
}

// newRoot builds the command tree. A fresh tree for each run keeps flag values
// out of package variables.
func newRoot(std stdio) *cobra.Command {
	var capture captureFlags
	root := &cobra.Command{
		Use:   "weir",
		Short: "See, filter and keep the traffic that passes",
		Long: `weir is a terminal flow inspector. Without a command it starts a capture
proxy and shows what passes, as it passes; the session is a file that can be
opened again later, while others look at it too.`,
		Example: `  # capture on 127.0.0.1:8080 and look
  weir

  # capture into a file of your choice, show only the API's errors
  weir -o bug.weir --filter '~d api & ~c >=500'

  # look at it again
  weir open bug.weir`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return runCapture(cmd.Context(), std, &capture, 0) },
	}
	root.SetIn(std.in)
	root.SetOut(std.out)
	root.SetErr(std.err)
	root.SilenceUsage, root.SilenceErrors, root.Version = true, true, version()
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { printHelp(std.out, cmd) })
	capture.register(root)
	capture.look.register(root)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%w", err).withHint("see '" + cmd.CommandPath() + " --help'")
	})
	root.AddCommand(
		newOpen(std), newRecord(std), newSniff(std), newQuery(std), newShow(std), newImport(std), newExport(std), newSession(std),
		newFilter(std), newCA(std), newModes(), newTimeouts(), newVersion(std), newBench(std), newGendocs(std),
	)
	hideZeroDefaults(root)
	refuseUnknownTopics(root)
	return root
}

// refuseUnknownTopics makes 'weir help X' a usage error where there is no X, for which
// cobra's own command shows the help of weir.
func refuseUnknownTopics(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() == "help" {
			cmd.Args = usageArgs(func(_ *cobra.Command, args []string) error {
				if _, rest, err := root.Find(args); err != nil || len(rest) > 0 {
					return fmt.Errorf("no command %q to help with", strings.Join(args, " "))
				}
				return nil
			})
		}
	}
}

// hideZeroDefaults keeps "(0s)" out of the help of every command: where 0 means
// something, the flag's own words say what.
func hideZeroDefaults(cmd *cobra.Command) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.DefValue == "0" || f.DefValue == "0s" {
			f.DefValue = ""
		}
	})
	for _, sub := range cmd.Commands() {
		hideZeroDefaults(sub)
	}
}

// usageArgs turns a cobra argument check into one whose error is a usage error.
func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usagef("%w", err).withHint("see '" + cmd.CommandPath() + " --help'")
		}
		return nil
	}
}

// exitCode maps an error to the contract: 0 done, 1 failed, 2 usage.
func exitCode(err error) int {
	var usage *personError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &usage) && usage.usage:
		return 2
	default:
		return 1
	}
}
