package traffic

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
)

var hosts = []string{
	"www.shop.test", "api.shop.test", "static.shop.test", "news.test", "img.news.test", "login.bank.test", "mail.test", "cdn.video.test",
	"search.test", "maps.test", "docs.test", "forum.test", "wiki.test", "metrics.test", "ads.test", "queue.internal.test",
}

var paths = []string{
	"/", "/api/v1/items", "/api/v1/items/%d", "/static/app.%d.js", "/static/style.css", "/img/%d.png", "/search?q=term%d&page=2", "/login", "/feed.json",
}

// kinds is what responses are, each as often as the next.
var kinds = []string{"text/html; charset=utf-8", "application/json", "application/javascript", "image/png", "text/plain"}

// exchange queues a request and its response.
func (m *maker) exchange(c *connection) {
	m.made.Requests++
	method, upload := "GET", 0
	if m.random.IntN(8) == 0 {
		method, upload = "POST", m.between(20, 2000)
	}
	path := paths[m.random.IntN(len(paths))]
	if strings.Contains(path, "%d") {
		path = fmt.Sprintf(path, m.random.IntN(100_000))
	}
	request := fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: synth/1.0 (measurement)\r\nAccept: */*\r\nCookie: session=%016x; theme=dark\r\n",
		method, path, c.host, m.random.Uint64())
	if upload > 0 {
		request = fmt.Appendf(request, "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n", upload)
	}
	c.speak(0, append(append(request, "\r\n"...), m.cut(upload)...))

	status := "200 OK"
	if m.random.IntN(17) == 0 {
		status = "404 Not Found"
	}
	body := m.cut(m.bodySize())
	if m.made.Requests%needleEvery == 0 {
		m.made.Needles++
		body = bytes.Clone(body)
		copy(body[m.random.IntN(len(body)-len(Needle)):], Needle)
	}
	response := fmt.Appendf(nil, "HTTP/1.1 %s\r\nDate: Mon, 21 Sep 2026 10:00:00 GMT\r\nServer: synth\r\nContent-Type: %s\r\nContent-Length: %d\r\nCache-Control: max-age=60\r\nETag: \"%x\"\r\n\r\n",
		status, kinds[m.random.IntN(len(kinds))], len(body), m.random.Uint32())
	c.speak(1, append(response, body...))
	m.disturb(c)
}

// bodySize is how large a response is: as many are between 1 and 10 KB as between 10 and
// 100 KB.
func (m *maker) bodySize() int {
	return int(leastBody * math.Pow(mostBody/leastBody, m.random.Float64()))
}

// cut returns n bytes of what bodies are made of, from anywhere in it.
func (m *maker) cut(n int) []byte { return m.text[m.random.IntN(len(m.text)-n):][:n] }

// text is what bodies are cut from: lines of words, as compressible as such.
func text() []byte {
	words := []string{"river", "weir", "bank", "water", "gate", "stone", "flow", "level", "mill", "reed", "salmon", "lock", "{\"id\":", "\"name\":", "<p>", "</p>"}
	r := rand.New(rand.NewPCG(1, 1)) //nolint:gosec // the same on each run
	out := make([]byte, 0, 4<<20)
	for len(out) < 4<<20-32 {
		out = append(out, words[r.IntN(len(words))]...)
		out = append(out, " \n"[r.IntN(12)/11])
		if r.IntN(6) == 0 {
			out = fmt.Appendf(out, "%08x ", r.Uint32())
		}
	}
	return out
}
