package proxy

import (
	"sync"
	"time"

	"weir/proxy/contain"
)

// leaver is a connection whose protocol has a word for going away, so that what
// is under way is finished and what comes later is asked elsewhere.
type leaver interface {
	// leave tells the peer, and ends the connection once nothing is open on it.
	leave()
}

// enroll has l told when the server stops.
func (s *Server) enroll(l leaver) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leavers[l] = struct{}{}
}

// dismiss is the end of l.
func (s *Server) dismiss(l leaver) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.leavers, l)
	s.noteAlone()
}

// noteAlone tells wind that nobody is left to be waited for. The caller holds mu.
func (s *Server) noteAlone() {
	if !s.winding || len(s.leavers) > 0 {
		return
	}
	select {
	case <-s.alone:
	default:
		close(s.alone)
	}
}

// wind stops the server: no more connections are taken, those that can be are told
// to finish, and after a bounded time all are closed.
func (s *Server) wind() {
	_ = s.Close()
	s.mu.Lock()
	s.winding = true
	s.noteAlone()
	var telling sync.WaitGroup
	for l := range s.leavers {
		contain.Go(&telling, l.leave, s.mistaken) // ends with the connection at the latest
	}
	s.mu.Unlock()
	var late <-chan time.Time
	if t := s.opts.Timeouts.Drain; t > 0 {
		timer := time.NewTimer(t)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case <-s.alone:
	case <-late:
	}
	s.stop()
	telling.Wait()
}
