package filter

import (
	_ "embed"
	"fmt"
	"strings"
)

// manual is the reference's prose. Lines that name a part of the tables are
// replaced by it.
//
//go:embed reference.md
var manual string

// Reference is the language's reference manual in Markdown, made from the table
// of operators.
func Reference() string {
	return strings.NewReplacer(
		"{{operators}}\n", operatorSections(),
		"{{versions}}", versionList(),
		"{{length}}", fmt.Sprint(MaxLength>>10),
		"{{nesting}}", fmt.Sprint(MaxNesting),
	).Replace(manual)
}

// operatorSections is a table for each group of operators.
func operatorSections() string {
	var b strings.Builder
	group := ""
	for _, op := range operators {
		if op.group != group {
			group = op.group
			fmt.Fprintf(&b, "\n### %s\n\n| operator | finds | reads | example |\n|---|---|---|---|\n", group)
		}
		fmt.Fprintf(&b, "| `~%s`%s | %s | %s | `%s` |\n", op.name, op.arg.placeholder(), op.help, op.reads(), op.example)
	}
	return strings.TrimPrefix(b.String(), "\n")
}

// reads is what the operator has to read, in a word.
func (op *operator) reads() Need {
	if op.content != nil {
		return op.content.need()
	}
	return NeedColumns
}

// placeholder stands for the argument in the manual.
func (a argument) placeholder() string {
	switch a {
	case argRegex:
		return " *regex*"
	case argNumber:
		return " *number*"
	case argDuration:
		return " *duration*"
	case argSize:
		return " *size*"
	case argTime:
		return " *time*"
	case argWord:
		return " *word*"
	case argChoice:
		return " *value*"
	default:
		return ""
	}
}

// versionList is what ~ver takes.
func versionList() string {
	var parts []string
	for _, v := range versions {
		parts = append(parts, "`"+v.names[0]+"` ("+v.help+")")
	}
	return strings.Join(parts, ", ")
}
