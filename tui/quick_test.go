package tui
import ("testing";"fmt")
func TestQuick(t *testing.T) {
	drive(t, newFake(fakeRows(40)...), Options{}, 80, 24, func(d *driver) { fmt.Print(d.screen()); d.keys("j j m"); fmt.Print(d.screen()); d.keys("/"); d.text("~c 404 &"); fmt.Print(d.screen());
	d.keys("esc ctrl+p"); d.text("mark"); fmt.Print(d.screen()); d.keys("esc ?"); fmt.Print(d.screen()) })
}
