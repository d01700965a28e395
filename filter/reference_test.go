package filter

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestTable holds the rows of the table to their form.
func TestTable(t *testing.T) {
	seen := make(map[string]bool)
	groups := []string{}
	for _, op := range operators {
		if seen[op.name] || op.name == "" || len(op.name) > longestName || strings.Trim(op.name, "abcdefghijklmnopqrstuvwxyz") != "" {
			t.Errorf("~%s: the name is taken, or has more than letters", op.name)
		}
		seen[op.name] = true
		if (op.column == nil) == (op.content == nil) {
			t.Errorf("~%s: want exactly one of column and content", op.name)
		}
		if op.help == "" || strings.ContainsAny(op.help, "\n|") {
			t.Errorf("~%s: help is %q", op.name, op.help)
		}
		if len(groups) == 0 || groups[len(groups)-1] != op.group {
			groups = append(groups, op.group)
		}
		leaf, ok := mustParse(t, op.example).(*Leaf)
		if !ok || leaf.operator != op {
			t.Errorf("~%s: the example %s is not of it", op.name, op.example)
		}
	}
	for _, op := range operators {
		for _, as := range op.also {
			if seen[as] {
				t.Errorf("~%s: the other name %s is taken", op.name, as)
			}
			seen[as] = true
		}
	}
	want := []string{groupKind, groupState, groupAddress, groupOrigin, groupMessage, groupContent, groupNote}
	if !slices.Equal(groups, want) {
		t.Errorf("groups: got %q, want %q", groups, want)
	}
}

func TestReference(t *testing.T) {
	text := Reference()
	if strings.Contains(text, "{{") {
		t.Errorf("a part is not filled in: %s", text[strings.Index(text, "{{"):][:30])
	}
	for _, op := range operators {
		if !strings.Contains(text, "| `~"+op.name+"`") {
			t.Errorf("~%s is not in the manual", op.name)
		}
	}
	// The examples at the head of the manual are expressions.
	head, _, _ := strings.Cut(text, "## Grammar")
	examples := regexp.MustCompile("(?m)^\\| `(.*?)` \\|").FindAllStringSubmatch(head, -1)
	if len(examples) < 5 {
		t.Fatalf("got %d examples, want at least 5", len(examples))
	}
	for _, example := range examples {
		mustParse(t, strings.ReplaceAll(example[1], `\|`, "|"))
	}
}

func TestNearest(t *testing.T) {
	tests := map[string]string{
		"Q": "q", "status": "c", "stauts": "c", "markd": "marked", "websockt": "websocket", "DOMAIN": "d",
		"replayx": "replay", strings.Repeat("x", 1000): "all", "шгн": "all",
	}
	for name, want := range tests {
		if got := nearest(name); got != want && lookup(got) == nil || len(name) < 20 && name[0] < 0x80 && got != want {
			t.Errorf("nearest(%q): got %q, want %q", name[:min(len(name), 20)], got, want)
		}
	}
}
