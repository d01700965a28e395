package proxy

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"

	flowpb "weir/proto"
)

// plainGet is the fields of a request in a plain tunnel.
var plainGet = [][2]string{{":method", "GET"}, {":scheme", "http"}, {":authority", "a.test"}, {":path", "/"}}

// converse joins a client and a server that both speak frame by frame through
// the proxy, in a plain tunnel. server runs beside client.
func converse(t *testing.T, opts Options, client, server func(f *frames)) *memory {
	t.Helper()
	served := make(chan struct{})
	addr := origin(t, func(p *peer) {
		defer close(served)
		f := serveFrames(p)
		server(f)
	})
	s, sink := start(t, opts)
	f := dialFrames(tunnel(t, s, addr))
	client(f)
	f.Close()
	<-served
	return sink
}

func TestHTTP2GoAway(t *testing.T) {
	sink := converse(t, Options{}, func(f *frames) {
		f.headers(1, true, plainGet...)
		f.headers(3, true, plainGet...)
		away, ok := f.next().(*http2.GoAwayFrame)
		if !ok || away.LastStreamID != 1 || away.ErrCode != http2.ErrCodeEnhanceYourCalm || string(away.DebugData()) != "enough" {
			t.Errorf("got %v", away)
		}
		if got := fmt.Sprint(f.readHeaders()); got != "[[:status 200]]" {
			t.Errorf("the stream that was taken: got %s", got)
		}
	}, func(f *frames) {
		f.readHeaders()
		f.readHeaders()
		f.must(f.WriteGoAway(1, http2.ErrCodeEnhanceYourCalm, []byte("enough")))
		f.headers(1, true, [2]string{":status", "200"})
		f.untilClosed()
	})
	if f := sink.finished(t, 1); f.Error != nil {
		t.Errorf("flow 1: got %v", f.Error)
	}
	if f := sink.finished(t, 2); f.Error.GetCode() != flowpb.CodeServerGone || !strings.Contains(f.Error.Message, "going away (ENHANCE_YOUR_CALM)") {
		t.Errorf("flow 2: got %v", f.Error)
	}
}

// TestHTTP2ServerVanishes has one stream unanswered and one half answered.
func TestHTTP2ServerVanishes(t *testing.T) {
	sink := converse(t, Options{}, func(f *frames) {
		f.headers(1, true, plainGet...)
		f.headers(3, true, plainGet...)
		f.readHeaders()
		seen := make(map[string]bool)
		for frame := f.next(); frame != nil; frame = f.next() {
			seen[fmt.Sprintf("%v%d", frame.Header().Type, frame.Header().StreamID)] = true
		}
		for _, want := range []string{"RST_STREAM1", "HEADERS3", "DATA3", "GOAWAY0"} {
			if !seen[want] {
				t.Errorf("the client did not see %s: %v", want, seen)
			}
		}
	}, func(f *frames) {
		f.readHeaders()
		f.readHeaders()
		f.headers(1, false, [2]string{":status", "200"})
	})
	if f := sink.finished(t, 1); f.Error.GetCode() != flowpb.CodeServerGone || !strings.Contains(f.Error.Message, "during the response") {
		t.Errorf("flow 1: got %v", f.Error)
	}
	if f := sink.finished(t, 2); f.Error.GetCode() != flowpb.CodeServerGone || !strings.Contains(f.Error.Message, "without a response") {
		t.Errorf("flow 2: got %v", f.Error)
	}
}

func TestHTTP2ClientVanishes(t *testing.T) {
	sink := converse(t, Options{}, func(f *frames) {
		f.headers(1, true, plainGet...)
		f.readHeaders()
	}, func(f *frames) {
		f.readHeaders()
		f.headers(1, false, [2]string{":status", "200"})
		f.untilClosed()
	})
	if f := sink.finished(t, 1); f.Error.GetCode() != flowpb.CodeClientGone {
		t.Errorf("flow: got %v", f.Error)
	}
}

// TestHTTP2ClientLeavesWithItsAnswer has the end of the stream come too late.
func TestHTTP2ClientLeavesWithItsAnswer(t *testing.T) {
	for name, leave := range map[string]func(f *frames){
		"closes": func(*frames) {},
		"resets": func(f *frames) { f.must(f.WriteRSTStream(1, http2.ErrCodeCancel)) },
	} {
		for length, want := range map[string]flowpb.State{"5": flowpb.StateComplete, "6": flowpb.StateError} {
			sink := converse(t, Options{}, func(f *frames) {
				f.headers(1, true, plainGet...)
				f.readHeaders()
				if d, ok := f.next().(*http2.DataFrame); !ok || string(d.Data()) != "hello" {
					t.Errorf("got %v, want the content", d)
				}
				leave(f)
			}, func(f *frames) {
				f.readHeaders()
				f.headers(1, false, [2]string{":status", "200"}, [2]string{"content-length", length})
				f.must(f.WriteData(1, false, []byte("hello")))
				f.untilClosed()
			})
			f := sink.finished(t, 1)
			if f.State != want || want == flowpb.StateComplete && f.GetHttp().Response.Body.State != flowpb.BodyComplete {
				t.Errorf("%s after 5 of %s bytes: got %v, %v, want %v", name, length, f.State, f.Error, want)
			}
			if c := sink.conn(f.ClientConn); want == flowpb.StateComplete && c.Error != nil {
				t.Errorf("%s: the connection failed: %v", name, c.Error)
			}
		}
	}
}

// TestHTTP2MalformedRequest demands that the server never hears of it, and that
// another stream goes on.
func TestHTTP2MalformedRequest(t *testing.T) {
	sink := converse(t, Options{}, func(f *frames) {
		f.headers(1, true, append(plainGet[:len(plainGet):len(plainGet)], [2]string{"Capital", "x"})...)
		if r, ok := f.next().(*http2.RSTStreamFrame); !ok || r.StreamID != 1 || r.ErrCode != http2.ErrCodeProtocol {
			t.Errorf("got %v, want a reset of stream 1", r)
		}
		f.headers(3, true, plainGet...)
		f.readHeaders()
	}, func(f *frames) {
		f.readHeaders()
		f.headers(3, true, [2]string{":status", "204"})
		f.untilClosed()
	})
	f := sink.finished(t, 1)
	if f.Error.GetCode() != flowpb.CodeProtocol || !strings.Contains(f.Error.Message, `field name "Capital"`) || string(f.GetHttp().Request.Method) != "GET" {
		t.Errorf("flow: got %v", f)
	}
	if f := sink.finished(t, 2); f.GetHttp().Response.GetStatus() != 204 || f.Error != nil {
		t.Errorf("second flow: got %v", f)
	}
}

// TestHTTP2BrokenRules has each side break a rule of the connection.
func TestHTTP2BrokenRules(t *testing.T) {
	t.Run("client", func(t *testing.T) {
		sink := converse(t, Options{}, func(f *frames) {
			f.headers(1, false, plainGet...)
			f.readHeaders()
			f.must(f.WriteRawFrame(http2.FramePing, 0, 0, []byte("short")))
			if away := f.lastGoAway(); away == nil || away.ErrCode != http2.ErrCodeFrameSize {
				t.Errorf("got %v", away)
			}
		}, func(f *frames) {
			f.readHeaders()
			f.headers(1, false, [2]string{":status", "200"})
			f.untilClosed()
		})
		if f := sink.finished(t, 1); f.Error.GetCode() != flowpb.CodeProtocol || f.Error.Side != flowpb.SideRequest || !strings.Contains(f.Error.Message, "PING of 5 bytes") {
			t.Errorf("flow: got %v", f.Error)
		}
	})
	t.Run("server", func(t *testing.T) {
		sink := converse(t, Options{}, func(f *frames) {
			f.headers(1, true, plainGet...)
			if got := f.readHeaders(); len(got) == 0 || got[0] != [2]string{":status", "502"} {
				t.Errorf("got %v", got)
			}
			f.untilClosed()
		}, func(f *frames) {
			f.readHeaders()
			f.headers(7, true, [2]string{":status", "200"})
			f.untilClosed()
		})
		if f := sink.finished(t, 1); f.Error.GetCode() != flowpb.CodeProtocol || f.Error.Side != flowpb.SideResponse || !strings.Contains(f.Error.Message, "idle stream 7") {
			t.Errorf("flow: got %v", f.Error)
		}
	})
}

// TestHTTP2Limit crosses a limit and looks for its name in the flow.
func TestHTTP2Limit(t *testing.T) {
	var opts Options
	opts.HTTP2.HeaderList = 300
	sink := converse(t, opts, func(f *frames) {
		f.headers(1, true, append(plainGet[:len(plainGet):len(plainGet)], [2]string{"a", strings.Repeat("x", 250)})...)
		if r, ok := f.next().(*http2.RSTStreamFrame); !ok || r.ErrCode != http2.ErrCodeEnhanceYourCalm {
			t.Errorf("got %v, want a reset", r)
		}
	}, func(f *frames) { f.untilClosed() })
	if f := sink.finished(t, 1); f.Error.GetCode() != flowpb.CodeLimit || !strings.Contains(f.Error.Message, "header of more than 300 bytes") {
		t.Errorf("flow: got %v", f.Error)
	}
}

// TestHTTP2ControlFramesPass looks at what is passed on and not answered.
func TestHTTP2ControlFramesPass(t *testing.T) {
	converse(t, Options{}, func(f *frames) {
		f.must(f.WritePing(false, [8]byte{1}))
		if p, ok := f.next().(*http2.PingFrame); !ok || !p.IsAck() || p.Data[0] != 1 {
			t.Errorf("got %v, want the server's answer", p)
		}
		f.must(f.WriteRawFrame(0xf1, 3, 0, []byte("u=1")))
		if u, ok := f.next().(*http2.UnknownFrame); !ok || u.Type != 0xf2 || string(u.Payload()) != "heard u=1" {
			t.Errorf("got %v, want the server's frame", u)
		}
	}, func(f *frames) {
		p, ok := f.next().(*http2.PingFrame)
		if !ok || p.IsAck() {
			t.Errorf("got %v, want the client's ping", p)
			return
		}
		f.must(f.WritePing(true, p.Data))
		u, ok := f.next().(*http2.UnknownFrame)
		if !ok || u.Type != 0xf1 || u.Flags != 3 {
			t.Errorf("got %v, want the client's frame", u)
			return
		}
		f.must(f.WriteRawFrame(0xf2, 0, 0, append([]byte("heard "), u.Payload()...)))
		f.untilClosed()
	})
}

// TestHTTP2PaddingIsRefunded sends padding until it would have used up a window.
func TestHTTP2PaddingIsRefunded(t *testing.T) {
	const frames1, pad = 600, 200
	sink := converse(t, Options{}, func(f *frames) {
		f.headers(1, false, plainGet...)
		for i := range frames1 {
			f.must(f.WriteDataPadded(1, i == frames1-1, []byte("x"), make([]byte, pad)))
		}
		f.readHeaders()
	}, func(f *frames) {
		f.readHeaders()
		n := 0
		for n < frames1 {
			d, ok := f.next().(*http2.DataFrame)
			if !ok {
				t.Errorf("got %v, want DATA", d)
				return
			}
			n += len(d.Data())
		}
		f.headers(1, true, [2]string{":status", "200"})
		f.untilClosed()
	})
	f := sink.finished(t, 1)
	if got := sink.body(1, flowpb.SideRequest); len(got) != frames1 || f.Error != nil {
		t.Errorf("recorded %d bytes, want %d; error %v", len(got), frames1, f.Error)
	}
}

// TestHTTP2LateFrames has DATA under way while the other side resets, more than
// the connection's window in all.
func TestHTTP2LateFrames(t *testing.T) {
	const streams = 20
	sink := converse(t, Options{}, func(f *frames) {
		for i := range streams {
			id := uint32(2*i + 1)
			f.headers(id, false, plainGet...)
			if _, ok := f.next().(*http2.RSTStreamFrame); !ok {
				t.Error("no reset came")
				return
			}
			f.must(f.WriteData(id, false, make([]byte, 8<<10)))
		}
		f.headers(99, true, plainGet...)
		f.readHeaders()
	}, func(f *frames) {
		for i := range streams {
			f.readHeaders()
			f.must(f.WriteRSTStream(uint32(2*i+1), http2.ErrCodeRefusedStream))
		}
		f.readHeaders()
		f.headers(99, true, [2]string{":status", "200"})
		f.untilClosed()
	})
	if f := sink.finished(t, streams+1); f.Error != nil {
		t.Errorf("last flow: got %v", f.Error)
	}
}

// TestHTTP2ExtendedConnect opens a WebSocket on a stream (RFC 8441).
func TestHTTP2ExtendedConnect(t *testing.T) {
	const ping, pong = "\x89\x80abcd", "\x8a\x00"
	sink := converse(t, Options{}, func(f *frames) {
		f.awaitConnectProtocol()
		f.headers(1, false, [2]string{":method", "CONNECT"}, [2]string{":protocol", "websocket"}, [2]string{":scheme", "http"},
			[2]string{":path", "/chat"}, [2]string{":authority", "a.test"}, [2]string{"sec-websocket-version", "13"})
		f.readHeaders()
		f.must(f.WriteData(1, false, []byte(ping)))
		if d, ok := f.next().(*http2.DataFrame); !ok || string(d.Data()) != pong {
			t.Errorf("got %v, want a pong", d)
		}
		f.must(f.WriteData(1, true, nil))
		if d, ok := f.next().(*http2.DataFrame); !ok || !d.StreamEnded() {
			t.Errorf("got %v, want the end", d)
		}
	}, func(f *frames) {
		f.must(f.WriteSettings(http2.Setting{ID: http2.SettingEnableConnectProtocol, Val: 1}))
		f.readHeaders()
		f.headers(1, false, [2]string{":status", "200"})
		f.next()
		f.must(f.WriteData(1, false, []byte(pong)))
		f.next()
		f.must(f.WriteData(1, true, nil))
		f.untilClosed()
	})
	f := sink.finished(t, 1)
	h := f.GetHttp()
	if f.Error != nil || h.Websocket == nil || h.Upgrade.GetClientBytes() != uint64(len(ping)) || string(h.Request.Protocol) != "websocket" || string(h.Request.PseudoOrder) != "mrspa" {
		t.Errorf("flow: got %v", f)
	}
	sink.mu.Lock()
	defer sink.mu.Unlock()
	if len(sink.messages) != 2 || sink.messages[0].Type != flowpb.MessagePing || sink.messages[1].Type != flowpb.MessagePong {
		t.Errorf("messages: got %v", sink.messages)
	}
}

// TestHTTP2Idle ends connections on which nothing is asked, without a fault.
func TestHTTP2Idle(t *testing.T) {
	began := time.Now()
	sink := converse(t, Options{Timeouts: Timeouts{KeepAlive: 100 * time.Millisecond}}, func(f *frames) {
		f.headers(1, true, plainGet...)
		f.readHeaders()
		if away := f.lastGoAway(); away == nil || away.ErrCode != http2.ErrCodeNo {
			t.Errorf("got %v", away)
		}
	}, func(f *frames) {
		f.readHeaders()
		f.headers(1, true, [2]string{":status", "200"})
		f.untilClosed()
	})
	if time.Since(began) > 15*time.Second {
		t.Error("the connection was not ended, it ran into the test's own limit")
	}
	if f := sink.finished(t, 1); f.Error != nil || sink.conn(1).Error != nil {
		t.Errorf("flow: got %v, connection %v", f.Error, sink.conn(1).Error)
	}
}

// TestHTTP2Silence fails the stream on which nothing moves, and not the one beside it.
func TestHTTP2Silence(t *testing.T) {
	const silence = 150 * time.Millisecond
	sink := converse(t, Options{Timeouts: Timeouts{Silence: silence}}, func(f *frames) {
		f.headers(1, false, plainGet...)
		f.headers(3, true, plainGet...)
		for f.must(f.WriteData(1, false, []byte("x"))); ; f.must(f.WriteData(1, false, []byte("x"))) {
			_ = f.SetReadDeadline(time.Now().Add(silence / 10))
			if frame, err := f.ReadFrame(); err == nil && frame.Header().StreamID == 3 {
				break
			}
		}
		_ = f.SetReadDeadline(time.Now().Add(20 * time.Second))
		f.must(f.WriteData(1, true, nil))
		for frame := f.next(); frame == nil || frame.Header().StreamID != 1; frame = f.next() {
			if frame == nil {
				t.Error("the other stream was not answered")
				return
			}
		}
	}, func(f *frames) {
		f.readHeaders()
		for {
			switch frame := f.next().(type) {
			case nil:
				return
			case *http2.DataFrame:
				if frame.StreamEnded() {
					f.headers(1, true, [2]string{":status", "204"})
				}
			}
		}
	})
	if f := sink.finished(t, 2); f.Error.GetCode() != flowpb.CodeTimeout || !strings.Contains(f.Error.Message, "the limit on silence") {
		t.Errorf("silent flow: got %v", f.Error)
	}
	if f := sink.finished(t, 1); f.Error != nil {
		t.Errorf("other flow: got %v", f.Error)
	}
}

// TestHTTP2GoAwayThenMore has requests after a server said which one was the last.
func TestHTTP2GoAwayThenMore(t *testing.T) {
	sink := converse(t, Options{}, func(f *frames) {
		f.headers(1, true, plainGet...)
		f.next() // the first word of going away: any stream may still come
		f.headers(3, true, plainGet...)
		f.next() // the last
		f.headers(5, true, plainGet...)
		if r, ok := f.next().(*http2.RSTStreamFrame); !ok || r.StreamID != 5 || r.ErrCode != http2.ErrCodeRefusedStream {
			t.Errorf("got %v, want stream 5 to be refused", r)
		}
		f.must(f.WritePing(false, [8]byte{}))
		for range 2 {
			if h, ok := f.next().(*http2.HeadersFrame); !ok {
				t.Errorf("got %v, want an answer", h)
			}
		}
	}, func(f *frames) {
		f.readHeaders()
		f.must(f.WriteGoAway(1<<31-1, http2.ErrCodeNo, nil))
		f.readHeaders()
		f.must(f.WriteGoAway(3, http2.ErrCodeNo, nil))
		f.next() // the ping
		f.headers(1, true, [2]string{":status", "204"})
		f.headers(3, true, [2]string{":status", "204"})
		f.untilClosed()
	})
	for id, want := range map[uint64]bool{1: false, 2: false, 3: true} {
		if f := sink.finished(t, id); (f.Error != nil) != want {
			t.Errorf("flow %d: got %v", id, f.Error)
		}
	}
}

// TestHTTP2Drain stops the server while requests are under way, relayed and translated.
func TestHTTP2Drain(t *testing.T) {
	for name, mode := range map[string]string{"relayed": "h2c", "translated": "http"} {
		t.Run(name, func(t *testing.T) {
			asked, answer := make(chan struct{}), make(chan struct{})
			srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == "PRI" { // the preface, which net/http takes for a request
					w.WriteHeader(http.StatusHTTPVersionNotSupported)
					return
				}
				asked <- struct{}{}
				<-answer
				w.WriteHeader(204)
			}))
			srv.Config.Protocols = new(http.Protocols)
			srv.Config.Protocols.SetUnencryptedHTTP2(mode == "h2c")
			srv.Config.Protocols.SetHTTP1(mode != "h2c")
			srv.Start()
			t.Cleanup(srv.Close)
			m, err := ParseMode("reverse:"+mode+"://"+srv.Listener.Addr().String(), "")
			if err != nil {
				t.Fatal(err)
			}
			sink := newMemory()
			s, err := Listen(t.Context(), Options{Mode: m, Listen: "127.0.0.1:0", Sink: sink, Timeouts: Timeouts{Drain: 20 * time.Second}})
			if err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithCancel(context.Background())
			defer stop()
			served := make(chan error, 1)
			go func() { served <- s.Serve(ctx) }()
			f := dialFrames(dial(t, s))
			f.headers(1, true, plainGet...)
			<-asked
			stop()
			if away, ok := f.next().(*http2.GoAwayFrame); !ok || away.LastStreamID != 1 || away.ErrCode != http2.ErrCodeNo {
				t.Errorf("got %v, want GOAWAY", away)
			}
			f.headers(3, true, plainGet...)
			if r, ok := f.next().(*http2.RSTStreamFrame); !ok || r.ErrCode != http2.ErrCodeRefusedStream {
				t.Errorf("got %v, want a refusal", r)
			}
			close(answer)
			if got := f.untilEnd(); got != "HEADERS 204" {
				t.Errorf("got %q", got)
			}
			began := time.Now()
			if err := <-served; err != nil || time.Since(began) > 10*time.Second {
				t.Errorf("Serve: got %v after %v", err, time.Since(began))
			}
			if f := sink.finished(t, 1); f.Error != nil {
				t.Errorf("flow 1: got %v", f.Error)
			}
			if f := sink.finished(t, 2); f.Error.GetCode() != flowpb.CodeStopped {
				t.Errorf("flow 2: got %v", f.Error)
			}
		})
	}
}

// TestHTTP2IdleHoldsNoBuffers has many connections each ask once, with more than a
// small buffer holds, and stay.
func TestHTTP2IdleHoldsNoBuffers(t *testing.T) {
	for name, mode := range map[string]string{"relayed": "h2c", "translated": "http"} {
		t.Run(name, func(t *testing.T) {
			const conns, size = 50, 20 << 10
			srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				_, _ = w.Write(body)
			}))
			srv.Config.Protocols = new(http.Protocols)
			srv.Config.Protocols.SetUnencryptedHTTP2(mode == "h2c")
			srv.Config.Protocols.SetHTTP1(mode != "h2c")
			srv.Start()
			t.Cleanup(srv.Close)
			m, err := ParseMode("reverse:"+mode+"://"+srv.Listener.Addr().String(), "")
			if err != nil {
				t.Fatal(err)
			}
			s, _ := start(t, Options{Mode: m})
			for range conns {
				cc := h2cClient(t, func() net.Conn { return dial(t, s).Conn })
				if _, body, err := ask(cc, h2Request("POST", "http://a.test/", bytes.NewReader(make([]byte, size)))); err != nil || len(body) != size {
					t.Fatalf("got %d bytes, %v", len(body), err)
				}
			}
			// A reader that waits already when the stream ends keeps its buffer until
			// it is sent something: a few do.
			for until := time.Now().Add(20 * time.Second); s.buffers.lent.Load() > conns/5; time.Sleep(time.Millisecond) {
				if time.Now().After(until) {
					t.Fatalf("%d idle connections hold %d large buffers", conns, s.buffers.lent.Load())
				}
			}
		})
	}
}

// lastGoAway takes frames until the end and returns the last GOAWAY.
func (f *frames) lastGoAway() (away *http2.GoAwayFrame) {
	f.t.Helper()
	for {
		frame := f.next()
		if frame == nil {
			return away
		}
		if a, ok := frame.(*http2.GoAwayFrame); ok {
			copied := *a
			away = &copied
		}
	}
}

// awaitConnectProtocol takes frames until the server offered extended CONNECT.
func (f *frames) awaitConnectProtocol() {
	f.t.Helper()
	for {
		frame, err := f.ReadFrame()
		if err != nil {
			f.t.Errorf("no offer of extended CONNECT: %v", err)
			return
		}
		if s, ok := frame.(*http2.SettingsFrame); ok && !s.IsAck() {
			f.must(f.WriteSettingsAck())
			if v, ok := s.Value(http2.SettingEnableConnectProtocol); ok && v == 1 {
				return
			}
		}
	}
}

// TestHTTP2GoAwayNeverGrows has a server take more after it said that it would not: the
// client is not told (RFC 9113 §6.8).
func TestHTTP2GoAwayNeverGrows(t *testing.T) {
	converse(t, Options{}, func(f *frames) {
		f.headers(1, true, [2]string{":method", "GET"}, [2]string{":scheme", "http"}, [2]string{":path", "/"})
		for range 2 {
			if g := f.nextGoAway(); g == nil || g.LastStreamID != 1 {
				f.t.Errorf("got %v, want GOAWAY with the last stream 1", g)
			}
		}
	}, func(f *frames) {
		f.readHeaders()
		f.must(f.WriteGoAway(1, http2.ErrCodeNo, nil))
		f.must(f.WriteGoAway(3, http2.ErrCodeNo, nil))
		f.headers(1, true, [2]string{":status", "200"})
		f.untilClosed()
	})
}

// nextGoAway takes frames up to a GOAWAY.
func (f *frames) nextGoAway() *http2.GoAwayFrame {
	for {
		frame, err := f.ReadFrame()
		if err != nil {
			return nil
		}
		if g, ok := frame.(*http2.GoAwayFrame); ok {
			return g
		}
	}
}
