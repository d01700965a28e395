package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"
)

// livePage talks to the server in the three ways in which a page does without
// an end, and tells it at the end what it saw. It confirms each event and each
// piece of the stream; the server sends the next one only then.
const livePage = `<!doctype html><title>live</title><script>
const seen = {}
function done(what, value) {
	seen[what] = value
	if (seen.socket && seen.events && seen.stream) fetch('/live/done', {method: 'POST', body: JSON.stringify(seen)})
}
const socket = new WebSocket('wss://' + location.host + '/live/socket'), said = []
socket.onopen = () => socket.send('hello hello hello')
socket.onmessage = e => {
	said.push(e.data instanceof Blob ? e.data.size + ' bytes' : e.data)
	if (said.length == 1) socket.send(new Uint8Array(100000))
	else socket.close(3001, 'seen')
}
socket.onclose = e => done('socket', said.join('|') + ' ' + e.code)
const events = new EventSource('/live/events'), ticks = []
events.addEventListener('tick', e => {
	ticks.push(e.data + '#' + e.lastEventId)
	fetch('/live/ack/events', {method: 'POST'})
	if (ticks.length == 3) { events.close(); done('events', ticks.join('|')) }
})
fetch('/live/stream').then(async r => {
	const reader = r.body.getReader(), pieces = [], text = new TextDecoder()
	for (;;) {
		const {done: end, value} = await reader.read()
		if (end) break
		pieces.push(text.decode(value))
		await fetch('/live/ack/stream', {method: 'POST'})
	}
	done('stream', pieces.join('|'))
})
</script>`

// live is the server of livePage.
type live struct {
	acks map[string]chan struct{}
	done chan string // what the page saw
}

func newLive() *live {
	return &live{acks: map[string]chan struct{}{"events": make(chan struct{}, 9), "stream": make(chan struct{}, 9)}, done: make(chan string, 9)}
}

func (l *live) register(mux *http.ServeMux) {
	mux.HandleFunc("/live", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, livePage)
	})
	mux.HandleFunc("/live/socket", l.socket)
	mux.HandleFunc("/live/events", func(w http.ResponseWriter, r *http.Request) {
		l.send(w, r, "text/event-stream", "events", "event: tick\nid: %d\ndata: {\"n\":%[1]d}\n\n")
		<-r.Context().Done() // or the browser would connect again
	})
	mux.HandleFunc("/live/stream", func(w http.ResponseWriter, r *http.Request) {
		l.send(w, r, "text/plain", "stream", "piece %d")
	})
	mux.HandleFunc("/live/ack/{name}", func(_ http.ResponseWriter, r *http.Request) { l.acks[r.PathValue("name")] <- struct{}{} })
	mux.HandleFunc("/live/done", func(_ http.ResponseWriter, r *http.Request) {
		p, _ := io.ReadAll(r.Body) // what is missing shows
		l.done <- string(p)
	})
}

// send sends three pieces, each once the one before it was confirmed.
func (l *live) send(w http.ResponseWriter, r *http.Request, media, name, format string) {
	w.Header().Set("Content-Type", media)
	for i := range 3 {
		fmt.Fprintf(w, format, i)
		w.(http.Flusher).Flush()
		select {
		case <-l.acks[name]:
		case <-r.Context().Done():
			return
		}
	}
}

// socket sends back what it gets.
func (l *live) socket(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionContextTakeover, CompressionThreshold: 1})
	if err != nil {
		l.done <- err.Error()
		return
	}
	c.SetReadLimit(-1)
	for {
		kind, p, err := c.Read(r.Context())
		if err == nil {
			err = c.Write(r.Context(), kind, p)
		}
		if err != nil {
			return
		}
	}
}

// message is what the tests look at of a message of `weir show --format json`.
type message struct {
	From       string  `json:"from"`
	Type       string  `json:"type"`
	Size       int     `json:"size"`
	Text       *string `json:"text"`
	Compressed bool    `json:"compressed"`
	Note       string  `json:"note"`
}

// showMessages returns the messages of a flow, a line each, and its WebSocket's end.
func showMessages(t *testing.T, session string, id uint64) (lines []string, closed string) {
	t.Helper()
	var f struct {
		Messages  []message `json:"messages"`
		WebSocket struct {
			ClosedBy    string `json:"closed_by"`
			CloseCode   int    `json:"close_code"`
			CloseReason string `json:"close_reason"`
		} `json:"websocket"`
	}
	out := weir(t, "show", session, fmt.Sprint(id), "--format", "json")
	if err := json.Unmarshal(out, &f); err != nil {
		t.Fatalf("weir show: %v\n%s", err, out)
	}
	for _, m := range f.Messages {
		line := fmt.Sprintf("%s %s %d", m.From, m.Type, m.Size)
		if m.Type == "text" || m.Type == "event" {
			line = fmt.Sprintf("%s %s %s", m.From, m.Type, *m.Text)
		}
		if m.Compressed {
			line += " compressed"
		}
		lines = append(lines, line+m.Note)
	}
	return lines, fmt.Sprintf("%s %d %s", f.WebSocket.ClosedBy, f.WebSocket.CloseCode, f.WebSocket.CloseReason)
}

// A headless Chromium opens a WebSocket, follows an event stream and reads a
// response as it comes, all through weir, which delays nothing and records the
// messages.
func TestChromiumLive(t *testing.T) {
	need(t, "chromium")
	need(t, "certutil")
	o := startOrigin(t)
	r := record(t, "--upstream-ca", o.CA)
	home := t.TempDir()
	trust(t, home, r.CA)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
		"--user-data-dir="+filepath.Join(home, "profile"), "--proxy-server=http://"+r.Addr, "--proxy-bypass-list=<-loopback>", o.HTTPS+"/live")
	cmd.Env = append(os.Environ(), "HOME="+home)
	var complaints strings.Builder
	cmd.Stderr = &complaints
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var saw string
	select {
	case saw = <-o.live.done:
	case <-ctx.Done():
	}
	cancel()
	_ = cmd.Wait() // it was killed
	const want = `{"socket":"hello hello hello|100000 bytes 3001","events":"{\"n\":0}#0|{\"n\":1}#1|{\"n\":2}#2","stream":"piece 0|piece 1|piece 2"}`
	var got, wanted map[string]string
	_ = json.Unmarshal([]byte(want), &wanted) // it is above
	if err := json.Unmarshal([]byte(saw), &got); err != nil {
		t.Fatalf("the page saw %q: %v\n%s", saw, err, complaints.String())
	}
	if diff := cmp.Diff(wanted, got); diff != "" {
		t.Errorf("what the page saw (-want +got):\n%s", diff)
	}
	checkLive(t, r)
	r.stop()
}

// checkLive looks at what was recorded.
func checkLive(t *testing.T, r *recorder) {
	t.Helper()
	socket := complete(t, r.Session, 1, "~u /live/socket$")[0]
	lines, closed := showMessages(t, r.Session, socket.ID)
	want := []string{
		"client text hello hello hello compressed", "server text hello hello hello compressed",
		"client binary 100000 compressed", "server binary 100000 compressed", "client close 6", "server close 6",
	}
	if diff := cmp.Diff(want, lines); diff != "" || closed != "client 3001 seen" {
		t.Errorf("WebSocket, closed by %s (-want +got):\n%s", closed, diff)
	}
	events := query(t, r.Session, "~u /live/events$ & ~sse")
	if len(events) != 1 {
		t.Fatalf("event streams: got %d, want 1", len(events))
	}
	lines, _ = showMessages(t, r.Session, events[0].ID)
	if diff := cmp.Diff([]string{`server event {"n":0}`, `server event {"n":1}`, `server event {"n":2}`}, lines); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	stream := complete(t, r.Session, 1, "~u /live/stream$")[0]
	if stream.ResponseSize != int64(len("piece 0piece 1piece 2")) {
		t.Errorf("stream: got %d bytes", stream.ResponseSize)
	}
}
