package flowdetail

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	flowpb "weir/proto"
	"weir/tui/content"
)

// response opens a flow on its response.
func (d *driver) response(id uint64) {
	d.open(id)
	d.run(d.m.SelectTab("Response"))
}

func TestLateAnswersAreDropped(t *testing.T) {
	drive(t, 80, 24, func(d *driver) {
		late := d.m.Open(flowHuge)
		d.run(d.m.SelectTab("Response"))
		d.open(flowCut)
		d.run(late)
		d.says("#8 ")
		d.hides("#2 ")

		d.response(flowHuge)
		body := d.key("G")
		d.open(flowCut)
		d.run(body)
		d.says(`"half"`)
		d.hides("lorem")
	})
}

func TestLateWindowIsDropped(t *testing.T) {
	drive(t, 80, 24, func(d *driver) {
		d.response(flowHuge)
		end := d.key("G")
		start := d.key("g")
		d.run(start)
		d.run(end)
		d.says("line 000000000000")
	})
}

func TestFirstWindowIsAllThatIsRead(t *testing.T) {
	drive(t, 80, 24, func(d *driver) {
		d.response(flowHuge)
		if d.src.read > firstWindow {
			t.Errorf("opening 1 GB: got %d bytes read, want at most %d", d.src.read, firstWindow)
		}
		d.src.read = 0
		d.keys("G")
		if d.src.read > firstWindow {
			t.Errorf("end of 1 GB: got %d bytes read, want at most %d", d.src.read, firstWindow)
		}
		if n := d.m.pane().body.shown.Doc.Len(); n > firstWindow {
			t.Errorf("lines held: got %d, want at most %d", n, firstWindow)
		}
	})
}

// TestScrollIsSeamless pages through many windows and back: no line is missed, none
// is shown twice.
func TestScrollIsSeamless(t *testing.T) {
	number := regexp.MustCompile(`line (\d+)  lorem`)
	for _, view := range []string{"raw", "hex"} {
		t.Run(view, func(t *testing.T) {
			drive(t, 80, 24, func(d *driver) {
				d.response(flowHuge)
				d.run(d.m.setView(view))
				top := func() string {
					lines := strings.Split(d.screen(), "\n")
					if m := number.FindStringSubmatch(lines[2]); view == "raw" && m != nil {
						return m[1]
					}
					return strings.Fields(lines[2])[0]
				}
				var down []string
				for range 300 {
					d.keys("ctrl+f")
					down = append(down, top())
				}
				for i := 2; i < len(down); i++ {
					if got, want := value(t, view, down[i])-value(t, view, down[i-1]), pageStep(view); got != want {
						t.Fatalf("page %d: got %d further than the last, want %d (%s, %s)", i, got, want, down[i-1], down[i])
					}
				}
				for i := len(down) - 2; i >= 5; i-- {
					d.keys("ctrl+b")
					if got, want := top(), down[i]; strings.TrimLeft(got, "0") != strings.TrimLeft(want, "0") {
						t.Fatalf("back on page %d: got %s, want %s", i, got, want)
					}
				}
			})
		})
	}
}

func value(t *testing.T, view, s string) int64 {
	t.Helper()
	var n int64
	format := "%d"
	if view == "hex" {
		format = "%x"
	}
	if _, err := fmt.Sscanf(s, format, &n); err != nil {
		t.Fatalf("top line %q: %v", s, err)
	}
	return n
}

// pageStep is how far a page of 20 lines is on a screen of 24.
func pageStep(view string) int64 {
	if view == "hex" {
		return 20 * 16
	}
	return 20
}

func TestPrettyViewGrows(t *testing.T) {
	drive(t, 80, 24, func(d *driver) {
		d.response(flowJSON)
		d.says("first 64.0k, f more")
		for range 10 {
			d.keys("G")
		}
		d.says(`"id": 4999`)
		d.hides("f more")
		if why := d.m.Off("full"); why == "" {
			t.Error(`Off("full") with all of the body shown: got "", want a reason`)
		}
	})
}

func TestSearchBeyondTheWindow(t *testing.T) {
	drive(t, 80, 24, func(d *driver) {
		d.src.sizeHuge(12 << 20)
		d.response(flowHuge)
		d.keys("/")
		d.text("000000200000")
		d.keys("enter")
		d.says("line 000000200000")
		d.says("1 of 1")
		d.keys("n")
		d.says("the search went on at the top")
		d.keys("esc")
		d.hides("/000000200000")
	})
}

// TestFastSearch presses enter before it is known what is found.
func TestFastSearch(t *testing.T) {
	for text, want := range map[string]string{
		"line 000000000001": "1 of 1",
		"000000060000":      "line 000000060000",
	} {
		drive(t, 80, 24, func(d *driver) {
			d.src.sizeHuge(4 << 20)
			d.response(flowHuge)
			d.keys("/")
			cmd := d.m.Update(tea.PasteMsg{Content: text})
			enter := d.key("enter")
			d.run(cmd)
			d.run(enter)
			d.says(want)
			d.hides("searching")
		})
	}
}

func TestEscLosesNoTypedText(t *testing.T) {
	drive(t, 80, 24, func(d *driver) {
		d.response(flowCut)
		d.keys("/ h a l f esc /")
		d.run(d.m.Update(tea.KeyPressMsg{Code: tea.KeyUp}))
		d.says("/half")
	})
}

func TestSearchBackwardsFromTheEnd(t *testing.T) {
	drive(t, 80, 24, func(d *driver) {
		d.src.bodies[flowHuge] = slice(append(slices.Repeat([]byte("some line\n"), 50_000), "needle one\n"+strings.Repeat("other line\n", 30_000)...))
		d.src.flows[flowHuge].Flow.GetHttp().Response.Body.Size = 500_000 + 330_011
		d.response(flowHuge)
		d.keys("G / n e e d l e enter N")
		d.says("needle one")
	})
}

func TestSearchIsCancelled(t *testing.T) {
	drive(t, 80, 24, func(d *driver) {
		d.response(flowHuge)
		d.keys("/")
		d.text("not there at all")
		cmd := d.key("enter")
		d.queue = append(d.queue, cmd)
		for range 4 { // some steps of the walk
			d.one()
		}
		d.says("searching the rest of the body")
		before := d.src.read
		d.keys("esc")
		d.says("stopped")
		if d.src.read > before+16<<20 {
			t.Errorf("after esc: got %d bytes read, want at most %d", d.src.read-before, 16<<20)
		}
		d.keys("esc")
		if len(d.results) != 0 {
			t.Errorf("second esc ends the search: got results %v, want none", d.results)
		}
		d.keys("esc")
		if diff := cmp.Diff([]Result{Close{}}, d.results); diff != "" {
			t.Errorf("third esc (-want +got):\n%s", diff)
		}
	})
}

func TestSearchInPrettyView(t *testing.T) {
	drive(t, 80, 24, func(d *driver) {
		d.response(flowJSON)
		d.keys("/")
		d.text(`größe 40\d\d`)
		d.keys("enter")
		d.says(`"name": "Größe 4000"`)
		d.says("1 of 100")
		d.says("json (auto)")
	})
}

func TestSearchBeyondWhatThePrettyViewShows(t *testing.T) {
	drive(t, 80, 24, func(d *driver) {
		big := append(jsonBody(150_000), `{"needle":1}`...)
		d.src.bodies[flowCut] = slice(big)
		d.src.flows[flowCut].Flow.GetHttp().Response.Body.Size = uint64(len(big))
		d.response(flowCut)
		d.keys("/")
		d.text(`"needle"`)
		d.keys("enter")
		d.says(`{"needle":1}`)
		d.says("this is raw")
	})
}

func TestSearchInHexIsInTheBytes(t *testing.T) {
	drive(t, 80, 24, func(d *driver) {
		d.response(flowHuge)
		d.run(d.m.setView("hex"))
		d.keys("/")
		d.text("dolor sit amet")
		d.keys("enter")
		head := d.m.pane().pager.Lines() - d.m.pane().body.shown.Doc.Len()
		want := []content.Hit{{Line: head + 1, From: 71, To: 72}, {Line: head + 2, From: 56, To: 69}}
		if diff := cmp.Diff(want, d.m.search.hits[:2]); diff != "" {
			t.Errorf("hits of text across two rows (-want +got):\n%s", diff)
		}
	})
}

func TestTypingTakesAllKeys(t *testing.T) {
	drive(t, 80, 24, func(d *driver) {
		d.response(flowJSON)
		d.keys("/ q p y m")
		if !d.m.Typing() || len(d.results) != 0 {
			t.Fatalf("keys in the input line: got typing %v, results %v, want true, none", d.m.Typing(), d.results)
		}
		d.says("/qpym")
		d.run(d.m.Update(tea.PasteMsg{Content: "a\nb\x1b"}))
		if !d.m.Typing() {
			t.Error("a pasted line end: got the input line closed, want it open")
		}
		d.keys("esc")
		if d.m.Typing() {
			t.Error("esc: got the input line open, want it closed")
		}
	})
}

func TestRefreshKeepsThePlace(t *testing.T) {
	drive(t, 80, 24, func(d *driver) {
		d.response(flowJSON)
		d.keys("/ 4 enter n n j j")
		before := d.screen()
		d.run(d.m.Refresh())
		if diff := cmp.Diff(before, d.screen()); diff != "" {
			t.Errorf("screen after the same flow came again (-before +after):\n%s", diff)
		}
		d.run(d.m.SetNote(flowpb.Note{Comment: "new"}))
		if diff := cmp.Diff(before, d.screen()); diff != "" {
			t.Errorf("screen after a note (-before +after):\n%s", diff)
		}
	})
}

func TestLiveFlow(t *testing.T) {
	drive(t, 80, 24, func(d *driver) {
		d.response(flowWaiting)
		d.says("waiting…")
		flow := d.src.flows[flowWaiting].Flow
		r := response(200, "OK", "Content-Type", "text/plain")
		r.Body = &flowpb.Body{State: flowpb.BodyStreaming, Size: 6}
		flow.GetHttp().Response, flow.State = r, flowpb.StateResponse
		d.src.bodies[flowWaiting] = slice([]byte("first\n"))
		d.run(d.m.Refresh())
		d.says("first")
		d.says("still arriving")
		r.Body = &flowpb.Body{State: flowpb.BodyComplete, Size: 13}
		d.src.bodies[flowWaiting] = slice([]byte("first\nsecond\n"))
		d.run(d.m.Refresh())
		d.says("second")
		d.hides("still arriving")
	})
}

func TestMessagesArePaged(t *testing.T) {
	drive(t, 80, 24, func(d *driver) {
		d.open(flowSocket)
		d.run(d.m.SelectTab("Messages"))
		for range 300 {
			d.keys("J")
		}
		d.says("301 of 1,000")
		d.says(`"n": 301`)
		if n := len(d.m.msgs.rows); n > messagePage {
			t.Errorf("messages held: got %d, want at most %d", n, messagePage)
		}
		d.keys("K")
		d.says(`"n": 300`)
	})
}

// TestMessageEnds jumps to either end of the messages, whose rows are all that is
// read of them.
func TestMessageEnds(t *testing.T) {
	drive(t, 80, 24, func(d *driver) {
		d.open(flowSocket)
		d.keys(">")
		d.says("1 of 1,000")
		d.keys(">")
		d.says("1,000 of 1,000")
		d.says(`"n": 1000`)
		if n := len(d.m.msgs.rows); n > messagePage {
			t.Errorf("messages held: got %d, want at most %d", n, messagePage)
		}
		d.keys("<")
		d.says("1 of 1,000")
		d.says(`"n": 1`)
	})
}

// TestMessageFacts shows what there is to say of a message beside its content.
func TestMessageFacts(t *testing.T) {
	drive(t, 80, 30, func(d *driver) {
		d.open(flowSocket)
		d.run(d.m.SelectTab("Messages"))
		d.keys("J J J J J")
		for _, s := range []string{"! 1000 normal done", "close code", "2, of 2, 7 bytes", "on the wire", "not masked"} {
			d.says(s)
		}
		d.keys("J")
		for _, s := range []string{`add\x1b[2J: tick`, "event id      71"} {
			d.says(s)
		}
	})
}

// TestSearchGoesThroughMessages finds the message that has what is searched, both
// ways and around the ends, and says so where none has.
func TestSearchGoesThroughMessages(t *testing.T) {
	drive(t, 80, 24, func(d *driver) {
		d.open(flowSocket)
		d.run(d.m.SelectTab("Messages"))
		for _, step := range []struct{ keys, want string }{
			{"/ 7 7 7 enter", "777 of 1,000"},
			{"n", "777 of 1,000"},
			{"/ 7 7 enter", "777 of 1,000"},
			{"n", "778 of 1,000"},
			{"N", "777 of 1,000"},
			{"N", "776 of 1,000"},
			{"/ 1 0 0 0 enter", "1,000 of 1,000"},
			{"/ 7 7 enter", "77 of 1,000"},
			{"N", "977 of 1,000"},
			{"n", "77 of 1,000"},
			{"/ n o n e enter", "not found: none"},
		} {
			d.keys(step.keys)
			d.says(step.want)
		}
		if n := len(d.m.msgs.rows); n > messagePage {
			t.Errorf("messages held: got %d, want at most %d", n, messagePage)
		}
	})
}

// TestUncountedMessages goes to the last of messages whose number nobody knows.
func TestUncountedMessages(t *testing.T) {
	drive(t, 80, 24, func(d *driver) {
		h := d.src.flows[flowSocket].Flow.GetHttp()
		h.Websocket = nil
		d.src.messages = func(first uint64, n int) []*flowpb.Message { return someMessages(first, n, 130) }
		d.open(flowSocket)
		d.run(d.m.SelectTab("Messages"))
		for range 200 {
			d.keys("J")
		}
		d.says("130 of 130")
		d.says(`"n": 130`)
		d.run(d.m.Refresh())
		d.says("130 of 130")
	})
}

func TestCopy(t *testing.T) {
	tests := []struct {
		name, keys string
		want       Copy
	}{
		{"url", "y u", Copy{What: "URL", Data: []byte("https://api.shop.test/v2/items?page=3&sort=-price")}},
		{"curl", "y c", Copy{What: "curl command", Format: "curl"}},
		{"headers", "y h", Copy{What: "Response headers", Data: []byte("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")}},
		{"pretty body", "y b", Copy{What: "Response body as json", Data: []byte("{\n  \"items\": [\n    1,\n    2,\n    {\n      \"half\": \"of\nthe body ends here, inside a value")}},
		{"body as sent", "y s", Copy{What: "Response body", Data: []byte(`{"items": [1, 2, {"half": "of`)}},
		{"line", "y l", Copy{What: "line", Data: []byte("HTTP/1.1 200 OK")}},
		{"line of the hit", "/ h a l f enter y l", Copy{What: "line", Data: []byte(`      "half": "of`)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			drive(t, 80, 24, func(d *driver) {
				d.response(flowCut)
				d.keys(tt.keys)
				tt.want.Flow = flowCut
				if diff := cmp.Diff([]Result{tt.want}, d.results); diff != "" {
					t.Errorf("results (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestCopyOfAHugeBodyIsRefused(t *testing.T) {
	drive(t, 80, 24, func(d *driver) {
		d.response(flowHuge)
		d.keys("y b")
		if diff := cmp.Diff([]Result{Problem{Err: errTooLong}}, d.results, cmpopts.EquateErrors()); diff != "" {
			t.Errorf("results (-want +got):\n%s", diff)
		}
		if d.src.read > 2*maxCopy {
			t.Errorf("got %d bytes read, want about %d", d.src.read, maxCopy)
		}
	})
}

func TestReasons(t *testing.T) {
	tests := []struct {
		flow          uint64
		tab, command  string
		want          string
		neverOpenFlow bool
	}{
		{flow: flowWaiting, tab: "Response", command: "view", want: "no response yet"},
		{flow: flowError, tab: "Response", command: "view", want: "there was no response"},
		{flow: flowEmpty, tab: "Response", command: "view", want: "no body here"},
		{flow: flowDNS, tab: "Response", command: "view", want: "no body here"},
		{flow: flowCut, tab: "Response", command: "decode", want: "the body was not encoded"},
		{flow: flowHuge, tab: "Response", command: "full", want: "raw shows any part: scroll, or G for the end"},
		{flow: flowCut, tab: "Response", command: "next-hit", want: "nothing is searched for; / searches"},
		{flow: flowCut, tab: "Response", command: "next-message", want: "this flow has no messages"},
		{command: "copy", want: "the flow is not loaded yet", neverOpenFlow: true},
		{flow: flowJSON, tab: "Response", command: "decode", want: ""},
		{flow: flowJSON, tab: "Response", command: "no such command", want: ""},
	}
	for _, tt := range tests {
		t.Run(tt.command, func(t *testing.T) {
			drive(t, 80, 24, func(d *driver) {
				if !tt.neverOpenFlow {
					d.open(tt.flow)
					d.run(d.m.SelectTab(tt.tab))
				}
				if got := d.m.Off(tt.command); got != tt.want {
					t.Errorf("Off(%q): got %q, want %q", tt.command, got, tt.want)
				}
				if tt.want != "" {
					_, cmd := d.m.Do(tt.command)
					d.run(cmd)
					d.says(tt.want[:min(len(tt.want), 60)])
				}
			})
		})
	}
}

func TestSecretsAreMasked(t *testing.T) {
	drive(t, 80, 24, func(d *driver) {
		d.open(flowJSON)
		d.says("session=abcdef")
		d.run(d.m.SetMasked(true))
		d.hides("session=abcdef")
		d.says("Cookie: (hidden, 640 bytes)")
	})
}

func TestMaskedCopy(t *testing.T) {
	drive(t, 80, 24, func(d *driver) {
		d.open(flowJSON)
		d.run(d.m.SetMasked(true))
		d.keys("y h")
		want := "GET /v2/items?page=3&sort=-price HTTP/1.1\r\nHost: api.shop.test\r\nUSER-agent: curl/8.0\r\nCookie: (hidden)\r\n"
		if diff := cmp.Diff([]Result{Copy{Flow: flowJSON, What: "Request headers", Data: []byte(want)}}, d.results); diff != "" {
			t.Errorf("results (-want +got):\n%s", diff)
		}
	})
}

// TestRefreshKeepsHighlights draws between the coming of the same flow and the
// answers to what that asks for.
func TestRefreshKeepsHighlights(t *testing.T) {
	drive(t, 80, 24, func(d *driver) {
		d.response(flowJSON)
		d.keys("/ p r i c e enter")
		before := d.m.View()
		d.m.SetDetail(d.src.flows[flowJSON])
		if diff := cmp.Diff(before, d.m.View()); diff != "" {
			t.Errorf("frame after the same flow came again (-before +after):\n%s", diff)
		}
	})
}

func TestSearchGoesAlongWithoutJumping(t *testing.T) {
	drive(t, 80, 24, func(d *driver) {
		d.response(flowJSON)
		d.keys("/ 4 9 enter")
		d.open(flowHuge)
		d.says("line 000000000000")
		d.says("/49")
		d.says("here")
		d.keys("n")
		d.says("1 of ")
	})
}

func TestViewStaysWithTheTab(t *testing.T) {
	drive(t, 80, 24, func(d *driver) {
		d.response(flowCut)
		d.keys("ctrl+r")
		d.says("raw · 29 bytes")
		d.run(d.m.Refresh())
		d.says("raw · 29 bytes")
		d.keys("ctrl+r")
		d.says("json (auto)")
	})
}

func TestToTheBody(t *testing.T) {
	drive(t, 80, 12, func(d *driver) {
		d.response(flowJSON)
		d.says("HTTP/1.1 200 OK")
		d.keys("}")
		d.hides("HTTP/1.1 200 OK")
		d.says(`"items"`)
		d.response(flowHuge)
		d.hides("HTTP/1.1 200 OK")
		d.says("line 000000000000")
		d.keys("}")
		d.says("HTTP/1.1 200 OK")
	})
}

func TestDecodeAndAsSent(t *testing.T) {
	drive(t, 80, 24, func(d *driver) {
		d.response(flowJSON)
		d.says("[decoded gzip]")
		d.keys("z")
		d.says("[as sent: gzip]")
		d.says("1f 8b")
		d.keys("z")
		d.says(`"items"`)
	})
}

// TestEndOfDecodedContent walks there, since nothing says where it is.
func TestEndOfDecodedContent(t *testing.T) {
	drive(t, 80, 24, func(d *driver) {
		d.response(flowJSON)
		d.keys("ctrl+r G")
		d.says(`"price":4999.50,"ok":true}]}`)
		d.keys("g")
		d.says("HTTP/1.1 200 OK")
		d.says(`{"items":[{"id":0`)
	})
}

func TestUnreadableBody(t *testing.T) {
	drive(t, 80, 24, func(d *driver) {
		delete(d.src.bodies, flowCut)
		d.response(flowCut)
		d.says("the body cannot be read: ")
		d.says("no such body")
	})
}

func TestSlowBody(t *testing.T) {
	drive(t, 80, 24, func(d *driver) {
		d.open(flowCut)
		cmd := d.m.SelectTab("Response")
		d.hides("loading")
		b := d.m.pane().body
		d.m.Update(bodySlow{flow: d.m.opened, asked: b.asked, tab: tabResponse})
		d.says("loading…")
		d.run(cmd)
		d.hides("loading")
	})
}

func TestCommandTable(t *testing.T) {
	seen := make(map[string]string)
	for _, c := range Commands() {
		if c.Name == "" || c.Help == "" || len(c.Keys) == 0 {
			t.Errorf("command %+v: want a name, help and keys", c)
		}
		for _, k := range append([]string{"name " + c.Name}, c.Keys...) {
			if seen[k] != "" {
				t.Errorf("%q belongs to %s and to %s", k, seen[k], c.Name)
			}
			seen[k] = c.Name
		}
	}
}
