package proxy

import (
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"

	"github.com/coder/websocket"
	"golang.org/x/net/http2"

	flowpb "weir/proto"
)

// reverseSockets is reverseH2C before a server that takes WebSocket, and says so at once.
func reverseSockets(t *testing.T, opts Options, serve func(f *frames)) (*Server, *memory) {
	t.Helper()
	addr := origin(t, func(p *peer) {
		p.expect(http2.ClientPreface)
		f := newFrames(p)
		f.must(f.WriteSettings(http2.Setting{ID: http2.SettingEnableConnectProtocol, Val: 1}))
		serve(f)
	})
	m, err := ParseMode("reverse:h2c://"+addr, "")
	if err != nil {
		t.Fatal(err)
	}
	opts.Mode = m
	return start(t, opts)
}

// serveSocket takes one WebSocket as a server of HTTP/2, and returns the fields of its request.
func serveSocket(f *frames, answer ...[2]string) (fields [][2]string) {
	fields = f.readHeaders()
	f.headers(1, false, append([][2]string{{":status", "200"}}, answer...)...)
	return fields
}

// socketRequest is what a client of HTTP/2 asks a proxy for a WebSocket with.
func socketRequest(addr string, more ...[2]string) [][2]string {
	return append([][2]string{
		{":method", "CONNECT"}, {":protocol", "websocket"}, {":scheme", "http"}, {":authority", addr}, {":path", "/"}, {"sec-websocket-version", "13"},
	}, more...)
}

// upgradeRequest is the same in HTTP/1.
const upgradeRequest = "GET /chat HTTP/1.1\r\nHost: a.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: a, b\r\n\r\n"

// A closing and its answer, masked and not.
const (
	clientClose = "\x88\x82\x00\x00\x00\x00\x03\xe8"
	serverClose = "\x88\x02\x03\xe8"
)

// readData reads DATA up to so many bytes and returns them.
func (f *frames) readData(n int) (out string, ended bool) {
	f.t.Helper()
	for len(out) < n {
		d, ok := f.next().(*http2.DataFrame)
		if !ok {
			f.t.Errorf("got no DATA behind %q", out)
			return out, false
		}
		out += string(d.Data())
		ended = d.StreamEnded()
	}
	return out, ended
}

// TestSocketToServerOfHTTP2 has a client of HTTP/1 talk to a server that has HTTP/2 alone.
func TestSocketToServerOfHTTP2(t *testing.T) {
	var asked [][2]string
	s, sink := reverseSockets(t, Options{}, func(f *frames) {
		asked = serveSocket(f, [2]string{"sec-websocket-protocol", "b"}, [2]string{"x", "1"})
		const message = "\x81\x82\x00\x00\x00\x00hi"
		if got, _ := f.readData(len(message)); got != message {
			f.t.Errorf("server: got %q", got)
		}
		f.must(f.WriteData(1, false, []byte("\x81\x03you")))
		if got, _ := f.readData(len(clientClose)); got != clientClose {
			f.t.Errorf("server: got %q", got)
		}
		f.must(f.WriteData(1, true, []byte(serverClose)))
		f.untilClosed()
	})
	p := dial(t, s)
	p.send(upgradeRequest)
	p.expect("HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n" +
		"sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nsec-websocket-protocol: b\r\nx: 1\r\n\r\n")
	p.send("\x81\x82\x00\x00\x00\x00hi")
	p.expect("\x81\x03you")
	p.send(clientClose)
	p.expect(serverClose)
	if got := p.rest(); got != "" {
		t.Errorf("behind the end: got %q", got)
	}
	_ = p.Close()
	f := sink.finished(t, 1)
	h := f.GetHttp()
	if got := fmt.Sprint(asked); !strings.HasPrefix(got, "[[:method CONNECT] [:protocol websocket] [:scheme http] ") || strings.Contains(got, "key") {
		t.Errorf("asked: got %s", got)
	}
	if f.Error != nil || h.Websocket.GetCloseCode() != 1000 || string(h.Request.Version) != "HTTP/1.1" || string(h.Response.Version) != "HTTP/2" || h.Response.Status != 200 {
		t.Errorf("flow: got %v", f)
	}
	sink.mu.Lock()
	defer sink.mu.Unlock()
	if len(sink.messages) != 4 || len(sink.flows) != 1 {
		t.Errorf("got %d messages of %d flows, want 4 of 1", len(sink.messages), len(sink.flows))
	}
}

// TestSocketThatIsNotOffered has a server of HTTP/2 that knows no extended CONNECT
// answer as it would to any request.
func TestSocketThatIsNotOffered(t *testing.T) {
	s, sink := reverseH2C(t, Options{}, func(f *frames) {
		if got := fmt.Sprint(f.readHeaders()); !strings.HasPrefix(got, "[[:method GET]") {
			f.t.Errorf("asked: got %s", got)
		}
		f.headers(1, true, [2]string{":status", "426"})
		f.untilClosed()
	})
	p := dial(t, s)
	p.send(upgradeRequest)
	p.expect("HTTP/1.1 426 ")
	if f := sink.finished(t, 1); f.Error != nil || !strings.Contains(metaOf(f, "not passed on"), "Upgrade: websocket") {
		t.Errorf("flow: got %v", f)
	}
}

// TestSocketFromClientOfHTTP2 has a client of HTTP/2 talk to a server of HTTP/1, each
// form of whose answer is checked.
func TestSocketFromClientOfHTTP2(t *testing.T) {
	addr := strings.TrimPrefix(echoSockets(t, websocket.AcceptOptions{Subprotocols: []string{"b"}, InsecureSkipVerify: true}), "http://")
	s, sink := start(t, Options{})
	f := dialFrames(dial(t, s))
	f.awaitConnectProtocol()
	f.headers(1, false, socketRequest(addr, [2]string{"sec-websocket-protocol", "a, b"}, [2]string{"origin", "http://else.test"})...)
	if got := fmt.Sprint(f.readHeaders()); !strings.Contains(got, "[[:status 200]") || !strings.Contains(got, "[sec-websocket-protocol b]") || strings.Contains(got, "accept") {
		t.Errorf("answer: got %s", got)
	}
	f.must(f.WriteData(1, false, []byte("\x81\x82\x00\x00\x00\x00hi")))
	if got, _ := f.readData(4); got != "\x81\x02hi" {
		t.Errorf("got %q, want an echo", got)
	}
	f.must(f.WriteData(1, true, []byte(clientClose)))
	if got, _ := f.readData(len(serverClose)); got != serverClose {
		t.Errorf("got %q, want a close", got)
	}
	flow := sink.finished(t, 1)
	h := flow.GetHttp()
	if flow.Error != nil || h.Websocket.GetCloseCode() != 1000 || string(h.Request.Method) != "CONNECT" || string(h.Request.Protocol) != "websocket" || h.Response.Status != 101 || h.StreamId != 1 {
		t.Errorf("flow: got %v", flow)
	}
	sink.mu.Lock()
	defer sink.mu.Unlock()
	if len(sink.messages) != 4 || len(sink.flows) != 1 {
		t.Errorf("got %d messages of %d flows, want 4 of 1", len(sink.messages), len(sink.flows))
	}
}

// TestSocketThatIsRefused has servers of HTTP/1 not agree to what a client of HTTP/2 asks for.
func TestSocketThatIsRefused(t *testing.T) {
	for name, tt := range map[string]struct{ answer, want, message string }{
		"refused":     {"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n", "[[:status 403]", ""},
		"ignored":     {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "RST_STREAM", "status 200 instead of 101"},
		"wrong key":   {"HTTP/1.1 101 Go\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n", "RST_STREAM", "does not fit the key"},
		"another one": {"HTTP/1.1 101 Go\r\nUpgrade: foo\r\nConnection: upgrade\r\n\r\n", "RST_STREAM", `status 101 for "foo"`},
	} {
		t.Run(name, func(t *testing.T) {
			addr := origin(t, func(p *peer) { p.head(); p.send(tt.answer); _, _ = io.Copy(io.Discard, p.r) })
			s, sink := start(t, Options{})
			f := dialFrames(dial(t, s))
			f.headers(1, false, socketRequest(addr)...)
			var got string
			switch frame := f.next().(type) {
			case *http2.HeadersFrame:
				fields, err := f.dec.DecodeFull(frame.HeaderBlockFragment())
				got = fmt.Sprintf("[[%s %s]", fields[0].Name, fields[0].Value)
				if err != nil {
					t.Error(err)
				}
			case *http2.RSTStreamFrame:
				got = "RST_STREAM"
			}
			if got != tt.want {
				t.Errorf("client: got %s, want %s", got, tt.want)
			}
			if flow := sink.finished(t, 1); !strings.Contains(flow.Error.GetMessage(), tt.message) || (flow.Error == nil) != (tt.message == "") {
				t.Errorf("flow: got %v, want %q", flow.Error, tt.message)
			}
		})
	}
}

// TestSocketResets has either end of a translated WebSocket break off: the other is
// told as its version does.
func TestSocketResets(t *testing.T) {
	t.Run("client of HTTP/2", func(t *testing.T) {
		reset := make(chan error, 1)
		addr := origin(t, func(p *peer) {
			key := fieldOf(p.head(), "sec-websocket-key")
			p.send("HTTP/1.1 101 Go\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: " + acceptFor(key) + "\r\n\r\n")
			_, err := p.r.ReadByte()
			reset <- err
		})
		s, sink := start(t, Options{})
		f := dialFrames(dial(t, s))
		f.headers(1, false, socketRequest(addr)...)
		f.readHeaders()
		f.must(f.WriteRSTStream(1, http2.ErrCodeCancel))
		if err := <-reset; !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the server: got %v, want a reset", err)
		}
		if flow := sink.finished(t, 1); flow.Error.GetCode() != flowpb.CodeClientGone || !strings.Contains(flow.Error.Message, "reset the stream (CANCEL)") {
			t.Errorf("flow: got %v", flow.Error)
		}
	})
	t.Run("client of HTTP/1", func(t *testing.T) {
		reset := make(chan http2.Frame, 1)
		s, sink := reverseSockets(t, Options{}, func(f *frames) {
			serveSocket(f)
			reset <- f.next()
			f.untilClosed()
		})
		p := dial(t, s)
		p.send(upgradeRequest)
		p.head()
		abort(p.Conn)
		if r, ok := (<-reset).(*http2.RSTStreamFrame); !ok || r.ErrCode != http2.ErrCodeCancel {
			t.Errorf("the server: got %v, want RST_STREAM", r)
		}
		if flow := sink.finished(t, 1); flow.Error.GetCode() != flowpb.CodeClientGone {
			t.Errorf("flow: got %v", flow.Error)
		}
	})
}

// TestConnectToServerOfHTTP2 has a client of HTTP/1 open a tunnel in its tunnel.
func TestConnectToServerOfHTTP2(t *testing.T) {
	s, sink := reverseH2C(t, Options{}, func(f *frames) {
		if got := fmt.Sprint(f.readHeaders()); got != "[[:method CONNECT] [:authority a.test:1]]" {
			f.t.Errorf("asked: got %s", got)
		}
		f.headers(1, true, [2]string{":status", "405"})
		if r, ok := f.next().(*http2.RSTStreamFrame); !ok || r.StreamID != 1 {
			f.t.Errorf("got %v, want the end of the refused stream", r)
		}
		f.readHeaders()
		f.headers(3, false, [2]string{":status", "200"})
		if got, _ := f.readData(5); got != "hello" {
			f.t.Errorf("server: got %q", got)
		}
		f.must(f.WriteData(3, true, []byte("world")))
		f.untilClosed()
	})
	p := dial(t, s)
	p.send("CONNECT a.test:1 HTTP/1.1\r\nHost: a.test:1\r\n\r\n")
	p.expect("HTTP/1.1 405 Method Not Allowed\r\n")
	p.head()
	p.send("CONNECT a.test:2 HTTP/1.1\r\nHost: a.test:2\r\n\r\n")
	p.expect("HTTP/1.1 200 OK\r\n\r\n")
	p.send("hello")
	p.expect("world")
	_ = p.Close()
	first, second := sink.finished(t, 1), sink.finished(t, 2)
	if first.Error != nil || first.GetHttp().Response.Status != 405 || second.Error != nil || second.GetHttp().Upgrade.GetServerBytes() != 5 {
		t.Errorf("flows: got %v and %v", first, second)
	}
}

// fieldOf returns the value of a field of a head.
func fieldOf(head, name string) string {
	for line := range strings.SplitSeq(head, "\r\n") {
		if n, value, ok := strings.Cut(line, ": "); ok && strings.EqualFold(n, name) {
			return value
		}
	}
	return ""
}

// acceptFor is what a server answers to a key (RFC 6455 §4.2.2).
func acceptFor(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}
