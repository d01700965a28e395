package tui

import "testing"

// A filter is named where it is typed and chosen in the list, also when the session
// is opened again.
func TestNamedFilters(t *testing.T) {
	src := newFake(fakeRows(20)...)
	drive(t, src, Options{}, 100, 24, func(d *driver) {
		name := func(expr, name string) {
			d.keys("/ ctrl+u")
			d.text(expr)
			d.keys("ctrl+s")
			d.says("name of " + expr)
			d.text(name)
			d.keys("enter")
		}
		d.keys("ctrl+s")
		d.says("no filter has a name")
		name("~m POST", "posts")
		d.says("named the filter posts")
		name("~c 404", "lost")
		d.keys("esc ctrl+s")
		d.says("lost  ~c 404")
		d.says("posts  ~m POST")
		d.keys("down enter")
		d.says("4 / 20")
		d.pass(2 * saveAfter)
	})
	drive(t, src, Options{}, 100, 24, func(d *driver) {
		d.keys(":")
		d.text("filter-named lost")
		d.keys("enter")
		d.says("~c 404")
		d.keys(":")
		d.text("filter-named nobody")
		d.keys("enter")
		d.says(`no filter is named "nobody"`)
		d.keys("/ ctrl+s")
		d.says("lost")
		d.keys("ctrl+u enter")
		d.says("the filter has no name any more")
	})
}
