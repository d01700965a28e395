package packet

import (
	"bytes"
	"context"
	"net/netip"
	"strings"
	"testing"

	flowpb "weir/proto"
	"weir/proxy/contain"
	"weir/proxy/packet/pcap"
)

// fragile is a sink that panics at what contains a text, so often.
type fragile struct {
	*memory
	text  string
	times int
}

func (f *fragile) breakAt(p []byte) {
	if f.times == 0 || !bytes.Contains(p, []byte(f.text)) {
		return
	}
	f.times--
	panic("the sink is broken")
}

func (f *fragile) Flow(ctx context.Context, flow *flowpb.Flow) error {
	f.breakAt(flow.GetHttp().GetRequest().GetPath())
	return f.memory.Flow(ctx, flow)
}

func (f *fragile) Body(ctx context.Context, flow uint64, side flowpb.Side, p []byte) error {
	f.breakAt(p)
	return f.memory.Body(ctx, flow, side, p)
}

func (f *fragile) Message(ctx context.Context, m *flowpb.Message) error {
	f.breakAt(m.GetContent())
	return f.memory.Message(ctx, m)
}

// newFragile returns a wire whose sink breaks, and what was told of that.
func newFragile(t *testing.T, text string, times int) (*wire, *[]*contain.PanicError) {
	var told []*contain.PanicError
	w := newWire(t, Options{Mistake: func(p *contain.PanicError) { told = append(told, p) }})
	w.a.sink = &fragile{w.sink, text, times}
	return w, &told
}

// TestMistakes has weir panic inside a conversation: what was open has failed, what
// follows is told as it came, and another conversation is read as ever.
func TestMistakes(t *testing.T) {
	const request, answer = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nboom"
	gaveUp := "weir made a mistake and could not read on, so what follows is as it came: the sink is broken in packet.(*fragile).breakAt"
	for _, tt := range []struct {
		name, text string
		times      int
		mistakes   uint64
		want       string
	}{
		{
			"in a body", "boom", 1, 1, `http error GET http://x/a -> 200 ""(cut) !weir made a mistake and could not read on
tcp error <"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nboom" >"GET /a HTTP/1.1\r\nHost: x\r\n\r\n" <"more" !` + gaveUp + "\n",
		},
		{
			"in the first flow", "/a", 1, 1, `tcp error >"GET /a HTTP/1.1\r\nHost: x\r\n\r\n" <"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nboom" >"GET /a HTTP/1.1\r\nHost: x\r\n\r\n" <"more" !` + gaveUp + "\n",
		},
		{"for ever", "", -1, 2, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, told := newFragile(t, tt.text, tt.times)
			w.open().say(0, request).say(1, answer).say(0, request).say(1, "more").shut()
			if got := story(w.sink); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
			if n := w.a.Stats().Mistakes; n != tt.mistakes || len(*told) != int(n) || !strings.Contains(string((*told)[0].Stack), "breakAt") {
				t.Errorf("got %d mistakes, told of %d, want %d", n, len(*told), tt.mistakes)
			}
			w.a.sink = w.sink
			w.client, w.seq = netip.MustParseAddrPort("10.0.0.9:5000"), [2]uint32{1, 1}
			w.open().say(0, request).say(1, answer).shut()
			if got, want := story(w.sink), "http complete GET http://x/a -> 200 \"boom\"\n"; !strings.HasSuffix(got, want) {
				t.Errorf("another conversation: got %s, want it to end with %s", got, want)
			}
		})
	}
}

// TestMistakesOutsideSpeakers has what is around the speakers panic.
func TestMistakesOutsideSpeakers(t *testing.T) {
	w, told := newFragile(t, "", 0)
	w.open().say(0, "hello")
	c := w.a.oldest().Value.(*conversation)
	c.streams[0] = nil // and nobody expects that
	w.say(0, " world")
	lines := strings.Split(story(w.sink), "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[0], `tcp error >"hello" !weir made a mistake`) || !strings.HasPrefix(lines[1], "tcp error !weir made a mistake") {
		t.Errorf("got %q, want two flows that say so", lines)
	}
	w.say(0, "?").shut()
	if err := w.a.Close(t.Context()); err != nil || len(w.a.table) > 0 || w.a.budget.Left != w.a.opts.WaitingBytes {
		t.Errorf("close: %v, %d conversations are left, budget %d of %d", err, len(w.a.table), w.a.budget.Left, w.a.opts.WaitingBytes)
	}
	if len(*told) != 1 {
		t.Errorf("told of %d mistakes, want 1", len(*told))
	}
}

// TestMistakesInPackets holds that a packet which nobody can decode is left out.
func TestMistakesInPackets(t *testing.T) {
	w, told := newFragile(t, "", 0)
	w.a.table = nil // writing to it panics
	w.packet(tcpPacket(w.client, w.server, 1, 1, 2, nil))
	if len(*told) != 1 || w.a.Stats().Packets != 1 {
		t.Errorf("told of %d mistakes, want 1", len(*told))
	}
	if err := w.a.Packet(t.Context(), pcap.Packet{AtNs: w.at, Link: 101}); err != nil {
		t.Error(err)
	}
}
