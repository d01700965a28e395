package proxy

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"

	flowpb "weir/proto"
	"weir/proxy/record"
)

// errPassThrough ends a handshake that is not ours to make, before a byte of it
// was answered.
var errPassThrough = errors.New("passed through")

// HostPattern is searched for in "host:port". A *regexp.Regexp is one.
type HostPattern interface {
	MatchString(hostPort string) bool
	String() string // as the user wrote it
}

// passReason says why connections to any of these names, each "host:port", are
// not opened; "" where they are.
func (s *Server) passReason(names ...string) string {
	matches := func(r HostPattern) bool { return slices.ContainsFunc(names, r.MatchString) }
	for _, r := range s.opts.Ignore {
		if matches(r) {
			return "--ignore " + r.String()
		}
	}
	if len(s.opts.Only) > 0 && !slices.ContainsFunc(s.opts.Only, matches) {
		return "no --only fits"
	}
	return ""
}

// pinning remembers the clients that refuse our certificate for a host. One that
// did so twice and has a pinned certificate will do so for ever: it is let pass,
// so that it works, until somebody asks for it to be opened again.
type pinning struct {
	mu   sync.Mutex
	seen map[Pin]int // refusals since the last time it was accepted
}

// Pin is a client that refuses our certificate for a host.
type Pin struct {
	Client netip.Addr
	Host   string
}

const (
	refusalsToPass = 2
	maxPins        = 4096
)

// refused counts a refusal and reports whether p is let pass from now on.
func (l *pinning) refused(p Pin) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seen == nil {
		l.seen = make(map[Pin]int)
	}
	if _, known := l.seen[p]; !known && len(l.seen) >= maxPins {
		for other := range l.seen { // any will do: it takes two refusals to be here again
			delete(l.seen, other)
			break
		}
	}
	l.seen[p]++
	return l.seen[p] == refusalsToPass
}

// accepted forgets the refusals of p, who has come to trust us.
func (l *pinning) accepted(p Pin) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.seen, p)
}

func (l *pinning) passes(p Pin) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seen[p] >= refusalsToPass
}

// list returns those that are let pass, by host.
func (l *pinning) list() []Pin {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []Pin
	for p, n := range l.seen {
		if n >= refusalsToPass {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b Pin) int {
		if n := strings.Compare(a.Host, b.Host); n != 0 {
			return n
		}
		return a.Client.Compare(b.Client)
	})
	return out
}

// forget makes clients of host be opened again, "" for every host, and returns
// how many were let pass.
func (l *pinning) forget(host string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for p, refusals := range l.seen {
		if host != "" && !strings.EqualFold(host, p.Host) {
			continue
		}
		if refusals >= refusalsToPass {
			n++
		}
		delete(l.seen, p)
	}
	return n
}

// pin is who c is and where it goes, as pinning knows it.
func (c *client) pin(to route, sni string) Pin {
	p := Pin{Host: to.host}
	if sni != "" {
		p.Host = sni
	}
	if ap, err := netip.ParseAddrPort(c.raw.RemoteAddr().String()); err == nil {
		p.Client = ap.Addr().Unmap()
	}
	return p
}

// refusedUs notes that the client refused our certificate for p.
func (c *client) refusedUs(p Pin) {
	if c.s.opts.NoAutoIgnore || p.Host == "" || !c.s.pins.refused(p) {
		return
	}
	c.s.opts.Notify(Notice{
		Text: record.Printable(fmt.Sprintf("%s refused weir's certificate for %s twice: its connections there are passed through unopened from now on", p.Client, p.Host)),
		Hint: "P (intercept-again) opens them again, as a new start does; --no-auto-ignore never passes them through",
	})
}

// trustsLeaf notes that the client goes on after the handshake: it has come to
// trust the leaf, if it ever did not.
func (c *client) trustsLeaf() {
	if c.leafFor.Host != "" {
		c.s.pins.accepted(c.leafFor)
		c.leafFor = Pin{}
	}
}

// unkept is what passes through: nothing of it becomes a message.
type unkept struct{}

// Take implements splitter.
func (unkept) Take(flowpb.Side, []byte, func(*flowpb.Message) error) error { return nil }

// End implements splitter.
func (unkept) End(int64, func(*flowpb.Message) error) error { return nil }
