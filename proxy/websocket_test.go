package proxy

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"

	flowpb "weir/proto"
	"weir/proxy/record"
)

// echoSockets is a server that accepts WebSocket connections and sends back what it gets.
func echoSockets(t *testing.T, opts websocket.AcceptOptions) string {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, &opts)
		if err != nil {
			t.Errorf("accept: %v", err)
			return
		}
		c.SetReadLimit(-1)
		for {
			kind, p, err := c.Read(r.Context())
			if err == nil {
				err = c.Write(r.Context(), kind, p)
			}
			if err != nil {
				return
			}
		}
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// dialSocket opens a WebSocket connection through s.
func dialSocket(t *testing.T, s *Server, to string, opts websocket.DialOptions) *websocket.Conn {
	t.Helper()
	via := &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: s.Addr().String()})}
	t.Cleanup(via.CloseIdleConnections)
	opts.HTTPClient = &http.Client{Transport: via}
	c, res, err := websocket.Dial(t.Context(), to, &opts)
	if err != nil {
		t.Fatal(err)
	}
	if res.Body != nil {
		_ = res.Body.Close()
	}
	c.SetReadLimit(-1)
	t.Cleanup(func() { _ = c.CloseNow() })
	return c
}

// contents joins what the rows of one side hold, by type.
func (m *memory) contents(side flowpb.Side) map[flowpb.MessageType]string {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[flowpb.MessageType]string{}
	for _, msg := range m.messages {
		if msg.Side == side {
			out[msg.Type] += string(msg.Content)
		}
	}
	return out
}

// TestWebSocket has a real client and a real server agree on each form of
// compression, and send what is small, large, and larger than a row.
func TestWebSocket(t *testing.T) {
	modes := []websocket.CompressionMode{websocket.CompressionDisabled, websocket.CompressionContextTakeover, websocket.CompressionNoContextTakeover}
	large := bytes.Repeat([]byte("0123456789abcdef"), 5<<16/4)
	for _, client := range modes {
		for _, server := range modes {
			t.Run(fmt.Sprintf("client %d, server %d", client, server), func(t *testing.T) {
				addr := echoSockets(t, websocket.AcceptOptions{CompressionMode: server, CompressionThreshold: 1})
				s, sink := start(t, Options{})
				c := dialSocket(t, s, addr, websocket.DialOptions{CompressionMode: client, CompressionThreshold: 1})
				var text string
				for _, p := range []string{"Hello", `{"op":"subscribe"}`, `{"op":"subscribe","again":true}`} {
					text += p
					talk(t, c, websocket.MessageText, []byte(p))
				}
				talk(t, c, websocket.MessageBinary, large)
				if err := c.Close(websocket.StatusNormalClosure, "done"); err != nil {
					t.Errorf("close: %v", err)
				}
				f := sink.finished(t, 1)
				w := f.GetHttp().GetWebsocket()
				if f.Error != nil || len(f.Meta) > 0 || w.GetMessages() != 10 || !w.GetClosedByClient() || w.GetCloseCode() != 1000 || string(w.GetCloseReason()) != "done" || w.GetEndedNs() == 0 {
					t.Errorf("got %v", f)
				}
				want := map[flowpb.MessageType]string{
					flowpb.MessageText: text, flowpb.MessageBinary: string(large), flowpb.MessageClose: "\x03\xe8done",
				}
				for _, side := range []flowpb.Side{flowpb.SideRequest, flowpb.SideResponse} {
					if diff := cmp.Diff(want, sink.contents(side)); diff != "" {
						t.Errorf("%v: rows (-want +got):\n%.400s", side, diff)
					}
				}
				for _, m := range sink.messages {
					packed := client != websocket.CompressionDisabled && server != websocket.CompressionDisabled
					if m.Note != "" || m.Type == flowpb.MessageText && m.Compressed != packed {
						t.Errorf("message: got %v, want it compressed: %v", m, packed)
					}
				}
			})
		}
	}
}

// talk sends a message and waits for the echo.
func talk(t *testing.T, c *websocket.Conn, kind websocket.MessageType, p []byte) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := c.Write(ctx, kind, p); err != nil {
		t.Fatalf("write: %v", err)
	}
	if _, got, err := c.Read(ctx); err != nil || !bytes.Equal(got, p) {
		t.Fatalf("echo: got %d bytes (%v), want %d", len(got), err, len(p))
	}
}

// upgraded opens a WebSocket connection by hand, of which the server sends what
// serve does.
func upgraded(t *testing.T, extensions string, serve func(p *peer)) (*peer, *memory) {
	t.Helper()
	accepted := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n" + extensions + "\r\n"
	addr := origin(t, func(p *peer) {
		p.head()
		p.send(accepted)
		serve(p)
	})
	s, sink := start(t, Options{})
	c := dial(t, s)
	c.send("GET http://" + addr + "/ HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	c.expect(accepted)
	return c, sink
}

// rows renders what was recorded of messages.
func (m *memory) rows() (out []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, msg := range m.messages {
		line := fmt.Sprintf("%s %s %q", map[flowpb.Side]string{flowpb.SideRequest: "client", flowpb.SideResponse: "server"}[msg.Side],
			strings.ToLower(strings.TrimPrefix(msg.Type.String(), "MESSAGE_TYPE_")), msg.Content)
		if msg.Frames != nil {
			line += fmt.Sprintf(" in %v", msg.Frames)
		}
		if msg.Note != "" {
			line += ": " + msg.Note
		}
		out = append(out, line)
	}
	return out
}

// TestWebSocketAsItIs passes on, byte for byte, what a strict end would refuse,
// and says what is wrong with it.
func TestWebSocketAsItIs(t *testing.T) {
	for _, c := range []struct {
		name, extensions string
		client, server   string
		want             []string
	}{
		{
			name:   "fragments with a ping inside",
			server: "\x01\x02He\x89\x01!\x80\x03llo",
			want:   []string{`server ping "!"`, `server text "Hello" in [2 3]`},
		},
		{
			name:   "not masked, reserved bits, not UTF-8",
			client: "\xb1\x01\xff",
			want:   []string{`client text "\xff": not masked (RFC 6455 §5.1); reserved bit set (RFC 6455 §5.2); not valid UTF-8 (RFC 6455 §8.1); UTF-8 ends at byte 0`},
		},
		{
			name: "compressed, not as agreed", extensions: "Sec-WebSocket-Extensions: permessage-deflate\r\n",
			server: "\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00",
			want:   []string{`server text "Hello" in [7]`},
		},
		{
			name:   "a length that cannot be",
			server: "\x81\x02ok\x01\x03fra\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00rest",
			want: []string{
				`server text "ok"`,
				`server text "fra": cut off by the end of the connection (RFC 6455 §7.1.1)`,
				`server data "\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00rest": from here on as it came: read WebSocket frame of the server (byte 9): a payload of 2^63 bytes or more`,
			},
		},
		{
			name:   "cut off",
			server: "\x82\x05abc",
			want:   []string{`server binary "abc" in [5]: cut off by the end of the connection (RFC 6455 §7.1.1)`},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, sink := upgraded(t, c.extensions, func(p *peer) {
				p.expect(c.client)
				p.send(c.server)
			})
			p.send(c.client)
			p.expect(c.server)
			p.Close()
			f := sink.finished(t, 1)
			if diff := cmp.Diff(c.want, sink.rows()); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			if f.Error != nil || c.extensions != "" && len(f.Meta) != 1 {
				t.Errorf("got %v", f)
			}
		})
	}
}

// TestWebSocketRecordsFirst sees that a message is recorded when its last byte
// reaches the client, and that a message without end is recorded in parts.
func TestWebSocketRecordsFirst(t *testing.T) {
	part := strings.Repeat("x", record.MessagePart/2)
	next := make(chan struct{})
	c, sink := upgraded(t, "", func(p *peer) {
		p.send("\x81\x05Hello")
		<-next
		p.send("\x02\x7f\x00\x00\x00\x00\x7f\xff\xff\xff")
		for range 5 {
			p.send(part)
		}
		<-next
	})
	c.expect("\x81\x05Hello")
	if got := sink.rows(); len(got) != 1 {
		t.Errorf("with the first message: got rows %.300q, want one", got)
	}
	next <- struct{}{}
	c.expect("\x02\x7f\x00\x00\x00\x00\x7f\xff\xff\xff")
	for range 5 {
		c.expect(part)
	}
	sink.mu.Lock()
	if got := sink.messages; len(got) != 3 || !got[1].Continues || !got[2].Continues || len(got[1].Content)+len(got[2].Content) < 2*record.MessagePart*9/10 {
		t.Errorf("of a message without end: got %d rows, want two parts after the first message", len(got))
	}
	sink.mu.Unlock()
	next <- struct{}{}
	c.Close()
	sink.finished(t, 1)
	if got := len(sink.contents(flowpb.SideResponse)[flowpb.MessageBinary]); got != 5*record.MessagePart/2 {
		t.Errorf("in all: got %d bytes, want %d", got, 5*record.MessagePart/2)
	}
}

// TestStartTLS notes where a stream turns to TLS, which passes as it is.
func TestStartTLS(t *testing.T) {
	const hello = "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00"
	addr := origin(t, func(p *peer) {
		p.send("220 ready\r\n")
		p.expect("STARTTLS\r\n")
		p.send("220 go\r\n")
		p.expect(hello)
	})
	s, sink := start(t, Options{Timeouts: Timeouts{Peek: 10 * time.Millisecond}})
	c := tunnel(t, s, addr)
	c.expect("220 ready\r\n")
	c.send("STARTTLS\r\n")
	c.expect("220 go\r\n")
	c.send(hello)
	c.rest()
	c.Close()
	f := sink.finished(t, 1)
	want := []string{`server data "220 ready\r\n"`, `client data "STARTTLS\r\n"`, `server data "220 go\r\n"`, fmt.Sprintf("client data %q: %s", hello, startTLS)}
	if diff := cmp.Diff(want, sink.rows()); diff != "" || f.GetTcp().GetMessages() != 4 {
		t.Errorf("rows (-want +got):\n%s\n%v", diff, f)
	}
}
