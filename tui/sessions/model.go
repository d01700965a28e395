// Package sessions is the screen of session files: those beside the one that is open
// and those of the data directory, to open one, or several as one list.
//
// It opens nothing itself and knows no files: a [Source] lists them and describes
// one, and what the user wants opened is answered as an [Opening]. The list is there
// at once, with what a folder tells; what only the file knows (flows, marks, dates) is
// asked for row by row, of the rows in sight, one at a time.
//
// Concurrency: used by the event loop alone. Answers for an earlier list are dropped.
//
// Invariants: names and errors are drawn only after widget.Sanitize; at most one
// session is being described; the focus and the marks are paths, so that they stay with
// their files when the list is sorted, searched or read again.
package sessions

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"weir/tui/theme"
	"weir/tui/widget"
)

// Source finds session files. Both methods may block and are called from commands only.
type Source interface {
	// List returns the sessions there are, by what their folders tell.
	List(ctx context.Context) ([]Entry, error)
	// Describe returns what a session says of itself.
	Describe(ctx context.Context, path string) (Facts, error)
}

// Entry is a session file.
type Entry struct {
	Path     string // absolute
	Name     string // of the file, without its suffix
	Bytes    int64
	Modified int64 // ns since the epoch
	Live     bool  // somebody captures into it
}

// Facts are what a session says of itself.
type Facts struct {
	Flows       uint64
	Marked      int
	First, Last int64 // when its first and its last flow began, ns since the epoch; 0: no flows
}

// Result is what the user wants; nil: nothing.
type Result interface{ result() }

// Opening says which sessions to open, several as one list.
type Opening struct {
	Paths    []string
	ReadOnly bool
}

func (Opening) result() {}

// Options is what the screen is made of.
type Options struct {
	Source Source
	Async  widget.Async
	Theme  *theme.Theme
	Zone   *time.Location // of dates; nil: UTC
}

// Model is the screen. Use New.
type Model struct {
	src   Source
	async widget.Async
	theme *theme.Theme
	zone  *time.Location
	w, h  int

	gen     int
	loading bool
	err     error
	entries []Entry
	facts   map[string]described
	asking  string // the path being described, "" if none is
	current string // the path of the session that is open

	shown  []int // indexes into entries: those found, in order
	order  order
	rev    bool
	focus  string // a path
	marked map[string]bool
	top    int

	input  widget.Input
	search bool
}

// described is what became of a description.
type described struct {
	Facts
	err error
}

// order is what the list is sorted by.
type order int

const (
	byChange order = iota
	byName
	bySize
	orders
)

func (o order) String() string { return [...]string{"last change", "name", "size"}[o] }

// Messages of the screen.
type (
	listed struct {
		gen     int
		entries []Entry
		err     error
	}
	factsTold struct {
		gen  int
		path string
		described
	}
)

// New returns a screen without sessions; Open lists them.
func New(o Options) *Model {
	zone := o.Zone
	if zone == nil {
		zone = time.UTC
	}
	return &Model{
		src: o.Source, async: o.Async, theme: o.Theme, zone: zone, w: 80, h: 20,
		facts: map[string]described{}, marked: map[string]bool{}, input: widget.NewInput(),
	}
}

// SetTheme changes the looks.
func (m *Model) SetTheme(t *theme.Theme) { m.theme = t }

// SetSize gives the screen w cells and h lines.
func (m *Model) SetSize(w, h int) tea.Cmd {
	m.w, m.h = max(0, w), max(0, h)
	return m.describe()
}

// Open reads the list anew. current is the path of the session that is open, which has
// the focus the first time.
func (m *Model) Open(current string) tea.Cmd {
	m.gen++
	m.loading, m.err, m.asking, m.current = true, nil, "", current
	if m.focus == "" {
		m.focus = current
	}
	clear(m.facts)
	gen, src := m.gen, m.src
	return m.async.Do(func(ctx context.Context) tea.Msg {
		entries, err := src.List(ctx)
		return listed{gen, entries, err}
	})
}

// Typing reports whether keys are text for the search.
func (m *Model) Typing() bool { return m.search }

// Clear leaves the search, then forgets the marks, and reports whether there was
// anything to leave.
func (m *Model) Clear() bool {
	switch {
	case m.search || m.input.Value() != "":
		m.search = false
		m.input.SetValue("")
		m.arrange()
		return true
	case len(m.marked) > 0:
		clear(m.marked)
		return true
	}
	return false
}

// Keep ends typing and keeps what the search found.
func (m *Model) Keep() { m.search = false }

// Update takes the screen's answers, and the text of the search.
func (m *Model) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case listed:
		if msg.gen != m.gen {
			return nil
		}
		m.loading, m.err, m.entries = false, msg.err, msg.entries
		m.arrange()
		return m.describe()
	case factsTold:
		if msg.gen != m.gen {
			return nil
		}
		m.asking, m.facts[msg.path] = "", msg.described
		return m.describe()
	case tea.KeyPressMsg, tea.PasteMsg:
		if m.search && m.input.Update(msg) {
			m.arrange()
			return m.describe()
		}
	}
	return nil
}

// describe asks for the facts of the first row in sight that has none.
func (m *Model) describe() tea.Cmd {
	if m.asking != "" || m.loading {
		return nil
	}
	for _, e := range m.inSight() {
		if _, known := m.facts[e.Path]; known {
			continue
		}
		m.asking = e.Path
		gen, src, path := m.gen, m.src, e.Path
		return m.async.Do(func(ctx context.Context) tea.Msg {
			facts, err := src.Describe(ctx, path)
			return factsTold{gen, path, described{facts, err}}
		})
	}
	return nil
}

// arrange finds what the search leaves and puts it in order.
func (m *Model) arrange() {
	words := strings.Fields(strings.ToLower(m.input.Value()))
	m.shown = m.shown[:0]
	for i, e := range m.entries {
		found := true
		for _, w := range words {
			found = found && strings.Contains(strings.ToLower(e.Name), w)
		}
		if found {
			m.shown = append(m.shown, i)
		}
	}
	slices.SortStableFunc(m.shown, func(a, b int) int {
		c := m.compare(&m.entries[a], &m.entries[b])
		if m.rev {
			return -c
		}
		return c
	})
	m.scroll()
}

// compare puts the newest and the largest first.
func (m *Model) compare(a, b *Entry) int {
	switch m.order {
	case byName:
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Path, b.Path))
	case bySize:
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Path, b.Path))
	default:
		return cmp.Or(cmp.Compare(b.Modified, a.Modified), cmp.Compare(a.Path, b.Path))
	}
}

// at is the position of the focus among the shown, 0 if it is not there.
func (m *Model) at() int {
	return max(0, slices.IndexFunc(m.shown, func(i int) bool { return m.entries[i].Path == m.focus }))
}

// focused is the entry in focus, nil if there is none.
func (m *Model) focused() *Entry {
	if len(m.shown) == 0 {
		return nil
	}
	return &m.entries[m.shown[m.at()]]
}

func (m *Model) moveTo(at int) {
	if len(m.shown) > 0 {
		m.focus = m.entries[m.shown[max(0, min(at, len(m.shown)-1))]].Path
	}
	m.scroll()
}

// scroll keeps the focus in sight.
func (m *Model) scroll() { m.top = widget.Window(m.top, m.at(), len(m.shown), m.rows()) }

// inSight are the entries on the screen.
func (m *Model) inSight() []*Entry {
	m.scroll()
	var out []*Entry
	for _, i := range m.shown[min(m.top, len(m.shown)):min(m.top+m.rows(), len(m.shown))] {
		out = append(out, &m.entries[i])
	}
	return out
}
