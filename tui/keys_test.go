package tui

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"weir/filter"
	"weir/tui/palette"
)

// before is what has to be done so that a command has something to do. Commands
// that are not named here start in a list of many flows, in the middle.
var before = map[string]string{
	"filter-toggle": "/ ~ m space G E T enter", "filter-clear": "/ ~ m space G E T enter",
	"view-back": "2", "view-forward": "2 [", "undo": "d", "detail-undo": "enter d", "purge-hidden": "/ ~ m space P O S T enter",
	"unmark-all": "m", "next-pane": "enter esc enter", "maximise": "enter", "grow": "enter", "shrink": "enter",
	"escape": "shift+down", "back": "enter", "top": "", "follow": "",
	"filter-name":   "/ ~ m space P O S T",
	"filter-accept": "/ ~ m space P O S T", "filter-cancel": "/ ~ m", "filter-complete": "/ ~", "filter-complete-back": "/ ~",
	"filter-older": "/ ~ a enter / ctrl+u ~ s enter /", "filter-newer": "/ ~ a enter / ctrl+u ~ s enter / up", "filter-explain": "/",
	"line-accept": ": h e l p", "line-cancel": ": h", "line-complete": ": s o", "line-complete-back": ": s o",
	"line-older": ": h i n t s enter :", "line-newer": ": h i n t s enter : up",
	"palette-accept": "ctrl+p", "palette-cancel": "ctrl+p x", "palette-down": "ctrl+p", "palette-up": "ctrl+p down",
	"palette-page-down": "ctrl+p", "palette-page-up": "ctrl+p pgdown",
	"help-up": "? G", "help-page-up": "? G", "help-half-up": "? G", "help-top": "? G", "help-search": "?",
	"log-down": "E g", "log-up": "E", "log-page-up": "E", "log-half-up": "E", "log-top": "E",
	"log-page-down": "E g", "log-half-down": "E g", "log-bottom": "E g",
	"detail-up": "enter G", "detail-page-up": "enter G", "detail-half-up": "enter G", "detail-top": "enter G",
	"sessions-top": "ctrl+o G",
	"sort-id":      "2", "detail-next-hit": "enter / o t e enter", "detail-prev-hit": "enter / o t e enter",
	"detail-step-out": "enter", "detail-long-values": "enter G", "detail-prev-tab": "enter l",
}

// argument is what is typed behind a command that has no key.
var argument = map[string]string{"theme": "light", "go": "3", "sort": "host", "set": "mode regular"}

// TestEveryBinding runs every row of the table, by each of its keys, and holds it
// to do something that can be noticed, or to say why it does not.
func TestEveryBinding(t *testing.T) {
	for _, b := range bindings() {
		keys := b.Keys
		if len(keys) == 0 {
			keys = []string{""}
		}
		for _, key := range keys {
			t.Run(fmt.Sprintf("%s %s %s", b.View, b.Name, key), func(t *testing.T) {
				drive(t, busySource(), Options{Library: newFakeLibrary(40)}, 100, 24, func(d *driver) {
					d.keys("g ctrl+f j")
					d.prepare(b)
					had := d.fingerprint()
					if key == "" {
						d.keys(":")
						d.text(strings.TrimSpace(b.Name + " " + argument[b.Name]))
						d.keys("enter")
					} else {
						d.keys(key)
					}
					if got := d.fingerprint(); got == had {
						t.Errorf("%s: nothing happened on\n%s", b.Name, d.screen())
					}
				})
			})
		}
	}
}

// busySource is a session in which every command has something to do.
func busySource() *fakeSource {
	rows := fakeRows(120)
	for i := range rows {
		rows[i].Path += strings.Repeat("/more", 40)
	}
	return newFake(rows...)
}

// prepare brings the App to where a command's keys work.
func (d *driver) prepare(b Binding) {
	keys, named := before[b.Name]
	if b.View == ViewCopy {
		keys, named = "y", true
	}
	switch {
	case named:
	case b.View == ViewHelp:
		keys = "?"
	case b.View == ViewLog:
		keys = "E"
	case b.View == ViewSessions:
		keys = "ctrl+o ctrl+f"
	case b.View == ViewDetail:
		keys = "enter"
	}
	if b.View == ViewLog {
		for i := range 60 {
			d.app.say(Warn, fmt.Sprintf("something happened for the %d. time", i+1), "")
		}
	}
	d.keys(keys)
}

// fingerprint is all by which one may notice that a command did something.
func (d *driver) fingerprint() string {
	return fmt.Sprintln(d.app.View().Content, d.screen(), d.quit, d.suspended, d.raw, d.clip, d.app.mouse, d.app.look, d.src.rows, d.app.list.Following())
}

// TestDisabled holds every command that can be off to be off in an empty,
// read-only session, to keep its place, and to say why when its key is pressed.
func TestDisabled(t *testing.T) {
	for _, b := range bindings() {
		if b.Off == nil || b.Name == "go" || b.Name == "next-error" || b.View == ViewDetail || b.View == ViewSessions {
			continue
		}
		t.Run(b.Name, func(t *testing.T) {
			src := newFake()
			src.stats.Mode = ReadOnly
			drive(t, src, Options{}, 100, 24, func(d *driver) {
				reason := b.off(d.app)
				if reason == "" {
					t.Fatalf("%s is on in an empty, read-only session", b.Name)
				}
				d.run(d.app.run(d.app.named(b.Name), ""))
				d.says(reason)
				found := slices.ContainsFunc(d.app.paletteItems(), func(i palette.Item) bool { return i.Name == b.Name && i.Off == reason })
				if !found {
					t.Errorf("the palette does not show %s with the reason %q", b.Name, reason)
				}
			})
		})
	}
}

// TestTable holds the table together: names are unique, no key means two things
// in one view, and every row can be explained.
func TestTable(t *testing.T) {
	names := make(map[string]bool)
	keys := make(map[string]string)
	for _, b := range bindings() {
		if names[b.Name] {
			t.Errorf("two commands have the name %q", b.Name)
		}
		names[b.Name] = true
		if b.Help == "" || b.Run == nil {
			t.Errorf("%s: no help text or nothing to run", b.Name)
		}
		if !slices.Contains(viewOrder(), b.View) {
			t.Errorf("%s: help and manual do not show the view %q", b.Name, b.View)
		}
		for _, k := range b.Keys {
			at := string(b.View) + " " + k
			if other, taken := keys[at]; taken {
				t.Errorf("%s: the key is %s and %s", at, other, b.Name)
			}
			keys[at] = b.Name
			if got := keyPress(k).String(); got != k {
				t.Errorf("%s: the terminal library calls the key %q %q", b.Name, k, got)
			}
		}
	}
	for name := range before {
		if !names[name] {
			t.Errorf("the tests prepare for %q, which is no command", name)
		}
	}
}

// TestKeysReference holds the manual's page to have every command.
func TestKeysReference(t *testing.T) {
	got := KeysReference()
	for _, b := range bindings() {
		if !strings.Contains(got, "`"+strings.TrimSpace(b.Name+" "+b.Arg)+"`") {
			t.Errorf("the reference does not have %s", b.Name)
		}
	}
	for line := range strings.Lines(got) {
		if strings.HasPrefix(line, "|") && strings.Count(strings.ReplaceAll(line, `\|`, ""), "|") != 4 {
			t.Errorf("not a row of three cells: %q", line)
		}
	}
}

// TestLevels holds the log's levels to those of notices, which are converted by value.
func TestLevels(t *testing.T) {
	if got, want := []Level{Info, Warn, Error}, []Level{0, 1, 2}; !reflect.DeepEqual(got, want) {
		t.Errorf("levels: got %v, want %v", got, want)
	}
	if _, err := filter.Parse(failed); err != nil {
		t.Errorf("the filter for failed flows: %v", err)
	}
}
