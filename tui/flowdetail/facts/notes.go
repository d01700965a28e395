package facts

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	flowpb "weir/proto"
	"weir/tui/content"
	"weir/tui/widget"
)

// Notes is what people and rules said of the flow, and what weir has to say of
// the recording itself.
func Notes(f *flowpb.Flow, note *flowpb.Note, zone *time.Location) *content.Document {
	t := newTable(zone)
	t.heading("Notes")
	if note.Empty() {
		t.b.Say(content.Comment, "  no mark, no tags, no comment")
		t.b.Newline()
	} else {
		t.row("mark", strings.Trim(note.Marked, ":"))
		t.row("tags", strings.Join(note.Tags, ", "))
		t.lines("comment", note.Comment)
		t.row("highlight", note.Highlight)
	}
	t.heading("Recording")
	t.row("flow", "#"+widget.Group(f.GetId()))
	if uid := f.GetUid(); uid != nil {
		t.row("first id", fmt.Sprintf("%s/%d", hex.EncodeToString(uid.GetSession()), uid.GetSequence()))
	}
	t.row("captured by", string(f.GetAgent()))
	t.time("began", f.GetCreatedNs())
	t.row("state", f.GetState().Label())
	t.row("replay", f.GetReplay().Label())
	t.failure(f.GetError())
	for _, g := range f.GetGaps() {
		t.kind(content.Fault, "lost", gap(g))
	}
	for _, m := range f.GetMeta() {
		t.row(m.GetKey(), m.GetValue())
	}
	return t.b.Document()
}

// lines is row for text that may have several lines.
func (t *table) lines(name, value string) {
	for line := range strings.SplitSeq(value, "\n") {
		t.row(name, strings.TrimSuffix(line, "\r"))
		name = ""
	}
}

func gap(g *flowpb.Gap) string {
	side := "response"
	if g.GetSide() == flowpb.SideRequest {
		side = "request"
	}
	length := "an unknown number of"
	if g.GetLength() > 0 {
		length = widget.Group(g.GetLength())
	}
	return fmt.Sprintf("%s bytes of the %s, at %s: they were never seen", length, side, widget.Group(g.GetOffset()))
}
