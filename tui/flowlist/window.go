package flowlist

import (
	"context"

	tea "charm.land/bubbletea/v2"

	flowpb "weir/proto"
)

// ask is what a command wants to know of the list. It is all the command sees of
// the model.
type ask struct {
	gen    int
	want   uint64 // find this flow; 0: take what is at pos
	orElse uint64 // find this one where the first is not in the list; 0: none
	pos    int
	line   int // the focus's line on the screen, to be kept
	height int
	length int
	tail   bool // follow: the end of the list has the focus
	head   bool // … which is its first row
	anchor uint64
}

// answered is the list's answer: rows from position first, and where the focus
// and the range's other end are.
type answered struct {
	ask
	at, anchorAt int
	found        uint64 // which of the flows at is the place of; 0: neither, at is near it
	anchorFound  bool
	first        int
	rows         []flowpb.Row
	err          error
}

// refresh asks for the rows in sight as they now are.
func (m *Model) refresh() tea.Cmd {
	if m.rows == nil {
		return nil
	}
	if m.busy {
		m.dirty = true
		return nil
	}
	m.busy, m.dirty = true, false
	m.asked = ask{
		gen: m.gen, want: m.want, pos: m.pos, line: m.pos - m.top, height: m.height(), length: m.length,
		tail: m.follow, head: m.rev, anchor: m.anchor.id,
	}
	switch {
	case m.asked.want == 0:
		m.asked.want = m.wanted()
	case m.asked.want != m.id:
		m.asked.orElse = m.id
	}
	rows, a := m.rows, m.asked
	return m.async.Do(func(ctx context.Context) tea.Msg { return a.answer(ctx, rows) })
}

// answer reads the list: one lookup of the focus, and one page of three screens.
func (a ask) answer(ctx context.Context, rows Rows) tea.Msg {
	r := answered{ask: a, at: a.pos}
	switch {
	case a.tail && a.head:
		r.at = 0
	case a.tail:
		r.at = a.length - 1
	default:
		r.locate(ctx, rows)
	}
	if a.anchor != 0 && r.err == nil {
		r.anchorAt, r.anchorFound, r.err = rows.Find(ctx, a.anchor)
	}
	if r.err != nil {
		return r
	}
	r.at = max(0, r.at) // not limited to a.length: the list may have grown since
	top := clamp(r.at-clamp(a.line, 0, a.height-1), 0, max(a.length, r.at+1)-a.height)
	r.first = max(0, top-a.height)
	r.rows, r.err = rows.Page(ctx, r.first, 3*a.height)
	return r
}

// locate finds the first of the flows asked for that is in the list, else the
// neighbour of the last one.
func (r *answered) locate(ctx context.Context, rows Rows) {
	for _, id := range []uint64{r.want, r.orElse} {
		if id == 0 {
			continue
		}
		var found bool
		if r.at, found, r.err = rows.Find(ctx, id); r.err != nil {
			return
		}
		if found {
			r.found = id
			return
		}
	}
}

// Update takes the list's answers.
func (m *Model) Update(msg tea.Msg) (Event, tea.Cmd) {
	r, ok := msg.(answered)
	if !ok || r.gen != m.gen {
		return Event{}, nil
	}
	m.busy = false
	if r.err != nil {
		return Event{Err: r.err}, nil
	}
	before := m.id
	old := m.Focus()
	var was flowpb.Row
	if old != nil {
		was = *old
	}
	m.setPage(r.first, r.rows)
	m.fresh = true
	m.length = max(m.length, r.first+len(r.rows))
	var event Event
	if m.unmoved(r) {
		event.Left = m.settle(r)
	} else if !m.relocate() {
		m.dirty = true
	}
	if r.anchorFound && m.anchor.id == r.anchor {
		m.anchor.pos = r.anchorAt
	}
	now := m.Focus()
	event.Moved = m.id != before || now != nil && (old == nil || changed(&was, now))
	if m.dirty {
		return event, m.refresh()
	}
	return event, m.fetchMissing()
}

// changed reports whether the flow of a row is another, or further on.
func changed(was, now *flowpb.Row) bool {
	return was.ID != now.ID || was.State != now.State || was.ResponseSize != now.ResponseSize ||
		was.RequestSize != now.RequestSize || was.Flags != now.Flags || was.Duration != now.Duration
}

// wanted is the flow that keeps the focus: none while a first list is built and
// the user has not moved. The first row then is whatever was found first.
func (m *Model) wanted() uint64 {
	switch {
	case m.want != 0:
		return m.want
	case m.building && !m.moved:
		return 0
	}
	return m.id
}

// unmoved reports whether the focus is still where the answer was asked from.
func (m *Model) unmoved(r answered) bool {
	want := m.wanted()
	if r.tail || m.follow {
		return r.tail == m.follow
	}
	return want == r.want && (want != 0 || m.pos == r.pos)
}

// settle puts the focus where the answer says and returns the flow that the
// focus had to leave, if any.
func (m *Model) settle(r answered) (left uint64) {
	m.pos = clamp(r.at, 0, m.length-1)
	m.scrollTo(r.at - clamp(r.line, 0, m.height()-1))
	before, here := m.id, uint64(0)
	if row := m.row(m.pos); row != nil {
		here = row.ID
	}
	switch {
	case r.tail:
		m.want, m.home = 0, here
	case r.want == 0:
		if m.moved || !m.building {
			m.home = here
		}
	case r.found != 0 && here != r.found:
		// The list moved between the lookup and the page; the next answer has both.
		m.dirty, m.want = true, r.want
		return 0
	case r.found != r.want && m.building:
		m.want = r.want
	default:
		m.want = 0
		if r.found == 0 && before != 0 {
			left = before
		}
	}
	m.id = here
	return left
}

// relocate finds the focus, which moved while the answer was on its way, in the
// new rows.
func (m *Model) relocate() bool {
	if m.follow {
		return false
	}
	if m.id == 0 {
		row := m.row(m.pos)
		if row == nil {
			return false
		}
		m.id, m.home = row.ID, row.ID
		return true
	}
	for i := range m.page {
		if m.page[i].ID == m.id {
			line := m.pos - m.top
			m.pos = m.first + i
			m.scrollTo(m.pos - line)
			return true
		}
	}
	return false
}

// fetchMissing asks for rows if some in sight are not here.
func (m *Model) fetchMissing() tea.Cmd {
	last := min(m.top+m.height(), m.length) - 1
	if m.length == 0 || m.row(m.top) != nil && m.row(last) != nil {
		return nil
	}
	return m.refresh()
}

// moveTo moves the focus to a position, by the user.
func (m *Model) moveTo(pos int) {
	if m.length == 0 {
		return
	}
	m.pos = clamp(pos, 0, m.length-1)
	m.id, m.want, m.moved = 0, 0, true
	if row := m.row(m.pos); row != nil {
		m.id = row.ID
	}
	m.home = m.id
	m.scrollTo(m.top)
}

// scrollTo puts top in sight's first line, or what is nearest to it so that the
// focus is in sight and the list fills the screen.
func (m *Model) scrollTo(top int) {
	h := m.height()
	if m.pos < top {
		top = m.pos
	}
	if m.pos >= top+h {
		top = m.pos - h + 1
	}
	m.top = clamp(top, 0, m.length-h)
}

// clamp limits v to low … high; low wins where high is below it.
func clamp(v, low, high int) int { return max(low, min(v, high)) }
