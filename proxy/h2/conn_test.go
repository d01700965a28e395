package h2

import (
	"bytes"
	"errors"
	"fmt"
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

// FuzzObserver holds the same law for one who listens, and misses bytes in between.
func FuzzObserver(f *testing.F) {
	for _, c := range corpus(f) {
		for _, s := range c.steps {
			f.Add([]byte(s.input), c.peer == Server, c.joins, uint16(3), uint16(2))
		}
	}
	f.Fuzz(func(t *testing.T, input []byte, server, joins bool, cut, lost uint16) {
		c := conversation{hears: true, joins: joins, peer: Client, lim: Limits{HeaderList: 1 << 12, Streams: 4}}
		if server {
			c.peer = Server
		}
		at := int(cut) % (len(input) + 1)
		c.receives(string(input[:at]))
		c.steps = append(c.steps, step{ours: true, line: fmt.Sprintf("LOSE by=%d", lost)})
		c.receives(string(input[at:]))
		halves := func(s string) []string { return []string{s[:len(s)/2], s[len(s)/2:]} }
		if diff := cmp.Diff(c.events(whole), c.events(halves)); diff != "" {
			t.Errorf("%d missing at %d (-whole +cut):\n%s", lost, at, diff)
		}
		if n := FindFrame(input, func(uint32) bool { return joins }); n >= len(input) && n > 0 {
			t.Errorf("FindFrame: got %d of %d bytes", n, len(input))
		}
	})
}

func TestFindFrame(t *testing.T) {
	s := newScript()
	frames := func(lines ...string) (out string) {
		for _, line := range lines {
			p, err := s.frame(line)
			if err != nil {
				t.Fatal(err)
			}
			out += string(p)
		}
		return out
	}
	data, update := frames(`DATA 5 "content"`), frames("WINDOW_UPDATE 0 by=9")
	for _, c := range []struct {
		name string
		p    string
		want int
	}{
		{"a stream that is known", "content of before" + frames("DATA 7 fill=9999")[:100], 17},
		{"alone, and all of it", "content of before" + data, 17},
		{"several, of which the last is cut", "xyz" + data + update + data[:12], 3},
		{"one that is cut", "xyz" + data[:12], -1},
		{"something behind it", data + "and so on, which is no frame", -1},
		{"SETTINGS of a stream", frames("SETTINGS 3 1=1"), -1},
		{"SETTINGS", frames("SETTINGS 0 1=1", "SETTINGS 0 ACK"), 0},
		{"PING, GOAWAY, RST_STREAM, PRIORITY", frames(`PING 0 "12345678"`, "GOAWAY 0 last=1 code=0", "RST_STREAM 1 code=8", "PRIORITY 3 on=1 weight=2"), 0},
		{"HEADERS and CONTINUATION", frames("HEADERS 1 OPEN | :method=GET", "CONTINUATION 1 | a=b", "PUSH_PROMISE 1 promised=2 | a=b"), 0},
		{"zeros", strings.Repeat("\x00", 90), -1},
		{"text", "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n", -1},
		{"a flag that DATA does not have", frames(`FRAME 1 type=0 flags=4 length=2 "ab"`), -1},
	} {
		if got := FindFrame([]byte(c.p), func(id uint32) bool { return id == 7 }); got != c.want {
			t.Errorf("%s: got %d, want %d", c.name, got, c.want)
		}
		if got := BeginsWithFrames([]byte(c.p)); got != (c.want == 0) {
			t.Errorf("%s: BeginsWithFrames is %v", c.name, got)
		}
	}
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
