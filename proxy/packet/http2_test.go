package packet

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	flowpb "weir/proto"
	"weir/proxy/h2"
	"weir/proxy/packet/link"
)

// h2peers is both ends of a connection, which say what a test wants.
type h2peers struct{ client, server *h2.Conn }

func newH2peers() *h2peers {
	return &h2peers{client: h2.NewConn(h2.Server, h2.Limits{}), server: h2.NewConn(h2.Client, h2.Limits{})}
}

// hello is what a client begins with, and welcome what a server does.
func (e *h2peers) hello() string {
	return string(e.client.AppendSettings(e.client.AppendPreface(nil), nil))
}

func (e *h2peers) welcome() string {
	return string(e.server.AppendWindowUpdate(e.server.AppendSettings(nil, []h2.Setting{{ID: h2.SettingMaxStreams, Value: 100}}), 0, 9))
}

// fields makes a header of "name value" lines.
func fields(lines ...string) (out []h2.Field) {
	for _, line := range lines {
		name, value, _ := strings.Cut(line, " ")
		out = append(out, h2.Field{Name: name, Value: value})
	}
	return out
}

// ask is a request with content, which ends there unless that is absent.
func (e *h2peers) ask(id uint32, method, path, content string, more ...string) string {
	head := append(fields(":method "+method, ":scheme http", ":authority x.test", ":path "+path), fields(more...)...)
	p := e.client.AppendHeaders(nil, id, head, nil, content == "")
	if content != "" {
		p = e.client.AppendData(p, id, []byte(content), true)
	}
	return e.heard(string(p))
}

// heard lets the server know what the client said, since it may not answer else.
func (e *h2peers) heard(said string) string {
	if e.server.Last() == 0 {
		e.take(e.hello())
	}
	e.take(said)
	return said
}

func (e *h2peers) take(said string) {
	for p := []byte(said); ; {
		n, ev, err := e.server.Feed(p)
		if err != nil {
			panic(err)
		}
		if p = p[n:]; ev.Kind == h2.NeedMore {
			return
		}
	}
}

func (e *h2peers) answer(id uint32, content string, head ...string) string {
	p := e.server.AppendHeaders(nil, id, fields(head...), nil, content == "")
	if content != "" {
		p = e.server.AppendData(p, id, []byte(content), true)
	}
	return string(p)
}

func TestHTTP2(t *testing.T) {
	for _, c := range []struct {
		name string
		run  func(w *wire, e *h2peers)
		want string
	}{
		{"two at once", func(w *wire, e *h2peers) {
			w.open().say(0, e.hello()).say(1, e.welcome()).say(0, e.ask(1, "GET", "/a", "")+e.ask(3, "POST", "/b", "hello"))
			w.say(1, e.answer(3, "first", ":status 200")+e.answer(1, "second", ":status 404")).shut()
		}, `http complete GET http://x.test/a -> 404 "second"
http complete POST http://x.test/b "hello" -> 200 "first"
`},
		{"gRPC: trailers", func(w *wire, e *h2peers) {
			w.open().say(0, e.hello()).say(1, e.welcome()).say(0, e.ask(1, "POST", "/s/M", "\x00\x00\x00\x00\x01a", "content-type application/grpc"))
			p := e.server.AppendHeaders(nil, 1, fields(":status 200", "content-type application/grpc"), nil, false)
			p = e.server.AppendData(p, 1, []byte("\x00\x00\x00\x00\x01b"), false)
			w.say(1, string(e.server.AppendHeaders(p, 1, fields("grpc-status 0"), nil, true))).shut()
		}, `http complete POST http://x.test/s/M "\x00\x00\x00\x00\x01a" -> 200 "\x00\x00\x00\x00\x01b" grpc-status: 0
`},
		{"interim responses", func(w *wire, e *h2peers) {
			w.open().say(0, e.hello()).say(1, e.welcome()).say(0, e.ask(1, "GET", "/", ""))
			p := e.server.AppendHeaders(nil, 1, fields(":status 103", "link a"), nil, false)
			w.say(1, string(p)+e.answer(1, "", ":status 204")).shut()
		}, `http complete GET http://x.test/ (103) -> 204
`},
		{"server-sent events", func(w *wire, e *h2peers) {
			w.open().say(0, e.hello()).say(1, e.welcome()).say(0, e.ask(1, "GET", "/", ""))
			w.say(1, e.answer(1, "data: one\n\ndata: tw", ":status 200", "content-type text/event-stream")).shut()
		}, `http complete GET http://x.test/ -> 200 "data: one\n\ndata: tw" <"one" <"tw"
`},
		{"WebSocket", func(w *wire, e *h2peers) {
			w.open().say(0, e.hello()).say(1, e.welcome())
			e.take(e.hello())
			e.server.AppendSettings(nil, []h2.Setting{{ID: h2.SettingConnectProtocol, Value: 1}})
			head := fields(":method CONNECT", ":protocol websocket", ":scheme http", ":authority x.test", ":path /chat")
			p := string(e.client.AppendHeaders(nil, 1, head, nil, false))
			e.take(p)
			w.say(0, p).say(1, string(e.server.AppendHeaders(nil, 1, fields(":status 200"), nil, false)))
			w.say(0, string(e.client.AppendData(nil, 1, []byte("\x81\x83\x00\x00\x00\x00y"), false)))
			w.say(0, string(e.client.AppendData(nil, 1, []byte("es"), false)))
			w.say(1, string(e.server.AppendData(nil, 1, []byte("\x81\x02hi\x88\x02\x03\xe8"), true))).shut()
		}, `http complete CONNECT http://x.test/chat -> 200 >"yes" <"hi" <"\x03\xe8"
`},
		{"a tunnel", func(w *wire, e *h2peers) {
			p := string(e.client.AppendHeaders(nil, 1, fields(":method CONNECT", ":authority y.test:9"), nil, false))
			e.heard(p)
			w.open().say(0, e.hello()+p).say(1, e.welcome()+string(e.server.AppendHeaders(nil, 1, fields(":status 200"), nil, false)))
			w.say(0, string(e.client.AppendData(nil, 1, []byte("ping"), false)))
			w.say(1, string(e.server.AppendReset(e.server.AppendData(nil, 1, []byte("pong"), false), 1, h2.Cancel))).shut()
		}, `http error CONNECT http://y.test:9 -> 200 >"ping" <"pong" !the server reset the stream (CANCEL)
`},
		{"a push", func(w *wire, e *h2peers) {
			w.open().say(0, e.hello()).say(1, e.welcome()).say(0, e.ask(1, "GET", "/", ""))
			promise := "\x00\x00\x07\x05\x04\x00\x00\x00\x01\x00\x00\x00\x02\x82\x86\x84"
			pushed := "\x00\x00\x01\x01\x04\x00\x00\x00\x02\x88" + "\x00\x00\x03\x00\x01\x00\x00\x00\x02css"
			w.say(1, promise+e.answer(1, "html", ":status 200")+pushed).shut()
		}, `http complete GET http://x.test/ -> 200 "html"
http complete GET http://10.0.0.2/ -> 200 "css" {pushed: by the server, with stream 1}
`},
		{"reset by the client, with the answer under way", func(w *wire, e *h2peers) {
			w.open().say(0, e.hello()).say(1, e.welcome()).say(0, e.ask(1, "GET", "/", "")+string(e.client.AppendReset(nil, 1, h2.Cancel)))
			w.say(1, e.answer(1, "too late", ":status 200")).say(0, e.ask(3, "GET", "/3", "")).say(1, e.answer(3, "", ":status 204")).shut()
		}, `http error GET http://x.test/ !the client reset the stream (CANCEL)
http complete GET http://x.test/3 -> 204
`},
		{"reset by the server within the answer", func(w *wire, e *h2peers) {
			w.open().say(0, e.hello()).say(1, e.welcome()).say(0, e.ask(1, "GET", "/", ""))
			p := e.server.AppendData(e.server.AppendHeaders(nil, 1, fields(":status 200"), nil, false), 1, []byte("half"), false)
			w.say(1, string(e.server.AppendReset(p, 1, h2.InternalError))).shut()
		}, `http error GET http://x.test/ -> 200 "half"(cut) !the server reset the stream (INTERNAL_ERROR)
`},
		{"answered early", func(w *wire, e *h2peers) {
			p := string(e.client.AppendHeaders(nil, 1, fields(":method POST", ":scheme http", ":path /", ":authority x.test"), nil, false))
			e.heard(p)
			w.open().say(0, e.hello()+p+string(e.client.AppendData(nil, 1, []byte("some"), false)))
			w.say(1, e.welcome()+e.answer(1, "", ":status 413")+string(e.server.AppendReset(nil, 1, h2.NoError))).shut()
		}, `http complete POST http://x.test/ "some"(cut) -> 413
`},
		{"going away", func(w *wire, e *h2peers) {
			w.open().say(0, e.hello()).say(1, e.welcome()).say(0, e.ask(1, "GET", "/1", "")+e.ask(3, "GET", "/3", ""))
			w.say(1, string(e.server.AppendGoAway(nil, 1, h2.NoError, nil))).say(1, string(e.server.AppendGoAway(nil, 1, h2.EnhanceYourCalm, nil))).shut()
		}, `http error GET http://x.test/1 !the server gave the connection up (ENHANCE_YOUR_CALM)
http error GET http://x.test/3 !the server did not take the request: it is going away (NO_ERROR)
`},
		{"the capture ends", func(w *wire, e *h2peers) {
			w.open().say(0, e.hello()).say(1, e.welcome()).say(0, e.ask(1, "GET", "/1", "")).end()
		}, `http error GET http://x.test/1 !the capture ends before the response does
`},
		{"upgraded from HTTP/1", func(w *wire, e *h2peers) {
			w.open().say(0, "GET /up HTTP/1.1\r\nHost: x.test\r\nConnection: upgrade, http2-settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n")
			switched := "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n"
			first := "\x00\x00\x01\x01\x04\x00\x00\x00\x01\x88" + "\x00\x00\x02\x00\x01\x00\x00\x00\x01up"
			w.say(1, switched+e.welcome()+first).say(0, e.hello()+e.ask(3, "GET", "/3", "")).say(1, e.answer(3, "", ":status 204")).shut()
		}, `http complete GET http://x.test/up (101) -> 200 "up"
http complete GET http://x.test/3 -> 204
`},
		{"from the middle", func(w *wire, e *h2peers) {
			e.hello()
			w.lose(0, e.ask(1, "GET", "/1", "", "cookie a")).lose(1, e.welcome()+e.answer(1, "", ":status 200", "server s"))
			w.say(0, e.ask(3, "GET", "/3", "", "cookie a", "range 7")).say(1, e.answer(3, "yes", ":status 200", "server s"))
			w.say(0, e.ask(5, "GET", "/5", "", "range 7")).say(1, e.answer(5, "yes", ":status 200")).shut()
		}, `http complete GET http://10.0.0.2/3 -> 200 "yes" {http2: 2 header fields refer to what was said before and not captured} {http2: 1 header fields refer to what was said before and not captured}
http complete GET http://10.0.0.2/5 -> 200 "yes" {http2: 1 header fields refer to what was said before and not captured}
`},
		{"from the middle, whatever the ports", func(w *wire, e *h2peers) {
			w.client, w.server = w.server, w.client
			w.say(0, e.ask(3, "GET", "/3", "")).say(1, e.answer(3, "yes", ":status 200")).shut()
		}, `http complete GET http://x.test/3 -> 200 "yes"
`},
		{"from the middle of a body", func(w *wire, e *h2peers) {
			e.ask(1, "GET", "/1", "")
			answer := e.answer(1, strings.Repeat("x", 30), ":status 200")
			w.say(1, answer[len(answer)-10:]).say(0, e.ask(3, "GET", "/3", "")).say(1, e.answer(3, "yes", ":status 200")).shut()
		}, `tcp complete <"xxxxxxxxxx"
http complete GET http://10.0.0.2/3 -> 200 "yes" {http2: 1 header fields refer to what was said before and not captured}
`},
		{"missing in content", func(w *wire, e *h2peers) {
			w.open().say(0, e.hello()).say(1, e.welcome()).say(0, e.ask(1, "GET", "/1", ""))
			answer := e.answer(1, "0123456789", ":status 200")
			n := len(answer)
			w.say(1, answer[:n-7]).lose(1, answer[n-7:n-3]).say(1, answer[n-3:]).say(0, e.ask(3, "GET", "/3", ""))
			w.at += second
			w.say(1, e.answer(3, "yes", ":status 200")).shut()
		}, `http complete GET http://x.test/1 -> 200 "012\x00\x00\x00\x00789" [4 missing of response at 3]
http complete GET http://x.test/3 -> 200 "yes"
`},
		{"missing between frames", func(w *wire, e *h2peers) {
			w.open().say(0, e.hello()).say(1, e.welcome()).say(0, e.ask(1, "GET", "/1", "")+e.ask(3, "GET", "/3", "")+e.ask(5, "GET", "/5", ""))
			p := e.server.AppendHeaders(nil, 1, fields(":status 200", "a b"), nil, false)
			w.say(1, string(p)).lose(1, e.answer(3, "lost", ":status 200", "c d"))
			w.say(1, string(e.server.AppendData(nil, 1, []byte("rest"), true))+e.answer(5, "yes", ":status 200", "a b")).say(0, e.ask(7, "GET", "/7", ""))
			w.at += second
			w.say(1, e.answer(7, "", ":status 204")).shut()
		}, `http complete GET http://x.test/1 -> 200 "rest" [0 missing of response at 0] {http2: frames of it may not have been captured}
http error GET http://x.test/3 [0 missing of response at 0] !the connection was closed without a response {http2: frames of it may not have been captured}
http complete GET http://x.test/5 -> 200 "yes" [0 missing of response at 0] {http2: frames of it may not have been captured} {http2: 1 header fields refer to what was said before and not captured}
http complete GET http://x.test/7 -> 204
`},
		{"missing in WebSocket", func(w *wire, e *h2peers) {
			head := fields(":method CONNECT", ":protocol websocket", ":scheme http", ":authority x.test", ":path /chat")
			e.server.AppendSettings(nil, []h2.Setting{{ID: h2.SettingConnectProtocol, Value: 1}})
			p := string(e.client.AppendHeaders(nil, 1, head, nil, false))
			e.heard(p)
			w.open().say(0, e.hello()+p).say(1, e.welcome()+string(e.server.AppendHeaders(nil, 1, fields(":status 200"), nil, false)))
			data := string(e.server.AppendData(nil, 1, []byte("\x81\x02hi\x81\x05hello\x81\x01x"), false))
			n := len(data)
			w.say(1, data[:n-6]).lose(1, data[n-6:n-2]).say(1, data[n-2:]).say(0, string(e.client.AppendData(nil, 1, []byte("\x81\x81\x00\x00\x00\x00y"), false)))
			w.at += second
			w.say(0, "").shut()
		}, `http complete CONNECT http://x.test/chat -> 200 <"hi" <"he" <"\x01x" >"y" [4 missing of response at 8]
`},
		{"no HTTP/2 from some byte on", func(w *wire, e *h2peers) {
			w.open().say(0, e.hello()+e.ask(1, "GET", "/1", "")).say(1, "HTTP/1.1 400 Bad Request\r\n\r\n").shut()
		}, `http error GET http://x.test/1 [0 missing of response at 0] !the connection was closed without a response {http2: read HTTP/2 of the server (byte 0): the first frame is unknown frame, not SETTINGS}
tcp complete <"HTTP/1.1 400 Bad Request\r\n\r\n"
`},
		{"an answer before its request", func(w *wire, e *h2peers) {
			asked := e.ask(1, "GET", "/1", "")
			w.open().say(0, e.hello()).say(1, e.welcome()+e.answer(1, "yes", ":status 200")).say(0, asked).shut()
		}, `http complete GET http://x.test/1 -> 200 "yes"
`},
		{"reset of the connection", func(w *wire, e *h2peers) {
			w.open().say(0, e.hello()).say(1, e.welcome()).say(0, e.ask(1, "GET", "/", ""))
			w.send(segment{1, link.RST, w.seq[1], nil})
			w.end()
		}, `http error GET http://x.test/ !the connection was reset
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWire(t, Options{})
			c.run(w, newH2peers())
			if diff := cmp.Diff(c.want, story(w.sink)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestHTTP2Flow looks at what a story does not tell.
func TestHTTP2Flow(t *testing.T) {
	w, e := newWire(t, Options{}), newH2peers()
	w.open().say(0, e.hello()).say(1, e.welcome()).say(0, e.ask(1, "POST", "/", "x")).say(1, e.answer(1, "y", ":status 200")).shut()
	f := w.sink.flows[0]
	q, p := f.GetHttp().GetRequest(), f.GetHttp().GetResponse()
	if string(q.GetVersion()) != "HTTP/2" || string(p.GetVersion()) != "HTTP/2" || string(q.GetPseudoOrder()) != "msap" ||
		f.GetHttp().GetStreamId() != 1 || q.GetStartedNs() == 0 || q.GetEndedNs() < q.GetStartedNs() || p.GetEndedNs() <= q.GetEndedNs() {
		t.Errorf("got %v", f)
	}
	want := &flowpb.Http2{Settings: []*flowpb.Setting{{Id: 3, Value: 100}}, WindowUpdate: 9}
	if got := w.sink.conns[0].GetHttp2(); got.String() != want.String() {
		t.Errorf("HTTP/2 of the connection: got %v, want %v", got, want)
	}
}

// TestInTLS sees that what was decrypted is read like a connection of its own.
func TestInTLS(t *testing.T) {
	for protocol, said := range map[string]func(e *h2peers) (string, string){
		"h2": func(e *h2peers) (string, string) {
			return e.hello() + e.ask(1, "GET", "/a", ""), e.welcome() + e.answer(1, "ok", ":status 200")
		},
		"http/1.1": func(*h2peers) (string, string) { return get, ok2 },
		"":         func(*h2peers) (string, string) { return get, ok2 },
	} {
		w := newWire(t, Options{}).open()
		c := w.a.oldest().Value.(*conversation)
		inside := c.inTLS([]byte(protocol))
		asked, answered := said(newH2peers())
		for side, text := range []string{asked, answered} {
			if err := inside.data(t.Context(), flowpb.SideRequest+flowpb.Side(side), []byte(text), w.at); err != nil {
				t.Fatal(err)
			}
		}
		if err := inside.close(t.Context(), closed, w.at); err != nil {
			t.Fatal(err)
		}
		want := `http complete GET https://x.test/a -> 200 "ok"` + "\n"
		if got := strings.ReplaceAll(story(w.sink), "x.test:80", "x.test"); got != want {
			t.Errorf("%q: got %s, want %s", protocol, got, want)
		}
	}
}

// TestManyStreams sees that no more streams are followed than was said, and that those
// which had to go are flows all the same.
func TestManyStreams(t *testing.T) {
	w, e := newWire(t, Options{}), newH2peers()
	w.open().say(0, e.hello())
	const n = 3 * maxPending
	for i := range n {
		head := fields(":method GET", ":scheme http", ":path /", ":authority x.test")
		w.say(0, string(e.client.AppendHeaders(nil, uint32(2*i+1), head, nil, false)))
	}
	s := w.a.oldest().Value.(*conversation).speaker.(*detector).inner.(*http2)
	if len(s.streams) > maxPending || s.readers[0].Streams() > maxPending {
		t.Errorf("%d streams are followed, want %d at most", len(s.streams), maxPending)
	}
	w.end()
	if got := len(w.sink.flows); got != n {
		t.Errorf("got %d flows, want %d", got, n)
	}
}

// TestAnySegmentsOfHTTP2 is the chunking property for connections of HTTP/2.
func TestAnySegmentsOfHTTP2(t *testing.T) {
	e := newH2peers()
	asked := e.hello() + e.ask(1, "GET", "/a", "") + e.ask(3, "POST", "/b", "hello", "x y") + string(e.client.AppendReset(nil, 5, h2.Cancel))
	answered := e.welcome() + e.answer(3, "0123456789", ":status 200", "a b") + e.answer(1, "ok", ":status 404", "a b")
	plain := newWire(t, Options{}).open().say(0, asked).say(1, answered).shut()
	want := story(plain.sink)
	rapid.Check(t, func(r *rapid.T) {
		w := newWire(t, Options{}).open()
		for from, text := range []string{asked, answered} {
			for text != "" {
				n := rapid.IntRange(1, len(text)).Draw(r, "length")
				w.say(from, text[:n])
				text = text[n:]
			}
		}
		if got := story(w.shut().sink); got != want {
			r.Fatalf("got:\n%swant:\n%s", got, want)
		}
	})
}
