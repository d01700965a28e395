package tui

import (
	"context"
	"strings"

	tea "charm.land/bubbletea/v2"

	flowpb "weir/proto"
)

// rowsOf reads the rows that an action is for. It is called from commands.
type rowsOf func(ctx context.Context) ([]flowpb.Row, error)

// markedFlows stands for the marked flows before the argument of a typed command.
const markedFlows = "@marked"

// cutMarked reports whether a command's argument begins with [markedFlows], and
// returns what follows.
func cutMarked(arg string) (rest string, ok bool) {
	first, rest, _ := strings.Cut(arg, " ")
	return strings.TrimSpace(rest), first == markedFlows
}

// marked reads the marked flows, at most as many as of a range.
func (a *App) marked() rowsOf {
	src := a.src
	return func(ctx context.Context) ([]flowpb.Row, error) {
		list, s, err := built(ctx, src, Query{MarkedOnly: true})
		if err != nil {
			return nil, err
		}
		rows, err := readRows(ctx, list, 0, min(s.Len, maxRange))
		return rows, closeJoin(list, err)
	}
}

// ofMarked changes the notes of the marked flows as the text says, which has to be there:
// a word that was forgotten must not take away what others wrote.
func (a *App) ofMarked(name, text string, change func(string) func([]flowpb.Row) (NoteChange, string)) tea.Cmd {
	if text == "" {
		a.say(Error, name+" "+markedFlows+": what to write is missing", "")
		return nil
	}
	return a.annotateAll(a.marked(), change(text))
}

// readRows reads n rows of a list from position first on, or those that there are.
func readRows(ctx context.Context, list List, first, n int) ([]flowpb.Row, error) {
	var out []flowpb.Row
	for len(out) < n {
		page, err := list.Page(ctx, first+len(out), min(rangePage, n-len(out)))
		if err != nil {
			return nil, err
		}
		if len(page) == 0 {
			break
		}
		out = append(out, page...)
	}
	return out, nil
}

func rowIDs(rows []flowpb.Row) []uint64 {
	ids := make([]uint64, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
	}
	return ids
}
