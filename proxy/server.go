package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"weir/proxy/contain"
)

// Server is a listening proxy. Make one with Listen.
type Server struct {
	opts                Options
	ln                  net.Listener
	pc                  net.PacketConn // for modes that take UDP, on the same address; else nil
	resolver            *resolver      // of the mode dns, where it names no server; else nil
	redirected          *redirected    // for UDP in transparent mode, where the system allows it; else nil
	own                 *ownAddresses
	pins                *pinning
	handshakes          *handshakes
	refused, unaccepted throttle
	mistakes            mistakes
	waiting             atomic.Int32 // for a file to open, to connect to a server
	buffers             buffers

	stopped chan struct{} // closed when stop has closed everything

	mu       sync.Mutex
	conns    map[net.Conn]struct{} // every open connection of both sides
	leavers  map[leaver]struct{}   // those that are told before they are closed
	pools    map[*pool]struct{}    // of all client connections
	winding  bool                  // they were
	alone    chan struct{}         // closed when the last of them left after that
	stopping bool

	clients sync.WaitGroup
}

// Listen opens the listening socket. Connections are taken once Serve runs.
func Listen(ctx context.Context, opts Options) (*Server, error) {
	opts = opts.withDefaults()
	if opts.Sink == nil {
		return nil, errors.New("listen: no sink to record into")
	}
	lc := net.ListenConfig{KeepAliveConfig: probes()}
	if opts.Mode.Kind == Transparent {
		lc.Control = transparentListen
	}
	ln, err := lc.Listen(ctx, networkOf(opts.Listen), opts.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", opts.Listen, err)
	}
	s := newServer(opts, ln)
	if err := s.listenDatagrams(ctx); err != nil {
		_ = s.Close()
		return nil, err
	}
	if !newOwnAddress(ln.Addr()).loopback() && opts.Auth == nil {
		opts.Notify(Notice{
			Text: fmt.Sprintf("listening on %s: whoever reaches this address can use the proxy", ln.Addr()),
			Hint: "listen on 127.0.0.1 unless other machines are meant to connect, or ask for a password with --proxy-auth",
		})
	}
	return s, nil
}

// networkOf returns what to listen on address with: "0.0.0.0" means every IPv4
// address, where Go's "tcp" would take it for every address of both families.
func networkOf(address string) string {
	host, _, _ := net.SplitHostPort(address)
	if ip, err := netip.ParseAddr(host); err == nil && ip.Is4() {
		return "tcp4"
	}
	return "tcp"
}

func newServer(opts Options, ln net.Listener) *Server {
	s := &Server{
		opts:       opts,
		ln:         ln,
		own:        opts.own,
		pins:       opts.pins,
		handshakes: newHandshakes(),
		stopped:    make(chan struct{}),
		conns:      make(map[net.Conn]struct{}),
		leavers:    make(map[leaver]struct{}),
		pools:      make(map[*pool]struct{}),
		alone:      make(chan struct{}),
	}
	if s.own == nil {
		s.own, s.pins = &ownAddresses{}, &pinning{}
	}
	s.own.add(ln.Addr())
	return s
}

// Addr returns the address that the server listens on.
func (s *Server) Addr() net.Addr { return s.ln.Addr() }

// Close ends the listening of a Server that does not serve.
func (s *Server) Close() error {
	s.own.remove(s.ln.Addr())
	if s.pc != nil {
		_ = s.pc.Close()
	}
	if s.redirected != nil {
		_ = s.redirected.Close()
	}
	return s.ln.Close()
}

// Serve takes connections until ctx is done, then closes them all (those of HTTP/2
// have a moment to finish what is under way, see [Timeouts]) and returns after
// the last goroutine with every open flow recorded as stopped. It returns
// nil where ctx ended it. Call it once.
func (s *Server) Serve(ctx context.Context) error {
	cancelled := context.AfterFunc(ctx, s.wind)
	if s.pc != nil {
		contain.Go(&s.clients, func() { s.serveDatagrams(ctx, s.pc) }, s.mistaken)
	}
	if s.redirected != nil {
		contain.Go(&s.clients, func() { s.serveRedirected(ctx) }, s.mistaken)
	}
	err := s.accept(ctx)
	if cancelled() {
		s.wind()
	}
	<-s.stopped
	s.clients.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// accept starts one goroutine a client connection; Serve waits for them all.
func (s *Server) accept(ctx context.Context) error {
	for {
		s.letOthersFirst(ctx)
		conn, err := s.ln.Accept()
		switch {
		case err == nil:
			if s.track(conn) {
				contain.Go(&s.clients, func() { s.serveConn(ctx, conn) }, s.mistaken)
			}
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("accept on %s: %w", s.ln.Addr(), err)
		default:
			// Out of file descriptors, mostly: existing connections go on, new ones wait.
			if _, tell := s.unaccepted.tell(time.Now()); tell {
				s.opts.Notify(Notice{
					Text: fmt.Sprintf("no more connections are taken for now: accept on %s: %v", s.ln.Addr(), err),
					Hint: fullHint,
				})
			}
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(200 * time.Millisecond):
			}
		}
	}
}

// stop closes every connection, which ends all waits.
func (s *Server) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopping = true
	for c := range s.conns {
		_ = c.Close()
	}
	close(s.stopped)
}

// track remembers c so that stop closes it. It closes c at once and reports
// false where the server is stopping already.
func (s *Server) track(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		_ = c.Close()
		return false
	}
	s.conns[c] = struct{}{}
	return true
}

// release closes c and forgets it.
func (s *Server) release(c net.Conn) {
	_ = c.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}
