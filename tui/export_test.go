package tui

import (
	"testing"

	flowpb "weir/proto"
)

func TestExport(t *testing.T) {
	drive(t, newFake(fakeRows(20)...), Options{Exporter: fakeExporter{}}, 100, 30, func(d *driver) {
		command := func(text string) {
			d.keys(":")
			d.text(text)
			d.keys("enter")
		}
		d.keys("g x")
		d.says("as")
		d.says("pcapng")
		d.keys("c")
		d.says("flows.sh")
		d.keys("enter")
		d.says("1 flow as curl in flows.sh")
		d.keys("shift+down shift+down S")
		command("export curl a b.sh")
		d.says("2 flows as curl in a b.sh")
		d.says("1 flow left out")
		d.keys("esc")
		command("export har full")
		d.says("no space left")
		command("export @marked har all.har")
		d.says("0 flows as har in all.har")
		d.keys("m")
		command("export @marked har all.har")
		d.says("1 flow as har in all.har")
		command("export ruby x")
		d.says(`"ruby" is no format`)
	})
}

func TestSaveBody(t *testing.T) {
	rows := fakeRows(2)
	rows[1].ResponseSize, rows[1].RequestSize = flowpb.Absent, flowpb.Absent
	drive(t, newFake(rows...), Options{Exporter: fakeExporter{}}, 100, 30, func(d *driver) {
		d.keys("g b")
		d.says("write the body of flow #1 to")
		d.keys("enter")
		d.says("the body is in body")
		d.keys("enter b")
		d.text("2.json")
		d.keys("enter")
		d.says("the body is in body2.json")
		d.keys("q j b")
		d.says("this flow has no body")
	})
}

// An action on a range takes all of it, however long that is.
func TestLongRange(t *testing.T) {
	const n = 2*notedAtOnce + 7
	drive(t, newFake(fakeRows(n)...), Options{Exporter: fakeExporter{}}, 100, 24, func(d *driver) {
		d.keys("g shift+end")
		d.says("10,007 flows selected")
		d.keys("m")
		d.says("marked 10,007 flows")
		for i := range d.src.rows {
			if d.src.rows[i].Marked == "" {
				t.Fatalf("flow %d of %d is not marked", i+1, n)
			}
		}
		d.keys("g shift+end d")
		d.says("10,007 flows deleted")
	})
}
