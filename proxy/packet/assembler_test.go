package packet

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"weir/proxy/packet/link"
	"weir/proxy/packet/pcap"
)

const (
	get  = "GET /a HTTP/1.1\r\nHost: x.test\r\n\r\n"
	post = "POST /b HTTP/1.1\r\nHost: x.test\r\nContent-Length: 5\r\n\r\nhello"
	ok2  = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	ok10 = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789"

	socketRequest = "GET / HTTP/1.1\r\nHost: x.test\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
	socketAnswer  = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: upgrade\r\n\r\n"
)

func TestConversations(t *testing.T) {
	for _, c := range []struct {
		name string
		run  func(w *wire)
		want string
	}{
		{
			"one after the other", func(w *wire) { w.open().say(0, get).say(1, ok2).say(0, post).say(1, ok10).shut() },
			`http complete GET http://x.test/a -> 200 "ok"
http complete POST http://x.test/b "hello" -> 200 "0123456789"
`,
		},
		{
			"pipelined", func(w *wire) { w.open().say(0, get+post).say(1, ok2+ok10).shut() },
			`http complete GET http://x.test/a -> 200 "ok"
http complete POST http://x.test/b "hello" -> 200 "0123456789"
`,
		},
		{"100 Continue", func(w *wire) {
			w.open().say(0, post[:len(post)-5]).say(1, "HTTP/1.1 100 Continue\r\n\r\n").say(0, "hello").say(1, ok2).shut()
		}, `http complete POST http://x.test/b "hello" (100) -> 200 "ok"
`},
		{
			"until the connection closes", func(w *wire) { w.open().say(0, get).say(1, "HTTP/1.0 200 OK\r\n\r\nall of it").shut() },
			`http complete GET http://x.test/a -> 200 "all of it"
`,
		},
		{"chunked", func(w *wire) {
			w.open().say(0, get).say(1, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n").shut()
		}, `http complete GET http://x.test/a -> 200 "abc"
`},
		{"a tunnel", func(w *wire) {
			w.open().say(0, "CONNECT y.test:81 HTTP/1.1\r\n\r\n").say(1, "HTTP/1.1 200 OK\r\n\r\n").say(0, get).say(1, ok2).shut()
		}, `http complete CONNECT http://y.test:81 -> 200
http complete GET http://x.test/a -> 200 "ok"
`},
		{"an upgrade", func(w *wire) {
			w.open().say(0, "GET / HTTP/1.1\r\nHost: x.test\r\nConnection: upgrade\r\nUpgrade: odd\r\n\r\n").
				say(1, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: odd\r\n\r\nyes").say(0, "go").shut()
		}, `http complete GET http://x.test/ -> 101 <"yes" >"go"
`},
		{"WebSocket", func(w *wire) {
			w.open().say(0, socketRequest).say(1, socketAnswer+"\x81\x02hi").say(0, "\x81\x83\x00\x00\x00\x00y").say(0, "es\x88\x82\x00\x00\x00\x00\x03\xe8").
				say(1, "\x02\x01a\x89\x01p\x80\x01b").shut()
		}, `http complete GET http://x.test/ -> 101 <"hi" >"yes" >"\x03\xe8" <"p" <"ab"
`},
		{"WebSocket, compressed", func(w *wire) {
			const deflate = "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
			w.open().say(0, socketRequest[:len(socketRequest)-2]+deflate).say(1, socketAnswer[:len(socketAnswer)-2]+deflate).
				say(1, "\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00").shut()
		}, `http complete GET http://x.test/ -> 101 <"Hello"
`},
		{"missing in WebSocket", func(w *wire) {
			w.open().say(0, socketRequest).say(1, socketAnswer+"\x81\x05he").lose(1, "llo").say(1, "\x81\x01x").say(0, "\x81\x81\x00\x00\x00\x00y")
			w.at += second
			w.shut()
		}, `http complete GET http://x.test/ -> 101 <"he" <"\x81\x01x" >"y" [3 missing of response at 4]
`},
		{"server-sent events", func(w *wire) {
			w.open().say(0, get).say(1, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: o").say(1, "ne\n\ndata: tw").shut()
		}, `http complete GET http://x.test/a -> 200 "data: one\n\ndata: tw" <"one" <"tw"
`},
		{"through SOCKS", func(w *wire) {
			w.open().say(0, "\x05\x01\x00").say(1, "\x05\x00").say(0, "\x05\x01\x00\x03\x06z.test\x00\x50").
				say(1, "\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00").say(0, strings.Replace(get, "x.test", "z.test", 1)).say(1, ok2).shut()
		}, `http complete GET http://z.test/a -> 200 "ok"
`},
		{
			"no protocol that is known", func(w *wire) { w.open().say(1, "220 hello\r\n").say(0, "EHLO me\r\n").shut() },
			`tcp complete <"220 hello\r\n" >"EHLO me\r\n"
`,
		},
		{"refused", func(w *wire) {
			w.send(segment{0, link.SYN, w.seq[0], nil})
			w.seq[0]++
			w.send(segment{1, link.RST | link.ACK, 0, nil})
			w.end()
		}, `tcp error !connection refused
`},
		{"nothing said", func(w *wire) { w.open().shut() }, "tcp complete\n"},
		{
			"in the middle of a response", func(w *wire) { w.say(1, "half of a body").say(0, get).say(1, ok2).shut() },
			`tcp complete <"half of a body"
http complete GET http://x.test/a -> 200 "ok"
`,
		},
		{"in the middle of a response, whoever has the higher port", func(w *wire) {
			w.client, w.server = w.server, w.client
			w.say(1, "half of a body").say(0, get).say(1, ok2).shut()
		}, `tcp complete >"half of a body"
http complete GET http://x.test/a -> 200 "ok"
`},
		{
			"in the middle of a request", func(w *wire) { w.say(0, "half of a body").say(1, ok2).say(0, get).say(1, ok10).shut() },
			`tcp complete >"half of a body"
http complete   -> 200 "ok" [0 missing of request at 0]
http complete GET http://x.test/a -> 200 "0123456789"
`,
		},
		{"missing at the beginning", func(w *wire) {
			w.open().lose(0, get[:10]).say(0, get[10:]).say(1, ok2).say(0, get).say(1, ok10)
			w.at += second
			w.shut()
		}, `tcp complete >"P/1.1\r\nHost: x.test\r\n\r\n" [10 missing of request at 0]
http complete   -> 200 "ok" [0 missing of request at 0]
http complete GET http://x.test/a -> 200 "0123456789"
`},
		{
			"a log of requests is no request", func(w *wire) { w.open().say(1, "220\r\n").say(0, get).shut() },
			`tcp complete <"220\r\n" >"GET /a HTTP/1.1\r\nHost: x.test\r\n\r\n"
`,
		},
		{
			"a response without its request", func(w *wire) { w.say(1, ok2).say(0, get).say(1, ok10).shut() },
			`http complete   -> 200 "ok" [0 missing of request at 0]
http complete GET http://x.test/a -> 200 "0123456789"
`,
		},
		{"who asks is the client, whatever the ports", func(w *wire) {
			w.client, w.server = w.server, w.client
			w.say(0, get).say(1, ok2).shut()
		}, `http complete GET http://x.test/a -> 200 "ok"
`},
		{
			"no answer", func(w *wire) { w.open().say(0, get).shut() },
			`http error GET http://x.test/a !the connection was closed without a response
`,
		},
		{"reset", func(w *wire) {
			w.open().say(0, get).say(1, ok10[:len(ok10)-5])
			w.send(segment{1, link.RST, w.seq[1], nil})
			w.end()
		}, `http error GET http://x.test/a -> 200 "01234"(cut) !the connection was reset
`},
		{"more behind a reset", func(w *wire) {
			w.open().say(0, get).say(1, ok10[:len(ok10)-5])
			w.send(segment{0, link.RST, w.seq[0], nil})
			w.say(1, "56789")
			w.send(segment{0, link.RST, w.seq[0], nil})
			w.end()
		}, `http complete GET http://x.test/a -> 200 "0123456789"
`},
		{"a reset that nobody heeded", func(w *wire) {
			w.open().say(0, get)
			w.send(segment{1, link.RST, w.seq[1], nil})
			w.say(1, ok2).say(0, get).say(1, ok10).shut()
		}, `http complete GET http://x.test/a -> 200 "ok"
http complete GET http://x.test/a -> 200 "0123456789"
`},
		{"the same ports again after a reset", func(w *wire) {
			w.open().say(0, get)
			w.send(segment{1, link.RST, w.seq[1], nil})
			w.seq = [2]uint32{7_000_000, 8_000_000}
			w.open().say(0, get).say(1, ok10).shut()
		}, `http error GET http://x.test/a !the connection was reset
http complete GET http://x.test/a -> 200 "0123456789"
`},
		{"closed while something is missing", func(w *wire) {
			w.open().say(0, get).lose(1, ok2[:4]).say(1, ok2[4:]).shut()
		}, `http error GET http://x.test/a !the connection was closed without a response
tcp complete <"/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
`},
		{
			"the capture ends", func(w *wire) { w.open().say(0, get).end() },
			`http error GET http://x.test/a !the capture ends before the response does
`,
		},
		{"missing in a body", func(w *wire) {
			w.open().say(0, get).say(1, ok10[:len(ok10)-8]).lose(1, "234").say(1, "56789").say(0, get)
			w.at += second
			w.say(1, ok2).shut()
		}, `http complete GET http://x.test/a -> 200 "01\x00\x00\x0056789" [3 missing of response at 2]
http complete GET http://x.test/a -> 200 "ok"
`},
		{"missing in a head", func(w *wire) {
			w.open().say(0, get).say(1, ok2[:10]).lose(1, ok2[10:]).say(0, get)
			w.say(1, ok10)
			w.at += second
			w.say(0, "").shut()
		}, `http error GET http://x.test/a [30 missing of response at 0] !bytes of it were not captured
http complete GET http://x.test/a -> 200 "0123456789"
`},
		{"missing between messages", func(w *wire) {
			w.open().say(0, get).say(1, ok2).lose(0, get).lose(1, ok2).say(0, post)
			w.at += second
			w.say(1, ok10)
			w.at += second
			w.say(0, "").shut()
		}, `http complete GET http://x.test/a -> 200 "ok"
http complete POST http://x.test/b "hello" -> 200 "0123456789"
`},
		{
			"no HTTP from some byte on", func(w *wire) { w.open().say(0, get).say(1, "HTTP/1.1 2x\r\n\r\nwhat").shut() },
			`http error GET http://x.test/a !read response start line, line 1 (byte 9): no three-digit status code
tcp complete <"HTTP/1.1 2x\r\n\r\nwhat"
`,
		},
		{
			"no HTTP from some byte of a request on", func(w *wire) { w.open().say(0, get).say(1, ok2).say(0, "GET /b").say(0, " HTTX/1\r\n\r\n").shut() },
			`http complete GET http://x.test/a -> 200 "ok"
http error GET http://10.0.0.2/b !read request start line, line 1 (byte 40): no HTTP version
tcp complete >" HTTX/1\r\n\r\n"
`,
		},
		{
			"a request that stops in its head", func(w *wire) { w.open().say(0, get).say(1, ok2).say(0, get[:20]).shut() },
			`http complete GET http://x.test/a -> 200 "ok"
http error GET http://10.0.0.2/a !the connection ended inside the request
`,
		},
		{
			"a request that stops in its method", func(w *wire) { w.open().say(0, get).say(1, ok2).say(0, "GE").shut() },
			`http complete GET http://x.test/a -> 200 "ok"
tcp complete >"GE"
`,
		},
		{
			"a request that the capture's end cuts", func(w *wire) { w.open().say(0, get[:20]).end() },
			`http error GET http://10.0.0.2/a !the capture ends inside the request
`,
		},
		{
			"a response that stops in its head", func(w *wire) { w.open().say(0, get).say(1, ok2[:20]).shut() },
			`http error GET http://x.test/a -> 200 !the connection ended inside the response
`,
		},
		{"heads that are cut by the snap length", func(w *wire) {
			w.open()
			for i, text := range []string{get, ok2, post, ok10} {
				s := w.next(i%2, text)
				p := tcpPacket([]netip.AddrPort{w.client, w.server}[s.from], []netip.AddrPort{w.server, w.client}[s.from], s.seq, w.seq[1-s.from], link.ACK, s.p)
				w.packet(p[:40+24])
			}
			w.shut()
		}, `http error GET http://10.0.0.2/a -> 200 [9 missing of request at 0] [16 missing of response at 0] !bytes of it were not captured {gap: not all of the request's head was captured}
http error POST http://10.0.0.2/b -> 200 [34 missing of request at 0] [25 missing of response at 0] !bytes of it were not captured {gap: not all of the request's head was captured}
`},
		{"waiting bytes that are sent again otherwise", func(w *wire) {
			w.open().say(0, get)
			head, body := w.next(1, ok10[:len(ok10)-10]), w.next(1, "0123456789")
			w.send(body)
			body.p = []byte("01234evil!")
			w.send(body)
			w.send(head)
			w.say(0, get).say(1, ok2).shut()
		}, `http complete GET http://x.test/a -> 200 "0123456789" {overlap: bytes of it were sent twice, differently; the first are kept}
http complete GET http://x.test/a -> 200 "ok"
`},
		{"a message that is sent again otherwise", func(w *wire) {
			w.open().say(1, "220 ")
			first, second := w.next(0, "HELO"), w.next(0, " me\r\n")
			w.send(second)
			second.p = []byte(" it\r\n")
			w.send(second)
			w.send(first)
			w.shut()
		}, `tcp complete <"220 " >"HELO" >" me\r\n" {overlap: bytes of it were sent twice, differently; the first are kept}
`},
		{"half open: only the client is captured", func(w *wire) {
			w.send(segment{0, link.SYN, w.seq[0], nil})
			w.seq[0]++
			w.say(0, get).say(0, post).finish(0).end()
		}, `http error GET http://x.test/a !the capture ends before the response does
http error POST http://x.test/b "hello" !the capture ends before the response does
`},
		{"half open: only the server is captured", func(w *wire) {
			w.send(segment{1, link.SYN | link.ACK, w.seq[1], nil})
			w.seq[1]++
			w.say(1, ok2).say(1, ok10).finish(1).end()
		}, `http complete   -> 200 "ok" [0 missing of request at 0]
http complete   -> 200 "0123456789" [0 missing of request at 0]
`},
		{"cut by the snap length", func(w *wire) {
			w.open().say(0, get)
			p := tcpPacket(w.server, w.client, w.seq[1], w.seq[0], link.ACK, []byte(ok10))
			w.seq[1] += uint32(len(ok10))
			w.packet(p[:len(p)-4])
			w.say(0, get).say(1, ok2).shut()
		}, `http complete GET http://x.test/a -> 200 "012345\x00\x00\x00\x00" [4 missing of response at 6]
http complete GET http://x.test/a -> 200 "ok"
`},
		{"the same ports again", func(w *wire) {
			w.open().say(0, get).say(1, ok2)
			w.seq = [2]uint32{7_000_000, 8_000_000}
			w.open().say(0, get).say(1, ok10).shut()
		}, `http complete GET http://x.test/a -> 200 "ok"
http complete GET http://x.test/a -> 200 "0123456789"
`},
		{"a datagram that is cut by the snap length", func(w *wire) {
			p := ipPacket(w.client.Addr(), w.server.Addr(), 17, append([]byte{0x9c, 0x40, 0, 7, 0, 14, 0, 0}, "ping!!"...))
			w.packet(p[:len(p)-2])
			w.end()
		}, `udp complete >"ping" [2 missing of request at 4]
`},
		{"a name's question that is cut by the snap length", func(w *wire) {
			p := ipPacket(w.client.Addr(), w.server.Addr(), 17, append([]byte{0x9c, 0x40, 0, 53, 0, 25, 0, 0}, "\x00\x07\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01x\x00\x00\x01"...))
			w.packet(p[:len(p)-2])
			w.end()
		}, `dns error !read DNS message (byte 15): a question that is not whole
`},
		{"datagrams", func(w *wire) {
			p := append([]byte{0x9c, 0x40, 0, 7, 0, 12, 0, 0}, "ping"...)
			w.packet(ipPacket(w.client.Addr(), w.server.Addr(), 17, p))
			q := append([]byte{0, 7, 0x9c, 0x40, 0, 12, 0, 0}, "pong"...)
			w.packet(ipPacket(w.server.Addr(), w.client.Addr(), 17, q))
			w.at += 100 * second
			w.packet(ipPacket(w.client.Addr(), w.server.Addr(), 17, p))
			w.end()
		}, `udp complete >"ping" <"pong"
udp complete >"ping"
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, live := range []bool{false, true} {
				w := newWire(t, Options{Live: live})
				w.advances = live
				c.run(w)
				if diff := cmp.Diff(c.want, story(w.sink)); diff != "" {
					t.Errorf("live %v (-want +got):\n%s", live, diff)
				}
				if got := w.a.budget.Left; got != 64<<20 {
					t.Errorf("the budget has %d bytes left, want all", got)
				}
			}
		})
	}
}

// TestAnySegments is the chunking property of the whole: however the bytes are cut
// into segments, and whatever their order within a window, the flows are the same.
func TestAnySegments(t *testing.T) {
	asked := get + post + get
	answered := ok2 + "HTTP/1.1 100 Continue\r\n\r\n" + ok10 + "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n0\r\nT: 1\r\n\r\n"
	plain := newWire(t, Options{})
	plain.open().say(0, asked).say(1, answered).shut()
	want := story(plain.sink)
	rapid.Check(t, func(r *rapid.T) {
		w := newWire(t, Options{})
		w.open()
		for from, text := range []string{asked, answered} {
			var cuts []segment
			for text != "" {
				n := rapid.IntRange(1, len(text)).Draw(r, "length")
				cuts = append(cuts, w.next(from, text[:n]))
				text = text[n:]
			}
			again := slices.Clone(cuts[:rapid.IntRange(0, len(cuts)).Draw(r, "again")])
			for _, s := range rapid.Permutation(append(cuts, again...)).Draw(r, "order") {
				w.send(s)
			}
		}
		w.shut()
		if got := story(w.sink); got != want {
			r.Fatalf("got:\n%swant:\n%s", got, want)
		}
	})
}

// TestAnySegmentsOfMessages is the same for what makes messages of a stream, which has
// to come in the order of the conversation.
func TestAnySegmentsOfMessages(t *testing.T) {
	for name, said := range map[string][4]string{
		"WebSocket": {socketRequest, socketAnswer, "\x81\x83\x00\x00\x00\x00yes\x88\x82\x00\x00\x00\x00\x03\xe8", "\x02\x01a\x89\x01p\x80\x01b"},
		"events":    {get, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n", "", "data: one\n\ndata: tw"},
	} {
		t.Run(name, func(t *testing.T) {
			plain := newWire(t, Options{}).open()
			for i, text := range said {
				plain.say(i%2, text)
			}
			want := story(plain.shut().sink)
			rapid.Check(t, func(r *rapid.T) {
				w := newWire(t, Options{}).open()
				for i, text := range said {
					for text != "" {
						n := rapid.IntRange(1, len(text)).Draw(r, "length")
						w.say(i%2, text[:n])
						text = text[n:]
					}
				}
				if got := story(w.shut().sink); got != want {
					r.Fatalf("got:\n%swant:\n%s", got, want)
				}
			})
		})
	}
}

// TestManyConversations sees that no more are followed than was said, and that those
// which had to go are flows all the same.
func TestManyConversations(t *testing.T) {
	w := newWire(t, Options{Conversations: 10})
	for i := range 100 {
		w.client = netip.AddrPortFrom(w.client.Addr(), uint16(20000+i))
		w.seq = [2]uint32{1, 1}
		w.open().say(0, get)
		if n := len(w.a.table); n > 10 {
			t.Fatalf("%d conversations are followed, want 10 at most", n)
		}
	}
	w.end()
	if n := len(w.sink.flows); n != 100 {
		t.Errorf("got %d flows, want 100", n)
	}
}

// FuzzAssembler sees that no packets panic, of whatever link type, alone or within a
// connection that stands.
func FuzzAssembler(f *testing.F) {
	w := newWire(f, Options{})
	f.Add(uint16(101), uint16(40), tcpPacket(w.client, w.server, 101, 0xfffffff1, 0x18, []byte(get)))
	f.Add(uint16(101), uint16(9), []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x03\x01\x05\x00\x00\x00\x01\x82\x86\x84"))
	f.Add(uint16(1), uint16(60), append(make([]byte, 12), 0x81, 0, 0, 1, 8, 0, 0x45, 0, 0, 21))
	f.Add(uint16(113), uint16(9), append(make([]byte, 14), 0x86, 0xdd, 0x60, 0, 0, 0, 0, 9, 44, 1))
	f.Fuzz(func(t *testing.T, kind, cut uint16, p []byte) {
		w := newWire(t, Options{Conversations: 4, WaitingBytes: 4 << 10})
		w.open()
		for len(p) > 0 {
			n := min(len(p), max(1, int(cut)))
			packet := pcap.Packet{AtNs: w.at, Link: pcap.LinkType(kind), Data: p[:n], Length: n}
			if err := w.a.Packet(t.Context(), packet); err != nil {
				t.Fatal(err)
			}
			w.say(0, string(p[:n])).say(1, string(p[:n/2]))
			p = p[n:]
		}
		w.end()
		if got := w.a.budget.Left; got != 4<<10 {
			t.Fatalf("the budget has %d bytes left, want all", got)
		}
		for _, f := range w.sink.flows {
			if s := f.GetState().Label(); s != "complete" && s != "error" {
				t.Fatalf("flow %d is left in state %s", f.GetId(), s)
			}
		}
	})
}
