package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"
)

// A process may open so many files and no more, and connections are files. Where that
// is reached, everything waits that would open another: clients are not accepted as long
// as one that is here waits for its server, and connections that are only kept for
// a next request are given up.

// fullHint is what to do about it.
const fullHint = "those that are open go on; raise the limit on open files (ulimit -n) if this stays"

// fullEvery is how often it is tried again.
const fullEvery = 50 * time.Millisecond

// isFull reports whether err is that no more files can be opened.
func isFull(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// whileFull calls dial, and again as long as no more files can be opened and ctx lets it.
func (s *Server) whileFull(ctx context.Context, to route, dial func() (net.Conn, error)) (net.Conn, error) {
	conn, err := dial()
	if !isFull(err) {
		return conn, err
	}
	s.waiting.Add(1)
	defer s.waiting.Add(-1)
	if _, tell := s.unaccepted.tell(time.Now()); tell {
		s.opts.Notify(Notice{Text: fmt.Sprintf("no file is left to open for a connection to %s, which waits", to.hostPort()), Hint: fullHint})
	}
	for isFull(err) {
		s.giveUpKept(ctx)
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(fullEvery):
		}
		conn, err = dial()
	}
	return conn, err
}

// letOthersFirst returns when nobody waits for a file to open, or ctx ends.
func (s *Server) letOthersFirst(ctx context.Context) {
	for s.waiting.Load() > 0 && ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-time.After(fullEvery):
		}
	}
}

// giveUpKept closes the connections to servers that are kept for a next request.
func (s *Server) giveUpKept(ctx context.Context) {
	s.mu.Lock()
	var kept []*upstream
	for p := range s.pools {
		kept = append(kept, p.takeAll()...)
	}
	s.mu.Unlock()
	for _, up := range kept {
		up.close(ctx, nil)
	}
}
