package proxy

import (
	"net"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

// TestProbes holds that both ends of what is carried are asked whether they are there.
func TestProbes(t *testing.T) {
	addr := origin(t, func(p *peer) { p.head(); p.send("HTTP/1.1 204 No\r\n\r\n"); p.rest() })
	s, _ := start(t, Options{})
	p := dial(t, s)
	p.send(get(addr))
	p.head()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.conns) != 2 {
		t.Fatalf("%d connections, want 2", len(s.conns))
	}
	for conn := range s.conns {
		raw, err := conn.(*net.TCPConn).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		var idle atomic.Int64
		if err := raw.Control(func(fd uintptr) {
			on, _ := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_KEEPALIVE)
			n, _ := unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_KEEPIDLE)
			idle.Store(int64(on * n))
		}); err != nil || idle.Load() != 30 {
			t.Errorf("%v: probes after %d s (%v), want 30", conn.RemoteAddr(), idle.Load(), err)
		}
	}
}
