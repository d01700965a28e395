package proxy

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	flowpb "weir/proto"
)

// discard is a Sink that only gives out ids.
type discard struct{ flows, conns atomic.Uint64 }

func (d *discard) Conn(_ context.Context, c *flowpb.Conn) error {
	if c.Id == 0 {
		c.Id = d.conns.Add(1)
	}
	return nil
}

func (d *discard) Flow(_ context.Context, f *flowpb.Flow) error {
	if f.Id == 0 {
		f.Id = d.flows.Add(1)
	}
	return nil
}

func (*discard) Body(context.Context, uint64, flowpb.Side, []byte) error { return nil }
func (*discard) Message(context.Context, *flowpb.Message) error          { return nil }

const benchResponse = "HTTP/1.1 200 OK\r\nDate: Sat, 21 Nov 2026 00:00:00 GMT\r\nContent-Type: application/json\r\nContent-Length: 1024\r\n\r\n"

// keepAlive answers every request on ln with 1 KB.
func keepAlive(ln net.Listener) {
	answer := []byte(benchResponse + strings.Repeat("x", 1024))
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			buf := make([]byte, 4<<10)
			for {
				n, err := conn.Read(buf)
				if err != nil || n < 4 || string(buf[n-4:n]) != "\r\n\r\n" {
					return
				}
				if _, err := conn.Write(answer); err != nil {
					return
				}
			}
		}()
	}
}

// TestExchangeAllocatesLittle counts what one keep-alive exchange allocates in
// the whole process, the origin and the client of this test allocating nothing.
func TestExchangeAllocatesLittle(t *testing.T) {
	const most = 24
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go keepAlive(ln)
	s, _ := start(t, Options{Sink: &discard{}})
	c := dial(t, s)
	request := []byte(get(ln.Addr().String()))
	buf := make([]byte, len(benchResponse)+1024)
	allocs := testing.AllocsPerRun(200, func() {
		if _, err := c.Write(request); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c.Conn, buf); err != nil {
			t.Fatal(err)
		}
	})
	if allocs > most {
		t.Errorf("allocations an exchange: got %v, want at most %d", allocs, most)
	}
}

// BenchmarkHTTPS is one keep-alive GET of 1 KB through an intercepted tunnel,
// with client and origin in the same process.
func BenchmarkHTTPS(b *testing.B) {
	a, trust := authority(b)
	leaf := selfSigned(b, a)
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{*leaf}})
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	go keepAlive(ln)
	s, _ := start(b, Options{Authority: a, Sink: &discard{}, UpstreamCAs: trust})
	addr := ln.Addr().String()
	conn := tls.Client(tunnel(b, s, addr).Conn, &tls.Config{RootCAs: trust, ServerName: "bench.test"})
	request := []byte("GET /a HTTP/1.1\r\nHost: " + addr + "\r\nUser-Agent: bench\r\nAccept: */*\r\nAccept-Encoding: gzip\r\n\r\n")
	buf := make([]byte, len(benchResponse)+1024)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := conn.Write(request); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(conn, buf); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkNewConnection is a GET of 1 KB through a tunnel that is opened for it:
// two connections, two handshakes, one flow.
func BenchmarkNewConnection(b *testing.B) {
	a, trust := authority(b)
	leaf := selfSigned(b, a)
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{*leaf}})
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	go keepAlive(ln)
	s, _ := start(b, Options{Authority: a, Sink: &discard{}, UpstreamCAs: trust})
	addr := ln.Addr().String()
	request := []byte("GET /a HTTP/1.1\r\nHost: " + addr + "\r\nUser-Agent: bench\r\nAccept: */*\r\nAccept-Encoding: gzip\r\n\r\n")
	buf := make([]byte, len(benchResponse)+1024)
	b.ReportAllocs()
	for b.Loop() {
		conn := tls.Client(tunnel(b, s, addr).Conn, &tls.Config{RootCAs: trust, ServerName: "bench.test"})
		if _, err := conn.Write(request); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(conn, buf); err != nil {
			b.Fatal(err)
		}
		_ = conn.Close()
	}
}
