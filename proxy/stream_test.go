package proxy

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	flowpb "weir/proto"
)

// TestExpect has both halves of an exchange move at once: the client sends its
// body only after the origin's 100, and reads part of the response before it
// goes on.
func TestExpect(t *testing.T) {
	addr := origin(t, func(p *peer) {
		p.head()
		p.send("HTTP/1.1 100 Continue\r\n\r\n")
		p.expect("abc")
		p.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nok")
		p.expect("def")
		p.send("ay")
	})
	s, sink := start(t, Options{})
	c := dial(t, s)
	c.send("PUT http://" + addr + "/ HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 6\r\n\r\n")
	c.expect("HTTP/1.1 100 Continue\r\n\r\n")
	c.send("abc")
	c.expect("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nok")
	c.send("def")
	c.expect("ay")
	f := sink.finished(t, 1)
	if f.State != flowpb.StateComplete || len(f.GetHttp().Informational) != 1 || f.GetHttp().Informational[0].Status != 100 {
		t.Errorf("got %v", f)
	}
	if got := sink.body(1, flowpb.SideRequest); got != "abcdef" {
		t.Errorf("request body: got %q", got)
	}
}

// TestEventsPassAsTheyCome is a stream without end: each event must arrive
// before the next one is sent, and be recorded before it arrives.
func TestEventsPassAsTheyCome(t *testing.T) {
	next := make(chan struct{})
	addr := origin(t, func(p *peer) {
		p.head()
		p.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
		for i := range 3 {
			<-next
			p.send(fmt.Sprintf("data: %d\n\n", i))
		}
	})
	s, sink := start(t, Options{})
	c := dial(t, s)
	c.send(get(addr))
	c.head()
	for i := range 3 {
		next <- struct{}{}
		c.expect(fmt.Sprintf("data: %d\n\n", i))
		sink.mu.Lock()
		if got := len(sink.bodies[bodyKey{1, flowpb.SideResponse}]); got != 9*(i+1) {
			t.Errorf("recorded after event %d: got %d bytes", i, got)
		}
		if got := sink.messages; len(got) != i+1 || got[i].Type != flowpb.MessageEvent || string(got[i].Content) != fmt.Sprint(i) {
			t.Errorf("messages after event %d: got %v", i, got)
		}
		if got := sink.flows[0].State; i < 2 && got != flowpb.StateResponse {
			t.Errorf("state: got %v", got)
		}
		sink.mu.Unlock()
	}
	if rest := c.rest(); rest != "" {
		t.Errorf("rest: got %q", rest)
	}
	if f := sink.finished(t, 1); f.State != flowpb.StateComplete || f.GetHttp().Response.Body.State != flowpb.BodyComplete {
		t.Errorf("got %v", f)
	}
}

// TestHeadsInPieces has the origin's heads arrive byte by byte and glued together.
func TestHeadsInPieces(t *testing.T) {
	const response = "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	for cut := 1; cut < len(response) && !t.Failed(); cut++ {
		addr := origin(t, func(p *peer) {
			p.head()
			p.send(response[:cut])
			time.Sleep(time.Millisecond) // so that it mostly arrives in two reads
			p.send(response[cut:])
			p.head()
		})
		s, sink := start(t, Options{})
		c := dial(t, s)
		c.send(get(addr))
		c.expect(response)
		if f := sink.finished(t, 1); len(f.GetHttp().Informational) != 2 || string(f.GetHttp().Informational[0].Headers[0].Value) != "a" {
			t.Fatalf("cut at %d: got %v", cut, f)
		}
	}
}

func TestEarlyResponse(t *testing.T) {
	t.Run("the origin closes", func(t *testing.T) {
		addr := origin(t, func(p *peer) {
			p.head()
			p.send("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
		})
		s, sink := start(t, Options{})
		c := dial(t, s)
		c.send("POST http://" + addr + "/ HTTP/1.1\r\nContent-Length: 1000000\r\n\r\nabc")
		c.expect("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
		c.rest()
		f := sink.finished(t, 1)
		if f.State != flowpb.StateComplete || f.GetHttp().Request.Body.State != flowpb.BodyCut || f.GetHttp().Request.Body.Size != 3 {
			t.Errorf("got %v", f)
		}
	})
	t.Run("the client leaves with it", func(t *testing.T) {
		addr := origin(t, func(p *peer) {
			p.head()
			p.send("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n")
			_, _ = io.Copy(io.Discard, p.r)
		})
		s, sink := start(t, Options{})
		c := dial(t, s)
		c.send("POST http://" + addr + "/ HTTP/1.1\r\nContent-Length: 6\r\n\r\nabc")
		c.expect("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n")
		c.Close()
		if f := sink.finished(t, 1); f.State != flowpb.StateComplete || f.GetHttp().Request.Body.State != flowpb.BodyCut {
			t.Errorf("got %v", f)
		}
	})
	t.Run("the origin reads on", func(t *testing.T) {
		addr := origin(t, func(p *peer) {
			p.head()
			p.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
			p.expect("abcdef")
			p.head()
			p.send("HTTP/1.1 204 No Content\r\n\r\n")
		})
		s, sink := start(t, Options{})
		c := dial(t, s)
		c.send("POST http://" + addr + "/ HTTP/1.1\r\nContent-Length: 6\r\n\r\nabc")
		c.expect("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		c.send("def" + get(addr)) // and the next request right behind it
		c.expect("HTTP/1.1 204 No Content\r\n\r\n")
		if f := sink.finished(t, 1); f.State != flowpb.StateComplete || f.GetHttp().Request.Body.State != flowpb.BodyComplete {
			t.Errorf("got %v", f)
		}
	})
}

// TestHalfClose has the client close its sending half, as nc does, and still
// get its answer, with and without a body behind the head.
func TestHalfClose(t *testing.T) {
	for _, request := range []string{"GET http://%s/ HTTP/1.0\r\n\r\n", "POST http://%s/ HTTP/1.0\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("x", 100000)} {
		addr := origin(t, func(p *peer) {
			if head := p.head(); strings.HasPrefix(head, "POST") {
				p.expect(strings.Repeat("x", 100000))
			}
			time.Sleep(watchAfter / 100) // so that the end is mostly seen before the answer
			p.send("HTTP/1.0 200 OK\r\n\r\nanswer")
		})
		s, sink := start(t, Options{})
		c := dial(t, s)
		c.send(fmt.Sprintf(request, addr))
		_ = c.Conn.(*net.TCPConn).CloseWrite()
		c.expect("HTTP/1.0 200 OK\r\n\r\nanswer")
		if f := sink.finished(t, 1); f.Error != nil {
			t.Errorf("got %v", f)
		}
	}
}

func TestClientGone(t *testing.T) {
	t.Run("in a download", func(t *testing.T) {
		gone := make(chan struct{})
		addr := origin(t, func(p *peer) {
			p.head()
			p.send("HTTP/1.1 200 OK\r\nContent-Length: 100000000000\r\n\r\n")
			junk := make([]byte, 1<<20)
			for {
				if _, err := p.Write(junk); err != nil {
					close(gone)
					return
				}
			}
		})
		s, sink := start(t, Options{})
		sink.onBody = func(flowpb.Side, []byte) {}
		c := dial(t, s)
		c.send(get(addr))
		c.head()
		c.Close()
		<-gone // the origin is let go too
		f := sink.finished(t, 1)
		if f.Error.GetCode() != flowpb.CodeClientGone || f.GetHttp().Response.Body.State != flowpb.BodyCut {
			t.Errorf("got %v", f)
		}
	})
	t.Run("reset while it waits", func(t *testing.T) {
		addr := origin(t, func(p *peer) {
			p.head()
			p.rest()
		})
		s, sink := start(t, Options{})
		c := dial(t, s)
		c.send(get(addr))
		sink.await(t, "request", func() bool { return len(sink.flows) == 1 })
		abort(c.Conn)
		if f := sink.finished(t, 1); f.Error.GetCode() != flowpb.CodeClientGone {
			t.Errorf("got %v", f)
		}
	})
	t.Run("closed while it waits", func(t *testing.T) {
		closed, gone := make(chan struct{}), make(chan struct{})
		addr := origin(t, func(p *peer) {
			p.head()
			<-closed
			p.send("HTTP/1.1 200 OK\r\n\r\n")
			for junk := make([]byte, 64<<10); ; {
				if _, err := p.Write(junk); err != nil {
					close(gone)
					return
				}
			}
		})
		s, sink := start(t, Options{})
		sink.onBody = func(flowpb.Side, []byte) {}
		c := dial(t, s)
		c.send(get(addr))
		sink.await(t, "request", func() bool { return len(sink.flows) == 1 })
		c.Close()
		close(closed)
		<-gone
		if f := sink.finished(t, 1); f.Error.GetCode() != flowpb.CodeClientGone {
			t.Errorf("got %v", f)
		}
	})
	t.Run("in an upload", func(t *testing.T) {
		addr := origin(t, func(p *peer) { _, _ = io.Copy(io.Discard, p.r) })
		s, sink := start(t, Options{})
		c := dial(t, s)
		c.send("POST http://" + addr + "/ HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc")
		sink.await(t, "body", func() bool { return len(sink.bodies) == 1 })
		c.Close()
		if f := sink.finished(t, 1); f.Error.GetCode() != flowpb.CodeClientGone || f.GetHttp().Request.Body.State != flowpb.BodyCut {
			t.Errorf("got %v", f)
		}
	})
}

// TestBackPressure lets the sink block: then the origin cannot send on, and
// what is in flight stays below the socket buffers and ours.
func TestBackPressure(t *testing.T) {
	const most = 16 << 20 // kernel buffers are generous on loopback
	var sent, recorded atomic.Int64
	stuck, release := make(chan struct{}), make(chan struct{})
	addr := origin(t, func(p *peer) {
		p.head()
		p.send("HTTP/1.1 200 OK\r\n\r\n")
		junk := make([]byte, 64<<10)
		for range 4 * most / len(junk) {
			n, err := p.Write(junk)
			sent.Add(int64(n))
			if err != nil {
				return
			}
		}
	})
	s, sink := start(t, Options{})
	var blocked atomic.Bool
	sink.onBody = func(_ flowpb.Side, p []byte) {
		if recorded.Add(int64(len(p))) > 1<<20 && blocked.CompareAndSwap(false, true) {
			close(stuck)
			<-release
		}
	}
	c := dial(t, s)
	c.send(get(addr))
	c.head()
	done := make(chan int64)
	go func() {
		n, _ := io.Copy(io.Discard, c.r)
		done <- n
	}()
	<-stuck
	for last := int64(-1); last != sent.Load(); { // until the origin stands still
		last = sent.Load()
		time.Sleep(50 * time.Millisecond)
	}
	if got := sent.Load() - recorded.Load(); got > most {
		t.Errorf("in flight while the sink blocks: %d bytes", got)
	}
	close(release)
	if n := <-done; n != 4*most {
		t.Errorf("passed on: got %d bytes, want %d", n, 4*most)
	}
}

func TestUpgradePassesRawBytes(t *testing.T) {
	const accepted = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: chat\r\nConnection: Upgrade\r\n\r\n"
	addr := origin(t, func(p *peer) {
		p.head()
		p.send(accepted + "hello")
		p.expect("ping")
		p.send("pong")
		p.expect("bye")
	})
	s, sink := start(t, Options{})
	c := dial(t, s)
	c.send("GET http://" + addr + "/ HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n")
	c.expect(accepted + "hello")
	sink.await(t, "open flow", func() bool { return len(sink.messages) == 1 && sink.flows[0].State == flowpb.StateOpen })
	c.send("ping")
	c.expect("pong")
	c.send("bye")
	if rest := c.rest(); rest != "" {
		t.Errorf("rest: got %q", rest)
	}
	c.Close()
	f := sink.finished(t, 1)
	u := f.GetHttp().Upgrade
	if f.Error != nil || string(u.Protocol) != "chat" || u.ClientBytes != 7 || u.ServerBytes != 9 || u.EndedNs == 0 {
		t.Errorf("got %v", f)
	}
	var client, server []byte
	for _, m := range sink.messages {
		if m.Side == flowpb.SideRequest {
			client = append(client, m.Content...)
		} else {
			server = append(server, m.Content...)
		}
	}
	if string(client) != "pingbye" || string(server) != "hellopong" {
		t.Errorf("messages: got %q and %q", client, server)
	}
}

func TestTunnels(t *testing.T) {
	echo := origin(t, func(p *peer) {
		line, _ := p.r.ReadString('\n')
		p.send("you said " + line)
		if line == "all\n" {
			p.send(p.rest())
		}
	})
	greets := origin(t, func(p *peer) {
		p.send("220 ready\r\n")
		p.expect("EHLO x\r\n")
		p.send("250 ok\r\n")
	})
	plain := origin(t, func(p *peer) {
		p.expect("GET /x HTTP/1.1\r\nA:1\r\n\r\n")
		p.send("HTTP/1.1 204 No Content\r\n\r\n")
	})
	opts := Options{Timeouts: Timeouts{Peek: 20 * time.Millisecond}}
	t.Run("unknown protocol", func(t *testing.T) {
		s, sink := start(t, opts)
		c := tunnel(t, s, echo)
		c.send("\x00\x01hi\n")
		c.expect("you said \x00\x01hi\n")
		c.rest()
		c.Close()
		if f := sink.finished(t, 1); f.GetTcp() == nil || f.GetTcp().ClientBytes != 5 || f.GetTcp().ServerBytes != 14 || f.Error != nil || len(sink.messages) != int(f.GetTcp().Messages) {
			t.Errorf("got %v", f)
		}
	})
	t.Run("half-close", func(t *testing.T) {
		s, _ := start(t, opts)
		c := tunnel(t, s, echo)
		c.send("all\nthe rest")
		_ = c.Conn.(*net.TCPConn).CloseWrite()
		c.expect("you said all\nthe rest")
	})
	t.Run("the server speaks first", func(t *testing.T) {
		s, sink := start(t, opts)
		c := tunnel(t, s, greets)
		c.expect("220 ready\r\n")
		c.send("EHLO x\r\n")
		c.expect("250 ok\r\n")
		c.Close()
		if f := sink.finished(t, 1); f.GetTcp() == nil {
			t.Errorf("got %v", f)
		}
	})
	t.Run("the client speaks late", func(t *testing.T) {
		s, sink := start(t, opts)
		c := tunnel(t, s, plain)
		sink.await(t, "server connection", func() bool { return len(sink.conns) == 2 })
		c.send("GET /x HT")
		c.send("TP/1.1\r\nA:1\r\n\r\n")
		c.expect("HTTP/1.1 204 No Content\r\n\r\n")
		f := sink.finished(t, 1)
		if got := string(f.GetHttp().GetRequest().GetScheme()); got != "http" || f.ServerConn != 2 {
			t.Errorf("got %v", f)
		}
	})
	t.Run("nobody there", func(t *testing.T) {
		s, sink := start(t, opts)
		c := tunnel(t, s, "127.0.0.1:1")
		c.send("\x00\x01")
		c.rest()
		if f := sink.finished(t, 1); f.GetTcp() == nil || f.Error.GetCode() != flowpb.CodeConnect {
			t.Errorf("got %v", f)
		}
	})
	t.Run("TLS without an authority", func(t *testing.T) {
		addr, pool := secureOrigin(t, nil)
		s, sink := start(t, opts)
		conn := tls.Client(tunnel(t, s, addr).Conn, &tls.Config{RootCAs: pool, ServerName: "example.com"})
		if err := conn.Handshake(); err != nil {
			t.Fatal(err)
		}
		conn.Close()
		if f := sink.finished(t, 1); f.GetTcp() == nil {
			t.Errorf("got %v", f)
		}
	})
}

func TestStopRecordsWhatWasOpen(t *testing.T) {
	addr := origin(t, func(p *peer) {
		p.head()
		_, _ = io.Copy(io.Discard, p.r)
	})
	sink := newMemory()
	t.Run("serving", func(t *testing.T) {
		s, _ := start(t, Options{Sink: sink})
		c := dial(t, s)
		c.send(get(addr))
		sink.await(t, "server connection", func() bool { return len(sink.conns) == 2 })
	})
	f := sink.finished(t, 1)
	if f.Error.GetCode() != flowpb.CodeStopped {
		t.Errorf("got %v", f)
	}
	for _, c := range sink.conns {
		if c.EndedNs == 0 {
			t.Errorf("connection has no end: %v", c)
		}
	}
}

// TestRetry has the origin close an idle connection: a GET is sent again, a
// POST is not.
func TestRetry(t *testing.T) {
	for _, method := range []string{"GET", "POST"} {
		t.Run(method, func(t *testing.T) {
			var conns atomic.Int32
			closed := make(chan struct{})
			addr := origin(t, func(p *peer) {
				n := conns.Add(1)
				p.head()
				p.send("HTTP/1.1 204 No Content\r\n\r\n")
				if n == 1 {
					p.Close()
					close(closed)
				}
			})
			s, sink := start(t, Options{})
			c := dial(t, s)
			c.send(get(addr))
			c.head()
			<-closed
			c.send(strings.Replace(get(addr), "GET", method, 1))
			answer := c.head()
			want, code := "HTTP/1.1 204 ", flowpb.CodeUnspecified
			if method == "POST" {
				want, code = "HTTP/1.1 502 ", flowpb.CodeServerGone
			}
			if f := sink.finished(t, 2); !strings.HasPrefix(answer, want) || f.Error.GetCode() != code {
				t.Errorf("got %q and %v", answer, f)
			}
		})
	}
}

// TestCloseDelimitedTruncation has an aborted body end in an aborted connection.
func TestCloseDelimitedTruncation(t *testing.T) {
	seen := make(chan struct{})
	addr := origin(t, func(p *peer) {
		p.head()
		p.send("HTTP/1.1 200 OK\r\n\r\nhalf")
		<-seen
		abort(p.Conn)
	})
	s, sink := start(t, Options{})
	c := dial(t, s)
	c.send(get(addr))
	c.expect("HTTP/1.1 200 OK\r\n\r\nhalf")
	close(seen)
	if _, err := io.Copy(io.Discard, c.r); err == nil {
		t.Error("the client sees a clean end of a broken body")
	}
	if f := sink.finished(t, 1); f.Error.GetCode() != flowpb.CodeServerGone || f.GetHttp().Response.Body.State != flowpb.BodyCut {
		t.Errorf("got %v", f)
	}
}

func TestPipelining(t *testing.T) {
	addr := origin(t, func(p *peer) {
		for i := range 50 {
			if head := p.head(); !strings.HasPrefix(head, fmt.Sprintf("GET /%d ", i)) {
				t.Errorf("request %d: got %q", i, head)
			}
			p.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")
		}
	})
	s, _ := start(t, Options{})
	c := dial(t, s)
	var all bytes.Buffer
	for i := range 50 {
		fmt.Fprintf(&all, "GET http://%s/%d HTTP/1.1\r\nHost: %s\r\n\r\n", addr, i, addr)
	}
	c.send(all.String())
	c.expect(strings.Repeat("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", 50))
}
