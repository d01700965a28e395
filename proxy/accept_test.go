package proxy

import (
	"context"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// exhausted is a listener that is out of file descriptors for a while.
type exhausted struct {
	memoryListener
	until  time.Time
	failed atomic.Int64
	conns  chan net.Conn
	closed chan struct{}
}

func (l *exhausted) Accept() (net.Conn, error) {
	if time.Now().Before(l.until) {
		l.failed.Add(1)
		return nil, &net.OpError{Op: "accept", Err: syscall.EMFILE}
	}
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *exhausted) Close() error {
	close(l.closed)
	return nil
}

// TestOutOfFiles waits until there are files again, says so once a minute, and
// then takes connections.
func TestOutOfFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var notices []Notice
		sink := newMemory()
		l := &exhausted{until: time.Now().Add(90 * time.Second), conns: make(chan net.Conn), closed: make(chan struct{})}
		s := newServer(Options{Sink: sink, Notify: func(n Notice) { notices = append(notices, n) }}.withDefaults(), l)
		ctx, stop := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- s.Serve(ctx) }()
		client, accepted := net.Pipe()
		l.conns <- accepted
		client.Close()
		synctest.Wait()
		if len(sink.conns) != 1 || sink.conns[0].EndedNs == 0 {
			t.Errorf("got connections %v, want one", sink.conns)
		}
		if n := l.failed.Load(); n < 10 || n > 1000 {
			t.Errorf("tried %d times in 90 s", n)
		}
		if len(notices) != 2 || !strings.Contains(notices[0].Text, "too many open files") || notices[0].Hint == "" {
			t.Errorf("told %v, want it once a minute", notices)
		}
		stop()
		if err := <-served; err != nil {
			t.Errorf("Serve: got %v, want nil", err)
		}
	})
}
