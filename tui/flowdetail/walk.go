package flowdetail

import (
	"context"

	tea "charm.land/bubbletea/v2"

	"weir/tui/flowdetail/stream"
	"weir/tui/widget"
)

// walked is the report of a step through content that is not shown. Between two
// steps the walk travels in it, so that only one owner has it.
type walked struct {
	opened, asked uint64
	walk          *stream.Walk
	step          stream.Step
}

// start begins a walk; the user sees it in the bar and can end it. turned says
// that the other side of the window has been walked before.
func (m *Model) start(w *stream.Walk, turned bool) tea.Cmd {
	m.stop()
	m.generation++
	m.search.walking, m.search.progress, m.search.turned = m.generation, 0, turned
	m.search.scope, m.search.cancel = m.scope.Scope()
	return m.step(w)
}

// stop ends the walk that goes on, and reports whether there was one.
func (m *Model) stop() bool {
	if m.search.walking == 0 {
		return false
	}
	m.search.cancel()
	m.search.walking = 0
	return true
}

// step goes on.
func (m *Model) step(w *stream.Walk) tea.Cmd {
	opened, asked := m.opened, m.search.walking
	return m.search.scope.Do(func(ctx context.Context) tea.Msg {
		return walked{opened: opened, asked: asked, walk: w, step: w.Step(ctx)}
	})
}

// walked takes the report of a step.
func (m *Model) walked(msg walked) tea.Cmd {
	w, step := msg.walk, msg.step
	if msg.opened != m.opened || msg.asked != m.search.walking {
		w.Close()
		return nil
	}
	m.search.progress = w.Progress()
	if !step.Done && step.Err == nil {
		return m.step(w)
	}
	w.Close()
	m.stop()
	switch {
	case step.Err != nil:
		m.notice = "the body cannot be read: " + widget.Sanitize(step.Err.Error())
		return nil
	case w.Needle == nil:
		return m.showEnd(step.Size)
	case step.Match >= 0:
		return m.arrive(step.Match)
	case !m.search.turned && m.pane().body != nil:
		if other := m.leg(m.pane().body, w.To >= 0, w.Last); other != nil {
			return m.start(other, true)
		}
	}
	if w.Last {
		return m.wrapped(-1)
	}
	return m.wrapped(1)
}
