package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"weir/tui/widget"
)

// Widths of help, in cells.
const (
	helpWidth    = 80  // where there is no terminal to ask
	maxHelpWidth = 110 // a line that the eye still follows
	maxHelpName  = 26  // of a flag or command; what it does begins a line of its own behind a longer one
)

// printHelp prints what a command is for and what it takes, in plain text. It asks the
// terminal for nothing but its width, so that it is there at once, and leaves nothing
// behind, also where a terminal answers late or never.
func printHelp(w io.Writer, cmd *cobra.Command) {
	width := helpWidth
	if f, ok := w.(*os.File); ok {
		if cells, _, err := term.GetSize(f.Fd()); err == nil && cells > 0 {
			width = min(cells, maxHelpWidth)
		}
	}
	fmt.Fprintf(w, "%s\n\nUsage:\n%s", paragraphs(sentence(cmd), width), indented(usageLine(cmd), 2, width))
	if cmd.Example != "" {
		fmt.Fprintf(w, "\nExamples:\n%s\n", cmd.Example)
	}
	var commands, flags [][2]string
	for _, sub := range cmd.Commands() {
		if !sub.Hidden {
			commands = append(commands, [2]string{sub.Use, sub.Short})
		}
	}
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			flags = append(flags, [2]string{flagName(f), f.Usage + flagDefault(f)})
		}
	})
	printRows(w, "Commands", commands, width)
	printRows(w, "Flags", flags, width)
}

func usageLine(cmd *cobra.Command) string {
	if cmd.HasSubCommands() && cmd.HasParent() {
		return cmd.CommandPath() + " COMMAND"
	}
	return cmd.UseLine()
}

// flagName is a flag with the word that stands for its value.
func flagName(f *pflag.Flag) string {
	name := "    --" + f.Name
	if f.Shorthand != "" {
		name = "-" + f.Shorthand + ", --" + f.Name
	}
	if word := argument(f.Usage); word != "" && f.Value.Type() != "bool" {
		name += " " + word
	}
	return name
}

// flagDefault is what a flag is without being given, where its own words do not say so.
func flagDefault(f *pflag.Flag) string {
	switch f.DefValue {
	case "", "false", "[]":
		return ""
	}
	return " (default " + f.DefValue + ")"
}

// printRows prints names with what they mean beside them.
func printRows(w io.Writer, title string, rows [][2]string, width int) {
	if len(rows) == 0 {
		return
	}
	column := 0
	for _, row := range rows {
		if n := widget.Width(row[0]); n <= maxHelpName {
			column = max(column, n)
		}
	}
	column += 4
	fmt.Fprintf(w, "\n%s:\n", title)
	for _, row := range rows {
		text := indented(row[1], column, width)
		if widget.Width(row[0]) > maxHelpName {
			fmt.Fprintf(w, "  %s\n%s", row[0], text)
			continue
		}
		fmt.Fprintf(w, "  %s%s", widget.Pad(row[0], column-2, ""), strings.TrimLeft(text, " "))
	}
}

// indented is text in lines of at most width cells that begin with so many blanks.
func indented(text string, by, width int) string {
	var out strings.Builder
	for line := range strings.SplitSeq(ansi.Wordwrap(text, max(20, width-by), ""), "\n") {
		out.WriteString(strings.Repeat(" ", by) + strings.TrimRight(line, " ") + "\n")
	}
	return out.String()
}

// paragraphs wraps text anew. Lines that are indented stand for themselves, and keep
// their indent where they are too long.
func paragraphs(text string, width int) string {
	var out strings.Builder
	var open []string
	flush := func() {
		if len(open) > 0 {
			out.WriteString(indented(strings.Join(open, " "), 0, width))
			open = nil
		}
	}
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		bare := strings.TrimLeft(line, " ")
		if bare != "" && bare == line {
			open = append(open, line)
			continue
		}
		flush()
		out.WriteString(indented(bare, len(line)-len(bare), width))
	}
	flush()
	return strings.TrimRight(out.String(), "\n")
}
