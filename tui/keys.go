package tui

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"weir/tui/help"
	"weir/tui/palette"
	"weir/tui/widget"
)

// View is a place where keys have meanings of their own.
type View string

// The views, by the names that help and manual use.
const (
	ViewGlobal  View = "everywhere"
	ViewList    View = "list"
	ViewDetail  View = "detail"
	ViewFilter  View = "filter line"
	ViewLine    View = "command and text lines"
	ViewPalette View = "palette"
	ViewCopy    View = "copy menu"
	ViewHelp    View = "help"
	ViewLog     View = "event log"
	// ViewSessions is the screen of other sessions.
	ViewSessions View = "sessions"
)

// Binding is one row of the table: a command, its keys, and what people are told.
type Binding struct {
	View View
	Keys []string // as the terminal library names them; none: by name only
	Name string   // unique in the table
	Help string   // some words
	Tip  string   // a sentence more, where that is needed
	Hint string   // one word for the footer; "" keeps it out
	Arg  string   // what the typed form takes after the name, "" for nothing
	// Values completes the argument; nil where there is nothing to choose from.
	Values func(*App) []string
	// Off is why the command cannot run now, "" if it can; nil: it always can.
	Off func(*App) string
	Run func(a *App, arg string) tea.Cmd
}

// off is why the command cannot run now, "" if it can.
func (b *Binding) off(a *App) string {
	if b.Off == nil {
		return ""
	}
	return b.Off(a)
}

// named returns the binding of a command, nil for an unknown name.
func (a *App) named(name string) *Binding {
	for i := range a.table {
		if a.table[i].Name == name {
			return &a.table[i]
		}
	}
	return nil
}

// bound returns what a key does in a view: what it means there, else everywhere.
// Views in which text is typed, and menus, have only their own keys.
func (a *App) bound(v View, key string) *Binding {
	for i := range a.table {
		if b := &a.table[i]; b.View == v && slices.Contains(b.Keys, key) {
			return b
		}
	}
	if v == ViewGlobal || v == ViewFilter || v == ViewLine || v == ViewPalette {
		return nil
	}
	return a.bound(ViewGlobal, key)
}

// press runs what a key means where it was pressed.
func (a *App) press(msg tea.KeyPressMsg) tea.Cmd {
	if a.menu != nil {
		return a.pressMenu(msg)
	}
	v := a.view
	if a.searching() {
		v = ViewLine
	}
	typing := v == ViewFilter || v == ViewLine || v == ViewPalette
	if v == ViewDetail && a.detail.Typing() {
		return a.detail.Update(msg)
	}
	if b := a.bound(v, msg.String()); b != nil {
		if !typing {
			a.message = message{}
		}
		return a.run(b, "")
	}
	if typing {
		return a.text(msg)
	}
	// Fingers bring keys from other programs: silence would look as if weir hung.
	a.say(Info, keyName(msg.String())+" does nothing here", "? shows the keys")
	return nil
}

// run runs a command, or says why it cannot.
func (a *App) run(b *Binding, arg string) tea.Cmd {
	if reason := b.off(a); reason != "" {
		a.say(Info, b.Name+": "+reason, "")
		return nil
	}
	return b.Run(a, arg)
}

// paste gives pasted text to whatever takes text; it never runs as keys.
func (a *App) paste(msg tea.PasteMsg) tea.Cmd {
	switch {
	case a.menu != nil:
	case a.view == ViewDetail && a.detail.Typing():
		return a.detail.Update(msg)
	case a.view == ViewFilter, a.view == ViewLine, a.view == ViewPalette, a.searching():
		return a.text(msg)
	}
	a.say(Info, "pasted text was ignored: no line is open", "/ opens the filter, : a command")
	return nil
}

// text gives a key or a paste to the line that is open.
func (a *App) text(msg tea.Msg) tea.Cmd {
	switch {
	case a.searching() && a.view == ViewSessions:
		return a.sessions.Update(msg)
	case a.searching():
		a.help.Update(msg)
	case a.view == ViewPalette:
		a.palette.Update(msg)
	case a.view == ViewLine && a.line != nil:
		a.line.update(msg)
	case a.view == ViewFilter:
		result, cmd := a.bar.Update(msg)
		return tea.Batch(cmd, a.filterResult(result))
	}
	return nil
}

// searching reports whether keys are text for the search of a screen.
func (a *App) searching() bool {
	return a.view == ViewHelp && a.help.Typing() || a.view == ViewSessions && a.sessions.Typing()
}

// reachable reports whether a command of a view can be meant while the keys are
// with another: text lines and menus have commands only while they are open.
func reachable(v, now View) bool {
	switch v {
	case ViewGlobal, ViewList, ViewCopy:
		return true
	default:
		return v == now
	}
}

// commands returns what the palette and the ":" line offer, the current view's
// own commands first.
func (a *App) commands() []*Binding {
	now := a.view
	if now == ViewLine || now == ViewPalette {
		now = a.under
	}
	var own, others []*Binding
	for i := range a.table {
		switch b := &a.table[i]; {
		case !reachable(b.View, now):
		case b.View == now:
			own = append(own, b)
		default:
			others = append(others, b)
		}
	}
	return append(own, others...)
}

func (a *App) paletteItems() []palette.Item {
	var items []palette.Item
	for _, b := range a.commands() {
		items = append(items, palette.Item{Name: b.Name, Keys: keyNames(b), Text: b.Help, Off: b.off(a)})
	}
	return items
}

// helpRows is the table as help shows it: the rows of the views given, in their order.
func (a *App) helpRows(views ...View) []help.Row {
	var rows []help.Row
	for _, v := range views {
		for i := range a.table {
			if b := &a.table[i]; b.View == v {
				rows = append(rows, help.Row{
					Section: string(v), Keys: keyNames(b), Name: b.Name, Text: b.Help, Tip: b.Tip, Off: b.off(a),
				})
			}
		}
	}
	return rows
}

// hints is the footer: the keys of the view that has them, and those of all views
// where those work too.
func (a *App) hints() (own, all []hint) {
	v := a.view
	if a.searching() {
		v = ViewLine
	}
	own = a.hintsOf(v)
	if a.bound(v, "?") != nil {
		all = a.hintsOf(ViewGlobal)
	}
	return own, all
}

func (a *App) hintsOf(v View) []hint {
	var out []hint
	for i := range a.table {
		if b := &a.table[i]; b.View == v && b.Hint != "" && len(b.Keys) > 0 {
			out = append(out, hint{keyName(b.Keys[0]), b.Hint})
		}
	}
	return out
}

type hint struct{ key, text string }

// keyNames is a command's keys as people write them.
func keyNames(b *Binding) string {
	names := make([]string, len(b.Keys))
	for i, k := range b.Keys {
		names[i] = keyName(k)
		if b.View == ViewCopy {
			names[i] = "y" + names[i]
		}
	}
	return strings.Join(names, " ")
}

func keyName(key string) string {
	if len(key) > 1 {
		key = strings.ReplaceAll(key, "+", "-")
	}
	return key
}

// KeysReference is the manual's page of keys, in Markdown, made from the table
// that dispatches them.
func KeysReference() string {
	table := bindings()
	var b strings.Builder
	b.WriteString("# Keys\n\nEvery key runs a named command. The name can be typed after `:` and is found by `ctrl-p`;\n" +
		"what it takes after the name stands in capitals. `?` shows the keys of the view one is in.\n")
	for _, v := range viewOrder() {
		b.WriteString("\n## " + strings.ToUpper(string(v[:1])) + string(v[1:]) + "\n\n| keys | command | what it does |\n|---|---|---|\n")
		for i := range table {
			if row := &table[i]; row.View == v {
				b.WriteString("| " + markdownKeys(row) + " | `" + strings.TrimSpace(row.Name+" "+row.Arg) + "` | " +
					strings.TrimSpace(sentence(row.Help)+" "+row.Tip) + " |\n")
			}
		}
	}
	return b.String()
}

func markdownKeys(b *Binding) string {
	names := strings.Fields(keyNames(b))
	for i, n := range names {
		names[i] = "`" + strings.ReplaceAll(n, "|", `\|`) + "`"
	}
	return strings.Join(names, " ")
}

func sentence(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:] + "."
}

// viewOrder is the order of views in help and manual.
func viewOrder() []View {
	return []View{ViewGlobal, ViewList, ViewDetail, ViewFilter, ViewCopy, ViewLine, ViewPalette, ViewHelp, ViewLog, ViewSessions}
}

// screenBindings makes rows of a screen's own commands. The names get the
// screen's in front where prefix is not empty.
func screenBindings(v View, prefix string, commands []widget.Command, run func(a *App, name string) tea.Cmd) []Binding {
	out := make([]Binding, 0, len(commands))
	for _, c := range commands {
		out = append(out, Binding{
			View: v, Keys: c.Keys, Name: prefix + c.Name, Help: c.Help, Tip: c.Tip, Hint: c.Hint,
			Run: func(a *App, _ string) tea.Cmd { return run(a, c.Name) },
		})
	}
	return out
}
