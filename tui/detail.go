package tui

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"weir/tui/theme"
	"weir/tui/widget"
)

type detailPane struct{ id uint64 }

func newDetailPane(Source, widget.Async, *theme.Theme, *time.Location) *detailPane {
	return &detailPane{}
}
func (d *detailPane) setTheme(*theme.Theme)    {}
func (d *detailPane) setSize(w, h int) tea.Cmd { return nil }
func (d *detailPane) show(id uint64) tea.Cmd   { d.id = id; return nil }
func (d *detailPane) refresh() tea.Cmd         { return nil }
func (d *detailPane) update(tea.Msg) tea.Cmd   { return nil }
func (d *detailPane) typing() bool             { return false }
func (d *detailPane) view() string             { return "detail" }
func (d *detailPane) cursor() (int, int, bool) { return 0, 0, false }
func detailBindings() []Binding                { return nil }
func (a *App) doDetail(name string) tea.Cmd    { return nil }
