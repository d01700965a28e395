package tui

import (
	"strconv"

	tea "charm.land/bubbletea/v2"

	"weir/tui/flowlist"
	"weir/tui/widget"
)

// openMenu is the menu that is shown over the screen; it has all keys.
type openMenu struct {
	*widget.Menu
	choose func(a *App, name string) tea.Cmd
}

func (a *App) pressMenu(msg tea.KeyPressMsg) tea.Cmd {
	item, done := a.menu.Update(msg)
	if !done {
		return nil
	}
	choose := a.menu.choose
	a.menu = nil
	switch {
	case item == nil:
		return nil
	case item.Off != "":
		a.say(Info, item.Text+": "+item.Off, "")
		return nil
	}
	return choose(a, item.Name)
}

// confirm asks whether to do something. Only y does it, or enter after moving to
// it: the cursor starts on no.
func (a *App) confirm(question, verb string, do func(*App) tea.Cmd) {
	items := []widget.Item{{Key: "y", Name: "yes", Text: verb}, {Key: "n", Name: "no", Text: "no"}}
	a.menu = &openMenu{Menu: widget.NewMenu(question, items, "no"), choose: func(a *App, name string) tea.Cmd {
		if name != "yes" {
			return nil
		}
		return do(a)
	}}
}

// openCopyMenu offers what can be copied, from the table's rows of that menu.
func (a *App) openCopyMenu() tea.Cmd {
	var items []widget.Item
	for i := range a.table {
		if b := &a.table[i]; b.View == ViewCopy {
			items = append(items, widget.Item{Key: b.Keys[0], Name: b.Name, Text: b.Help, Off: b.off(a)})
		}
	}
	a.menu = &openMenu{Menu: widget.NewMenu("copy from flow "+flowNumber(a.list.FocusID()), items, ""), choose: func(a *App, name string) tea.Cmd {
		return a.run(a.named(name), "")
	}}
	return nil
}

// openOrderMenu offers the sort keys; a column's has the column's number.
func (a *App) openOrderMenu() tea.Cmd {
	numbers := make(map[string]string)
	for i, c := range flowlist.Columns() {
		numbers[c.Sort] = strconv.Itoa(i + 1)
	}
	var items []widget.Item
	for _, key := range sortKeys() {
		items = append(items, widget.Item{Key: numbers[key], Name: key, Text: key})
	}
	a.menu = &openMenu{Menu: widget.NewMenu("sort by", items, a.order.Key), choose: (*App).sortByColumn}
	return nil
}
