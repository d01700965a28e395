package tui

import (
	"context"
	"strings"

	tea "charm.land/bubbletea/v2"
)

// picked is the flows that an action is for. Of a million of them there are the ids,
// and never the rows.
type picked struct {
	ids      []uint64
	unmarked bool // one of them at least has no mark
}

// pick finds them. It is called from commands.
type pick func(ctx context.Context) (picked, error)

// markedFlows stands for the marked flows before the argument of a typed command.
const markedFlows = "@marked"

// cutMarked reports whether a command's argument begins with [markedFlows], and
// returns what follows.
func cutMarked(arg string) (rest string, ok bool) {
	first, rest, _ := strings.Cut(arg, " ")
	return strings.TrimSpace(rest), first == markedFlows
}

// marked finds the marked flows.
func (a *App) marked() pick {
	src := a.src
	return func(ctx context.Context) (picked, error) {
		list, s, err := built(ctx, src, Query{MarkedOnly: true})
		if err != nil {
			return picked{}, err
		}
		found, err := pickRows(ctx, list, 0, s.Len)
		return found, closeJoin(list, err)
	}
}

// ofMarked changes the notes of the marked flows as the text says, which has to be there:
// a word that was forgotten must not take away what others wrote.
func (a *App) ofMarked(name, text string, change func(string) func(picked) (NoteChange, string)) tea.Cmd {
	if text == "" {
		a.say(Error, name+" "+markedFlows+": what to write is missing", "")
		return nil
	}
	return a.annotateAll(a.marked(), change(text))
}

// rangePage is how many rows are read at a time.
const rangePage = 1000

// pickRows takes n flows of a list from position first on, or those that there are.
func pickRows(ctx context.Context, list List, first, n int) (picked, error) {
	var out picked
	for len(out.ids) < n {
		page, err := list.Page(ctx, first+len(out.ids), min(rangePage, n-len(out.ids)))
		if err != nil {
			return picked{}, err
		}
		if len(page) == 0 {
			break
		}
		for i := range page {
			out.ids = append(out.ids, page[i].ID)
			out.unmarked = out.unmarked || page[i].Marked == ""
		}
	}
	return out, nil
}
