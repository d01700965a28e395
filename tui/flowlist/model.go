// Package flowlist is the list of flows: a window on a long, filtered, ordered
// list that changes while it is looked at.
//
// The list itself stays where it is made; this package asks it, through [Rows],
// for the rows in sight and one screen either side, and for the place of the
// flow that has the focus. It does not filter, sort, mark or open anything, and
// knows no keys: it has commands by name (see [Commands]).
//
// # How the focus stays on its flow
//
// The focus is a flow's id; the position follows from it. Whenever the list
// changes, one command asks for the flow's new position and for the rows around
// it, and the window moves so that the flow stays on its line of the screen. A
// flow that has left gives the focus to its nearest neighbour, and the answer
// says so ([Event.Left]); while the list is still being built the flow is waited
// for, and a later list that has it again gives the focus back, unless the user
// has moved meanwhile. A jump to rows that are not here yet moves the position first, and the
// flow that turns out to be there gets the focus.
//
// Concurrency: used by the event loop alone. Update and Do only start commands;
// at most one answer is awaited at a time, and what happens meanwhile is asked
// for again when it is there. Answers for an earlier list are dropped.
//
// Invariants: never more than three screens of rows are held or asked for; rows
// already shown stay until their successors are here; 0 <= position < length
// unless the list is empty.
package flowlist

import (
	"context"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	flowpb "weir/proto"
	"weir/tui/theme"
	"weir/tui/widget"
)

// Rows is one list as the screen reads it. Both methods may block and are called
// from commands only.
type Rows interface {
	// Page returns up to n rows from position first; fewer where the list ends.
	Page(ctx context.Context, first, n int) ([]flowpb.Row, error)
	// Find returns a flow's position, or that of its nearest neighbour.
	Find(ctx context.Context, id uint64) (pos int, found bool, err error)
}

// Event is what happened in the list that others may want to show.
type Event struct {
	Moved bool   // another flow has the focus, or its row changed
	Left  uint64 // this flow left the list and its neighbour has the focus; 0: none
	Err   error  // rows could not be read; those shown may be old
}

// Model is the list. Use New.
type Model struct {
	theme *theme.Theme
	zone  *time.Location
	w, h  int
	shape shape
	// several says that the list is of several sessions.
	several bool
	empty   []string
	order   string
	rev     bool

	rows     Rows
	async    widget.Async
	gen      int  // of the list; answers for others are dropped
	fresh    bool // the list has answered
	length   int
	building bool

	pos    int    // of the focus
	id     uint64 // the flow there; 0 until its row is here
	want   uint64 // the flow to find, while that may still succeed; 0: id
	home   uint64 // the flow the user chose last; another list may have it again
	moved  bool   // the user has moved, or came back to a flow
	top    int    // position of the first row in sight
	cell   int    // index into columns: what cell commands act on
	anchor mark   // the other end of the range; id 0: none

	follow   bool
	pausedAt int // length when following was left; -1: it was not

	first int // position of page[0]
	page  []flowpb.Row
	lines [][]string // the page as drawn, made when first in sight

	asked ask  // what the awaited answer is for
	busy  bool // an answer is awaited
	dirty bool // it will be old: ask again
}

// mark is a flow and where it was last seen.
type mark struct {
	pos int
	id  uint64
}

// New returns a list without rows. zone is where times of day are shown; nil is UTC.
func New(t *theme.Theme, zone *time.Location) *Model {
	m := &Model{theme: t, zone: zone, pausedAt: -1, cell: cellHost}
	m.SetSize(80, 20)
	return m
}

// SetTheme changes the looks.
func (m *Model) SetTheme(t *theme.Theme) {
	m.theme = t
	m.redraw()
}

// SetSize gives the list w cells and h lines, rules and header included.
func (m *Model) SetSize(w, h int) tea.Cmd {
	if w == m.w && h == m.h {
		return nil
	}
	offset := m.pos - m.top
	m.w, m.h = max(0, w), max(0, h)
	m.shape = arrange(m.w, m.h, m.several)
	m.redraw()
	m.scrollTo(m.pos - min(offset, m.height()-1))
	return m.fetchMissing()
}

// SetSeveral says whether the list is of several sessions, and shows whose flows are which.
func (m *Model) SetSeveral(several bool) tea.Cmd {
	if several == m.several {
		return nil
	}
	m.several = several
	w, h := m.w, m.h
	m.w = -1
	return m.SetSize(w, h)
}

// SetEmpty says what stands where there are no rows.
func (m *Model) SetEmpty(lines ...string) { m.empty = lines }

// SetOrder says which column shows the order's arrow, by its sort key.
func (m *Model) SetOrder(order string, reverse bool) {
	m.order, m.rev = order, reverse
}

// SetRows shows another list from now on. The rows in sight and the focus stay
// until the new list answers; SetStatus makes it do so.
func (m *Model) SetRows(rows Rows, async widget.Async) {
	m.rows, m.async = rows, async
	m.gen++
	m.fresh, m.busy, m.dirty = false, false, false
	m.pausedAt = -1
	m.anchor = mark{}
	m.building = true
	m.want = m.home
	if m.want == 0 {
		m.want = m.id
	}
}

// SetStatus says that the list has changed and how long it is now.
func (m *Model) SetStatus(length int, building bool) tea.Cmd {
	if m.building && !building && !m.moved && m.want == 0 {
		m.id = 0 // what stood first while the list was being built was chosen by nobody
	}
	m.length, m.building = length, building
	m.pos = clamp(m.pos, 0, length-1)
	m.scrollTo(m.top)
	return m.refresh()
}

// Restore puts the focus on a flow as soon as the list has it.
func (m *Model) Restore(id uint64, follow bool) {
	m.home, m.want, m.id, m.follow = id, id, id, follow
	m.moved = id != 0
}

// Focus returns the row that has the focus, nil while there is none or it is not
// here.
func (m *Model) Focus() *flowpb.Row {
	if row := m.row(m.pos); row != nil && row.ID == m.id {
		return row
	}
	return nil
}

// FocusID is the focused flow's id, 0 for none.
func (m *Model) FocusID() uint64 { return m.id }

// Position is where the focus is, and Len how many rows there are.
func (m *Model) Position() int { return m.pos }

// Len is the length of the list as last told.
func (m *Model) Len() int { return m.length }

// Following reports whether the focus stays at the end as flows arrive.
func (m *Model) Following() bool { return m.follow }

// Fresh is how many flows came since following was paused.
func (m *Model) Fresh() int {
	if m.follow || m.pausedAt < 0 {
		return 0
	}
	return max(0, m.length-m.pausedAt)
}

// Range returns the first and last position of the selected range.
func (m *Model) Range() (first, last int, ok bool) {
	if m.anchor.id == 0 {
		return m.pos, m.pos, false
	}
	return min(m.anchor.pos, m.pos), max(m.anchor.pos, m.pos), true
}

// ClearRange forgets the range and reports whether there was one.
func (m *Model) ClearRange() bool {
	had := m.anchor.id != 0
	m.anchor = mark{}
	return had
}

// SetNote shows a flow's note as it now is, ahead of the list's own refresh.
func (m *Model) SetNote(id uint64, note flowpb.Note) {
	for i := range m.page {
		if m.page[i].ID == id {
			m.page[i].Note = note
			m.lines[i] = nil
		}
	}
}

// ClickRow moves the focus to the row on line y of the view, if there is one.
func (m *Model) ClickRow(y int) tea.Cmd {
	line := y - m.shape.above
	if line < 0 || line >= m.height()*m.shape.lines {
		return nil
	}
	if pos := m.top + line/m.shape.lines; pos < m.length {
		m.moveTo(pos)
	}
	return m.fetchMissing()
}

// height is how many rows are in sight, at least 1.
func (m *Model) height() int { return max(1, m.shape.rows) }

// row returns the row at a position, nil if it is not here.
func (m *Model) row(pos int) *flowpb.Row {
	if i := pos - m.first; i >= 0 && i < len(m.page) && pos < m.length {
		return &m.page[i]
	}
	return nil
}

func (m *Model) setPage(first int, rows []flowpb.Row) {
	m.first, m.page = first, rows
	m.redraw()
}

func (m *Model) redraw() { m.lines = make([][]string, len(m.page)) }

// View draws the list.
func (m *Model) View() string {
	lines := make([]string, 0, m.h)
	lines = append(lines, m.header()...)
	for pos := m.top; pos < m.top+m.shape.rows; pos++ {
		lines = append(lines, m.rowLines(pos)...)
	}
	if m.length == 0 && (m.fresh || len(m.page) == 0) {
		m.placard(lines)
	}
	for len(lines) < m.h-m.shape.below {
		lines = append(lines, "")
	}
	if m.shape.below > 0 {
		lines = append(lines, m.footRule())
	}
	return widget.Fit(strings.Join(lines, "\n"), m.w, m.h)
}
