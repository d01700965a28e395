package tui

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"weir/proto/export"
	"weir/tui/eventlog"
	"weir/tui/filterbar"
	"weir/tui/flowlist"
	"weir/tui/help"
	"weir/tui/palette"
	"weir/tui/sessions"
	"weir/tui/theme"
)

// bindings is the table of all commands. It is a function and not a variable
// because commands lead back to it: help and palette show it.
func bindings() []Binding {
	table := append(globalBindings(), proxyBindings()...)
	table = append(table, listBindings()...)
	table = append(table, sortBindings()...)
	table = append(table, screenBindings(ViewList, "", flowlist.Commands(), (*App).doList)...)
	table = append(table, detailBindings()...)
	table = append(table, copyBindings()...)
	table = append(table, screenBindings(ViewFilter, "filter-", filterbar.Commands(), (*App).doFilter)...)
	table = append(table, Binding{
		View: ViewFilter, Keys: []string{"ctrl+s"}, Name: "filter-name", Help: "give the filter a name, or take it away",
		Run: func(a *App, _ string) tea.Cmd { return a.nameFilter() },
	}, Binding{
		View: ViewFilter, Keys: []string{"ctrl+t"}, Name: "filter-explain", Help: "say how the filter runs", Hint: "explain",
		Run: func(a *App, _ string) tea.Cmd { return a.explain() },
	})
	table = append(table, screenBindings(ViewLine, "line-", lineCommands(), (*App).doLine)...)
	table = append(table, screenBindings(ViewPalette, "palette-", palette.Commands(), (*App).doPalette)...)
	table = append(table, screenBindings(ViewHelp, "help-", help.Commands(), (*App).doHelp)...)
	table = append(table, screenBindings(ViewLog, "log-", eventlog.Commands(), (*App).doLog)...)
	return append(table, sessionsBindings()...)
}

func globalBindings() []Binding {
	return []Binding{
		{
			View: ViewGlobal, Keys: []string{"?"}, Name: "help", Help: "the keys of this view", Hint: "help",
			Tip: "/ searches them.",
			Run: func(a *App, _ string) tea.Cmd { return a.openHelp(false) },
		},
		{
			View: ViewGlobal, Keys: []string{"K"}, Name: "keys", Help: "the keys of all views",
			Run: func(a *App, _ string) tea.Cmd { return a.openHelp(true) },
		},
		{
			View: ViewGlobal, Keys: []string{"ctrl+p", "C"}, Name: "palette", Help: "find a command by some of its letters", Hint: "palette",
			Run: func(a *App, _ string) tea.Cmd { return a.openPalette() },
		},
		{
			View: ViewGlobal, Keys: []string{":"}, Name: "command", Help: "type a command", Hint: "command",
			Run: func(a *App, _ string) tea.Cmd { return a.openCommand("") },
		},
		{
			View: ViewGlobal, Keys: []string{"E"}, Name: "log", Help: "the event log",
			Run: func(a *App, _ string) tea.Cmd { return a.openLog() },
		},
		{
			View: ViewGlobal, Keys: []string{"ctrl+o"}, Name: "sessions", Help: "open another session, or several as one list", Off: noLibrary,
			Tip: "q comes back to this one, which stays open.",
			Run: func(a *App, _ string) tea.Cmd { return a.openSessions() },
		},
		{
			View: ViewGlobal, Keys: []string{"esc"}, Name: "escape", Help: "one level out",
			Run: func(a *App, _ string) tea.Cmd { return a.escape() },
		},
		{
			View: ViewGlobal, Keys: []string{"q"}, Name: "back", Help: "back; from the list, leave weir", Tip: "Leaving asks first. From a session of the sessions screen it goes back to the one before.",
			Run: func(a *App, _ string) tea.Cmd { return a.back() },
		},
		{
			View: ViewGlobal, Keys: []string{"Q"}, Name: "quit", Help: "leave weir at once", Tip: "Everything is in the session already.",
			Run: func(a *App, _ string) tea.Cmd { return tea.Quit },
		},
		{
			View: ViewGlobal, Keys: []string{"ctrl+c"}, Name: "interrupt", Help: "ask whether to leave weir",
			Run: func(a *App, _ string) tea.Cmd { return a.askQuit() },
		},
		{
			View: ViewGlobal, Keys: []string{"ctrl+z"}, Name: "suspend", Help: "go to the shell; fg comes back",
			Run: func(a *App, _ string) tea.Cmd { return tea.Suspend },
		},
		{
			View: ViewGlobal, Keys: []string{"f2"}, Name: "mouse", Help: "mouse on or off",
			Tip: "With shift held, the terminal's own selection works as ever.",
			Run: func(a *App, _ string) tea.Cmd { return a.toggleMouse() },
		},
		{
			View: ViewGlobal, Keys: []string{"["}, Name: "view-back", Help: "the filter and order before", Off: noEarlierView,
			Run: func(a *App, _ string) tea.Cmd { return a.walkViews(-1) },
		},
		{
			View: ViewGlobal, Keys: []string{"]"}, Name: "view-forward", Help: "the filter and order after", Off: noLaterView,
			Run: func(a *App, _ string) tea.Cmd { return a.walkViews(1) },
		},
		{
			View: ViewGlobal, Keys: []string{"S"}, Name: "secrets", Help: "hide credentials, or show them",
			Tip: "In what is shown and in what is copied: the values of Authorization, Proxy-Authorization, Cookie and Set-Cookie.",
			Run: func(a *App, _ string) tea.Cmd { return a.mask(!a.masked) },
		},
		{
			View: ViewGlobal, Keys: []string{"H"}, Name: "hints", Help: "show or hide the line of hints",
			Run: func(a *App, _ string) tea.Cmd { a.quick = !a.quick; return a.resize() },
		},
		{
			View: ViewGlobal, Keys: []string{"tab"}, Name: "next-pane", Help: "the other pane", Off: noPane,
			Run: func(a *App, _ string) tea.Cmd { return a.nextPane() },
		},
		{
			View: ViewGlobal, Keys: []string{"-"}, Name: "layout", Help: "detail below, beside, or instead of the list", Arg: "LAYOUT",
			Values: func(*App) []string { return layoutNames() },
			Run:    func(a *App, arg string) tea.Cmd { return a.setLayout(arg) },
		},
		{
			View: ViewGlobal, Keys: []string{"\\"}, Name: "maximise", Help: "this pane alone, and back", Off: noPane,
			Run: func(a *App, _ string) tea.Cmd { a.panes.maximised = !a.panes.maximised; return a.resize() },
		},
		{
			View: ViewGlobal, Keys: []string{"+"}, Name: "grow", Help: "more room for this pane", Off: noSplit,
			Run: func(a *App, _ string) tea.Cmd { return a.growPane(1) },
		},
		{
			View: ViewGlobal, Keys: []string{"_"}, Name: "shrink", Help: "less room for this pane", Off: noSplit,
			Run: func(a *App, _ string) tea.Cmd { return a.growPane(-1) },
		},
		{
			View: ViewGlobal, Name: "theme", Help: "change the colours", Arg: "NAME",
			Values: func(*App) []string { return theme.Names() },
			Run:    func(a *App, arg string) tea.Cmd { return a.chooseTheme(arg) },
		},
		{
			View: ViewGlobal, Name: "go", Help: "to the flow with this number", Arg: "NUMBER", Off: noList,
			Tip: "Where several sessions are one list: with this number in the session of the flow in focus.",
			Run: func(a *App, arg string) tea.Cmd { return a.goTo(arg) },
		},
	}
}

// sessionsBindings are the sessions screen's own commands.
func sessionsBindings() []Binding {
	out := screenBindings(ViewSessions, "sessions-", sessions.Commands(), (*App).doSessions)
	for i := range out {
		if name := strings.TrimPrefix(out[i].Name, "sessions-"); sessions.NeedsOne(name) {
			out[i].Off = func(a *App) string { return a.sessions.Off(name) }
		}
	}
	return out
}

func listBindings() []Binding {
	return []Binding{
		{
			View: ViewList, Keys: []string{"enter"}, Name: "open", Help: "the flow's detail", Hint: "open", Off: noFocus,
			Run: func(a *App, _ string) tea.Cmd { return a.openDetail() },
		},
		{
			View: ViewList, Keys: []string{"/", "f"}, Name: "filter", Help: "filter the list as you type", Hint: "filter", Arg: "EXPRESSION",
			Tip: "/ is the live filter here, where mitmproxy has none in its list.",
			Run: func(a *App, arg string) tea.Cmd { return a.filter(arg) },
		},
		{
			View: ViewList, Keys: []string{"ctrl+s"}, Name: "filter-named", Help: "choose a filter by its name", Arg: "NAME", Off: noNamed,
			Values: (*App).filterNames,
			Run:    func(a *App, arg string) tea.Cmd { return a.useNamed(arg) },
		},
		{
			View: ViewList, Keys: []string{"*"}, Name: "filter-toggle", Help: "filter off and on", Off: noFilter,
			Run: func(a *App, _ string) tea.Cmd { a.bar.Toggle(); return a.open() },
		},
		{
			View: ViewList, Name: "filter-clear", Help: "show all flows", Off: noFilter,
			Run: func(a *App, _ string) tea.Cmd { return a.setFilter("") },
		},
		{
			View: ViewList, Keys: []string{"."}, Name: "filter-cell", Help: "only flows with the same value in this column", Off: noCell,
			Tip: "h and l choose the column; its title is underlined.",
			Run: func(a *App, _ string) tea.Cmd { return a.filterCell(false) },
		},
		{
			View: ViewList, Keys: []string{","}, Name: "exclude-cell", Help: "no flows with this value in this column", Off: noCell,
			Run: func(a *App, _ string) tea.Cmd { return a.filterCell(true) },
		},
		{
			View: ViewList, Keys: []string{"m"}, Name: "mark", Help: "mark, or remove the mark", Hint: "mark", Off: noNote,
			Run: func(a *App, _ string) tea.Cmd { return a.mark() },
		},
		{
			View: ViewList, Keys: []string{"M"}, Name: "marked-only", Help: "marked flows only, and back",
			Run: func(a *App, _ string) tea.Cmd { a.order.MarkedOnly = !a.order.MarkedOnly; return a.open() },
		},
		{
			View: ViewList, Keys: []string{"U"}, Name: "unmark-all", Help: "remove all marks", Off: noWrite,
			Tip: "Says how many there are, and asks.",
			Run: func(a *App, _ string) tea.Cmd { return a.countMarks() },
		},
		{
			View: ViewList, Keys: []string{";"}, Name: "comment", Help: "comment on the flow", Hint: "comment", Arg: "[@marked] TEXT", Off: noNote,
			Run: func(a *App, arg string) tea.Cmd { return a.comment(arg) },
		},
		{
			View: ViewList, Keys: []string{"t"}, Name: "tags", Help: "set the flow's tags", Arg: "[@marked] TAGS", Off: noNote,
			Tip: "With blanks between; they replace those it has.",
			Run: func(a *App, arg string) tea.Cmd { return a.tags(arg) },
		},
		{
			View: ViewList, Keys: []string{"d"}, Name: "delete", Help: "delete the flow, or the range", Hint: "delete", Arg: "[@marked]", Off: noNote,
			Tip:    "u brings it back, until the session is compacted. After : it takes @marked, as comment and tags do.",
			Values: func(*App) []string { return []string{markedFlows} },
			Run:    func(a *App, arg string) tea.Cmd { return a.remove(arg) },
		},
		{
			View: ViewList, Keys: []string{"u"}, Name: "undo", Help: "bring back what was deleted last", Off: noWrite,
			Tip: "Again for what was deleted before that.",
			Run: func(a *App, _ string) tea.Cmd { return a.undo() },
		},
		{
			View: ViewList, Keys: []string{"z"}, Name: "clear", Help: "delete all flows", Off: noFlows,
			Tip: "u brings them back.",
			Run: func(a *App, _ string) tea.Cmd { return a.removeAll() },
		},
		{
			View: ViewList, Keys: []string{"Z"}, Name: "purge-hidden", Help: "delete the flows that are not shown", Off: noHidden,
			Tip: "u brings them back.",
			Run: func(a *App, _ string) tea.Cmd { return a.removeHidden() },
		},
		{
			View: ViewList, Keys: []string{"x"}, Name: "export", Help: "write the flow or the range to a file", Off: noExport,
			Tip: "With " + markedFlows + " the marked flows.", Arg: "[" + markedFlows + "] [FORMAT [FILE]]", Values: exportValues,
			Run: func(a *App, arg string) tea.Cmd { return a.export(arg) },
		},
		{
			View: ViewList, Keys: []string{"b"}, Name: "save-body", Help: "write the flow's body to a file", Off: noBody, Arg: "FILE",
			Tip: "That of the response, else of the request; content codings are undone.",
			Run: func(a *App, arg string) tea.Cmd { return a.saveBody(arg) },
		},
		{
			View: ViewList, Keys: []string{"y"}, Name: "copy", Help: "copy something of the flow", Hint: "copy", Off: noFocus,
			Run: func(a *App, _ string) tea.Cmd { return a.openCopyMenu() },
		},
		{
			View: ViewList, Keys: []string{"ctrl+e"}, Name: "next-error", Help: "next flow that failed", Off: noList,
			Tip: "Failed means an error, or a status of 400 or more. After the last comes the first.",
			Run: func(a *App, _ string) tea.Cmd { return a.nextError() },
		},
		{
			View: ViewList, Keys: []string{"o"}, Name: "order", Help: "choose what the list is sorted by", Hint: "sort",
			Run: func(a *App, _ string) tea.Cmd { return a.openOrderMenu() },
		},
		{
			View: ViewList, Keys: []string{"v"}, Name: "reverse", Help: "reverse the order",
			Run: func(a *App, _ string) tea.Cmd { return a.sort(a.order.Key, !a.order.Reverse) },
		},
		{
			View: ViewList, Keys: []string{"c"}, Name: "columns", Help: "show or hide the columns of session and agent",
			Tip: "They say who recorded a flow, and what captured it.",
			Run: func(a *App, _ string) tea.Cmd { return a.toggleColumns() },
		},
		{
			View: ViewList, Name: "sort", Help: "sort by a key", Arg: "KEY",
			Values: func(*App) []string { return sortKeys() },
			Run:    func(a *App, arg string) tea.Cmd { return a.sortByName(arg) },
		},
	}
}

// sortBindings is a key a column, by the column's number.
func sortBindings() []Binding {
	var out []Binding
	for i, c := range flowlist.Columns() {
		if c.Sort == "" {
			continue
		}
		out = append(out, Binding{
			View: ViewList, Keys: []string{string(rune('1' + i))}, Name: "sort-" + c.Name,
			Help: "sort by " + c.Name + ", again to reverse",
			Run:  func(a *App, _ string) tea.Cmd { return a.sortByColumn(c.Sort) },
		})
	}
	return out
}

func copyBindings() []Binding {
	row := func(key, format, what, help string, off func(*App) string) Binding {
		return Binding{
			View: ViewCopy, Keys: []string{key}, Name: "copy-" + format, Help: help, Off: off,
			Run: func(a *App, _ string) tea.Cmd { return a.copy(format, what) },
		}
	}
	out := []Binding{
		row("u", "url", "URL", "URL", noURL),
		row("b", "body", "body", "body of the response, else of the request", noBody),
		row("h", "headers", "headers", "headers", noRequest),
	}
	for _, f := range export.Formats() {
		off := noExport
		if f.HTTP {
			off = noRequest
		}
		if f.Key != "" {
			out = append(out, row(f.Key, f.Name, f.What, f.What, off))
		}
	}
	return out
}

// sortKeys is the sort keys of the command line.
func sortKeys() []string {
	return strings.Fields("id started method host path url status type request_size response_size duration")
}
