package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"

	"weir/proxy/contain"
)

// Set is the servers of one capture. Which modes they serve can be changed while
// they run: what stays goes on undisturbed, what goes is closed with its
// connections, what is new is listened for. Make one with NewSet; it is safe for
// concurrent use.
type Set struct {
	opts Options
	own  ownAddresses
	pins pinning

	change sync.Mutex // held by one Change at a time

	mu      sync.Mutex
	members []*member
	run     func(*member) // starts one for Serve; nil before that
	failed  chan error    // the first server that ended by itself

	running sync.WaitGroup
}

// member is one server of a Set.
type member struct {
	mode   Mode
	server *Server
	stop   context.CancelFunc // nil where it does not serve yet
	done   chan struct{}      // closed when it served
}

// NewSet returns a Set without servers. Of opts, Mode and Listen are those of
// each server and need not be set; everything else they share.
func NewSet(opts Options) *Set {
	s := &Set{opts: opts, failed: make(chan error, 1)}
	s.opts.own, s.opts.pins = &s.own, &s.pins
	return s
}

// Listening is one server of a Set as people are told of it.
type Listening struct {
	Mode Mode
	Addr net.Addr
}

// Servers lists what listens, in the order of the modes.
func (s *Set) Servers() []Listening {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Listening, len(s.members))
	for i, m := range s.members {
		out[i] = Listening{m.mode, m.server.Addr()}
	}
	return out
}

// Pins lists the clients whose connections to a host are passed through because
// they refused our certificate for it twice.
func (s *Set) Pins() []Pin { return s.pins.list() }

// InterceptAgain opens connections to host again that were passed through by
// Pins, "" for every host. It returns for how many clients.
func (s *Set) InterceptAgain(host string) int { return s.pins.forget(host) }

// Change makes modes the ones that are served. Each needs its Listen. Servers
// that are not among them end first, so that their addresses are free; a server
// that cannot listen is the error, and the modes that were served stay as far as
// they did not have to go.
func (s *Set) Change(ctx context.Context, modes []Mode) error {
	s.change.Lock()
	defer s.change.Unlock()
	kept, gone := s.sort(modes)
	for _, m := range gone {
		m.end()
	}
	members := make([]*member, 0, len(modes))
	var failed error
	for _, mode := range modes {
		m := kept[mode]
		if m == nil {
			var err error
			if m, err = s.listen(ctx, mode); err != nil {
				failed = errors.Join(failed, err)
				continue
			}
		}
		members = append(members, m)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.members = members
	s.start()
	return failed
}

// sort tells the members that modes keep from those that go.
func (s *Set) sort(modes []Mode) (kept map[Mode]*member, gone []*member) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept = make(map[Mode]*member)
	for _, mode := range modes {
		kept[mode] = nil
	}
	for _, m := range s.members {
		if had, wanted := kept[m.mode]; wanted && had == nil {
			kept[m.mode] = m
			continue
		}
		gone = append(gone, m)
	}
	return kept, gone
}

func (s *Set) listen(ctx context.Context, mode Mode) (*member, error) {
	opts := s.opts
	opts.Mode, opts.Listen = mode, mode.Listen
	server, err := Listen(ctx, opts)
	if err != nil {
		return nil, fmt.Errorf("mode %s: %w", mode, err)
	}
	return &member{mode: mode, server: server, done: make(chan struct{})}, nil
}

// end closes the server and returns after its last connection.
func (m *member) end() {
	if m.stop == nil {
		_ = m.server.Close()
		return
	}
	m.stop()
	<-m.done
}

// start serves the members that do not serve yet, once Serve runs. The caller
// holds mu.
func (s *Set) start() {
	for _, m := range s.members {
		if m.stop == nil && s.run != nil {
			s.run(m)
		}
	}
}

// serve runs m until ctx ends or m is told to end.
func (s *Set) serve(ctx context.Context, m *member) {
	ctx, m.stop = context.WithCancel(ctx)
	contain.Go(&s.running, func() { // Serve waits for it
		defer close(m.done)
		if err := m.server.guard(func() error { return m.server.Serve(ctx) }); err != nil {
			select {
			case s.failed <- err:
			default: // the first one ends them all
			}
		}
	}, m.server.mistaken)
}

// Serve serves until ctx is done or a server fails, and returns after the last
// connection of all servers is closed and recorded. Call it once.
func (s *Set) Serve(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	s.mu.Lock()
	s.run = func(m *member) { s.serve(ctx, m) }
	s.start()
	s.mu.Unlock()
	var err error
	select {
	case <-ctx.Done():
	case err = <-s.failed:
		stop()
	}
	s.change.Lock() // a Change that is under way may start servers, which end at once
	defer s.change.Unlock()
	s.running.Wait()
	return err
}

// Close ends the listening of a Set that does not serve.
func (s *Set) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	for _, m := range s.members {
		if m.stop == nil {
			err = errors.Join(err, m.server.Close())
		}
	}
	return err
}
