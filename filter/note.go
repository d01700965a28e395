package filter

import (
	"strings"

	flowpb "weir/proto"
)

// noteText is one text of a flow's note, as the session's note table holds it. A
// flow without a note has "" in all of them.
type noteText struct {
	column string
	value  func(*flowpb.Note) string
	split  func(text string, accept func(string) bool) bool // as of text
}

// The texts of a note.
var (
	marker  = noteText{column: "n.marked", value: func(n *flowpb.Note) string { return n.Marked }}
	comment = noteText{column: "n.comment", value: func(n *flowpb.Note) string { return n.Comment }}
	tags    = noteText{column: "n.tags", value: tagColumn, split: eachTag}
)

// tagColumn writes tags as the column does: ",a,b,".
func tagColumn(n *flowpb.Note) string {
	if len(n.Tags) == 0 {
		return ""
	}
	return "," + strings.Join(n.Tags, ",") + ","
}

// eachTag tests the tags of the column one by one.
func eachTag(column string, accept func(string) bool) bool {
	rest, more := strings.Trim(column, ","), column != ""
	for more {
		var one string
		if one, rest, more = strings.Cut(rest, ","); accept(one) {
			return true
		}
	}
	return false
}

func (t noteText) accepted(l *Leaf, s string) bool {
	if t.split == nil {
		return l.accepts(s)
	}
	return t.split(s, l.accepts)
}

// noteTest is about one text of the note.
type noteTest struct{ text noteText }

func (t noteTest) holds(l *Leaf, _ *flowpb.Summary, n *flowpb.Note) bool {
	return t.text.accepted(l, t.text.value(n))
}

// where asks the note table once for all flows: few flows have notes. Where the
// leaf accepts a flow without a note, it asks for those whose note it refuses.
func (t noteTest) where(l *Leaf, p *planner) condition {
	c := p.matches(t.text.column, Pattern{Match: func(s string) bool { return t.text.accepted(l, s) }})
	if t.text.accepted(l, "") {
		c.sql = "f.id NOT IN (SELECT n.flow FROM note n WHERE NOT " + c.sql + ")"
	} else {
		c.sql = "f.id IN (SELECT n.flow FROM note n WHERE " + t.text.column + " <> '' AND " + c.sql + ")"
	}
	c.cost = costNote
	return c
}
