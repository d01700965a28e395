package proxy

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"weir/proxy/contain"
)

// Bounds of what a UDP relay holds.
const (
	maxDatagram = 64 << 10
	maxPairs    = 1024 // clients and servers that talk at one time
	maxQueued   = 64   // datagrams of a pair that wait for its server to be resolved
	// dnsLinger is how long a pair that speaks DNS is kept without an open question.
	dnsLinger = 2 * time.Second
)

// datagrams carries UDP datagrams to the servers that clients ask for. What one
// client and one server say to each other is a flow, or with DNS a flow a
// question, until both have been silent for Timeouts.Datagrams. Datagrams that
// come faster than a name is resolved, or of more pairs than are kept, are
// dropped, as a network would, and a notice says so.
//
// Each pair has two goroutines, one a direction; close returns after the last.
type datagrams struct {
	s     *Server
	local net.Addr // where the clients send to

	over    chan struct{} // closed when all pairs are to end
	dropped throttle
	mu      sync.Mutex
	pairs   map[pairKey]*pair
	running sync.WaitGroup
}

// pairKey is a client and a server.
type pairKey struct{ client, server string }

func (s *Server) newDatagrams(local net.Addr) *datagrams {
	return &datagrams{s: s, local: local, over: make(chan struct{}), pairs: map[pairKey]*pair{}}
}

// deliver passes p on, which client sent for the server to: the scheme is "udp",
// or "dns" where DNS is spoken on whatever port. answer sends to the client; it is
// called from another goroutine. The pair ends with ctx, as stopped, or in good
// order with close, after which nothing may be delivered.
func (d *datagrams) deliver(ctx context.Context, client net.Addr, to route, p []byte, answer func([]byte) error) {
	_ = d.s.guard(func() error { d.hand(ctx, client, to, p, answer); return nil })
}

func (d *datagrams) hand(ctx context.Context, client net.Addr, to route, p []byte, answer func([]byte) error) {
	key := pairKey{client.String(), to.hostPort()}
	d.mu.Lock()
	defer d.mu.Unlock()
	q := d.pairs[key]
	if q == nil {
		if len(d.pairs) >= maxPairs {
			d.drop(client, fmt.Sprintf("%d clients and servers talk already", maxPairs))
			return
		}
		q = d.newPair(client, to, answer)
		if kind := d.s.opts.Mode.Kind; (kind == SOCKS5 || kind == Transparent) && isQUIC(p) {
			q.refusal = noVersion(p)
			q.refused = true
		}
		d.pairs[key] = q
		contain.Go(&d.running, func() { q.run(ctx, key) }, d.s.mistaken)
	}
	select {
	case q.in <- bytes.Clone(p):
	default:
		d.drop(client, "it sends faster than they are passed on")
	}
}

// drop tells, not too often, that a datagram is dropped.
func (d *datagrams) drop(client net.Addr, why string) {
	skipped, tell := d.dropped.tell(time.Now())
	if !tell {
		return
	}
	text := fmt.Sprintf("a datagram from %s was dropped: %s", client, why)
	if skipped > 0 {
		text += fmt.Sprintf(" (and %d more)", skipped)
	}
	d.s.opts.Notify(Notice{Text: text})
}

// close ends all pairs and returns when they have ended.
func (d *datagrams) close() {
	close(d.over)
	d.running.Wait()
}

// leave takes a pair off the list. It reports false where a datagram came in the
// meantime and the pair is to go on.
func (d *datagrams) leave(key pairKey, q *pair, anyway bool) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(q.in) > 0 && !anyway {
		return false
	}
	if d.pairs[key] == q {
		delete(d.pairs, key)
	}
	return true
}
