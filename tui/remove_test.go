package tui

import (
	"context"
	"errors"
	"testing"
)

func TestDelete(t *testing.T) {
	drive(t, newFake(fakeRows(20)...), Options{}, 100, 24, func(d *driver) {
		d.keys("g j m d") // a marked flow is no exception
		d.says("1 flow deleted · u brings it back")
		d.hides("is not in this list")
		d.focusIs(3)
		d.says("19 flows")
		d.keys("shift+down shift+down")
		d.says("3 flows selected")
		d.keys("d")
		d.says("3 flows deleted · u brings them back")
		d.focusIs(6)
		d.says("16 flows")
		d.keys("u")
		d.says("3 flows are back")
		d.says("19 flows")
		d.keys("u")
		d.says("1 flow is back")
		if got := d.src.rows[1]; got.ID != 2 || got.Marked == "" {
			t.Errorf("the second row: got %+v, want flow 2 with its mark", got)
		}
		d.keys("u")
		d.says("nothing was deleted that could be brought back")
	})
}

// TestDeleteInDetail deletes the flow one is reading: the next one is shown.
func TestDeleteInDetail(t *testing.T) {
	drive(t, newFake(fakeRows(20)...), Options{}, 100, 30, func(d *driver) {
		d.keys("g enter d")
		d.pass(2 * settleAfter)
		d.says("1 flow deleted · u brings it back")
		d.focusIs(2)
		d.says("#2 200 GET https://img.shop.test/v2/items/1?page=1")
		d.keys("u")
		d.says("1 flow is back")
		d.focusIs(2)
	})
}

func TestDeleteMany(t *testing.T) {
	drive(t, newFake(fakeRows(20)...), Options{}, 100, 24, func(d *driver) {
		d.keys("Z")
		d.says("purge-hidden: all flows are shown")
		d.keys("/")
		d.text("~m POST")
		d.keys("enter")
		d.says("4 / 20")
		d.keys("Z")
		d.says("16 flows deleted · u brings them back")
		d.says("4 flows")
		d.keys("z")
		d.says("4 flows deleted · u brings them back")
		d.says("0 flows")
		d.keys("z")
		d.says("clear: no flows in this session")
		d.keys("u u")
		d.says("4 / 20")
	})
}

// TestDeleteIsOffWhileTheListIsBuilt does not delete what only was not found yet.
func TestDeleteIsOffWhileTheListIsBuilt(t *testing.T) {
	src := newFake(fakeRows(20)...)
	src.hold = true
	drive(t, src, Options{Filter: "~m POST"}, 100, 24, func(d *driver) {
		d.keys("Z")
		d.says("purge-hidden: what is shown is still being found")
		if len(src.rows) != 20 {
			t.Errorf("flows: got %d, want 20", len(src.rows))
		}
	})
}

func TestDeleteFails(t *testing.T) {
	for _, tt := range []struct {
		name string
		n    int
		err  error
		want string
	}{
		{"at once", 0, errors.New("disk full"), "delete: disk full  nothing was deleted"},
		{"on the way", 12, errors.New("disk full"), "delete: disk full  12 flows were deleted, u brings them back"},
		{"nothing there", 0, nil, "nothing to delete: it is gone already"},
		{"given up", 12, context.Canceled, "12 flows deleted · u brings them back"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			src := newFake(fakeRows(20)...)
			drive(t, src, Options{}, 100, 24, func(d *driver) {
				d.app.src = keeping{src, tt.n, tt.err}
				d.keys("z")
				d.says(tt.want)
			})
		})
	}
}

// keeping is a session that removes so many flows and then fails.
type keeping struct {
	*fakeSource
	n   int
	err error
}

func (k keeping) RemoveAll(context.Context) (int, error) { return k.n, k.err }

// TestDeletingCanBeGivenUp shows how many flows it is about from the start.
func TestDeletingCanBeGivenUp(t *testing.T) {
	src := newFake(fakeRows(20)...)
	drive(t, src, Options{}, 100, 24, func(d *driver) {
		d.app.src = slow{src}
		d.keys("z")
		d.says("deleting 20 flows…  esc gives it up")
		d.keys("esc")
		d.says("7 flows deleted · u brings them back")
	})
}

// slow is a session that is seven flows far when it is told to stop.
type slow struct{ *fakeSource }

func (slow) RemoveAll(ctx context.Context) (int, error) {
	<-ctx.Done()
	return 7, ctx.Err()
}

// TestMarkedFlows acts on the marked flows where a command asks for them.
func TestMarkedFlows(t *testing.T) {
	drive(t, newFake(fakeRows(20)...), Options{}, 100, 24, func(d *driver) {
		command := func(text string) {
			d.keys(":")
			d.text(text)
			d.keys("enter")
		}
		command("delete @marked")
		d.says("no flow is marked")
		command("comment @marked x")
		d.says("no flow is marked")
		d.keys("g m j j m G")
		command("comment @marked")
		d.says("comment @marked: what to write is missing")
		command("comment @marked look here")
		d.says("commented on 2 flows")
		command("tags @marked slow cart")
		d.says("tagged 2 flows")
		if r := d.src.rows[2]; r.Comment != "look here" || len(r.Tags) != 2 || d.src.rows[19].Comment != "" {
			t.Errorf("the third row: got %+v, want a comment and two tags, and none on the focus", r.Note)
		}
		command("delete everything")
		d.says(`delete: what is "everything"?`)
		command("delete @marked")
		d.says("2 flows deleted · u brings them back")
		d.says("18 flows")
		d.focusIs(20)
		d.keys("u")
		d.says("2 flows are back")
	})
}
