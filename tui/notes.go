package tui

import (
	"context"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	flowpb "weir/proto"
	"weir/tui/widget"
)

// notedAtOnce is how many flows are annotated in one transaction: few enough for a
// capture into the same session not to wait.
const notedAtOnce = 5000

// noted is what the notes of some flows are now. Of many flows it has the first ones;
// the list hears of the others as it does of what other people write.
type noted struct {
	ids   []uint64
	notes []flowpb.Note
	n     int // flows that were annotated
	said  string
	err   error
}

// targets returns what finds the flows that an action is for: the range, else the
// focus.
func (a *App) targets() pick {
	first, last, ranged := a.list.Range()
	row := a.list.Focus()
	if !ranged || a.listing == nil {
		one := picked{[]uint64{row.ID}, row.Marked == ""}
		return func(context.Context) (picked, error) { return one, nil }
	}
	list := a.listing.List
	return func(ctx context.Context) (picked, error) { return pickRows(ctx, list, first, last-first+1) }
}

// annotate changes the notes of what the action is for.
func (a *App) annotate(change func(p picked) (NoteChange, string)) tea.Cmd {
	return a.annotateAll(a.targets(), change)
}

// annotateAll changes the notes of some flows. change is made from them, in the
// command.
func (a *App) annotateAll(targets pick, change func(p picked) (NoteChange, string)) tea.Cmd {
	src := a.src
	return a.async.Do(func(ctx context.Context) tea.Msg {
		found, err := targets(ctx)
		if err != nil || len(found.ids) == 0 {
			return noted{err: err}
		}
		c, said := change(found)
		out := noted{said: said}
		for ids := range slices.Chunk(found.ids, notedAtOnce) {
			notes, err := src.Annotate(ctx, ids, c)
			if err != nil {
				out.err = err
				break
			}
			if out.n == 0 {
				out.ids, out.notes = ids, notes
			}
			out.n += len(ids)
		}
		return out
	})
}

func (a *App) noted(msg noted) tea.Cmd {
	switch {
	case msg.err != nil && msg.n == 0:
		a.fail("write the note", msg.err, "nothing was changed")
		return nil
	case msg.err != nil:
		a.fail("write the note", msg.err, msg.said+" "+flowCount(uint64(msg.n))+", not the others")
		return nil
	case msg.n == 0:
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
	if msg.n == 1 {
		a.say(Info, msg.said+" "+flowNumber(msg.ids[0]), "")
	} else {
		a.say(Info, msg.said+" "+widget.Group(uint64(msg.n))+" flows", "")
	}
	return shown
}

// mark marks the flows of the action, or removes their marks if all have one.
func (a *App) mark() tea.Cmd {
	return a.annotate(func(p picked) (NoteChange, string) {
		mark, said := flowpb.DefaultMarker, "marked"
		if !p.unmarked {
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

func commenting(text string) func(picked) (NoteChange, string) {
	text = strings.TrimSpace(text)
	return func(picked) (NoteChange, string) {
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

func tagging(text string) func(picked) (NoteChange, string) {
	tags := strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' || r == '\t' })
	slices.Sort(tags)
	tags = slices.Compact(tags)
	return func(picked) (NoteChange, string) {
		if len(tags) == 0 {
			return NoteChange{Tags: &tags}, "removed the tags of"
		}
		return NoteChange{Tags: &tags}, "tagged"
	}
}
