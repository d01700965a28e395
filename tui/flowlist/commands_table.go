package flowlist

import (
	tea "charm.land/bubbletea/v2"

	"weir/tui/widget"
)

// Commands returns what the list can do by itself.
func Commands() []widget.Command {
	return []widget.Command{
		{Name: "down", Keys: []string{"j", "down"}, Help: "next flow"},
		{Name: "up", Keys: []string{"k", "up"}, Help: "previous flow"},
		{Name: "left", Keys: []string{"h", "left"}, Help: "column to the left, for filtering and sorting by cell"},
		{Name: "right", Keys: []string{"l", "right"}, Help: "column to the right"},
		{Name: "page-down", Keys: []string{"space", "ctrl+f", "pgdown"}, Help: "one page down"},
		{Name: "page-up", Keys: []string{"ctrl+b", "pgup"}, Help: "one page up"},
		{Name: "half-down", Keys: []string{"ctrl+d"}, Help: "half a page down"},
		{Name: "half-up", Keys: []string{"ctrl+u"}, Help: "half a page up"},
		{Name: "top", Keys: []string{"g", "home"}, Help: "first flow"},
		{Name: "bottom", Keys: []string{"G", "end"}, Help: "last flow, and follow what arrives"},
		{Name: "follow", Keys: []string{"F"}, Help: "follow what arrives, or stop following"},
		{
			Name: "extend-down", Keys: []string{"shift+down"}, Help: "extend the range to the next flow",
			Tip: "Mark, comment and tags then act on the whole range. esc forgets it.",
		},
		{Name: "extend-up", Keys: []string{"shift+up"}, Help: "extend the range to the previous flow"},
		{Name: "extend-top", Keys: []string{"shift+home"}, Help: "extend the range to the first flow"},
		{Name: "extend-bottom", Keys: []string{"shift+end"}, Help: "extend the range to the last flow"},
	}
}

// Do runs a command by its name; an unknown name does nothing.
func (m *Model) Do(name string) (Event, tea.Cmd) {
	before := m.id
	switch name {
	case "down":
		m.step(1)
	case "up":
		m.step(-1)
	case "left":
		m.cell = m.cellBeside(-1)
	case "right":
		m.cell = m.cellBeside(1)
	case "page-down":
		m.step(m.height())
	case "page-up":
		m.step(-m.height())
	case "half-down":
		m.step(max(1, m.height()/2))
	case "half-up":
		m.step(-max(1, m.height()/2))
	case "top":
		m.jump(0)
	case "bottom":
		m.jump(m.length - 1)
	case "follow":
		m.toggleFollow()
	case "extend-down":
		m.extend(1)
	case "extend-up":
		m.extend(-1)
	case "extend-top":
		m.extend(-m.length)
	case "extend-bottom":
		m.extend(m.length)
	}
	cmd := m.fetchMissing()
	return Event{Moved: m.id != before}, cmd
}

// tailPos is where flows arrive: the end, or the start of a reversed list.
func (m *Model) tailPos() int {
	if m.rev {
		return 0
	}
	return max(0, m.length-1)
}

// step moves the focus by n rows. Leaving the tail pauses following, coming back
// to it resumes.
func (m *Model) step(n int) {
	m.anchor = mark{}
	m.moveTo(m.pos + n)
	m.track()
}

// jump moves the focus to a position; jumping to the tail is asking to follow.
func (m *Model) jump(pos int) {
	m.anchor = mark{}
	m.moveTo(pos)
	if m.pos == m.tailPos() {
		m.follow, m.pausedAt = true, -1
		return
	}
	m.track()
}

func (m *Model) track() {
	switch atTail := m.pos == m.tailPos(); {
	case m.follow && !atTail:
		m.follow, m.pausedAt = false, m.length
	case !m.follow && atTail && m.pausedAt >= 0:
		m.follow, m.pausedAt = true, -1
	}
}

func (m *Model) toggleFollow() {
	if m.follow {
		m.follow, m.pausedAt = false, m.length
		return
	}
	m.anchor = mark{}
	m.follow, m.pausedAt = true, -1
	m.moveTo(m.tailPos())
}

// Select moves the focus to a position, as a search does.
func (m *Model) Select(pos int) tea.Cmd {
	m.step(pos - m.pos)
	return m.fetchMissing()
}

func (m *Model) extend(n int) {
	if m.anchor.id == 0 {
		m.anchor = mark{pos: m.pos, id: m.id}
	}
	m.moveTo(m.pos + n)
	m.track()
}
