// Package eventlog is the screen of what happened: one line an event, the newest
// last, with the next step below it where there is one.
//
// It keeps a bounded number of events in memory and is no log file. It knows
// nothing of where events come from.
//
// Concurrency: used by the event loop alone.
//
// Invariant: at most [Max] events are kept; the oldest go first.
package eventlog

import (
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"weir/tui/theme"
	"weir/tui/widget"
)

// Max is how many events are kept.
const Max = 1000

// Level is how much an event matters.
type Level uint8

// The levels, in the order of those of the program's notices.
const (
	Info Level = iota
	Warn
	Error
)

// Event is one entry. Texts may hold captured bytes; they are sanitised when shown.
type Event struct {
	At    int64 // ns since the epoch, 0 if not known
	Level Level
	Text  string
	Hint  string
}

// Model is the screen. Use New.
type Model struct {
	theme  *theme.Theme
	zone   *time.Location
	w, h   int
	events []Event
	up     int // lines scrolled up from the end
}

// New returns an empty log. zone is where times of day are shown; nil is UTC.
func New(t *theme.Theme, zone *time.Location) *Model {
	return &Model{theme: t, zone: zone}
}

// SetTheme changes the looks.
func (m *Model) SetTheme(t *theme.Theme) { m.theme = t }

// SetSize gives the screen w cells and h lines.
func (m *Model) SetSize(w, h int) { m.w, m.h = w, h }

// Add puts an event at the end.
func (m *Model) Add(e Event) {
	m.events = append(m.events, e)
	if over := len(m.events) - Max; over > 0 {
		m.events = append(m.events[:0:0], m.events[over:]...)
	}
}

// Len is how many events are kept.
func (m *Model) Len() int { return len(m.events) }

// Scroll moves the view by n lines, down for a positive n.
func (m *Model) Scroll(n int) {
	m.up = max(0, min(m.up-n, m.count()-m.body()))
}

// Commands returns what the screen can do.
func Commands() []widget.Command { return widget.ScrollCommands() }

// Do runs a command of the screen by its name; an unknown name does nothing.
func (m *Model) Do(name string) { m.Scroll(widget.ScrollBy(name, m.Page(), m.count())) }

// Page is the number of lines that a page moves.
func (m *Model) Page() int { return max(1, m.body()-1) }

func (m *Model) body() int { return max(1, m.h-2) }

func (m *Model) count() int {
	n := 0
	for _, e := range m.events {
		n++
		if e.Hint != "" {
			n++
		}
	}
	return n
}

// View draws the screen.
func (m *Model) View() string {
	lines := m.lines(m.body() + m.up)
	lines = lines[:max(0, len(lines)-m.up)]
	lines = lines[max(0, len(lines)-m.body()):]
	if len(lines) == 0 {
		lines = []string{m.theme.Dim.Render("nothing has happened yet")}
	}
	for len(lines) < m.body() {
		lines = append(lines, "")
	}
	return widget.Fit(widget.Box("event log", lines, m.w, m.theme), m.w, m.h)
}

// lines is the last n lines of the log, oldest first.
func (m *Model) lines(n int) []string {
	var out []string
	for i := len(m.events) - 1; i >= 0 && len(out) < n; i-- {
		e := m.events[i]
		if e.Hint != "" {
			out = append(out, widget.Space(19)+m.theme.Dim.Render("hint: "+widget.Sanitize(e.Hint)))
		}
		word, style := m.level(e.Level)
		out = append(out, m.theme.Dim.Render(widget.Pad(widget.Clock(e.At, m.zone), 12, ""))+
			style.Render(widget.Pad(word, 7, ""))+m.theme.Text.Render(widget.Sanitize(strings.TrimRight(e.Text, "\n"))))
	}
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out
}

func (m *Model) level(l Level) (word string, style lipgloss.Style) {
	switch l {
	case Error:
		return "error", m.theme.Error
	case Warn:
		return "warn", m.theme.Warn
	default:
		return "info", m.theme.Info
	}
}
