package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"weir/tui/widget"
)

// TestHelp prints every command's help: no line is too long, nothing in it speaks to the
// terminal, and it has each flag and each command there is.
func TestHelp(t *testing.T) {
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		cmd.InitDefaultHelpFlag()
		var out bytes.Buffer
		printHelp(&out, cmd)
		text := out.String()
		if strings.ContainsAny(text, "\x1b\t\r") {
			t.Errorf("%s: got control characters in\n%q", cmd.CommandPath(), text)
		}
		_, _, found := strings.Cut(text, "\nUsage:\n  "+cmd.CommandPath())
		if !found || !strings.Contains(text, "-h, --help") {
			t.Errorf("%s: got\n%s\nwant its usage and flags", cmd.CommandPath(), text)
		}
		head, _, _ := strings.Cut(text, "\nExamples:")
		for line := range strings.Lines(head) {
			if n := widget.Width(strings.TrimSuffix(line, "\n")); n > helpWidth && strings.Contains(strings.TrimSpace(line), " ") {
				t.Errorf("%s: a line of %d cells: %q", cmd.CommandPath(), n, line)
			}
		}
		for _, sub := range cmd.Commands() {
			if !sub.Hidden && !strings.Contains(text, "\n  "+sub.Use) {
				t.Errorf("%s: %s is missing in\n%s", cmd.CommandPath(), sub.Use, text)
			}
			walk(sub)
		}
	}
	walk(newRoot(stdio{}))
}

func TestParagraphs(t *testing.T) {
	const in = "one two three\nfour\n\n  kept as\n  it is, but wrapped\nlast"
	if got, want := paragraphs(in, 20), "one two three four\n\n  kept as\n  it is, but wrapped\nlast"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
