package proxy

import (
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	flowpb "weir/proto"
)

// memoryListener stands for a listener where a test hands connections over itself.
type memoryListener struct{ net.Listener }

func (memoryListener) Addr() net.Addr { return &net.UnixAddr{Name: "memory"} }

// inMemory runs a proxy without sockets, for a synctest bubble: it serves one
// client connection, of which it returns the client's end, and hands the ends of
// server connections to serve.
func inMemory(t *testing.T, opts Options, serve func(net.Conn)) (net.Conn, *memory) {
	t.Helper()
	client, accepted := net.Pipe()
	t.Cleanup(func() { client.Close() })
	return client, serveInMemory(t, opts, accepted, serve)
}

// serveInMemory serves one accepted connection like inMemory.
func serveInMemory(t *testing.T, opts Options, accepted net.Conn, serve func(net.Conn)) *memory {
	t.Helper()
	sink := newMemory()
	opts.Sink = sink
	if opts.Dial == nil {
		opts.Dial = func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go serve(theirs)
			return ours, nil
		}
	}
	s := newServer(opts.withDefaults(), memoryListener{})
	s.track(accepted)
	go s.serveConn(t.Context(), accepted)
	return sink
}

// answerOf reads all that comes until the proxy closes, and how long that took.
func answerOf(client net.Conn) (string, time.Duration) {
	begin := time.Now()
	b, _ := io.ReadAll(client)
	return string(b), time.Since(begin)
}

func TestTimeouts(t *testing.T) {
	silent := func(c net.Conn) { _, _ = io.Copy(io.Discard, c); c.Close() }
	never := func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	for _, tt := range []struct {
		mode, name, send string
		dial             func(context.Context, string, string) (net.Conn, error)
		want             time.Duration
		answer           string // its beginning
		message          string // of the flow; "" for no flow
	}{
		{"regular", "idle client", "", nil, 10 * time.Minute, "", ""},
		{"regular", "slow head", "GET http://x/ HT", nil, time.Minute, "HTTP/1.1 408 ", "the client was silent"},
		{"regular", "dial", "GET http://x/ HTTP/1.1\r\n\r\n", never, 30 * time.Second, "HTTP/1.1 502 ", "connecting to x:80 timed out"},
		{"regular", "silent server", "GET http://x/ HTTP/1.1\r\n\r\n", nil, 30*time.Minute + watchAfter, "HTTP/1.1 502 ", "x:80 was silent"},
		{"regular", "silent TLS server", "GET https://x/ HTTP/1.1\r\n\r\n", nil, 30 * time.Second, "HTTP/1.1 502 ", "the TLS handshake with x:443 timed out"},
		{"regular", "silent TLS client", "CONNECT x:443 HTTP/1.1\r\n\r\n\x16\x03\x01", nil, 30 * time.Second, connectOK, "the TLS handshake with the client timed out"},
		{"socks5", "slow SOCKS greeting", "\x05", nil, time.Minute, "", "the client was silent"},
		{"socks5", "slow SOCKS request", "\x05\x01\x00\x05\x01", nil, time.Minute, "\x05\x00", "the client was silent"},
		{"upstream:http://proxy:1", "silent upstream proxy", "GET https://x/ HTTP/1.1\r\n\r\n", nil, 30 * time.Second, "HTTP/1.1 502 ", "the upstream proxy: proxy:1 was silent"},
		{"upstream:https://proxy:1", "silent upstream proxy, TLS", "GET http://x/ HTTP/1.1\r\n\r\n", nil, 30 * time.Second, "HTTP/1.1 502 ", "the upstream proxy: the TLS handshake with proxy:1 timed out"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, _ := authority(t)
			mode, err := ParseMode(tt.mode, "127.0.0.1")
			if err != nil {
				t.Fatal(err)
			}
			synctest.Test(t, func(t *testing.T) {
				client, sink := inMemory(t, Options{Dial: tt.dial, Authority: a, Mode: mode}, silent)
				go func() { _, _ = io.WriteString(client, tt.send) }()
				answer, took := answerOf(client)
				if !strings.HasPrefix(answer, tt.answer) || took != tt.want {
					t.Errorf("got %q after %v, want %q after %v", answer, took, tt.answer, tt.want)
				}
				synctest.Wait()
				if tt.message == "" {
					if len(sink.flows) != 0 {
						t.Errorf("flows: got %v, want none", sink.flows)
					}
					return
				}
				if f := sink.flows[0]; f.Error.GetCode() != flowpb.CodeTimeout || !strings.Contains(f.Error.Message, tt.message) {
					t.Errorf("error: got %v, want a timeout with %q", f.Error, tt.message)
				}
			})
		})
	}
}

// TestStalled has one side stop in the middle. Nothing between the ends of a pipe
// holds a byte.
func TestStalled(t *testing.T) {
	const silence = 30 * time.Minute
	take := func(c net.Conn, until string) {
		var got []byte
		for p := make([]byte, 1); !strings.HasSuffix(string(got), until); got = append(got, p...) {
			if _, err := c.Read(p); err != nil {
				return
			}
		}
	}
	const upload = "PUT http://x/ HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc"
	for _, tt := range []struct {
		name, send, more string
		serve            func(net.Conn)
		answer, message  string
		side             flowpb.Side
	}{
		{"the client, in its request", upload, "", func(c net.Conn) { take(c, "abc") }, "HTTP/1.1 408 ", "the client was silent for too long in the middle of its request", flowpb.SideRequest},
		{"the server, in a head", upload, "", func(c net.Conn) { take(c, "PUT") }, "HTTP/1.1 502 ", "x:80 took nothing of the request for too long", flowpb.SideResponse},
		{"the server, in a body", upload, "defg", func(c net.Conn) { take(c, "abcd") }, "HTTP/1.1 502 ", "x:80 took nothing of the request for too long", flowpb.SideResponse},
		{"the client, in the response", "GET http://x/ HTTP/1.1\r\n\r\n", "", func(c net.Conn) {
			take(c, "\r\n\r\n")
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc")
		}, "", "the client took nothing of the response for 30m0s", flowpb.SideRequest},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				client, sink := inMemory(t, Options{}, func(c net.Conn) { tt.serve(c); <-t.Context().Done(); c.Close() })
				go func() { _, _ = io.WriteString(client, tt.send+tt.more) }()
				if tt.answer != "" {
					answer := make([]byte, len(tt.answer))
					if _, err := io.ReadFull(client, answer); string(answer) != tt.answer {
						t.Errorf("got %q, %v, want %q", answer, err, tt.answer)
					}
				}
				time.Sleep(silence + 3*watchAfter - time.Since(begin))
				synctest.Wait()
				f := sink.flows[0]
				if took := time.Unix(0, f.Error.GetAtNs()).Sub(begin); took < silence || took > silence+2*watchAfter {
					t.Errorf("it took %v, want %v", took, silence)
				}
				if f.Error.GetCode() != flowpb.CodeTimeout || f.Error.GetMessage() != tt.message || f.Error.GetSide() != tt.side {
					t.Errorf("error: got %v, want %q", f.Error, tt.message)
				}
			})
		})
	}
}

// TestSlowHead sends a byte every 20 seconds, which does not put the end off.
func TestSlowHead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, sink := inMemory(t, Options{}, func(net.Conn) {})
		var writer sync.WaitGroup
		writer.Go(func() {
			for err := error(nil); err == nil; time.Sleep(20 * time.Second) {
				_, err = io.WriteString(client, "G")
			}
		})
		answer, took := answerOf(client)
		if !strings.HasPrefix(answer, "HTTP/1.1 408 ") || took != time.Minute {
			t.Errorf("got %q after %v, want 408 after a minute", answer, took)
		}
		writer.Wait()
		if f := sink.flows[0]; f.Error.GetCode() != flowpb.CodeTimeout || !strings.HasPrefix(string(f.GetHttp().Request.StartLine), "GG") {
			t.Errorf("got %v", f)
		}
	})
}

// TestSlowUploadIsNoSilence sends a byte every 20 minutes: neither side is silent
// for 30, so that the exchange goes on.
func TestSlowUploadIsNoSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, sink := inMemory(t, Options{}, func(c net.Conn) {
			p := newPeer(t, c)
			_ = c.SetDeadline(time.Time{})
			p.head()
			p.expect("abcdef")
			p.send("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
		})
		go func() {
			_, _ = io.WriteString(client, "PUT http://x/ HTTP/1.1\r\nContent-Length: 6\r\n\r\n")
			for _, b := range "abcdef" {
				time.Sleep(20 * time.Minute)
				_, _ = io.WriteString(client, string(b))
			}
		}()
		answer, _ := answerOf(client)
		if !strings.HasPrefix(answer, "HTTP/1.1 204 ") {
			t.Errorf("got %q", answer)
		}
		synctest.Wait()
		if f := sink.flows[0]; f.State != flowpb.StateComplete {
			t.Errorf("got %v", f)
		}
	})
}

// TestIdleServerConnectionIsLookedAt has the server close its connection while
// the client thinks: even a POST then goes out on a fresh one.
func TestIdleServerConnectionIsLookedAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, sink := inMemory(t, Options{}, func(c net.Conn) {
			p := newPeer(t, c)
			p.head()
			p.send("HTTP/1.1 204 No Content\r\n\r\n")
			c.Close()
		})
		p := newPeer(t, client)
		for range 2 {
			p.send("POST http://x/ HTTP/1.1\r\nHost: x\r\n\r\n")
			p.expect("HTTP/1.1 204 No Content\r\n\r\n")
			time.Sleep(5 * time.Second)
		}
		client.Close()
		synctest.Wait()
		if a, b := sink.flows[0].ServerConn, sink.flows[1].ServerConn; a == b || sink.flows[1].Error != nil {
			t.Errorf("server connections %d and %d, error %v", a, b, sink.flows[1].Error)
		}
	})
}

// halfClosed is a connection whose client sent said, then closed its sending half.
type halfClosed struct {
	net.Conn
	said io.Reader
}

func (h halfClosed) Read(p []byte) (int, error) { return h.said.Read(p) }

// TestHalfClosedClientWaits has a client that will send nothing more wait for a
// server that needs its time, which is its right.
func TestHalfClosedClientWaits(t *testing.T) {
	for _, request := range []string{"GET http://x/ HTTP/1.1\r\n\r\n", "PUT http://x/ HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"} {
		synctest.Test(t, func(t *testing.T) {
			const answer = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
			client, accepted := net.Pipe()
			said := iotest.OneByteReader(strings.NewReader(request)) // so that a body comes behind its head
			sink := serveInMemory(t, Options{}, halfClosed{accepted, said}, func(c net.Conn) {
				p := newPeer(t, c)
				_ = c.SetDeadline(time.Time{})
				p.head()
				time.Sleep(20 * time.Minute)
				if strings.HasPrefix(request, "PUT") {
					p.expect("abc")
				}
				p.send(answer)
			})
			if got, took := answerOf(client); got != answer || took != 20*time.Minute {
				t.Errorf("got %q after %v, want the answer after 20 minutes", got, took)
			}
			synctest.Wait()
			if f := sink.flows[0]; f.Error != nil {
				t.Errorf("got %v", f)
			}
		})
	}
}
