package flowlist

import (
	"cmp"
	"context"
	"slices"
	"testing"

	tea "charm.land/bubbletea/v2"
	"pgregory.net/rapid"

	flowpb "weir/proto"
	"weir/tui/theme"
	"weir/tui/widget"
)

// session is flows in memory with one number each to sort by.
type session struct {
	keys    map[uint64]int
	last    uint64
	longest int // the longest page that was asked for
}

// list is the session in one order.
type list struct {
	*session
	byKey, reverse bool
	hidden         func(id uint64) bool
}

func (l list) ids() []uint64 {
	var out []uint64
	for id := range l.keys {
		if l.hidden == nil || !l.hidden(id) {
			out = append(out, id)
		}
	}
	slices.SortFunc(out, l.compare)
	return out
}

func (l list) compare(a, b uint64) int {
	c := cmp.Compare(a, b)
	if l.byKey {
		c = cmp.Or(cmp.Compare(l.keys[a], l.keys[b]), c)
	}
	if l.reverse {
		return -c
	}
	return c
}

func (l list) Page(_ context.Context, first, n int) ([]flowpb.Row, error) {
	l.longest = max(l.longest, n)
	ids := l.ids()
	first = min(first, len(ids))
	var out []flowpb.Row
	for _, id := range ids[first:min(len(ids), first+n)] {
		out = append(out, flowpb.Row{Summary: flowpb.Summary{ID: id, Host: "host.test", Path: "/"}})
	}
	return out, nil
}

func (l list) Find(_ context.Context, id uint64) (int, bool, error) {
	ids := l.ids()
	pos, found := slices.BinarySearchFunc(ids, id, l.compare)
	return min(pos, max(0, len(ids)-1)), found, nil
}

// bench is a Model with the commands it has asked for and nobody has run yet.
type bench struct {
	*Model
	t       *rapid.T
	session *session
	list    list
	waiting []tea.Cmd
}

func newBench(t *rapid.T) *bench {
	looks, err := theme.New(theme.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := &session{keys: make(map[uint64]int)}
	b := &bench{Model: New(looks, nil), t: t, session: s, list: list{session: s}}
	b.SetSize(80, 13) // ten rows in sight
	b.show()
	return b
}

func (b *bench) show() {
	b.SetOrder("id", b.list.reverse)
	b.SetRows(b.list, widget.NewAsync(context.Background()))
	b.changed()
}

func (b *bench) changed() { b.wait(b.SetStatus(len(b.list.ids()), false)) }

func (b *bench) wait(cmd tea.Cmd) {
	if cmd != nil {
		b.waiting = append(b.waiting, cmd)
	}
}

// answer runs the oldest command that waits.
func (b *bench) answer() {
	if len(b.waiting) == 0 {
		return
	}
	cmd := b.waiting[0]
	b.waiting = b.waiting[1:]
	_, next := b.Update(cmd())
	b.wait(next)
}

// settle runs all of them. An endless chain of questions is a failure.
func (b *bench) settle() {
	for i := 0; len(b.waiting) > 0; i++ {
		if i > 100 {
			b.t.Fatal("the list asks and asks")
		}
		b.answer()
	}
}

func (b *bench) add(n int) {
	for range n {
		b.session.last++
		b.session.keys[b.session.last] = rapid.IntRange(0, 50).Draw(b.t, "key")
	}
	b.changed()
}

// TestFocusStaysOnItsFlow moves about in a list that changes under the user, with
// answers that come late, and holds the focus to its flow whenever all is quiet.
func TestFocusStaysOnItsFlow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := newBench(t)
		b.add(rapid.IntRange(1, 60).Draw(t, "flows"))
		b.settle()
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			b.act(rapid.IntRange(0, 9).Draw(t, "act"))
			b.inBounds()
		}
		b.settle()
		b.inBounds()
		b.whole()

		chosen := b.FocusID()
		b.follow = false
		for range rapid.IntRange(1, 10).Draw(t, "changes") {
			b.disturb(rapid.IntRange(0, 5).Draw(t, "change"), chosen)
		}
		b.settle()
		b.inBounds()
		b.whole()
		if got := b.FocusID(); got != chosen {
			t.Fatalf("focus: got flow %d, want %d, which is still in the list", got, chosen)
		}
		if b.session.longest > 3*b.height() {
			t.Fatalf("page: asked for %d rows, want at most %d", b.session.longest, 3*b.height())
		}
	})
}

// act does one thing that the user or the session may do.
func (b *bench) act(what int) {
	moves := []string{"up", "down", "page-up", "page-down", "top", "bottom", "follow"}
	switch {
	case what < 4:
		_, cmd := b.Do(rapid.SampledFrom(moves).Draw(b.t, "move"))
		b.wait(cmd)
	case what < 6:
		b.answer()
	case what == 6:
		b.add(rapid.IntRange(1, 25).Draw(b.t, "more"))
	case what == 7 && len(b.session.keys) > 1:
		ids := b.list.ids()
		delete(b.session.keys, rapid.SampledFrom(ids).Draw(b.t, "gone"))
		b.changed()
	default:
		b.disturb(what, 0)
	}
}

// disturb changes the list, but leaves one flow in it.
func (b *bench) disturb(what int, keep uint64) {
	switch what {
	case 0, 1:
		b.add(rapid.IntRange(1, 25).Draw(b.t, "more"))
	case 2:
		id := rapid.SampledFrom(b.list.ids()).Draw(b.t, "moved")
		b.session.keys[id] = rapid.IntRange(0, 50).Draw(b.t, "to")
		b.changed()
	case 3:
		b.list.byKey = !b.list.byKey
		b.show()
	case 4:
		b.list.reverse = !b.list.reverse
		b.show()
	case 5:
		b.answer()
	default:
		odd := rapid.Uint64Range(0, 1).Draw(b.t, "hidden")
		b.list.hidden = func(id uint64) bool { return id%2 == odd && id != keep }
		if keep == 0 {
			b.list.hidden = nil
		}
		b.show()
	}
}

// inBounds holds what must be true at every moment.
func (b *bench) inBounds() {
	if b.length > 0 && (b.pos < 0 || b.pos >= b.length) {
		b.t.Fatalf("position: got %d of %d", b.pos, b.length)
	}
	if b.pos < b.top || b.pos >= b.top+b.height() {
		b.t.Fatalf("focus at %d is not in sight of the window from %d", b.pos, b.top)
	}
	if len(b.page) > 3*b.height() {
		b.t.Fatalf("held: got %d rows, want at most %d", len(b.page), 3*b.height())
	}
}

// whole holds what must be true when nothing is awaited: the focus is where its
// flow is, and all rows in sight are here.
func (b *bench) whole() {
	ids := b.list.ids()
	if len(ids) == 0 {
		return
	}
	if b.length != len(ids) {
		b.t.Fatalf("length: got %d, want %d", b.length, len(ids))
	}
	if got := ids[b.pos]; got != b.FocusID() {
		b.t.Fatalf("position %d: flow %d stands there, the focus says %d", b.pos, got, b.FocusID())
	}
	for pos := b.top; pos < min(b.top+b.height(), len(ids)); pos++ {
		if row := b.row(pos); row == nil || row.ID != ids[pos] {
			b.t.Fatalf("row %d: got %v, want flow %d", pos, row, ids[pos])
		}
	}
}

// TestFirstBuildKeepsTheTop holds the focus on the first row while a list is found from
// its other end, until the user chooses a flow.
func TestFirstBuildKeepsTheTop(t *testing.T) {
	looks, err := theme.New(theme.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, moved := range []bool{false, true} {
		s := &session{keys: make(map[uint64]int)}
		m := New(looks, nil)
		m.SetSize(80, 13)
		m.SetRows(list{session: s}, widget.NewAsync(context.Background()))
		tell := func(from uint64, building bool) {
			for id := from; id <= 30; id++ {
				s.keys[id] = 0
			}
			for cmd := m.SetStatus(len(s.keys), building); cmd != nil; {
				_, cmd = m.Update(cmd())
			}
		}
		tell(21, true)
		if m.FocusID() != 21 {
			t.Errorf("while it is built: got flow %d in focus, want the first, 21", m.FocusID())
		}
		want := uint64(1)
		if moved {
			want = 22
			m.Do("down")
		}
		tell(11, true)
		tell(1, false)
		if m.FocusID() != want {
			t.Errorf("moved %v: got flow %d in focus, want %d", moved, m.FocusID(), want)
		}
	}
}
