package packet

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	flowpb "weir/proto"
	"weir/proxy/packet/link"
)

// TestAdvance is what somebody sees who looks while a capture goes on.
func TestAdvance(t *testing.T) {
	for _, c := range []struct {
		name string
		run  func(w *wire)
		want string
	}{
		{"a request waits", func(w *wire) { w.open().say(0, get).advance(second) }, "http waiting GET http://x.test/a\n"},
		{"a request is under way", func(w *wire) { w.open().say(0, post[:len(post)-2]).advance(second) }, `http request POST http://x.test/b "hel"(streaming)` + "\n"},
		{"a response is under way", func(w *wire) { w.open().say(0, get).say(1, ok10[:len(ok10)-4]).advance(second) }, `http response GET http://x.test/a -> 200 "012345"(streaming)` + "\n"},
		{"a WebSocket is open", func(w *wire) { w.open().say(0, socketRequest).say(1, socketAnswer+"\x81\x02hi").advance(second) }, `http open GET http://x.test/ -> 101 <"hi"` + "\n"},
		{"a stream is open", func(w *wire) { w.open().say(0, "hello\n").say(1, "you\n").advance(second) }, `tcp open >"hello\n" <"you\n"` + "\n"},
		{"a hole is given up", func(w *wire) {
			w.open().say(0, get).say(1, ok10[:len(ok10)-8]).lose(1, "23").say(1, "456789").say(0, "").advance(second)
		}, `http complete GET http://x.test/a -> 200 "01\x00\x00456789" [2 missing of response at 2]` + "\n"},
		{"a hole is waited for", func(w *wire) {
			w.open().say(0, get).say(1, ok10[:len(ok10)-8]).lose(1, "23").say(1, "456789").say(0, "").advance(second / 10)
		}, `http response GET http://x.test/a -> 200 "01"(streaming)` + "\n"},
		{"datagrams fall silent", func(w *wire) {
			w.packet(ipPacket(w.client.Addr(), w.server.Addr(), 17, []byte{0x0f, 0xa0, 0x13, 0x88, 0, 10, 0, 0, 'h', 'i'}))
			w.advance(61 * second)
		}, `udp complete >"hi"` + "\n"},
		{"a connection is reset", func(w *wire) {
			w.open().say(0, get).send(segment{1, link.RST, w.seq[1], nil})
			w.advance(2 * second)
		}, "http error GET http://x.test/a !the connection was reset\n"},
		{"a connection falls silent", func(w *wire) { w.open().say(0, get).advance(7201 * second) }, "http error GET http://x.test/a !the capture ends before the response does\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWire(t, Options{Live: true})
			c.run(w)
			if diff := cmp.Diff(c.want, story(w.sink)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// counting is a sink that counts how often it is told of flows.
type counting struct {
	*memory
	told int
}

func (c *counting) Flow(ctx context.Context, f *flowpb.Flow) error {
	c.told++
	return c.memory.Flow(ctx, f)
}

// TestAdvanceTellsWhatChanged holds that an exchange which is over soon costs no more
// than in a file, and that nothing is told twice.
func TestAdvanceTellsWhatChanged(t *testing.T) {
	w := newWire(t, Options{Live: true})
	sink := &counting{memory: w.sink}
	w.a.sink = sink
	w.open().say(0, get).say(1, ok2).advance(second)
	if sink.told != 2 {
		t.Errorf("a whole exchange: told %d times, want 2", sink.told)
	}
	w.say(0, get).advance(second).advance(second).advance(second)
	if sink.told != 4 {
		t.Errorf("a request that waits: told %d times more, want 2", sink.told-2)
	}
}
