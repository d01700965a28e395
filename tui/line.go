package tui

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"weir/tui/widget"
)

// maxTyped bounds the history of the ":" line.
const maxTyped = 100

// line is a line of text that is being typed at the foot of the screen: a command
// or the answer to a question.
type line struct {
	label   string
	purpose string // under which the text is kept when the line is left by esc
	command bool   // text is a command
	input   widget.Input
	done    func(a *App, text string) tea.Cmd

	items []string // what tab walks through
	at    int
	start int // where the item stands in the text
}

// lineCommands is what a line can do while it is typed in.
func lineCommands() []widget.Command {
	return []widget.Command{
		{Name: "accept", Keys: []string{"enter"}, Help: "done", Hint: "done"},
		{Name: "cancel", Keys: []string{"esc", "ctrl+c"}, Help: "leave; the text is kept for the next time", Hint: "leave"},
		{Name: "complete", Keys: []string{"tab"}, Help: "complete, again for the next", Hint: "complete"},
		{Name: "complete-back", Keys: []string{"shift+tab"}, Help: "the completion before"},
		{Name: "older", Keys: []string{"up", "ctrl+p"}, Help: "older text", Hint: "history"},
		{Name: "newer", Keys: []string{"down", "ctrl+n"}, Help: "newer text"},
	}
}

func (l *line) update(msg tea.Msg) {
	l.items = nil
	l.input.Update(msg)
}

// ask opens a line to answer a question. It begins with the text that esc left
// under the same purpose, else with what there is now.
func (a *App) ask(label, purpose, now string, done func(*App, string) tea.Cmd) {
	l := &line{label: label, purpose: purpose, input: widget.NewInput(), done: done}
	l.input.SetValue(now)
	if draft, ok := a.drafts[purpose]; ok {
		l.input.SetValue(draft)
	}
	a.enter(ViewLine)
	a.line = l
}

// openCommand opens the ":" line.
func (a *App) openCommand(text string) tea.Cmd {
	a.ask(":", ":", text, (*App).execute)
	a.line.command = true
	a.line.input.SetHistory(a.typed)
	if text != "" {
		a.line.input.SetValue(text)
	}
	return nil
}

// execute runs a typed command.
func (a *App) execute(text string) tea.Cmd {
	name, arg, _ := strings.Cut(strings.TrimSpace(strings.TrimLeft(text, ": ")), " ")
	if name == "" {
		return nil
	}
	a.typed = widget.Remember(a.typed, strings.TrimSpace(text), maxTyped)
	for _, b := range a.commands() {
		if b.Name != name {
			continue
		}
		arg = strings.TrimSpace(arg)
		if b.Arg == "" && arg != "" {
			a.say(Error, name+" takes nothing after its name", "")
			return nil
		}
		return a.run(b, arg)
	}
	a.say(Error, "no command "+name, "tab completes, ctrl-p shows them all")
	return nil
}

// doLine runs a command of the open line, or of the search in help.
func (a *App) doLine(name string) tea.Cmd {
	if a.searching() {
		a.endSearch(name)
		return nil
	}
	l := a.line
	if l == nil {
		return nil
	}
	switch name {
	case "accept":
		return a.acceptLine(l)
	case "cancel":
		a.drafts[l.purpose] = l.input.Value()
		a.leaveLine()
	case "complete":
		a.completeLine(l, 1)
	case "complete-back":
		a.completeLine(l, -1)
	case "older":
		l.input.Walk(-1)
	case "newer":
		l.input.Walk(1)
	}
	return nil
}

// endSearch keeps or forgets what a screen is searched for.
func (a *App) endSearch(name string) {
	switch {
	case name == "accept" && a.view == ViewHelp:
		a.help.Keep()
	case name == "accept":
		a.sessions.Keep()
	case name == "cancel" && a.view == ViewHelp:
		a.help.Clear()
	case name == "cancel":
		a.sessions.Clear()
	}
}

func (a *App) acceptLine(l *line) tea.Cmd {
	delete(a.drafts, l.purpose)
	a.leaveLine()
	a.message = message{}
	return l.done(a, l.input.Value())
}

func (a *App) leaveLine() {
	a.line, a.view = nil, a.under
}

// completeLine puts the next word that may stand at the end of a command.
func (a *App) completeLine(l *line, step int) {
	if !l.command {
		return
	}
	text := l.input.Value()
	if l.items == nil {
		l.items, l.start = a.completions(text)
		l.at = -1
		if step < 0 {
			l.at = 0
		}
	}
	if len(l.items) == 0 {
		return
	}
	l.at = (l.at + step + len(l.items)) % len(l.items)
	l.input.Replace(l.start, len(text), l.items[l.at])
}

// completions is what may stand from byte start on: names of commands, then values
// of their arguments.
func (a *App) completions(text string) (items []string, start int) {
	name, arg, hasArg := strings.Cut(text, " ")
	for _, b := range a.commands() {
		switch {
		case !hasArg && strings.HasPrefix(b.Name, name):
			items = append(items, b.Name)
		case hasArg && b.Name == name && b.Values != nil:
			for _, v := range b.Values(a) {
				if strings.HasPrefix(v, arg) {
					items = append(items, v)
				}
			}
			return items, len(name) + 1
		}
	}
	slices.Sort(items)
	return items, 0
}

// lineHint is what stands at the right of the open line: what the command is
// for, and what it takes.
func (a *App) lineHint(l *line) string {
	if !l.command {
		return ""
	}
	name, _, _ := strings.Cut(l.input.Value(), " ")
	for _, b := range a.commands() {
		if b.Name == name {
			return strings.TrimSpace(b.Arg + "  " + b.Help)
		}
	}
	return ""
}
