package tui

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"weir/tui/sessions"
)

// fakeLibrary is sessions in memory. Those that are open are counted.
type fakeLibrary struct {
	entries []sessions.Entry
	listed  uint64
	open    int
	err     error
	opened  []string // what was asked for
}

func newFakeLibrary(n int) *fakeLibrary {
	l := &fakeLibrary{}
	for i := range n {
		name := fmt.Sprintf("day-%02d", i)
		l.entries = append(l.entries, sessions.Entry{Path: "/s/" + name + ".weir", Name: name, Bytes: int64(i+1) << 20, Modified: begun - int64(i)*1e12})
	}
	return l
}

func (l *fakeLibrary) List(context.Context) ([]sessions.Entry, error) {
	l.listed++
	return l.entries, nil
}

func (l *fakeLibrary) Describe(context.Context, string) (sessions.Facts, error) {
	return sessions.Facts{Flows: 1000 + l.listed, Marked: 3, First: begun, Last: begun + 1e12}, nil
}

func (l *fakeLibrary) Open(_ context.Context, paths []string, readOnly bool) (Opened, error) {
	if l.err != nil {
		return Opened{}, l.err
	}
	l.opened = append(l.opened, fmt.Sprint(readOnly, " ", strings.Join(paths, " ")))
	l.open++
	src := newFake(fakeRows(7)...)
	src.stats = Stats{Session: "other", Path: paths[0], Mode: Offline, Total: 7, Sessions: len(paths) / 2}
	src.wake()
	return Opened{Source: src, Exporter: fakeExporter{}, Close: func() error {
		l.open--
		return nil
	}}, nil
}

// TestVisit opens another session and comes back to the first, which is as it was left.
func TestVisit(t *testing.T) {
	l := newFakeLibrary(3)
	drive(t, newFake(fakeRows(60)...), Options{Library: l}, 100, 24, func(d *driver) {
		d.keys("g j j j S")
		chosen := d.app.list.FocusID()
		d.keys("ctrl+o")
		d.says("day-01", "1,001", "by last change")
		d.keys("j enter")
		d.says("other", "OFFLINE", "MASKED", "7 flows", "capturing")
		d.keys("j m")
		d.says("marked #")
		d.keys("q")
		d.says("LIVE", "60 flows")
		if got := d.app.list.FocusID(); got != chosen {
			t.Errorf("back: got flow %d in focus, want %d", got, chosen)
		}
		if l.open != 0 || l.opened[0] != "false /s/day-01.weir" {
			t.Errorf("got %d sessions open after %q, want none", l.open, l.opened)
		}
		d.src.add(fakeRows(3)...)
		d.pass(0)
		d.says("63 flows")
		d.keys("q")
		d.says("stop capturing and leave weir?")
	})
}

// TestVisitSeveral opens marked sessions as one list, read-only, and another from there.
func TestVisitSeveral(t *testing.T) {
	l := newFakeLibrary(3)
	drive(t, newFake(fakeRows(5)...), Options{Library: l}, 100, 24, func(d *driver) {
		d.keys("ctrl+o g space space")
		d.says("2 marked")
		d.keys("r")
		d.says("M │session", "7 flows")
		d.keys("c")
		d.hides("M │session")
		d.keys("g j j 6")
		chosen := d.app.list.FocusID()
		d.keys("ctrl+o enter")
		if l.open != 2 || len(d.app.behind) != 2 {
			t.Errorf("got %d sessions open and %d behind, want 2 and 2", l.open, len(d.app.behind))
		}
		if want := "true /s/day-00.weir /s/day-01.weir"; l.opened[0] != want {
			t.Errorf("got %q, want %q", l.opened[0], want)
		}
		d.keys("q")
		d.says("by status")
		if got := d.app.list.FocusID(); got != chosen {
			t.Errorf("back in the union: got flow %d in focus, want %d", got, chosen)
		}
		d.keys("q")
		d.says("5 flows")
		if l.open != 0 {
			t.Errorf("got %d sessions open, want none", l.open)
		}
	})
}

// TestVisitFails says why a session cannot be opened, and stays where it was.
func TestVisitFails(t *testing.T) {
	l := newFakeLibrary(1)
	l.err = errors.New("not a weir session\x1b[2J")
	drive(t, newFake(fakeRows(5)...), Options{Library: l}, 100, 24, func(d *driver) {
		d.keys("ctrl+o enter")
		d.says("not a weir session")
		d.says("day-00")
		d.keys("/")
		d.text("nope")
		d.says("no name matches")
		d.keys("esc q")
		d.says("5 flows")
	})
}

// TestStrayAnswers holds answers for a session that was left to change nothing, and to be
// given back.
func TestStrayAnswers(t *testing.T) {
	l := newFakeLibrary(1)
	drive(t, newFake(fakeRows(5)...), Options{Library: l}, 100, 24, func(d *driver) {
		late := d.app.askStats()
		lateList := d.app.open()
		o, err := l.Open(t.Context(), []string{"/s/x.weir"}, false)
		if err != nil {
			t.Fatal(err)
		}
		lateVisit := d.app.async.Do(func(context.Context) tea.Msg { return visited{opened: o} })
		d.keys("ctrl+o enter")
		before := d.screen()
		d.run(late)
		d.run(lateList)
		d.run(lateVisit)
		if got := d.screen(); got != before {
			t.Errorf("got\n%s\nwant\n%s", got, before)
		}
		if l.open != 1 {
			t.Errorf("got %d sessions open, want the one that is looked at", l.open)
		}
	})
}
