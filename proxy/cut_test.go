package proxy

import (
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"

	flowpb "weir/proto"
)

// A conversation to cut: what the client sends, and what the server answers.
const (
	cutRequest  = "POST http://h.test/a HTTP/1.1\r\nHost: h.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nT: 1\r\n\r\n"
	cutResponse = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nokay\r\n0\r\n\r\n"
)

// TestClientVanishesAnywhere cuts the client off after each byte of its request.
// Whatever came is a flow that says that the client left, and nothing hangs.
func TestClientVanishesAnywhere(t *testing.T) {
	for cut := range len(cutRequest) {
		synctest.Test(t, func(t *testing.T) {
			client, sink := inMemory(t, Options{}, func(server net.Conn) {
				_, _ = io.Copy(io.Discard, server) // it waits for the rest
				server.Close()
			})
			go func() { _, _ = io.Copy(io.Discard, client) }()
			_, _ = io.WriteString(client, cutRequest[:cut])
			client.Close()
			synctest.Wait()
			if cut == 0 {
				if len(sink.flows) != 0 {
					t.Errorf("a client that said nothing is a flow: %v", sink.flows)
				}
				return
			}
			f := sink.finished(t, 1)
			if f.State != flowpb.StateError || f.Error.GetCode() != flowpb.CodeClientGone || f.Error.Message == "" {
				t.Errorf("cut after %d bytes: recorded %v, want %v", cut, f.Error, flowpb.CodeClientGone)
			}
		})
	}
}

// TestServerVanishesAnywhere does the same to the server.
func TestServerVanishesAnywhere(t *testing.T) {
	for cut := range len(cutResponse) {
		synctest.Test(t, func(t *testing.T) {
			client, sink := inMemory(t, Options{}, func(server net.Conn) {
				p := newPeer(t, server)
				p.head()
				buf := make([]byte, len("5\r\nhello\r\n0\r\nT: 1\r\n\r\n"))
				_, _ = io.ReadFull(p.r, buf)
				_, _ = io.WriteString(server, cutResponse[:cut])
				server.Close()
			})
			answer := make(chan string, 1)
			go func() {
				b, _ := io.ReadAll(client)
				answer <- string(b)
			}()
			_, _ = io.WriteString(client, cutRequest)
			got := <-answer
			synctest.Wait()
			f := sink.finished(t, 1)
			if f.State != flowpb.StateError || f.Error.GetCode() != flowpb.CodeServerGone || !strings.Contains(f.Error.Message, "h.test:80") {
				t.Errorf("cut after %d bytes: recorded %v, want %v", cut, f.Error, flowpb.CodeServerGone)
			}
			if began := strings.Contains(got, "200 OK"); !began && !strings.Contains(got, "502 Bad Gateway") {
				t.Errorf("cut after %d bytes: the client got %q, want the answer's beginning or a page", cut, got)
			}
		})
	}
}
