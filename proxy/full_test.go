package proxy

import (
	"context"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	flowpb "weir/proto"
)

// TestFull has no more files to open while a client wants a server: it waits, and
// what another client keeps for later is given up for it.
func TestFull(t *testing.T) {
	gone := make(chan struct{})
	addr := origin(t, func(p *peer) {
		p.head()
		p.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		_, _ = p.r.ReadByte()
		gone <- struct{}{}
	})
	var full atomic.Bool
	told := &notified{first: make(chan struct{})}
	s, sink := start(t, Options{Notify: told.add, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		if full.Load() {
			return nil, &net.OpError{Op: "dial", Err: syscall.EMFILE}
		}
		return dialTo(address)(ctx, network, address)
	}})
	first, second := dial(t, s), dial(t, s)
	first.send(get(addr))
	first.reply()
	sink.finished(t, 1)
	full.Store(true)
	second.send(get(addr))
	<-gone
	full.Store(false)
	if got := second.reply(); !strings.HasSuffix(got, "ok") {
		t.Errorf("the one that waited: got %q", got)
	}
	first.send(get(addr))
	if got := first.reply(); !strings.HasSuffix(got, "ok") {
		t.Errorf("the one that gave up its connection: got %q", got)
	}
	told.mu.Lock()
	if len(told.all) != 1 || !strings.Contains(told.all[0].Text, "no file is left to open") || told.all[0].Hint != fullHint {
		t.Errorf("notices: got %v", told.all)
	}
	told.mu.Unlock()
	first.Close()
	second.Close()
	<-gone
	<-gone
}

// TestFullForTooLong ends the wait with the time for connecting.
func TestFullForTooLong(t *testing.T) {
	s, sink := start(t, Options{
		Timeouts: Timeouts{Dial: 60 * time.Millisecond},
		Dial: func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Err: syscall.EMFILE}
		},
	})
	p := dial(t, s)
	p.send(get("a.test"))
	if got := p.reply(); !strings.Contains(got, "no file is left to open for a connection to a.test:80") {
		t.Errorf("page: got %q", got)
	}
	if f := sink.finished(t, 1); f.Error.GetCode() != flowpb.CodeConnect || f.Error.Hint != fullHint {
		t.Errorf("flow: got %v", f.Error)
	}
}
