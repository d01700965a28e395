package proxy

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"

	flowpb "weir/proto"
)

// proxyGet is the fields of a request that names its server.
func proxyGet(method, addr string, more ...[2]string) [][2]string {
	return append([][2]string{{":method", method}, {":scheme", "http"}, {":authority", addr}, {":path", "/"}}, more...)
}

// reverseH2C is a proxy before a server that speaks HTTP/2 frame by frame.
func reverseH2C(t *testing.T, opts Options, serve func(f *frames)) (*Server, *memory) {
	t.Helper()
	addr := origin(t, func(p *peer) { serve(serveFrames(p)) })
	m, err := ParseMode("reverse:h2c://"+addr, "")
	if err != nil {
		t.Fatal(err)
	}
	opts.Mode = m
	return start(t, opts)
}

// TestTranslatedResetClosesTheServer has a client reset while its server thinks.
func TestTranslatedResetClosesTheServer(t *testing.T) {
	closed := make(chan struct{})
	addr := origin(t, func(p *peer) {
		p.head()
		p.send("HTTP/1.1 200 OK\r\n\r\npart")
		_, _ = io.Copy(io.Discard, p.r)
		close(closed)
	})
	s, sink := start(t, Options{})
	f := dialFrames(dial(t, s))
	f.headers(1, true, proxyGet("GET", addr)...)
	f.readHeaders()
	f.must(f.WriteRSTStream(1, http2.ErrCodeCancel))
	<-closed
	if f := sink.finished(t, 1); f.Error.GetCode() != flowpb.CodeClientGone || !strings.Contains(f.Error.Message, "reset the stream (CANCEL)") {
		t.Errorf("flow: got %v", f.Error)
	}
}

// TestTranslatedServerBreaksOff has servers of HTTP/1 leave at various points.
func TestTranslatedServerBreaksOff(t *testing.T) {
	for name, tt := range map[string]struct {
		send, want string // of what the client sees
		message    string
	}{
		"before the answer": {"", "HEADERS 502 DATA", "without a response"},
		"in a length":       {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", "HEADERS 200 DATA RST_STREAM", "7 of 9 bytes missing"},
		"in a chunk":        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nok", "HEADERS 200 DATA RST_STREAM", "inside the chunked body"},
		"at the end":        {"HTTP/1.1 200 OK\r\n\r\nok", "HEADERS 200 DATA DATA", ""},
		"with 101":          {"HTTP/1.1 101 Go\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "RST_STREAM", "status 101"},
	} {
		t.Run(name, func(t *testing.T) {
			addr := origin(t, func(p *peer) {
				p.head()
				p.send(tt.send)
			})
			s, sink := start(t, Options{})
			f := dialFrames(dial(t, s))
			f.headers(1, true, proxyGet("GET", addr)...)
			if got := f.untilEnd(); got != tt.want {
				t.Errorf("the client saw %q, want %q", got, tt.want)
			}
			if got := sink.finished(t, 1).Error.GetMessage(); !strings.Contains(got, tt.message) || (got == "") != (tt.message == "") {
				t.Errorf("flow: got %q, want %q", got, tt.message)
			}
		})
	}
}

// untilEnd names the frames of a stream up to its end.
func (f *frames) untilEnd() string {
	var seen []string
	for {
		switch frame := f.next().(type) {
		case *http2.HeadersFrame:
			all, err := f.dec.DecodeFull(frame.HeaderBlockFragment())
			f.must(err)
			seen = append(seen, "HEADERS "+all[0].Value)
			if frame.StreamEnded() {
				return strings.Join(seen, " ")
			}
		case *http2.DataFrame:
			seen = append(seen, "DATA")
			if frame.StreamEnded() {
				return strings.Join(seen, " ")
			}
		case *http2.RSTStreamFrame:
			return strings.Join(append(seen, "RST_STREAM"), " ")
		case nil:
			return strings.Join(append(seen, "closed"), " ")
		}
	}
}

// TestTranslatedExpect lets 100 Continue through both ways.
func TestTranslatedExpect(t *testing.T) {
	addr := origin(t, func(p *peer) {
		if head := p.head(); !strings.Contains(head, "expect: 100-continue\r\n") {
			t.Errorf("got %q", head)
		}
		p.send("HTTP/1.1 100 Continue\r\n\r\n")
		p.expect("hello")
		p.send("HTTP/1.1 204 No Content\r\n\r\n")
	})
	s, sink := start(t, Options{})
	f := dialFrames(dial(t, s))
	f.headers(1, false, proxyGet("PUT", addr, [2]string{"expect", "100-continue"}, [2]string{"content-length", "5"})...)
	if got := fmt.Sprint(f.readHeaders()); got != "[[:status 100]]" {
		t.Errorf("got %s", got)
	}
	f.must(f.WriteData(1, true, []byte("hello")))
	if got := f.untilEnd(); got != "HEADERS 204" {
		t.Errorf("got %q", got)
	}
	if f := sink.finished(t, 1); f.Error != nil || len(f.GetHttp().Informational) != 1 {
		t.Errorf("flow: got %v", f)
	}
}

// TestTranslatedRefusals demands that what cannot be said in HTTP/1 reaches nobody.
func TestTranslatedRefusals(t *testing.T) {
	for name, fields := range map[string][][2]string{
		"a path with a blank": {{":method", "GET"}, {":scheme", "http"}, {":authority", "a.test"}, {":path", "/ HTTP/1.1"}},
		"capitals":            proxyGet("GET", "a.test", [2]string{"Capital", "x"}),
		"no server":           {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}},
	} {
		t.Run(name, func(t *testing.T) {
			s, sink := start(t, Options{Dial: func(context.Context, string, string) (net.Conn, error) {
				t.Error("the server was dialled")
				return nil, net.ErrClosed
			}})
			f := dialFrames(dial(t, s))
			f.headers(1, true, fields...)
			if r, ok := f.next().(*http2.RSTStreamFrame); !ok || r.ErrCode != http2.ErrCodeProtocol {
				t.Errorf("got %v, want a reset", r)
			}
			if f := sink.finished(t, 1); f.Error.GetCode() != flowpb.CodeProtocol || string(f.GetHttp().Request.Method) != "GET" {
				t.Errorf("flow: got %v", f)
			}
		})
	}
}

// TestConnectOverHTTP2 has a tunnel with TLS inside a stream.
func TestConnectOverHTTP2(t *testing.T) {
	addr, pool := h2Origin(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) })
	a, trust := authority(t)
	s, sink := start(t, Options{Authority: a, UpstreamCAs: pool})
	proxy := h2cClient(t, func() net.Conn { return dial(t, s).Conn })
	for id, protocol := range []string{"h2", "http/1.1"} {
		up, down := io.Pipe()
		req := &http.Request{Method: "CONNECT", URL: h2Request("GET", "http://"+addr, nil).URL, Host: addr, Body: up, Header: http.Header{}}
		res, err := proxy.RoundTrip(req)
		if err != nil || res.StatusCode != 200 {
			t.Fatalf("CONNECT: got %v, %v", res, err)
		}
		conn := tls.Client(&halves{Conn: nil, r: res.Body, w: down}, &tls.Config{RootCAs: trust, ServerName: "example.com", NextProtos: []string{protocol}})
		tr := &http.Transport{ForceAttemptHTTP2: protocol == "h2", DialTLSContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return conn, conn.HandshakeContext(ctx)
		}}
		_, body, err := ask(tr, h2Request("GET", "https://example.com/", nil))
		if err != nil || !strings.HasPrefix(body, "HTTP/") {
			t.Errorf("%s: got %q, %v", protocol, body, err)
		}
		f := sink.finished(t, uint64(id+1))
		if c := sink.conn(f.ClientConn); string(c.Tls.GetSni()) != "example.com" || c.Id == 1 || strings.HasPrefix(string(f.GetHttp().Request.Version), "HTTP/2") != (protocol == "h2") {
			t.Errorf("%s: connection %v of %v", protocol, c.Id, f)
		}
		tr.CloseIdleConnections()
		down.Close()
		res.Body.Close()
	}
}

// halves is a connection made of two streams.
type halves struct {
	net.Conn
	r io.ReadCloser
	w io.WriteCloser
}

func (h *halves) Read(p []byte) (int, error)       { return h.r.Read(p) }
func (h *halves) Write(p []byte) (int, error)      { return h.w.Write(p) }
func (h *halves) Close() error                     { h.w.Close(); return h.r.Close() }
func (h *halves) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (h *halves) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (h *halves) SetDeadline(time.Time) error      { return nil }
func (h *halves) SetReadDeadline(time.Time) error  { return nil }
func (h *halves) SetWriteDeadline(time.Time) error { return nil }

// TestTranslatedServerOfHTTP2 has one client of HTTP/1 meet what a server of HTTP/2 may do.
func TestTranslatedServerOfHTTP2(t *testing.T) {
	ok := [2]string{":status", "200"}
	for name, tt := range map[string]struct {
		serve   func(f *frames)
		answer  string // what the client gets, its beginning
		message string // of the flow
	}{
		"resets": {func(f *frames) { f.readHeaders(); f.must(f.WriteRSTStream(1, http2.ErrCodeRefusedStream)) }, "HTTP/1.1 502 ", "reset the stream (REFUSED_STREAM)"},
		"resets late": {func(f *frames) {
			f.readHeaders()
			f.headers(1, false, ok)
			f.must(f.WriteData(1, false, []byte("half")))
			f.must(f.WriteRSTStream(1, http2.ErrCodeInternal))
		}, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n", "reset the stream (INTERNAL_ERROR)"},
		"goes away": {func(f *frames) { f.readHeaders(); f.must(f.WriteGoAway(0, http2.ErrCodeNo, nil)) }, "HTTP/1.1 502 ", "did not take the request"},
		"closes":    {func(f *frames) { f.readHeaders() }, "HTTP/1.1 502 ", "the connection without a response"},
		"breaks a rule": {func(f *frames) {
			f.readHeaders()
			f.must(f.WriteRawFrame(http2.FramePing, 0, 0, []byte("short")))
			f.untilClosed()
		}, "HTTP/1.1 502 ", "PING of 5 bytes"},
		"is malformed": {func(f *frames) {
			f.readHeaders()
			f.headers(1, true, ok, [2]string{"connection", "x"})
			f.untilClosed()
		}, "HTTP/1.1 502 ", "a field of HTTP/1 connections"},
		"answers": {func(f *frames) { f.readHeaders(); f.headers(1, true, ok); f.untilClosed() }, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", ""},
		"pings": {func(f *frames) {
			f.must(f.WritePing(false, [8]byte{1}))
			f.readHeaders()
			if p, ok := f.next().(*http2.PingFrame); !ok || !p.IsAck() {
				f.t.Errorf("got %v, want an answer to the ping", p)
			}
			f.headers(1, true, ok)
			f.untilClosed()
		}, "HTTP/1.1 200 OK\r\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s, sink := reverseH2C(t, Options{}, tt.serve)
			c := dial(t, s)
			c.send("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\n\r\n")
			c.expect(tt.answer)
			f := sink.finished(t, 1)
			if got := f.Error.GetMessage(); !strings.Contains(got, tt.message) || (got == "") != (tt.message == "") {
				t.Errorf("flow: got %q, want %q", got, tt.message)
			}
		})
	}
}

// TestTranslatedKeptConnection has two requests share a connection, and a third
// one come after the server went away.
func TestTranslatedKeptConnection(t *testing.T) {
	conns := make(chan int, 4)
	s, sink := reverseH2C(t, Options{}, func(f *frames) {
		conns <- 1
		for id := uint32(1); ; id += 2 {
			if f.readHeaders() == nil {
				return
			}
			f.headers(id, true, [2]string{":status", "204"})
			if id == 3 {
				f.must(f.WriteGoAway(3, http2.ErrCodeNo, nil))
				f.untilClosed()
				return
			}
			if id == 1 && len(conns) > 1 {
				f.untilClosed()
				return
			}
		}
	})
	c := dial(t, s)
	for range 3 {
		c.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
		c.expect("HTTP/1.1 204 No Content\r\n\r\n")
	}
	for id := range uint64(3) {
		if f := sink.finished(t, id+1); f.Error != nil {
			t.Errorf("flow %d: got %v", id+1, f.Error)
		}
	}
	if len(conns) != 2 {
		t.Errorf("connections: got %d, want 2", len(conns))
	}
}

// TestTranslatedSmallWindow has a server that takes one byte at a time.
func TestTranslatedSmallWindow(t *testing.T) {
	s, sink := reverseH2C(t, Options{}, func(f *frames) {
		f.must(f.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0}))
		f.readHeaders()
		got := ""
		for len(got) < 5 {
			f.must(f.WriteWindowUpdate(1, 1))
			d, ok := f.next().(*http2.DataFrame)
			if !ok {
				t.Errorf("got %v, want DATA", d)
				return
			}
			got += string(d.Data())
		}
		if got != "hello" {
			t.Errorf("got %q", got)
		}
		f.headers(1, true, [2]string{":status", "204"})
		f.untilClosed()
	})
	c := dial(t, s)
	c.send("PUT / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello")
	c.expect("HTTP/1.1 204 No Content\r\n\r\n")
	if f := sink.finished(t, 1); f.Error != nil || f.GetHttp().Request.Body.State != flowpb.BodyComplete {
		t.Errorf("flow: got %v", f)
	}
}

// TestTranslatedSilence fails the stream on which nothing moves, and no other.
func TestTranslatedSilence(t *testing.T) {
	addr := origin(t, func(p *peer) {
		if strings.Contains(p.head(), "x-quick") {
			p.send("HTTP/1.1 204 No Content\r\n\r\n")
		}
		_, _ = io.Copy(io.Discard, p.r)
	})
	s, sink := start(t, Options{Timeouts: Timeouts{Silence: 50 * time.Millisecond}})
	f := dialFrames(dial(t, s))
	f.headers(1, true, proxyGet("GET", addr)...)
	if got := f.untilEnd(); !strings.HasPrefix(got, "HEADERS 502") {
		t.Errorf("got %q", got)
	}
	f.headers(3, true, proxyGet("GET", addr, [2]string{"x-quick", "1"})...)
	if got := f.untilEnd(); got != "HEADERS 204" {
		t.Errorf("got %q", got)
	}
	if f := sink.finished(t, 1); f.Error.GetCode() != flowpb.CodeTimeout {
		t.Errorf("flow: got %v", f.Error)
	}
}

// TestTranslatedLogin asks for a password over HTTP/2, once a request.
func TestTranslatedLogin(t *testing.T) {
	addr := origin(t, func(p *peer) {
		if head := p.head(); strings.Contains(head, "proxy-authorization") {
			t.Errorf("the login reached the server: %q", head)
		}
		p.send("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
	})
	var asked atomic.Int64
	s, sink := start(t, Options{Auth: &oneUser{"u", "p", &asked}})
	f := dialFrames(dial(t, s))
	f.headers(1, true, proxyGet("GET", addr)...)
	if got := f.untilEnd(); !strings.HasPrefix(got, "HEADERS 407") {
		t.Errorf("got %q", got)
	}
	login := [2]string{"proxy-authorization", "Basic dTpw"}
	for _, id := range []uint32{3, 5} {
		f.headers(id, true, proxyGet("GET", addr, login)...)
		if got := f.untilEnd(); got != "HEADERS 204" {
			t.Errorf("got %q", got)
		}
	}
	if asked.Load() != 1 {
		t.Errorf("the login was verified %d times, want once", asked.Load())
	}
	if f := sink.finished(t, 2); f.Error != nil || strings.Contains(f.String(), "dTpw") {
		t.Errorf("flow: got %v", f)
	}
}

// oneUser is an Authenticator.
type oneUser struct {
	name, password string
	asked          *atomic.Int64
}

func (u *oneUser) Verify(name, password string) bool {
	u.asked.Add(1)
	return u.name == name && u.password == password
}

// TestTranslatedBehindProxy has requests of HTTP/2 go on through another proxy.
func TestTranslatedBehindProxy(t *testing.T) {
	addr, _ := h1Origin(t, false, echo)
	inner, innerSink := start(t, Options{})
	m, err := ParseMode("upstream:http://"+inner.Addr().String(), "")
	if err != nil {
		t.Fatal(err)
	}
	outer, sink := start(t, Options{Mode: m})
	for name, dialled := range map[string]func() net.Conn{
		"named in each request": func() net.Conn { return dial(t, outer).Conn },
		"in a tunnel":           func() net.Conn { return tunnel(t, outer, addr).Conn },
	} {
		cc := h2cClient(t, dialled)
		if _, body, err := ask(cc, h2Request("GET", "http://"+addr+"/x", nil)); err != nil || !strings.HasPrefix(body, "HTTP/1.1 GET "+addr+" /x ") {
			t.Errorf("%s: got %q, %v", name, body, err)
		}
	}
	for id := range uint64(2) {
		if f := sink.finished(t, id+1); f.Error != nil || string(f.GetHttp().Request.Version) != "HTTP/2" {
			t.Errorf("outer flow: got %v", f)
		}
	}
	innerSink.await(t, "two flows", func() bool { return len(innerSink.flows) >= 2 })
}
