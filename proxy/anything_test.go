package proxy

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	flowpb "weir/proto"
	"weir/proxy/h1"
)

// script is one exchange as both ends speak it, and what must be recorded.
type script struct {
	request, response string // the bytes
	body, reply       string // the recorded bodies
}

// drawMessage draws a message: its bytes and the content of its body.
func drawMessage(t *rapid.T, label, start string) (message, content string) {
	var b strings.Builder
	b.WriteString(start)
	for range rapid.IntRange(0, 5).Draw(t, label+" fields") {
		name := rapid.StringMatching(`[xX]-[a-zA-Z0-9!#$.]{1,8}`).Draw(t, label+" name")
		value := rapid.StringMatching(`[ \t]{0,2}[!-~\x80-\xff]{0,20}[ \t]?`).Draw(t, label+" value")
		b.WriteString(name + ":" + value + rapid.SampledFrom([]string{"\r\n", "\r\n", "\r\n", "\n"}).Draw(t, label+" end"))
	}
	content = strings.Repeat(rapid.StringN(0, 20, 40).Draw(t, label+" content"), rapid.SampledFrom([]int{0, 1, 3000}).Draw(t, label+" times"))
	if rapid.Bool().Draw(t, label+" has length") {
		fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(content), content)
		return b.String(), content
	}
	b.WriteString("transfer-encoding:Chunked\r\n\r\n")
	for rest := content; rest != ""; {
		n := min(rapid.IntRange(1, 50000).Draw(t, label+" chunk"), len(rest))
		ext := rapid.SampledFrom([]string{"", "", ";a=b", " ;\"c\""}).Draw(t, label+" extension")
		fmt.Fprintf(&b, "%0*X%s\r\n%s\r\n", rapid.IntRange(1, 6).Draw(t, label+" digits"), n, ext, rest[:n])
		rest = rest[n:]
	}
	b.WriteString("0\r\n" + rapid.SampledFrom([]string{"", "X-Sum: 1\r\n", "a:1\r\nA:2\r\n"}).Draw(t, label+" trailer") + "\r\n")
	return b.String(), content
}

// TestAnythingPasses holds the promise that nothing is changed: for random
// messages, several to a connection, both ends receive exactly the bytes that the
// other sent, and exactly their content is recorded.
func TestAnythingPasses(t *testing.T) {
	var mu sync.Mutex
	var scripts []script // of the present connection
	addr := origin(t, func(p *peer) {
		mu.Lock()
		mine := scripts
		mu.Unlock()
		for _, sc := range mine {
			got := make([]byte, len(sc.request))
			if _, err := io.ReadFull(p.r, got); err != nil || string(got) != sc.request {
				t.Errorf("at the origin: got %.200q, %v, want %.200q", got, err, sc.request)
				return
			}
			p.send(sc.response)
		}
	})
	s, sink := start(t, Options{Limits: h1.Limits{Lenient: true}})
	flows := uint64(0)
	rapid.Check(t, func(rt *rapid.T) {
		var all []script
		for range rapid.IntRange(1, 3).Draw(rt, "exchanges") {
			var sc script
			sc.request, sc.body = drawMessage(rt, "request", "POST /%41?b HTTP/1.1\r\nHost: "+addr+"\r\n")
			sc.response, sc.reply = drawMessage(rt, "response", "HTTP/1.1 200 Right\r\n")
			all = append(all, sc)
		}
		mu.Lock()
		scripts = all
		mu.Unlock()
		c := dial(t, s)
		defer c.Close()
		for _, sc := range all {
			sent := make(chan struct{})
			go func() {
				defer close(sent)
				c.send(strings.Replace(sc.request, " /", " http://"+addr+"/", 1))
			}()
			c.expect(sc.response)
			<-sent
			if t.Failed() {
				rt.FailNow()
			}
			flows++
			f := sink.finished(t, flows)
			body, reply := sink.body(f.Id, flowpb.SideRequest), sink.body(f.Id, flowpb.SideResponse)
			if body != sc.body || reply != sc.reply || f.Error != nil {
				rt.Fatalf("recorded %d and %d bytes, error %v; want %d and %d", len(body), len(reply), f.Error, len(sc.body), len(sc.reply))
			}
		}
	})
}

// TestParallel runs many clients at once over a few connections each.
func TestParallel(t *testing.T) {
	const clients, each = 100, 10
	addr := origin(t, func(p *peer) {
		for {
			head := p.head()
			if head == "" {
				return
			}
			path := strings.Fields(head)[1]
			p.send(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(path), path))
		}
	})
	s, sink := start(t, Options{Limits: h1.Limits{Lenient: true}})
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() {
			c := dial(t, s)
			defer c.Close()
			for j := range each {
				path := fmt.Sprintf("/%d/%d", i, j)
				c.send("GET http://" + addr + path + " HTTP/1.1\r\nHost: x\r\n\r\n")
				c.expect(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(path), path))
			}
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for id := range uint64(clients * each) {
		f := sink.finished(t, id+1)
		path := string(f.GetHttp().Request.Path)
		body := sink.body(f.Id, flowpb.SideResponse)
		if body != path || seen[path] || f.Error != nil {
			t.Fatalf("flow %d: path %s, body %q, error %v", f.Id, path, body, f.Error)
		}
		seen[path] = true
	}
}
