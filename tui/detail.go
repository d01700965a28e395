package tui

import (
	"context"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"weir/tui/flowdetail"
	"weir/tui/theme"
	"weir/tui/widget"
)

// detailPane is the detail screen as the App uses it.
type detailPane struct {
	*flowdetail.Model
}

// reader gives the detail screen the part of the Source that it needs.
type reader struct{ Reader }

// Flow implements flowdetail.Source.
func (r reader) Flow(ctx context.Context, id uint64) (*flowdetail.Detail, error) {
	d, err := r.Reader.Flow(ctx, id)
	if err != nil || d == nil {
		return nil, err
	}
	return &flowdetail.Detail{Flow: d.Flow, Client: d.Client, Server: d.Server, Note: d.Note}, nil
}

func newDetailPane(src Source, async widget.Async, t *theme.Theme, zone *time.Location) *detailPane {
	return &detailPane{flowdetail.New(flowdetail.Options{Source: reader{src}, Async: async, Theme: t, Zone: zone})}
}

// show opens a flow; the one that is open already is read again.
func (d *detailPane) show(id uint64) tea.Cmd {
	if id == d.ID() {
		return d.Refresh()
	}
	return d.Open(id)
}

// detailBindings is the detail's own commands, and notes on the flow one is
// looking at. The detail would take tab for its tabs; here it changes panes in
// every view, and the tabs have other keys.
func detailBindings() []Binding {
	out := screenBindings(ViewDetail, "detail-", flowdetail.Commands(), (*App).doDetail)
	for i := range out {
		name := strings.TrimPrefix(out[i].Name, "detail-")
		out[i].Keys = slices.DeleteFunc(slices.Clone(out[i].Keys), func(k string) bool { return k == "tab" })
		out[i].Off = func(a *App) string { return a.detail.Off(name) }
	}
	return append(out,
		Binding{
			View: ViewDetail, Keys: []string{";"}, Name: "detail-comment", Help: "comment on this flow", Hint: "comment", Arg: "TEXT", Off: noNote,
			Run: func(a *App, arg string) tea.Cmd { return a.comment(arg) },
		},
		Binding{
			View: ViewDetail, Keys: []string{"t"}, Name: "detail-tags", Help: "set this flow's tags", Arg: "TAGS", Off: noNote,
			Run: func(a *App, arg string) tea.Cmd { return a.tags(arg) },
		},
		Binding{
			View: ViewDetail, Keys: []string{"d"}, Name: "detail-delete", Help: "delete this flow, and show the next", Off: noNote,
			Tip: "u brings it back.",
			Run: func(a *App, arg string) tea.Cmd { return a.remove(arg) },
		},
		Binding{
			View: ViewDetail, Keys: []string{"x"}, Name: "detail-export", Help: "write this flow to a file", Off: noExport,
			Arg: "[FORMAT [FILE]]", Values: exportValues,
			Run: func(a *App, arg string) tea.Cmd { return a.export(arg) },
		},
		Binding{
			View: ViewDetail, Keys: []string{"b"}, Name: "detail-save-body", Help: "write this flow's body to a file", Off: noBody, Arg: "FILE",
			Run: func(a *App, arg string) tea.Cmd { return a.saveBody(arg) },
		},
		Binding{
			View: ViewDetail, Keys: []string{"u"}, Name: "detail-undo", Help: "bring back what was deleted last", Off: noWrite,
			Run: func(a *App, _ string) tea.Cmd { return a.undo() },
		},
	)
}

// doDetail runs a command of the detail.
func (a *App) doDetail(name string) tea.Cmd {
	result, cmd := a.detail.Do(name)
	return tea.Batch(cmd, a.detailResult(result))
}

// detailResult does what the detail asks for.
func (a *App) detailResult(r flowdetail.Result) tea.Cmd {
	switch r := r.(type) {
	case flowdetail.NextFlow:
		return a.neighbour("down")
	case flowdetail.PrevFlow:
		return a.neighbour("up")
	case flowdetail.Close:
		return a.closeDetail()
	case flowdetail.Copy:
		if r.Format != "" {
			return a.copyFlow(r.Flow, r.Format, r.What)
		}
		return a.clip(r.What, r.Flow, r.Data)
	case flowdetail.Problem:
		a.fail("show the flow", r.Err, "")
	}
	return nil
}

// neighbour shows the next or the previous flow of the list at once.
func (a *App) neighbour(name string) tea.Cmd {
	_, cmd := a.list.Do(name)
	return tea.Batch(cmd, a.settle(), a.showFocus())
}
