package tui

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"
)

// stateName is the name under which the view is kept in the session.
const stateName = "view"

// saveAfter is how long a change of the view waits for the next one before it is
// written, so that walking through the list does not write at every step.
const saveAfter = time.Second

// viewState is what of the interface is found again when the session is opened.
// Fields are only added; what an older version does not know it ignores.
type viewState struct {
	Filter     string `json:"filter,omitempty"`
	FilterOff  bool   `json:"filter_off,omitempty"`
	Order      string `json:"order,omitempty"`
	Reverse    bool   `json:"reverse,omitempty"`
	MarkedOnly bool   `json:"marked_only,omitempty"`
	Focus      uint64 `json:"focus,omitempty"`
	Follow     bool   `json:"follow,omitempty"`
	Layout     string `json:"layout,omitempty"`
	Share      int    `json:"share,omitempty"`
	Open       bool   `json:"open,omitempty"`
	Masked     bool   `json:"masked,omitempty"`
}

// keptState is the state as written.
type keptState struct {
	viewState
	History []string      `json:"history,omitempty"`
	Named   []namedFilter `json:"named,omitempty"`
}

// Messages about the state.
type (
	stateLoaded struct {
		kept keptState
		err  error
	}
	stateDue   struct{}
	stateSaved struct{ err error }
)

func (a *App) loadState() tea.Cmd {
	src, data := a.src, a.left
	return a.async.Do(func(ctx context.Context) tea.Msg {
		var err error
		if data == nil {
			data, err = src.LoadState(ctx, stateName)
		}
		var kept keptState
		if err == nil && data != nil {
			if err = json.Unmarshal(data, &kept); err != nil {
				err = fmt.Errorf("read the saved view: %w", err)
			}
		}
		return stateLoaded{kept, err}
	})
}

// restoreState puts the view back as it was and opens the list. A state that
// cannot be read costs the view only.
func (a *App) restoreState(msg stateLoaded) tea.Cmd {
	a.restore = true
	if msg.err != nil {
		a.fail("restore the view", msg.err, "the session itself is not affected")
		msg.kept = keptState{}
	}
	k := msg.kept
	a.bar.SetHistory(k.History)
	a.filters = k.Named[:min(len(k.Named), maxNamed)]
	if a.opts.Filter == "" && k.Filter != "" {
		if err := a.bar.Set(k.Filter, !k.FilterOff); err != nil {
			a.fail("restore the filter", err, "")
		}
	}
	if slices.Contains(sortKeys(), k.Order) {
		a.order = order{Key: k.Order, Reverse: k.Reverse, MarkedOnly: k.MarkedOnly}
	}
	a.panes.restore(k.viewState)
	a.newborn = k.Focus == 0
	a.list.Restore(k.Focus, k.Follow || a.newborn && a.told && a.stats.Mode == Live)
	a.masked = a.masked || k.Masked // who hides credentials in one session means the next as well
	masking := a.detail.SetMasked(a.masked)
	a.written, a.writtenNames, a.saved = a.bar.History(), a.filters, a.viewState()
	return tea.Batch(masking, a.open(), a.resize(), a.settle())
}

// viewState is the state as it is now.
func (a *App) viewState() viewState {
	focus := a.list.FocusID()
	if focus == 0 {
		focus = a.saved.Focus // not here yet: the flow of the last time is still meant
	}
	return viewState{
		Filter: a.bar.Expr(), FilterOff: !a.bar.On(), Order: a.order.Key, Reverse: a.order.Reverse,
		MarkedOnly: a.order.MarkedOnly, Focus: focus, Follow: a.list.Following(),
		Layout: a.panes.layout, Share: a.panes.share, Open: a.panes.open, Masked: a.masked,
	}
}

// noteState sees to it that a changed state is written in a while.
func (a *App) noteState() tea.Cmd {
	if a.saving || !a.restore || a.unchanged() || a.told && a.stats.Mode == ReadOnly {
		return nil
	}
	a.saving = true
	return a.async.After(saveAfter, stateDue{})
}

func (a *App) unchanged() bool {
	return a.saved == a.viewState() && slices.Equal(a.written, a.bar.History()) && slices.Equal(a.writtenNames, a.filters)
}

func (a *App) saveState() tea.Cmd {
	src, data := a.src, a.encodeState()
	a.saved, a.written, a.writtenNames = a.viewState(), a.bar.History(), a.filters
	return a.async.Do(func(ctx context.Context) tea.Msg {
		return stateSaved{src.SaveState(ctx, stateName, data)}
	})
}

func (a *App) stateWasSaved(msg stateSaved) tea.Cmd {
	a.saving = false
	if msg.err != nil {
		a.fail("save the view", msg.err, "")
	}
	return nil
}

func (a *App) encodeState() []byte {
	// Strings, numbers and booleans: this cannot fail.
	data, _ := json.Marshal(keptState{viewState: a.viewState(), History: a.bar.History(), Named: a.filters})
	return data
}

// flush writes a state that has changed since it was written last. It blocks, and
// is called when the program has ended.
func (a *App) flush(ctx context.Context) error { return a.unsaved()(ctx) }

// unsaved writes the state as it now is, if it has changed since it was written last.
func (a *App) unsaved() func(context.Context) error {
	if !a.restore || a.unchanged() && !a.saving || a.told && a.stats.Mode == ReadOnly {
		return func(context.Context) error { return nil }
	}
	src, data := a.src, a.encodeState()
	return func(ctx context.Context) error { return src.SaveState(ctx, stateName, data) }
}
