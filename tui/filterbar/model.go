// Package filterbar is the line in which the filter is shown and written.
//
// It parses what is typed at once and says what is wrong under the very place;
// an expression that parses is tried on the list a moment after the last key,
// and one that does not leaves the list as it is. It neither runs filters nor
// counts: how a filter runs and what it found is told to it.
//
// An expression is tried, then accepted with enter or left with esc, which puts
// back what was there before and keeps the typed text for the next time.
//
// Concurrency: used by the event loop alone. The wait after a key is a command
// whose answer carries a generation, so that only the last one counts.
//
// Invariant: Expr always parses.
package filterbar

import (
	"errors"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"weir/filter"
	"weir/tui/theme"
	"weir/tui/widget"
)

// pause is how long the line waits for another key before it tries an
// expression: long enough for a fast typist's next key, too short to wait for.
const pause = 120 * time.Millisecond

// maxHistory bounds the expressions that up and down walk through.
const maxHistory = 100

// Result is what the list has to do.
type Result uint8

// The results of Update and of the methods that change the filter.
const (
	None   Result = iota
	Try           // show Shown, which may still change
	Accept        // the same, and the line is left
	Cancel        // the line is left and Shown is what it was before
)

// Progress is how the filter in force runs.
type Progress struct {
	How      string // "columns", "heads", "bodies"; "" for not known yet
	Building bool   // it still runs, and for long enough to say so
	Percent  int
	Hits     int
}

// Model is the line. Use New.
type Model struct {
	theme *theme.Theme
	w     int

	applied string // accepted, whether or not it is switched on
	off     bool   // switched off by the user
	tried   string // what the list shows while the line is typed in

	input   widget.Input
	typing  bool
	draft   string // typed and left by esc
	history []string
	wrong   *filter.Error
	gen     int
	values  filter.Values
	comp    completion

	progress Progress
	tags     []string // words that stand beside the filter: "marked only"
}

// paused is the answer of the wait after a key.
type paused struct{ gen int }

// New returns an empty line. values knows arguments for completion; it may be nil.
func New(t *theme.Theme, values filter.Values) *Model {
	return &Model{theme: t, values: values, input: widget.NewInput()}
}

// SetTheme changes the looks.
func (m *Model) SetTheme(t *theme.Theme) { m.theme = t }

// SetSize gives the line its width.
func (m *Model) SetSize(w int) { m.w = w }

// SetProgress says how the filter runs, and what stands beside it.
func (m *Model) SetProgress(p Progress, tags ...string) { m.progress, m.tags = p, tags }

// SetHistory gives the line the expressions of earlier times, oldest first.
func (m *Model) SetHistory(entries []string) { m.history = entries }

// History returns the expressions accepted so far, oldest first.
func (m *Model) History() []string { return m.history }

// Typing reports whether keys are text for the line.
func (m *Model) Typing() bool { return m.typing }

// Expr is the accepted expression, and On whether it is switched on.
func (m *Model) Expr() string { return m.applied }

// On reports whether the filter is switched on.
func (m *Model) On() bool { return !m.off }

// Shown is the expression that the list has to show.
func (m *Model) Shown() string {
	switch {
	case m.typing:
		return m.tried
	case m.off:
		return ""
	default:
		return m.applied
	}
}

// Set puts an expression in force, as a command or a saved view does. It refuses
// one that does not parse and keeps the one there is.
func (m *Model) Set(expr string, on bool) error {
	expr = strings.TrimSpace(expr)
	if _, err := parse(expr); err != nil {
		return err
	}
	m.applied, m.off, m.draft = expr, !on, ""
	m.history = widget.Remember(m.history, expr, maxHistory)
	return nil
}

// Toggle switches the filter off or on.
func (m *Model) Toggle() { m.off = !m.off }

// Add narrows what is shown by an expression: a filter that is switched off is
// left to the history.
func (m *Model) Add(expr string) error {
	return m.Set(Join(m.Shown(), expr), true)
}

// Join is the expression of both, "" being every flow.
func Join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return group(a) + " & " + group(b)
}

// group puts an expression in brackets where it would otherwise fall apart.
func group(expr string) string {
	if strings.Contains(expr, "|") {
		return "(" + expr + ")"
	}
	return expr
}

// Open starts typing: with the text that esc left, else with the filter in force.
func (m *Model) Open() {
	m.typing = true
	m.tried = m.applied
	if m.off {
		m.tried = ""
	}
	m.input.SetHistory(m.history)
	m.input.SetValue(m.applied)
	if m.draft != "" {
		m.input.SetValue(m.draft)
	}
	m.comp = completion{}
	m.check()
}

// Update takes text while the line is typed in (keys that are no command of the
// line, and pastes), and the line's own messages.
func (m *Model) Update(msg tea.Msg) (Result, tea.Cmd) {
	if p, ok := msg.(paused); ok {
		if p.gen == m.gen && m.typing {
			return m.try(), nil
		}
		return None, nil
	}
	if !m.typing {
		return None, nil
	}
	return m.edit(msg)
}

func (m *Model) edit(msg tea.Msg) (Result, tea.Cmd) {
	changed := m.input.Update(msg)
	m.comp = completion{}
	if !changed {
		return None, nil
	}
	return None, m.changed()
}

// Do runs a command of the line by its name; an unknown name does nothing.
func (m *Model) Do(name string) (Result, tea.Cmd) {
	if !m.typing {
		return None, nil
	}
	switch name {
	case "accept":
		return m.accept(), nil
	case "cancel":
		return m.cancel(), nil
	case "complete":
		return m.complete(1)
	case "complete-back":
		return m.complete(-1)
	case "older":
		return m.walk(-1)
	case "newer":
		return m.walk(1)
	}
	return None, nil
}

func (m *Model) walk(step int) (Result, tea.Cmd) {
	m.comp = completion{}
	if !m.input.Walk(step) {
		return None, nil
	}
	return None, m.changed()
}

// Commands returns what the line can do while it is typed in.
func Commands() []widget.Command {
	return []widget.Command{
		{Name: "accept", Keys: []string{"enter"}, Help: "keep this filter and go back to the list", Hint: "keep"},
		{Name: "cancel", Keys: []string{"esc", "ctrl+c"}, Help: "go back to the filter before; the text is kept for the next time", Hint: "back"},
		{Name: "complete", Keys: []string{"tab"}, Help: "complete the operator or value, again for the next", Hint: "complete"},
		{Name: "complete-back", Keys: []string{"shift+tab"}, Help: "the completion before"},
		{Name: "older", Keys: []string{"up", "ctrl+p"}, Help: "older filter", Hint: "history"},
		{Name: "newer", Keys: []string{"down", "ctrl+n"}, Help: "newer filter"},
	}
}

// changed checks the text at once and tries it when no key follows.
func (m *Model) changed() tea.Cmd {
	m.check()
	m.gen++
	p := paused{gen: m.gen}
	return tea.Tick(pause, func(time.Time) tea.Msg { return p })
}

// try answers Try if the text is a new expression that parses.
func (m *Model) try() Result {
	text := strings.TrimSpace(m.input.Value())
	if m.wrong != nil || text == m.tried {
		return None
	}
	m.tried = text
	return Try
}

func (m *Model) accept() Result {
	if m.wrong != nil {
		return None
	}
	m.tried = strings.TrimSpace(m.input.Value())
	m.applied, m.off, m.draft = m.tried, false, ""
	m.history = widget.Remember(m.history, m.applied, maxHistory)
	m.leave()
	return Accept
}

func (m *Model) cancel() Result {
	m.draft = ""
	if text := strings.TrimSpace(m.input.Value()); text != m.applied {
		m.draft = text
	}
	m.leave()
	return Cancel
}

func (m *Model) leave() {
	m.typing, m.wrong = false, nil
	m.comp = completion{}
	m.gen++
}

func (m *Model) check() {
	_, m.wrong = parse(strings.TrimRight(m.input.Value(), " "))
}

// parse reads an expression; "" is every flow.
func parse(src string) (filter.Expr, *filter.Error) {
	if strings.TrimSpace(src) == "" {
		return nil, nil
	}
	e, err := filter.Parse(src)
	var wrong *filter.Error
	switch {
	case err == nil:
		return e, nil
	case errors.As(err, &wrong):
		return nil, wrong
	default:
		return nil, &filter.Error{Src: src, End: len(src), Msg: err.Error()}
	}
}
