package proxy

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"

	flowpb "weir/proto"
)

// fragile is a sink that panics where it is told to.
type fragile struct {
	*memory
	breaks func(what any) bool // what a call is given: a connection, a flow, a body, a message
	times  int                 // that it still panics; negative for ever

	mu sync.Mutex
}

// breakAt panics where it is time for that, with the stack of whoever brought it here.
func (f *fragile) breakAt(what any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.times == 0 || !f.breaks(what) {
		return
	}
	f.times--
	panic("the sink is broken")
}

func (f *fragile) Conn(ctx context.Context, c *flowpb.Conn) error {
	f.breakAt(c)
	return f.memory.Conn(ctx, c)
}

func (f *fragile) Flow(ctx context.Context, flow *flowpb.Flow) error {
	f.breakAt(flow)
	return f.memory.Flow(ctx, flow)
}

func (f *fragile) Body(ctx context.Context, flow uint64, side flowpb.Side, p []byte) error {
	f.breakAt(p)
	return f.memory.Body(ctx, flow, side, p)
}

func (f *fragile) Message(ctx context.Context, m *flowpb.Message) error {
	f.breakAt(m)
	return f.memory.Message(ctx, m)
}

// Where a fragile sink breaks.

// bodyWith is a piece of a body that contains text.
func bodyWith(text string) func(any) bool {
	return func(what any) bool { p, ok := what.([]byte); return ok && bytes.Contains(p, []byte(text)) }
}

// messageWith is a message that contains text.
func messageWith(text string) func(any) bool {
	return func(what any) bool {
		m, ok := what.(*flowpb.Message)
		return ok && bytes.Contains(m.Content, []byte(text))
	}
}

// flowIn is a flow in a state, the one that a client of the test makes after it said "go".
func flowIn(state flowpb.State) func(any) bool {
	return func(what any) bool { f, ok := what.(*flowpb.Flow); return ok && f.State == state }
}

// notified collects notices.
type notified struct {
	mu    sync.Mutex
	all   []Notice
	first chan struct{} // closed once there is one with a stack
	once  sync.Once
}

func (n *notified) add(x Notice) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all = append(n.all, x)
	if x.Details != "" {
		n.once.Do(func() { close(n.first) })
	}
}

// mistakes returns the notices that bring a stack.
func (n *notified) mistakes() (out []Notice) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, x := range n.all {
		if x.Details != "" {
			out = append(out, x)
		}
	}
	return out
}

// startFragile runs a proxy whose sink breaks.
func startFragile(t *testing.T, opts Options, times int, breaks func(any) bool) (*Server, *memory, *notified) {
	sink, told := &fragile{memory: newMemory(), breaks: breaks, times: times}, &notified{first: make(chan struct{})}
	opts.Sink, opts.Notify = sink, told.add
	s, _ := start(t, opts)
	return s, sink.memory, told
}

// failedByMistake waits for a flow that says that weir made a mistake.
func (m *memory) failedByMistake(t *testing.T) (flow *flowpb.Flow) {
	t.Helper()
	m.await(t, "a flow with a mistake", func() bool {
		for _, f := range m.flows {
			if f.Error.GetCode() == flowpb.CodeInternal {
				flow = f
			}
		}
		return flow != nil
	})
	if !strings.HasPrefix(flow.Error.Message, "weir made a mistake and gave this up: ") || flow.State != flowpb.StateError {
		t.Errorf("got state %v, error %v", flow.State, flow.Error)
	}
	return flow
}

// TestMistakes has weir panic in the middle of everything it carries. What it is
// about ends with a flow that says so, and everything else goes on.
func TestMistakes(t *testing.T) {
	authority, trust := authority(t)
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte("answer"))
	}))
	t.Cleanup(echo.Close)
	h2Addr, pool := h2Origin(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("answer")) })
	h1Addr, h1Pool := h1Origin(t, true, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("answer")) })
	plain := strings.TrimPrefix(echo.URL, "http://")
	raw := origin(t, func(p *peer) {
		_, _ = p.r.ReadString('\n')
		_, _ = io.WriteString(p.Conn, "from the server\n")
		_, _ = io.Copy(io.Discard, p.r)
	})
	secure := Options{Authority: authority, UpstreamCAs: pool}

	for _, tt := range []struct {
		name   string
		opts   Options
		breaks func(any) bool
		act    func(t *testing.T, s *Server) // what makes the sink break
	}{
		{"a request's head", Options{}, flowIn(flowpb.StateRequest), func(t *testing.T, s *Server) {
			p := dial(t, s)
			p.send("POST http://" + plain + "/ HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n")
			p.head()
		}},
		{"a request's body, in the pump", Options{}, bodyWith("go"), func(t *testing.T, s *Server) {
			p := dial(t, s)
			p.send("POST http://" + plain + "/ HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n")
			p.send("go!")
			p.head()
		}},
		{"a response's body", Options{}, bodyWith("answer"), func(t *testing.T, s *Server) {
			p := dial(t, s)
			p.send(get(plain))
			p.head()
		}},
		{"the end of a flow", Options{}, flowIn(flowpb.StateComplete), func(t *testing.T, s *Server) {
			p := dial(t, s)
			p.send(get(plain))
			p.head()
		}},
		{"who may use the proxy", Options{Auth: panics{}}, nil, func(t *testing.T, s *Server) {
			p := dial(t, s)
			p.send("GET http://a/ HTTP/1.1\r\nHost: a\r\nProxy-Authorization: Basic YTpi\r\n\r\n")
			_, _ = p.r.ReadByte()
		}},
		{"the way to a server", Options{Dial: broken}, nil, func(t *testing.T, s *Server) {
			p := dial(t, s)
			p.send(get("gone.test"))
			p.head()
		}},
		{"a handshake", Options{Authority: authority, Dial: broken}, nil, func(t *testing.T, s *Server) {
			_ = tls.Client(tunnel(t, s, "gone.test:443"), &tls.Config{ServerName: "gone.test", RootCAs: trust}).Handshake()
		}},
		{"a tunnel, from the client", Options{}, messageWith("from the client"), func(t *testing.T, s *Server) {
			p := tunnel(t, s, raw)
			p.send("\x00from the client\n")
			_, _ = p.r.ReadByte()
		}},
		{"a tunnel, from the server", Options{}, messageWith("from the server"), func(t *testing.T, s *Server) {
			p := tunnel(t, s, raw)
			p.send("\x00hello\n")
			_, _ = p.r.ReadByte()
		}},
		{"a WebSocket", Options{}, messageWith("go"), func(t *testing.T, s *Server) {
			c := dialSocket(t, s, echoSockets(t, websocket.AcceptOptions{}), websocket.DialOptions{})
			_ = c.Write(t.Context(), websocket.MessageText, []byte("go"))
			_, _, _ = c.Read(t.Context())
		}},
		{"a stream that is relayed", secure, bodyWith("answer"), func(t *testing.T, s *Server) {
			_, _, _ = ask(h2Client(t, s, h2Addr, trust), h2Request("GET", "https://example.com/", nil))
		}},
		{"a stream that is translated", Options{Authority: authority, UpstreamCAs: h1Pool}, bodyWith("answer"), func(t *testing.T, s *Server) {
			_, _, _ = ask(h2Client(t, s, h1Addr, trust), h2Request("GET", "https://example.com/", nil))
		}},
		{"the beginning of HTTP/2", Options{}, func(what any) bool { c, ok := what.(*flowpb.Conn); return ok && c.Http2 != nil }, func(t *testing.T, s *Server) {
			_, _, _ = ask(h2cClient(t, func() net.Conn { return dial(t, s) }), h2Request("GET", echo.URL, nil))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel() // some wait for a client that was told that it is over
			if tt.breaks == nil {
				tt.breaks = func(any) bool { return false }
			}
			s, sink, told := startFragile(t, tt.opts, 1, tt.breaks)
			tt.act(t, s)
			f := sink.failedByMistake(t)
			if got := told.mistakes(); len(got) != 1 || !strings.Contains(got[0].Details, "goroutine ") || !strings.Contains(got[0].Details, "breakAt") && !strings.Contains(got[0].Details, "broken") && !strings.Contains(got[0].Details, "Verify") {
				t.Errorf("notices: got %q, want one with the stack", got)
			}
			sink.await(t, "the end of the connection", func() bool {
				return f.ClientConn != 0 && (sink.conns[f.ClientConn-1].EndedNs > 0 || sink.conns[f.ClientConn-1].Http2 != nil)
			})
			if tt.opts.Auth == nil && tt.opts.Dial == nil {
				p := dial(t, s)
				p.send(get(plain))
				if got := p.reply(); !strings.HasSuffix(got, "answer") {
					t.Errorf("another connection: got %q", got)
				}
			}
		})
	}
}

// panics is an Authenticator with a bug.
type panics struct{}

func (panics) Verify(string, string) bool { panic("broken") }

// broken is a dialler with a bug.
func broken(context.Context, string, string) (net.Conn, error) { panic("broken") }

// TestMistakesWithDatagrams has one pair break, in either direction, and another go on.
func TestMistakesWithDatagrams(t *testing.T) {
	to := udpOrigin(t, func(p []byte) [][]byte { return [][]byte{append([]byte("re: "), p...)} })
	for name, breaks := range map[string]func(any) bool{
		"from the client": messageWith("go"), "from the server": messageWith("re: go"), "the beginning": flowIn(flowpb.StateOpen),
	} {
		t.Run(name, func(t *testing.T) {
			s, sink, told := startFragile(t, Options{Mode: Mode{Kind: Reverse, target: to}}, 1, breaks)
			if _, err := udpClient(t, s.Addr().String()).Write([]byte("go")); err != nil {
				t.Fatal(err)
			}
			if f := sink.failedByMistake(t); f.GetUdp() == nil || f.Server == nil {
				t.Errorf("got %v, want a udp flow", f)
			}
			if got := told.mistakes(); len(got) != 1 {
				t.Errorf("notices: got %q, want one", got)
			}
			if got := exchangeDatagram(t, udpClient(t, s.Addr().String()), "next"); got != "re: next" {
				t.Errorf("another client: got %q", got)
			}
		})
	}
}

// TestMistakesWithoutEnd has the sink break at whatever is recorded of a connection:
// that is closed all the same, with the one to its server.
func TestMistakesWithoutEnd(t *testing.T) {
	for name, breaks := range map[string]func(any) bool{
		"everything": func(any) bool { return true },
		"flows":      func(what any) bool { _, ok := what.(*flowpb.Flow); return ok },
		"ends":       func(what any) bool { c, ok := what.(*flowpb.Conn); return ok && c.EndedNs > 0 },
	} {
		t.Run(name, func(t *testing.T) {
			gone := make(chan struct{}, 8)
			addr := origin(t, func(p *peer) {
				p.head()
				p.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
				p.rest()
				gone <- struct{}{}
			})
			s, _, told := startFragile(t, Options{}, -1, breaks)
			p := dial(t, s)
			p.send(get(addr))
			closeWrite(p.Conn)
			_, _ = io.Copy(io.Discard, p.r)
			if name == "ends" {
				<-gone
			}
			<-told.first
			s.mu.Lock()
			defer s.mu.Unlock()
			if len(s.conns) > 1 {
				t.Errorf("%d connections are open", len(s.conns))
			}
		})
	}
}

// TestMistakesAreToldOnce holds that a client cannot fill the event log.
func TestMistakesAreToldOnce(t *testing.T) {
	s, sink, told := startFragile(t, Options{}, 20, flowIn(flowpb.StateRequest))
	for range 20 {
		p := dial(t, s)
		p.send("POST http://a.invalid/ HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n")
		p.head()
	}
	sink.await(t, "20 flows", func() bool { return len(sink.flows) == 20 })
	if got := told.mistakes(); len(got) != 1 {
		t.Errorf("got %d notices, want 1", len(got))
	}
}
