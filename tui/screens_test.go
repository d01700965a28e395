package tui

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// TestScreens holds what is drawn to the screens kept in testdata/screens, in
// three sizes each.
func TestScreens(t *testing.T) {
	tests := []struct {
		name string
		src  func() *fakeSource
		opts Options
		do   func(d *driver)
	}{
		{name: "empty", src: func() *fakeSource { return newFake() }},
		{name: "full", src: func() *fakeSource { return newFake(fakeRows(300)...) }, do: func(d *driver) { d.keys("k k m k"); d.src.add(fakeRows(3)...); d.pass(0) }},
		{name: "hostile", src: func() *fakeSource { return newFake(hostileRows()...) }, do: func(d *driver) { d.keys("g") }},
		{name: "ascii", src: func() *fakeSource { return newFake(fakeRows(30)...) }, opts: Options{ASCII: true, NoColor: true}, do: func(d *driver) { d.keys("m enter") }},
		{name: "building", src: func() *fakeSource {
			f := newFake(fakeRows(60)...)
			f.hold = true
			return f
		}, opts: Options{Filter: "~b needle | ~c 404"}, do: func(d *driver) { d.pass(time.Second) }},
		{name: "error", src: func() *fakeSource {
			f := newFake(fakeRows(60)...)
			f.listErr = errors.New("read page 7: disk I/O error")
			return f
		}},
		{name: "filter-wrong", src: func() *fakeSource { return newFake(fakeRows(60)...) }, do: func(d *driver) { d.keys("/"); d.text("~m POST & ("); d.pass(time.Second) }},
		{name: "filter-none", src: func() *fakeSource { return newFake(fakeRows(60)...) }, do: func(d *driver) { d.keys("/"); d.text("~c 599"); d.keys("enter") }},
		{name: "filtered", src: func() *fakeSource { return newFake(fakeRows(60)...) }, do: func(d *driver) { d.keys("/"); d.text("~m POST & ~d shop"); d.pass(time.Second); d.keys("enter 8 g") }},
		{name: "detail", src: func() *fakeSource { return newFake(fakeRows(60)...) }, do: func(d *driver) { d.keys("k enter l") }},
		{name: "detail-beside", src: func() *fakeSource { return newFake(fakeRows(60)...) }, do: func(d *driver) { d.keys("- enter") }},
		{name: "range", src: func() *fakeSource { return newFake(fakeRows(60)...) }, do: func(d *driver) { d.keys("g j j shift+down shift+down") }},
		{name: "deleted", src: func() *fakeSource { return newFake(fakeRows(60)...) }, do: func(d *driver) { d.keys("g j j shift+down shift+down d") }},
		{name: "cleared", src: func() *fakeSource { return newFake(fakeRows(60)...) }, do: func(d *driver) { d.keys("z") }},
		{name: "help", src: func() *fakeSource { return newFake(fakeRows(5)...) }, do: func(d *driver) { d.keys("?") }},
		{name: "help-search", src: func() *fakeSource { return newFake(fakeRows(5)...) }, do: func(d *driver) { d.keys("? /"); d.text("mark") }},
		{name: "palette", src: func() *fakeSource { return newFake(fakeRows(60)...) }, do: func(d *driver) { d.keys("ctrl+p"); d.text("sor") }},
		{name: "command", src: func() *fakeSource { return newFake(fakeRows(60)...) }, do: func(d *driver) { d.keys(":"); d.text("sort st"); d.keys("tab") }},
		{name: "comment", src: func() *fakeSource { return newFake(fakeRows(60)...) }, do: func(d *driver) { d.keys(";"); d.text("double submit? 日本") }},
		{name: "copy-menu", src: func() *fakeSource { return newFake(fakeRows(13)...) }, do: func(d *driver) { d.keys("y") }},
		{name: "order-menu", src: func() *fakeSource { return newFake(fakeRows(13)...) }, do: func(d *driver) { d.keys("o") }},
		{name: "log", src: func() *fakeSource { return newFake() }, do: func(d *driver) {
			d.src.notices <- Notice{At: begun, Level: Warn, Text: "pay.test:443: certificate not trusted\x1b[2J", Hint: "--upstream-ca adds one"}
			d.src.notices <- Notice{At: begun + 1e9, Text: "listening on 127.0.0.1:8080"}
			d.run(nil)
			d.keys("E")
		}},
		{name: "notice", src: func() *fakeSource { return newFake(fakeRows(3)...) }, do: func(d *driver) {
			d.src.notices <- Notice{Level: Error, Text: "the disk is full", Hint: "make room; weir waits and loses nothing"}
			d.run(nil)
		}},
		{name: "read-only", src: func() *fakeSource {
			f := newFake(fakeRows(60)...)
			f.stats = Stats{Session: "a-session-with-a-very-long-name-from-yesterday.weir", Mode: ReadOnly, Total: 60, RSS: 30 << 20}
			return f
		}, do: func(d *driver) { d.keys("m") }},
		{name: "several", src: func() *fakeSource {
			f := newFake(fakeRows(60)...)
			for i := range f.rows {
				f.rows[i].Session, f.rows[i].Agent = []string{"20261121-093000", "lab\x1b[2J", "日本語"}[i%3], []string{"proxy", "sniffer eth0", ""}[i%3]
			}
			f.stats = Stats{Session: "captures/", Sessions: 3, Mode: Offline, Total: 60, RSS: 40 << 20}
			return f
		}},
		{name: "sessions", src: func() *fakeSource { return newFake(fakeRows(5)...) }, opts: Options{Library: newFakeLibrary(9)}, do: func(d *driver) { d.keys("ctrl+o j j space") }},
		{name: "kept", src: func() *fakeSource {
			f := newFake(fakeRows(60)...)
			f.stats.Dropped = 123456
			return f
		}},
		{name: "sniffing", src: func() *fakeSource {
			f := newFake(fakeRows(60)...)
			f.stats.Listen, f.stats.Sniffing = nil, []string{"eth0"}
			return f
		}},
		{name: "packets-lost", src: func() *fakeSource {
			f := newFake(fakeRows(60)...)
			f.stats.Sniffing, f.stats.PacketsLost = []string{"eth0", "lo"}, 1234567
			return f
		}},
		{name: "lost", src: func() *fakeSource {
			f := newFake(fakeRows(60)...)
			f.stats.Lost, f.stats.PerSecond, f.stats.QueueBytes = 12, 2345, 61<<20
			return f
		}},
		{name: "disk-full", src: func() *fakeSource {
			f := newFake(fakeRows(60)...)
			f.stats.Trouble, f.stats.QueueBytes = "disk full: capture waits", 64<<20
			return f
		}},
	}
	sizes := []struct{ w, h int }{{80, 24}, {120, 40}, {40, 12}}
	for _, tt := range tests {
		for _, s := range sizes {
			name := fmt.Sprintf("%s-%dx%d", tt.name, s.w, s.h)
			t.Run(name, func(t *testing.T) {
				drive(t, tt.src(), tt.opts, s.w, s.h, func(d *driver) {
					if tt.do != nil {
						tt.do(d)
					}
					d.golden(name)
				})
			})
		}
	}
}

// TestFirstFrame draws before anything is known, as the terminal does.
func TestFirstFrame(t *testing.T) {
	for _, s := range []struct{ w, h int }{{80, 24}, {120, 40}, {40, 12}} {
		name := fmt.Sprintf("loading-%dx%d", s.w, s.h)
		t.Run(name, func(t *testing.T) {
			d := newDriver(t.Context(), t, newFake(fakeRows(3)...), Options{})
			d.app.w, d.app.h = s.w, s.h
			d.app.resize()
			d.golden(name)
		})
	}
}
