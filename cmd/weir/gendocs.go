package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"weir/filter"
	"weir/tui"
)

// newGendocs is the hidden command behind 'make generate': the documents that
// are made from the program's own tables.
func newGendocs(std stdio) *cobra.Command {
	return &cobra.Command{
		Use:    "gendocs DIR",
		Short:  "Write the generated documents into DIR",
		Hidden: true,
		Args:   usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			for name, text := range map[string]string{
				"filter.md": filter.Reference(),
				"keys.md":   tui.KeysReference(),
				"cli.md":    cliReference(cmd.Root()),
			} {
				path := filepath.Join(args[0], name)
				if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
					return fmt.Errorf("write %q: %w", path, err)
				}
				fmt.Fprintln(std.err, "wrote", path)
			}
			return nil
		},
	}
}

// cliReference is docs/cli.md: every command with its help and flags.
func cliReference(root *cobra.Command) string {
	var b strings.Builder
	b.WriteString(`# The command line

<!-- Made by 'make generate' from the commands themselves; do not edit. -->

Names, flags, JSON keys and exit codes here do not change without a note in the
changelog. Exit codes: 0 done, 1 failed, 2 a mistake in the command line or in a
filter. What was asked for goes to standard output; everything said to a person
goes to standard error, as ` + "`weir: what is wrong`" + ` and, where there is one, a
` + "`hint:`" + ` with the next step.

`)
	describe(&b, root)
	return b.String()
}

func describe(b *strings.Builder, cmd *cobra.Command) {
	if cmd.Hidden || cmd.Name() == "help" || cmd.Name() == "completion" && cmd.HasParent() && cmd.Parent().Name() != "weir" {
		return
	}
	if !cmd.Runnable() && !cmd.HasSubCommands() { // a help topic
		fmt.Fprintf(b, "## %s\n\n%s\n\n", cmd.CommandPath(), cmd.Long)
	}
	if cmd.Runnable() && (!cmd.HasSubCommands() || !cmd.HasParent()) {
		fmt.Fprintf(b, "## %s\n\n%s\n\n    %s\n\n", cmd.CommandPath(), sentence(cmd), cmd.UseLine())
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) { describeFlag(b, f) })
		b.WriteString("\n")
	}
	for _, sub := range cmd.Commands() {
		describe(b, sub)
	}
}

func sentence(cmd *cobra.Command) string {
	if cmd.Long != "" {
		return cmd.Long
	}
	return cmd.Short + "."
}

// capitals is a word of capitals in a flag's help: "FILE", "[HOST=]FILE".
var capitals = regexp.MustCompile(`(\[[A-Z]+=\])?\b[A-Z][A-Z:]*\b`)

// argument is the word in a flag's help that stands for its value: the first of
// capitals that is not the name of something.
func argument(usage string) string {
	for _, word := range capitals.FindAllString(usage, -1) {
		switch word {
		case "TLS", "CA", "HTTP", "HTTPS", "DNS", "PEM":
		default:
			return word
		}
	}
	return ""
}

func describeFlag(b *strings.Builder, f *pflag.Flag) {
	if f.Hidden || f.Name == "help" || f.Name == "version" {
		return
	}
	name := strings.TrimSpace(flagName(f))
	fmt.Fprintf(b, "- `%s`: %s", name, f.Usage)
	if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "[]" {
		fmt.Fprintf(b, " (default `%s`)", f.DefValue)
	}
	b.WriteString("\n")
}
