package h2

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// corpus returns every case of testdata.
func corpus(t testing.TB) (all []conversation) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no test data: %v", err)
	}
	for _, f := range files {
		all = append(all, readConversations(t, f)...)
	}
	return all
}

// TestAnyCutGivesTheSameEvents is the law that makes a Conn usable from sockets
// and from packets alike.
func TestAnyCutGivesTheSameEvents(t *testing.T) {
	all := corpus(t)
	t.Run("bytes", func(t *testing.T) {
		for _, c := range all {
			bytewise := func(s string) []string { return strings.Split(s, "") }
			if diff := cmp.Diff(c.want, c.events(bytewise)); diff != "" {
				t.Errorf("%s, byte by byte (-want +got):\n%s", c.name, diff)
			}
		}
	})
	t.Run("random", rapid.MakeCheck(func(t *rapid.T) {
		c := rapid.SampledFrom(all).Draw(t, "case")
		cut := func(rest string) (pieces []string) {
			for rest != "" {
				n := rapid.IntRange(1, len(rest)).Draw(t, "piece")
				pieces, rest = append(pieces, rest[:n]), rest[n:]
			}
			return pieces
		}
		if diff := cmp.Diff(c.want, c.events(cut)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}))
}

// FuzzConn holds the cutting law for any bytes, after a preface and with a
// stream of ours for servers to answer.
func FuzzConn(f *testing.F) {
	for _, c := range corpus(f) {
		for _, s := range c.steps {
			f.Add([]byte(s.input), c.peer == Server, uint16(3))
		}
	}
	f.Fuzz(func(t *testing.T, input []byte, server bool, cut uint16) {
		c := conversation{peer: Client, lim: Limits{HeaderList: 1 << 12, Controls: 50, Resets: 20}}
		if server {
			c.peer = Server
			c.steps = []step{{ours: true, line: "HEADERS 1 END_STREAM | :method=GET"}}
		}
		c.receives(string(input))
		at := int(cut) % (len(input) + 1)
		halves := func(s string) []string { return []string{s[:at], s[at:]} }
		if diff := cmp.Diff(c.events(whole), c.events(halves)); diff != "" {
			t.Errorf("cut at %d (-whole +cut):\n%s", at, diff)
		}
	})
}

func TestErrorsAreFinal(t *testing.T) {
	c := NewConn(Client, Limits{})
	_, _, first := c.Feed([]byte("nonsense"))
	_, _, second := c.Feed([]byte(Preface))
	if first == nil || !errors.Is(second, first) {
		t.Errorf("second call: got %v, want %v", second, first)
	}
	if err := c.End(); !errors.Is(err, first) {
		t.Errorf("End: got %v, want %v", err, first)
	}
}

// TestLimitsAreNamed crosses each limit and looks at what the error names.
func TestLimitsAreNamed(t *testing.T) {
	names := make(map[string]bool)
	for _, c := range readConversations(t, "testdata/floods.txt") {
		conn := NewConn(c.peer, c.lim)
		for _, s := range c.steps {
			if s.ours {
				if err := say(conn, s.line); err != nil {
					t.Fatal(err)
				}
				continue
			}
			names[crossed(conn, []byte(s.input))] = true
		}
	}
	for _, want := range []string{"HeaderList", "HeaderBlock", "Continuations", "Streams", "Resets", "Controls"} {
		if !names[want] {
			t.Errorf("no conversation crosses the limit %s", want)
		}
	}
}

// crossed feeds input and returns the limit that an error names, "" for none.
func crossed(c *Conn, in []byte) string {
	for {
		n, ev, err := c.Feed(in)
		if e, ok := errors.AsType[*Error](err); ok {
			return e.Limit
		}
		if ev.Kind == StreamError {
			return ev.Err.Limit
		}
		if in = in[n:]; ev.Kind == NeedMore {
			return ""
		}
	}
}

// pair is both ends of a connection, for what one sends to be read by the other.
type pair struct {
	client, server *Conn // each named after the role it plays
	toServer       []byte
	toClient       []byte
}

func newPair() *pair {
	p := &pair{client: NewConn(Server, Limits{}), server: NewConn(Client, Limits{})}
	p.toServer = p.client.AppendSettings(p.client.AppendPreface(nil), []Setting{{SettingEnablePush, 0}})
	p.toClient = p.server.AppendSettings(nil, nil)
	return p
}

// deliver hands over what both sent, and returns what they heard.
func (p *pair) deliver() (heard string, err error) {
	var atServer, atClient transcript
	err = errors.Join(atServer.feed(p.server, p.toServer), atClient.feed(p.client, p.toClient))
	p.toServer, p.toClient = p.toServer[:0], p.toClient[:0]
	return atServer.String() + atClient.String(), err
}

// TestWhatOneSendsTheOtherReads lets both ends say random things that are
// allowed, in bursts, and demands that neither ever finds fault.
func TestWhatOneSendsTheOtherReads(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := newPair()
		next := uint32(1)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			next = p.speak(t, next)
			if rapid.Bool().Draw(t, "deliver") {
				p.agree(t)
			}
		}
		p.agree(t)
	})
}

// agree demands that neither end finds fault with what the other sent.
func (p *pair) agree(t *rapid.T) {
	heard, err := p.deliver()
	if err != nil || strings.Contains(heard, "stream error") {
		t.Fatalf("found fault: %v\n%s", err, heard)
	}
}

// speak makes one end say one thing and returns the next stream to open.
func (p *pair) speak(t *rapid.T, next uint32) uint32 {
	end := rapid.Bool().Draw(t, "end")
	size := rapid.IntRange(0, 40_000).Draw(t, "size")
	id := rapid.Uint32Range(0, next/2).Draw(t, "stream")*2 + 1
	value := strings.Repeat("v", size/4)
	switch rapid.IntRange(0, 6).Draw(t, "what") {
	case 0:
		fields := []Field{{Name: ":method", Value: "POST"}, {Name: ":scheme", Value: "https"}, {Name: ":path", Value: "/"}, {Name: "v", Value: value}}
		p.toServer = p.client.AppendHeaders(p.toServer, next, fields, &Dependency{Weight: 3}, end)
		return next + 2
	case 1:
		if s := p.server.streams[id]; s != nil && s.out == halfHead {
			p.toClient = p.server.AppendHeaders(p.toClient, id, []Field{{Name: ":status", Value: "200"}, {Name: "v", Value: value, Sensitive: true}}, nil, end)
		}
	case 2:
		if s := p.server.streams[id]; s != nil && s.out == halfBody {
			p.toClient = p.server.AppendData(p.toClient, id, bytes.Repeat([]byte{'d'}, min(size, p.server.Window(id))), end)
		}
	case 3:
		p.toServer = p.client.AppendData(p.toServer, id, bytes.Repeat([]byte{'u'}, min(size, p.client.Window(id))), end)
	case 4:
		p.toServer = p.client.AppendWindowUpdate(p.toServer, id, uint32(size))
		p.toServer = p.client.AppendWindowUpdate(p.toServer, 0, uint32(size))
	case 5:
		p.toClient = p.server.AppendReset(p.toClient, id, Cancel)
	case 6:
		settings := []Setting{{SettingInitialWindowSize, uint32(size)}, {SettingHeaderTableSize, uint32(size / 10)}, {SettingMaxFrameSize, uint32(16384 + size)}}
		p.toClient = p.server.AppendSettings(p.toClient, settings)
	}
	return next
}

// TestMemoryIsBounded feeds what never ends and looks at what is held.
func TestMemoryIsBounded(t *testing.T) {
	start := Preface + "\x00\x00\x00\x04\x00\x00\x00\x00\x00"
	for _, tt := range []struct{ name, head string }{
		{"a header block", string(appendFrame(nil, 16384, FrameHeaders, 0, 1))},
		{"an extension", string(appendFrame(nil, 16384, 77, 0, 0))},
		{"DATA", string(appendFrame(nil, 16384, FrameData, 0, 1))},
	} {
		c := NewConn(Client, Limits{})
		_ = crossed(c, []byte(start))
		frame := append([]byte(tt.head), make([]byte, 16384)...)
		for range 1000 {
			_ = crossed(c, frame)
		}
		if held := cap(c.buf) + cap(c.block.raw); held > 2<<20 {
			t.Errorf("%s: held %d bytes", tt.name, held)
		}
	}
}

// TestStreamsAreForgotten opens and ends many streams and looks at what is kept.
func TestStreamsAreForgotten(t *testing.T) {
	p := newPair()
	for id := uint32(1); id < 20_000; id += 2 {
		p.toServer = p.client.AppendHeaders(p.toServer, id, request, nil, true)
		if _, err := p.deliver(); err != nil {
			t.Fatal(err)
		}
		p.toClient = p.server.AppendHeaders(p.toClient, id, response, nil, true)
	}
	if _, err := p.deliver(); err != nil {
		t.Fatal(err)
	}
	if p.client.Streams() != 0 || p.server.Streams() != 0 {
		t.Errorf("streams: got %d and %d, want none", p.client.Streams(), p.server.Streams())
	}
	if n := len(p.server.closed.all); n > ringSize {
		t.Errorf("closed streams remembered: got %d, want at most %d", n, ringSize)
	}
}

// request and response are what a small exchange sends.
var (
	request = []Field{
		{Name: ":method", Value: "GET"},
		{Name: ":scheme", Value: "https"},
		{Name: ":authority", Value: "a.test"},
		{Name: ":path", Value: "/"},
		{Name: "accept", Value: "*/*"},
		{Name: "user-agent", Value: "test/1.0"},
	}
	response = []Field{{Name: ":status", Value: "200"}, {Name: "content-type", Value: "text/plain"}}
)

// TestNothingIsAllocated holds for exchanges whose fields repeat.
func TestNothingIsAllocated(t *testing.T) {
	p := newPair()
	id := uint32(1)
	body := []byte("hello")
	exchange := func() {
		p.toServer = p.client.AppendHeaders(p.toServer, id, request, nil, true)
		drain(t, p.server, p.toServer)
		p.toClient = p.server.AppendHeaders(p.toClient, id, response, nil, false)
		p.toClient = p.server.AppendData(p.toClient, id, body, true)
		drain(t, p.client, p.toClient)
		p.toServer = p.client.AppendWindowUpdate(p.toServer[:0], 0, uint32(len(body)))
		p.toClient = p.toClient[:0]
		id += 2
	}
	exchange()
	if allocs := testing.AllocsPerRun(1000, exchange); allocs > 0 {
		t.Errorf("allocations an exchange: got %v, want 0", allocs)
	}
}

// drain feeds all of in and drops the events.
func drain(t testing.TB, c *Conn, in []byte) {
	for {
		n, ev, err := c.Feed(in)
		if err != nil {
			t.Fatal(err)
		}
		if in = in[n:]; ev.Kind == NeedMore {
			return
		}
	}
}

func BenchmarkExchange(b *testing.B) {
	b.ReportAllocs()
	p := newPair()
	id := uint32(1)
	body := make([]byte, 1024)
	for b.Loop() {
		p.toServer = p.client.AppendHeaders(p.toServer, id, request, nil, true)
		drain(b, p.server, p.toServer)
		p.toClient = p.server.AppendHeaders(p.toClient, id, response, nil, false)
		p.toClient = p.server.AppendData(p.toClient, id, body, true)
		drain(b, p.client, p.toClient)
		p.toServer = p.client.AppendWindowUpdate(p.toServer[:0], 0, uint32(len(body)))
		p.toClient = p.toClient[:0]
		id += 2
	}
}
