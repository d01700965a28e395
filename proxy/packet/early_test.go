package packet

import (
	"cmp"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// mixable are conversations that a capture may mix up: what the two sides say in turns.
func mixable() map[string][]string {
	e := newH2peers()
	return map[string][]string{
		"HTTP/1":    {get, ok2, post, ok10, get, ok2},
		"HTTP/2":    {e.hello(), e.welcome(), e.ask(1, "GET", "/a", ""), e.answer(1, "one", ":status 200"), e.ask(3, "POST", "/b", "hello"), e.answer(3, "two", ":status 200")},
		"WebSocket": {socketRequest, socketAnswer, "\x81\x83\x00\x00\x00\x00yes", "\x81\x02hi", "\x81\x81\x00\x00\x00\x00y", "\x81\x01n"},
		"SMTP":      {"", "220 x\r\n", "HELO y\r\n", "250 z\r\n", "QUIT\r\n", "221 bye\r\n"},
	}
}

// TestMixedUp holds that packets of the two directions that change places within a
// short time, as they do where they come in over several queues, make the same flows.
func TestMixedUp(t *testing.T) {
	for name, said := range mixable() {
		t.Run(name, func(t *testing.T) {
			plain := newWire(t, Options{}).open()
			for i, text := range said {
				if text != "" {
					plain.say(i%2, text)
				}
			}
			want := story(plain.shut().sink)
			rapid.Check(t, func(r *rapid.T) {
				w := newWire(t, Options{})
				type placed struct{ at, packet int }
				var order []placed
				for i := range plain.tape {
					late := 0
					if i > 2 { // the connection stands
						late = rapid.IntRange(0, 6).Draw(r, "late")
					}
					order = append(order, placed{i + late, i})
				}
				slices.SortStableFunc(order, func(a, b placed) int { return cmp.Compare(a.at, b.at) })
				for _, o := range order {
					w.at += second / 1000
					w.packet(plain.tape[o.packet])
				}
				if got := story(w.end().sink); got != want {
					r.Fatalf("got:\n%swant:\n%s", got, want)
				}
				if got := w.a.budget.Left; got != 64<<20 {
					r.Fatalf("the budget has %d bytes left, want all", got)
				}
			})
		})
	}
}
