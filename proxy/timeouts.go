package proxy

import (
	"fmt"
	"net"
	"strings"
	"time"
)

// Timeouts bound the waits of a Server. A zero field means its default, a
// negative one no bound.
type Timeouts struct {
	Dial      time.Duration // resolving and connecting; default 30 s
	Handshake time.Duration // each TLS handshake; default 30 s
	KeepAlive time.Duration // a client connection between two requests; default 10 min
	Head      time.Duration // from the first to the last byte of a request head; default 1 min
	Silence   time.Duration // no byte in either direction inside an exchange, or on a stream of HTTP/2; default 30 min
	Tunnel    time.Duration // no byte in either direction of a raw stream, a WebSocket or another upgrade; default no bound
	Peek      time.Duration // a client's silence in a fresh tunnel, after which the server may speak first; default 1 s
	Drain     time.Duration // what is open on HTTP/2 connections when the server stops; default 1 s
	Datagrams time.Duration // no datagram in either direction of a UDP exchange; default 1 min
}

// Phase is a wait that has a time-out, as users name it.
type Phase struct {
	Name    string
	Default time.Duration // negative: no bound
	Help    string
}

// phase is one with its place in a Timeouts.
type phase struct {
	Phase
	field *time.Duration
}

// phases is the table of them all.
func (t *Timeouts) phases() []phase {
	return []phase{
		{Phase{"connect", 30 * time.Second, "resolving a server's name and connecting to it"}, &t.Dial},
		{Phase{"handshake", 30 * time.Second, "each TLS handshake"}, &t.Handshake},
		{Phase{"head", time.Minute, "a request's head, from its first byte to its last"}, &t.Head},
		{Phase{"idle", 10 * time.Minute, "a client's connection between two requests"}, &t.KeepAlive},
		{Phase{"silence", 30 * time.Minute, "inside a request and its response, no byte in either direction"}, &t.Silence},
		{Phase{"tunnel", -1, "in a raw tunnel or a WebSocket, no byte in either direction"}, &t.Tunnel},
		{Phase{"datagrams", time.Minute, "between a client and a server of UDP, no datagram in either direction"}, &t.Datagrams},
		{Phase{"peek", time.Second, "a client that says nothing in a fresh tunnel, after which its server may speak first"}, &t.Peek},
		{Phase{"drain", time.Second, "what is open on HTTP/2 connections when weir stops"}, &t.Drain},
	}
}

// Phases lists the waits that have a time-out, in the order in which they come.
func Phases() []Phase {
	var out []Phase
	for _, p := range new(Timeouts).phases() {
		out = append(out, p.Phase)
	}
	return out
}

// Set bounds the phase of that name; 0 is no bound.
func (t *Timeouts) Set(name string, d time.Duration) error {
	var names []string
	for _, p := range t.phases() {
		if p.Name != name {
			names = append(names, p.Name)
			continue
		}
		if d < 0 {
			return fmt.Errorf("time-out of %s: %v is negative", name, d)
		}
		if *p.field = d; d == 0 {
			*p.field = -1
		}
		return nil
	}
	return fmt.Errorf("time-out %q: none of %s", name, strings.Join(names, ", "))
}

// withDefaults returns t with every zero field replaced.
func (t Timeouts) withDefaults() Timeouts {
	for _, p := range t.phases() {
		if *p.field == 0 {
			*p.field = p.Default
		}
	}
	return t
}

// deadline returns the time d from now, or no deadline for a negative d.
func deadline(d time.Duration) time.Time {
	if d < 0 {
		return time.Time{}
	}
	return time.Now().Add(d)
}

// probes are what both ends of a connection are asked with while they say nothing, so
// that one whose machine or network is gone is noticed after a minute and a half, and
// one that is there may be silent for as long as it likes.
func probes() net.KeepAliveConfig {
	return net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 6}
}
