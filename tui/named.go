package tui

import (
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"weir/tui/widget"
)

// maxNamed bounds the filters with a name.
const maxNamed = 100

// namedFilter is a filter that somebody gave a name. They are kept with the session.
type namedFilter struct {
	Name string `json:"name"`
	Expr string `json:"expr"`
}

// nameFilter accepts the filter that is typed and asks what it is to be called.
func (a *App) nameFilter() tea.Cmd {
	accepted := a.doFilter("accept")
	expr := a.bar.Expr()
	switch {
	case a.bar.Typing(): // it is wrong, and the line says where
		return accepted
	case expr == "":
		a.say(Info, "no filter to name", "")
		return accepted
	}
	a.ask("name of "+expr, "name of "+expr, a.nameOf(expr), func(a *App, name string) tea.Cmd {
		return a.setName(expr, strings.TrimSpace(name))
	})
	return accepted
}

// setName gives a filter a name of its own; "" takes it away.
func (a *App) setName(expr, name string) tea.Cmd {
	named := slices.DeleteFunc(slices.Clone(a.filters), func(f namedFilter) bool { return f.Expr == expr || f.Name == name })
	switch {
	case name == "" && len(named) == len(a.filters):
		return nil
	case name == "":
		a.say(Info, "the filter has no name any more", "")
	case len(named) >= maxNamed:
		a.say(Error, "there are "+strconv.Itoa(maxNamed)+" named filters already", "an empty name takes one away")
		return nil
	default:
		named = append(named, namedFilter{name, expr})
		a.say(Info, "named the filter "+name, "ctrl-s in the list chooses it")
	}
	slices.SortFunc(named, func(x, y namedFilter) int { return strings.Compare(x.Name, y.Name) })
	a.filters = named
	return a.noteState()
}

func (a *App) nameOf(expr string) string {
	for _, f := range a.filters {
		if f.Expr == expr {
			return f.Name
		}
	}
	return ""
}

// useNamed shows the flows of a named filter; without a name it offers them.
func (a *App) useNamed(name string) tea.Cmd {
	for _, f := range a.filters {
		if f.Name == name {
			return a.setFilter(f.Expr)
		}
	}
	if name != "" {
		a.say(Error, "no filter is named "+strconv.Quote(name), "tab completes")
		return nil
	}
	var items []widget.Item
	for _, f := range a.filters {
		items = append(items, widget.Item{Name: f.Name, Text: f.Name + "  " + f.Expr})
	}
	a.menu = &openMenu{Menu: widget.NewMenu("filter", items, a.nameOf(a.bar.Expr())), choose: (*App).useNamed}
	return nil
}

func (a *App) filterNames() (out []string) {
	for _, f := range a.filters {
		out = append(out, f.Name)
	}
	return out
}

func noNamed(a *App) string {
	if len(a.filters) == 0 {
		return "no filter has a name; ctrl-s in the filter line gives it one"
	}
	return ""
}
