package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/creack/pty"

	"weir/filter"
	flowpb "weir/proto"
)

func TestFilterAsYouType(t *testing.T) {
	drive(t, newFake(fakeRows(60)...), Options{}, 100, 24, func(d *driver) {
		d.keys("/")
		d.text("~c 404")
		d.says("60 flows") // nothing is tried before the pause
		d.pass(time.Second)
		d.says("8 / 60")
		d.says("columns ✓  8 hits")
		d.text(" &")
		d.pass(time.Second)
		d.says("expected an operand after &")
		d.says("8 / 60") // the last good list stays
		d.keys("enter")
		if !d.app.bar.Typing() {
			t.Error("enter left the line with an expression that is none")
		}
		d.keys("esc")
		d.says("60 flows") // what was before
		d.keys("/")
		d.says("~c 404 &") // no typed text is lost
		d.keys("backspace backspace enter *")
		d.says("(off, * switches it on)")
		d.says("60 flows")
		d.keys("*")
		d.says("8 / 60")
		d.keys("/ ctrl+u enter / up")
		d.says("❯ ~c 404") // history
	})
}

func TestFocusSurvivesFilter(t *testing.T) {
	drive(t, newFake(fakeRows(60)...), Options{}, 100, 24, func(d *driver) {
		d.run(d.app.goTo("28")) // a 404
		d.run(d.app.setFilter("~c 404"))
		d.focusIs(28)
		d.run(d.app.setFilter("~c 599"))
		d.focusIs(0)
		d.run(d.app.setFilter("~m POST"))
		d.says("flow #28 is not in this list")
		d.run(d.app.setFilter(""))
		d.focusIs(28) // the user has not moved since
		d.keys("8")
		d.focusIs(28)
		d.keys("v")
		d.focusIs(28)
	})
}

func (d *driver) focusIs(want uint64) {
	d.t.Helper()
	if got := d.app.list.FocusID(); got != want {
		d.t.Errorf("focus: got flow %d, want %d", got, want)
	}
}

func TestFollow(t *testing.T) {
	drive(t, newFake(fakeRows(60)...), Options{}, 100, 24, func(d *driver) {
		d.src.add(fakeRows(5)...)
		d.run(nil)
		d.focusIs(65) // a live session is followed from the start
		d.keys("k")
		d.src.add(fakeRows(12)...)
		d.run(nil)
		d.focusIs(64)
		d.says("▼ 12 new")
		d.keys("G")
		d.focusIs(77)
		d.hides(" new ")
		d.keys("k F")
		d.focusIs(77)
	})
}

// TestListsAreClosed types fast, so that lists are asked for and never shown, and
// holds the App to give back all but the last.
func TestListsAreClosed(t *testing.T) {
	drive(t, newFake(fakeRows(60)...), Options{}, 100, 24, func(d *driver) {
		var cmds []tea.Cmd
		for i := range 20 {
			cmds = append(cmds, d.app.sortByName([]string{"host", "path", "status"}[i%3]))
		}
		for _, cmd := range cmds {
			d.run(cmd)
		}
		d.keys("k m U n ctrl+e")
		if d.src.open != 1 {
			t.Errorf("open lists: got %d, want 1", d.src.open)
		}
		if got := d.app.listing.List.(*fakeList).q.Order; got != "path" {
			t.Errorf("list shown: got order %q, want %q, which was asked for last", got, "path")
		}
	})
}

// TestWindow walks through a long list in every way and holds the App to its
// budget: never more than three screens of rows at once.
func TestWindow(t *testing.T) {
	drive(t, newFake(fakeRows(3000)...), Options{}, 100, 30, func(d *driver) {
		d.keys("g space space ctrl+d j j k ctrl+u ctrl+b G ctrl+b g l 8 v G enter space p q ctrl+e")
		d.send(tea.WindowSizeMsg{Width: 90, Height: 20})
		d.keys("G g")
		if rows := 30 - 7; d.src.maxPage > 3*rows {
			t.Errorf("longest page: got %d rows, want at most %d", d.src.maxPage, 3*rows)
		}
		before := d.src.pages
		d.keys("j j j j")
		if got := d.src.pages - before; got != 0 {
			t.Errorf("four steps inside the window: got %d pages read, want none", got)
		}
	})
}

func TestCopy(t *testing.T) {
	const want = "curl of 1"
	seq := ansi.SetSystemClipboard(want)
	tests := []struct {
		name string
		env  []string
		got  func(d *driver) []string
		want string
	}{
		{"plain", []string{"TERM=xterm-256color"}, func(d *driver) []string { return d.clip }, want},
		{"tmux", []string{"TERM=tmux-256color", "TMUX=/tmp/tmux"}, func(d *driver) []string { return d.raw }, seq + ansi.TmuxPassthrough(seq)},
		{"screen", []string{"TERM=screen", "STY=1.host"}, func(d *driver) []string { return d.raw }, ansi.ScreenPassthrough(seq, 764)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			drive(t, newFake(fakeRows(2)...), Options{}, 100, 24, func(d *driver) {
				d.send(tea.EnvMsg(tt.env))
				d.keys("g y c")
				if got := strings.Join(tt.got(d), ""); got != tt.want {
					t.Errorf("to the terminal: got %q, want %q", got, tt.want)
				}
				d.says("copied the curl command of flow #1, 9 bytes")
				d.keys("j y b")
				d.says("it is in exports/flow-2.body")
			})
		})
	}
}

func TestCopyTooLong(t *testing.T) {
	drive(t, newFake(fakeRows(2)...), Options{}, 100, 24, func(d *driver) {
		d.run(d.app.clip("response body", 2, make([]byte, maxCopy+1)))
		d.says("it is in exports/flow-2")
		if len(d.clip)+len(d.raw) != 0 {
			t.Error("more than the terminal takes was sent to the clipboard")
		}
	})
}

// TestSynchronizedOutput holds the App to ask for whole frames over SSH, where the
// terminal library does not.
func TestSynchronizedOutput(t *testing.T) {
	for _, ssh := range []bool{true, false} {
		drive(t, newFake(), Options{}, 80, 24, func(d *driver) {
			env := []string{"TERM=xterm-256color"}
			if ssh {
				env = append(env, "SSH_TTY=/dev/pts/1")
			}
			d.send(tea.EnvMsg(env))
			got := strings.Contains(strings.Join(d.raw, ""), ansi.RequestModeSynchronizedOutput)
			if got != ssh {
				t.Errorf("over SSH %v: asked for mode 2026: got %v, want %v", ssh, got, ssh)
			}
		})
	}
}

func TestKeyWithoutMeaning(t *testing.T) {
	drive(t, newFake(fakeRows(2)...), Options{}, 100, 24, func(d *driver) {
		d.keys("W")
		d.says("W does nothing here")
		d.keys("j")
		if got := d.app.message.text; got != "" {
			t.Errorf("after a key that has one: got %q, want no message", got)
		}
		d.keys("? ctrl+x")
		d.says("ctrl-x does nothing here")
	})
}

func TestPasteIsNoKeys(t *testing.T) {
	drive(t, newFake(fakeRows(20)...), Options{}, 100, 24, func(d *driver) {
		d.send(tea.PasteMsg{Content: "mQ\nQ"})
		d.says("pasted text was ignored")
		if d.quit || d.src.rows[19].Marked != "" {
			t.Error("pasted text ran as keys")
		}
		d.keys("/")
		d.send(tea.PasteMsg{Content: "~c 404"})
		d.pass(time.Second)
		d.says("filter ❯ ~c 404")
		d.keys("esc ;")
		d.send(tea.PasteMsg{Content: "two\nlines\x1b[2J"})
		d.says("two lines[2J")
	})
}

func TestNotes(t *testing.T) {
	drive(t, newFake(fakeRows(20)...), Options{}, 100, 24, func(d *driver) {
		d.keys("g m j ;")
		d.text("double")
		d.keys("esc ;") // no typed text is lost
		d.text(" submit?")
		d.keys("enter t")
		d.text("slow, cart slow")
		d.keys("enter")
		d.says("tagged #2")
		d.keys("j k")
		d.says("tags cart, slow  note double submit?")
		d.keys("shift+down shift+down")
		d.says("3 flows selected")
		d.keys("m")
		d.says("marked 3 flows")
		d.keys("M")
		d.says("4 / 20")
		d.keys("M U")
		d.says("remove 4 marks?")
		d.keys("y")
		d.says("removed 4 marks")
		d.keys("M")
		d.says("no marked flow matches")
	})
}

func TestNoteOfALostPage(t *testing.T) {
	src := newFake(fakeRows(20)...)
	drive(t, src, Options{}, 100, 24, func(d *driver) {
		d.app.src = failing{src}
		d.keys("m")
		d.says("write the note: disk full")
		d.keys("E")
		d.says("write the note: disk full")
	})
}

// failing is a session that cannot be written.
type failing struct{ *fakeSource }

func (failing) Annotate(context.Context, []uint64, NoteChange) ([]flowpb.Note, error) {
	return nil, errors.New("disk full")
}

// TestViewHistory walks back and forth through what was shown; what was only typed on the
// way to a filter is not part of it.
func TestViewHistory(t *testing.T) {
	drive(t, newFake(fakeRows(60)...), Options{}, 100, 24, func(d *driver) {
		d.keys("[")
		d.says("view-back: there is no view before this one")
		d.keys("/")
		d.text("~m POST")
		d.pass(time.Second)
		d.keys("enter 8 M")
		d.says("marked only")
		d.keys("[ [")
		d.says("view 2 of 4")
		d.says("❯ ~m POST")
		d.hides("by response_size")
		d.keys("[")
		d.says("60 flows")
		d.keys("] ]")
		d.says("view 3 of 4")
		d.says("by response_size")
		d.hides("marked only")
		d.keys("*") // something new: what was ahead is gone
		d.keys("]")
		d.says("view-forward: there is no view after this one")
		d.keys("[")
		d.says("12 / 60")
		d.says("view 3 of 4")
	})
}

// TestSecrets hides credentials with one key, everywhere, and finds that again when
// the session is opened again.
func TestSecrets(t *testing.T) {
	row := fakeRow(0)
	row.Path = "/login"
	src := newFake(row)
	drive(t, src, Options{}, 100, 30, func(d *driver) {
		d.keys("enter")
		d.says("Authorization: Basic c2VjcmV0")
		d.hides("MASKED")
		d.keys("S")
		d.says("credentials are hidden")
		d.says("MASKED")
		d.says("Authorization: (hidden")
		d.hides("c2VjcmV0")
		d.keys("tab y h")
		if got := d.clip; len(got) != 1 || got[0] != "masked headers of 1" {
			t.Errorf("copied %q, want it masked", got)
		}
		d.pass(2 * time.Second)
	})
	drive(t, src, Options{}, 100, 30, func(d *driver) {
		d.says("MASKED")
		d.keys("enter")
		d.hides("c2VjcmV0")
		d.keys("S")
		d.says("Authorization: Basic c2VjcmV0")
	})
}

func TestNextError(t *testing.T) {
	drive(t, newFake(fakeRows(30)...), Options{}, 100, 24, func(d *driver) {
		d.keys("g ctrl+e")
		d.focusIs(7)
		d.keys("ctrl+e")
		d.focusIs(11)
		d.keys("G k ctrl+e")
		d.focusIs(7) // after the last comes the first
		d.run(d.app.setFilter("~m DELETE"))
		d.keys("ctrl+e")
		d.says("no flow in this list failed")
	})
}

func TestJobCanBeGivenUp(t *testing.T) {
	drive(t, newFake(fakeRows(30)...), Options{}, 100, 24, func(d *driver) {
		d.src.change(func() { d.src.hold = true })
		d.keys("ctrl+e")
		d.hides("looking for the next error") // not before it takes long
		d.pass(showAfter)
		d.says("looking for the next error…  esc gives it up")
		d.keys("esc")
		d.says("gave up: looking for the next error")
		if d.src.open != 1 {
			t.Errorf("open lists: got %d, want 1", d.src.open)
		}
	})
}

func TestState(t *testing.T) {
	src := newFake(fakeRows(60)...)
	drive(t, src, Options{}, 100, 24, func(d *driver) {
		d.run(d.app.setFilter("~d shop"))
		d.keys("8 v g j j - - enter tab")
		d.pass(2 * time.Second)
		if src.saves == 0 {
			t.Fatal("the view was not saved")
		}
	})
	var focus uint64
	drive(t, src, Options{}, 100, 24, func(d *driver) {
		d.says("❯ ~d shop")
		d.says("by response_size ▼")
		focus = d.app.list.FocusID()
		if row := d.app.list.Focus(); row == nil || d.app.list.Position() != 2 {
			t.Errorf("focus: got position %d, want 2", d.app.list.Position())
		}
		if d.app.panes.layout != layoutFull {
			t.Errorf("layout: got %q, want %q", d.app.panes.layout, layoutFull)
		}
		saves := src.saves
		d.pass(10 * time.Second)
		if src.saves != saves {
			t.Error("the view was saved again though nothing changed")
		}
	})
	drive(t, src, Options{Filter: "~m POST"}, 100, 24, func(d *driver) {
		d.says("❯ ~m POST") // what is asked for wins over what was
		d.run(d.app.setFilter(""))
		d.focusIs(focus)
	})
}

func TestDamagedState(t *testing.T) {
	src := newFake(fakeRows(3)...)
	src.state[stateName] = []byte("{nonsense")
	drive(t, src, Options{}, 100, 24, func(d *driver) {
		d.says("restore the view: read the saved view")
		d.says("3 flows")
	})
}

func TestReadOnlyWritesNothing(t *testing.T) {
	src := newFake(fakeRows(60)...)
	src.stats.Mode = ReadOnly
	drive(t, src, Options{}, 100, 24, func(d *driver) {
		d.keys("8 v m")
		d.says("mark: read-only session")
		d.pass(5 * time.Second)
		if err := d.app.flush(t.Context()); err != nil || src.saves != 0 {
			t.Errorf("read-only: got %d saves and error %v, want none", src.saves, err)
		}
	})
}

func TestQuit(t *testing.T) {
	tests := []struct {
		keys string
		want bool
	}{
		{"Q", true},
		{"q", false},
		{"q y", true},
		{"q n", false},
		{"q enter", false},
		{"ctrl+c y", true},
		{"enter q", false},
		{"enter q q y", true},
		{"E q", false},
		{"? esc q y", true},
		{": q u i t enter", true},
	}
	for _, tt := range tests {
		t.Run(tt.keys, func(t *testing.T) {
			drive(t, newFake(fakeRows(20)...), Options{}, 100, 24, func(d *driver) {
				d.keys(tt.keys)
				if d.quit != tt.want {
					t.Errorf("%s: quit is %v, want %v", tt.keys, d.quit, tt.want)
				}
			})
		})
	}
}

func TestCommandLine(t *testing.T) {
	tests := []struct{ typed, want string }{
		{"sort host", "by host ▲"},
		{"sort nonsense", `no key "nonsense"`},
		{"filter ~c 404", "5 / 40"},
		{"filter ~c", "~c needs a number or a range"},
		{"go 7", "#7"},
		{"go 7000", "flow #7,000 is not in this list"},
		{"go x", `"x" is no flow number`},
		{"theme nonsense", "not one of auto"},
		{"theme light", "40 flows"},
		{"layout beside", "detail: beside"},
		{"comment hello there", "commented on #40"},
		{"nonsense", "no command nonsense"},
		{"mark 7", "takes nothing after its name"},
		{"detail-view", "no command detail-view"}, // the detail is not open
	}
	for _, tt := range tests {
		t.Run(tt.typed, func(t *testing.T) {
			drive(t, newFake(fakeRows(40)...), Options{}, 100, 24, func(d *driver) {
				d.keys(":")
				d.text(tt.typed)
				d.keys("enter")
				d.says(tt.want)
				if d.app.view != ViewList {
					t.Errorf("keys are with %q, want the list", d.app.view)
				}
			})
		})
	}
}

func TestMouse(t *testing.T) {
	drive(t, newFake(fakeRows(60)...), Options{Mouse: true}, 100, 24, func(d *driver) {
		d.keys("g")
		d.send(tea.MouseClickMsg{X: 20, Y: 8, Button: tea.MouseLeft})
		d.focusIs(5)
		d.send(tea.MouseWheelMsg{X: 20, Y: 8, Button: tea.MouseWheelDown})
		d.focusIs(6)
		d.keys("enter")
		d.send(tea.MouseClickMsg{X: 20, Y: 4, Button: tea.MouseLeft})
		if d.app.view != ViewList {
			t.Error("a click into the list left the keys with the detail")
		}
	})
}

// TestAnySize draws every view in every small size: nothing may panic or be
// larger than the screen.
func TestAnySize(t *testing.T) {
	drive(t, newFake(hostileRows()...), Options{}, 80, 24, func(d *driver) {
		for _, keys := range []string{"g", "/ ~ c space (", "esc enter", "tab - - -", "\\", "esc ctrl+p", "esc :", "esc ;", "esc ?", "/ x", "esc esc E", "q y", "esc o", "esc q"} {
			d.keys(keys)
			for _, size := range [][2]int{{0, 0}, {1, 1}, {5, 3}, {20, 6}, {21, 7}, {33, 9}, {59, 10}, {60, 12}, {79, 5}, {300, 100}, {80, 24}} {
				d.send(tea.WindowSizeMsg{Width: size[0], Height: size[1]})
				lines := strings.Split(d.app.View().Content, "\n")
				if len(lines) > max(1, size[1]) {
					t.Errorf("after %q at %v: got %d lines", keys, size, len(lines))
				}
				for _, line := range lines {
					if w := ansi.StringWidth(line); w > size[0] {
						t.Errorf("after %q at %v: got a line of %d cells: %q", keys, size, w, line)
					}
				}
			}
		}
	})
}

// TestNothingHostileIsDrawn holds the frame to carry no control but line ends and
// the styles that the themes make.
func TestNothingHostileIsDrawn(t *testing.T) {
	src := newFake(hostileRows()...)
	src.stats.Session = "evil\x1b]0;x\x07.weir"
	src.stats.Listen = []string{"\x1b[2J:1"}
	drive(t, src, Options{}, 120, 40, func(d *driver) {
		d.src.notices <- Notice{Level: Error, Text: "bad\x1b]52;c;eA==\x07", Hint: "\x1b[2J"}
		d.run(nil)
		for _, keys := range []string{"", "g", "enter", "esc y", "esc ;", "esc t", "esc E"} {
			d.keys(keys)
			content := d.app.View().Content
			for rest := content; rest != ""; {
				seq, _, n, _ := ansi.DecodeSequence(rest, ansi.NormalState, nil)
				if len(seq) > 0 && (seq[0] < ' ' || seq[0] == 0x7f) && seq != "\n" && (!strings.HasPrefix(seq, "\x1b[") || !strings.HasSuffix(seq, "m")) {
					t.Errorf("after %q the frame has %q", keys, seq)
				}
				if strings.HasPrefix(seq, "\x1b[5m") {
					t.Errorf("after %q the frame has a style of the traffic: %q", keys, seq)
				}
				rest = rest[n:]
			}
			if strings.ContainsAny(content, "\u202e\u200b\u009d") {
				t.Errorf("after %q the frame has bidi, zero-width or C1 controls", keys)
			}
		}
	})
}

func TestNewRefuses(t *testing.T) {
	var wrong *filter.Error
	if _, err := New(t.Context(), newFake(), Options{Filter: "~c ("}); !errors.As(err, &wrong) {
		t.Errorf("New with a filter that is none: got %v, want a *filter.Error", err)
	}
	if _, err := New(t.Context(), newFake(), Options{Theme: "plaid"}); err == nil || !strings.Contains(err.Error(), "plaid") {
		t.Errorf("New with theme plaid: got %v, want an error that names it", err)
	}
}

// TestRun runs the real program on a pseudo-terminal: the user leaves, or the
// context ends, and either way the view is saved and the list closed.
func TestRun(t *testing.T) {
	for _, leave := range []bool{true, false} {
		t.Run(fmt.Sprintf("user leaves %v", leave), func(t *testing.T) {
			src := newFake(fakeRows(20)...)
			src.wake()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			terminal, tty, err := pty.Open()
			if err != nil {
				t.Skipf("no pseudo-terminal: %v", err)
			}
			defer terminal.Close()
			if err := pty.Setsize(tty, &pty.Winsize{Rows: 24, Cols: 100}); err != nil {
				t.Fatal(err)
			}
			done := make(chan error, 1)
			go func() {
				err := Run(ctx, src, Options{In: tty, Out: tty, Env: []string{"TERM=xterm-256color"}})
				tty.Close()
				done <- err
			}()
			waitFor(t, terminal, "20 flows")
			if leave {
				fmt.Fprint(terminal, "v")
				waitFor(t, terminal, "by id")
				fmt.Fprint(terminal, "Q")
			} else {
				cancel()
			}
			go io.Copy(io.Discard, terminal)
			if err := <-done; leave && err != nil || !leave && !errors.Is(err, context.Canceled) {
				t.Errorf("Run: got %v", err)
			}
			if src.open != 0 || leave && src.saves == 0 {
				t.Errorf("after Run: got %d open lists and %d saves, want none and some", src.open, src.saves)
			}
		})
	}
}

// waitFor reads from a terminal until it has shown a text.
func waitFor(t *testing.T, terminal io.Reader, text string) {
	t.Helper()
	var all strings.Builder
	buf := make([]byte, 4096)
	for !strings.Contains(ansi.Strip(all.String()), text) {
		n, err := terminal.Read(buf)
		if err != nil {
			t.Fatalf("terminal: %v; it showed %q, want %q", err, all.String(), text)
		}
		all.Write(buf[:n])
	}
}

// TestLateAnswers holds the App to drop answers to what was asked for earlier.
func TestLateAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		d := newDriver(ctx, t, newFake(fakeRows(20)...), Options{})
		d.send(tea.WindowSizeMsg{Width: 100, Height: 24})
		d.run(d.app.Init())
		gen := d.app.gen
		for _, late := range []tea.Msg{
			listed{gen: gen - 1, status: Status{Version: 99, Len: 7}},
			errorFound{gen: gen - 1, pos: 3, found: true},
			jumped{gen: gen - 1, pos: 3, found: true},
			slowBuild{gen: gen - 1},
			focusSettled{gen: -1},
		} {
			had := d.screen()
			d.send(late)
			if got := d.screen(); got != had {
				t.Errorf("a late %T changed the screen", late)
			}
		}
		cancel()
		time.Sleep(time.Hour)
	})
}
