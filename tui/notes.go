package tui

import (
	"context"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	flowpb "weir/proto"
	"weir/tui/widget"
)

// maxRange bounds how many flows of a range one action takes.
const maxRange = 10_000

// rangePage is how many rows of it are read at a time.
const rangePage = 500

// noted is what the notes of some flows are now.
type noted struct {
	ids   []uint64
	notes []flowpb.Note
	said  string
	err   error
}

// targets returns a function that reads the rows that an action is for: the
// range, else the focus. It is called from commands.
func (a *App) targets() rowsOf {
	first, last, ranged := a.list.Range()
	row := a.list.Focus()
	if !ranged || a.listing == nil {
		rows := []flowpb.Row{*row}
		return func(context.Context) ([]flowpb.Row, error) { return rows, nil }
	}
	n, list := min(last-first+1, maxRange), a.listing.List
	return func(ctx context.Context) ([]flowpb.Row, error) { return readRows(ctx, list, first, n) }
}

// annotate changes the notes of what the action is for.
func (a *App) annotate(change func(rows []flowpb.Row) (NoteChange, string)) tea.Cmd {
	return a.annotateAll(a.targets(), change)
}

// annotateAll changes the notes of some flows. change is made from the rows, in the
// command.
func (a *App) annotateAll(targets rowsOf, change func(rows []flowpb.Row) (NoteChange, string)) tea.Cmd {
	src := a.src
	return a.async.Do(func(ctx context.Context) tea.Msg {
		rows, err := targets(ctx)
		if err != nil {
			return noted{err: err}
		}
		if len(rows) == 0 {
			return noted{}
		}
		ids := rowIDs(rows)
		c, said := change(rows)
		notes, err := src.Annotate(ctx, ids, c)
		return noted{ids, notes, said, err}
	})
}

func (a *App) noted(msg noted) tea.Cmd {
	switch {
	case msg.err != nil:
		a.fail("write the note", msg.err, "nothing was changed")
		return nil
	case len(msg.ids) == 0:
		a.say(Info, "no flow is marked", "")
		return nil
	}
	var shown tea.Cmd
	for i, id := range msg.ids[:min(len(msg.ids), len(msg.notes))] {
		a.list.SetNote(id, msg.notes[i])
		if id == a.detail.ID() {
			shown = a.detail.SetNote(msg.notes[i])
		}
	}
	if len(msg.ids) == 1 {
		a.say(Info, msg.said+" "+flowNumber(msg.ids[0]), "")
	} else {
		a.say(Info, msg.said+" "+widget.Group(uint64(len(msg.ids)))+" flows", "")
	}
	return shown
}

// mark marks the flows of the action, or removes their marks if all have one.
func (a *App) mark() tea.Cmd {
	return a.annotate(func(rows []flowpb.Row) (NoteChange, string) {
		mark, said := flowpb.DefaultMarker, "marked"
		if !slices.ContainsFunc(rows, func(r flowpb.Row) bool { return r.Marked == "" }) {
			mark, said = "", "unmarked"
		}
		return NoteChange{Marked: &mark}, said
	})
}

// comment sets the comment given, or opens a line to write one.
func (a *App) comment(text string) tea.Cmd {
	if rest, ok := cutMarked(text); ok {
		return a.ofMarked("comment", rest, commenting)
	}
	if text != "" {
		return a.setComment(text)
	}
	a.ask("comment on "+a.target(), "comment "+a.target(), a.list.Focus().Comment, (*App).setComment)
	return nil
}

func (a *App) setComment(text string) tea.Cmd {
	return a.annotate(commenting(text))
}

func commenting(text string) func([]flowpb.Row) (NoteChange, string) {
	text = strings.TrimSpace(text)
	return func([]flowpb.Row) (NoteChange, string) {
		if text == "" {
			return NoteChange{Comment: &text}, "removed the comment of"
		}
		return NoteChange{Comment: &text}, "commented on"
	}
}

// tags sets the tags given, or opens a line to write them.
func (a *App) tags(text string) tea.Cmd {
	if rest, ok := cutMarked(text); ok {
		return a.ofMarked("tags", rest, tagging)
	}
	if text != "" {
		return a.setTags(text)
	}
	a.ask("tags of "+a.target(), "tags "+a.target(), strings.Join(a.list.Focus().Tags, " "), (*App).setTags)
	return nil
}

func (a *App) setTags(text string) tea.Cmd { return a.annotate(tagging(text)) }

func tagging(text string) func([]flowpb.Row) (NoteChange, string) {
	tags := strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' || r == '\t' })
	slices.Sort(tags)
	tags = slices.Compact(tags)
	return func([]flowpb.Row) (NoteChange, string) {
		if len(tags) == 0 {
			return NoteChange{Tags: &tags}, "removed the tags of"
		}
		return NoteChange{Tags: &tags}, "tagged"
	}
}
