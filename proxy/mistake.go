package proxy

import (
	"fmt"
	"sync"
	"time"

	flowpb "weir/proto"
	"weir/proxy/contain"
)

// mistakes is where weir panicked, and when it was told. The zero value is ready.
type mistakes struct {
	mu     sync.Mutex
	places map[string]*throttle // as many as the program has
}

// at returns the throttle of a place.
func (m *mistakes) at(place string) *throttle {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.places == nil {
		m.places = make(map[string]*throttle)
	}
	t := m.places[place]
	if t == nil {
		t = &throttle{}
		m.places[place] = t
	}
	return t
}

// mistake makes a failure of a panic, see package contain, and tells of it with its
// stack, though not too often. What it was about is to be closed.
func (s *Server) mistake(p *contain.PanicError) error {
	if skipped, tell := s.mistakes.at(p.Place).tell(time.Now()); tell {
		text := "weir made a mistake and gave up what it was about: " + p.Error()
		if skipped > 0 {
			text += fmt.Sprintf(" (and %d more)", skipped)
		}
		s.opts.Notify(Notice{Text: text, Details: string(p.Stack)})
	}
	return &flowError{
		code: flowpb.CodeInternal, cause: p,
		message: "weir made a mistake and gave this up: " + p.Error(),
		hint:    "everything else goes on; the event log says where the details are: please report them",
	}
}

// isMistake reports whether err is what mistake made.
func isMistake(err error) bool {
	f := asFailure(err)
	return f != nil && f.code == flowpb.CodeInternal
}

// mistaken is mistake for a goroutine that ends with it.
func (s *Server) mistaken(p *contain.PanicError) { _ = s.mistake(p) }

// guard calls f, and makes a failure of a panic in it.
func (s *Server) guard(f func() error) error { return contain.Call(f, s.mistake) }

// conclude ends a flow with f, which may be nil. Where that panics, in what a parser
// still had to say, it is ended once more, as failed.
func (s *Server) conclude(f *flowError, end func(*flowError) error) error {
	return contain.Call(func() error { return end(f) }, func(p *contain.PanicError) error { return end(asFailure(s.mistake(p))) })
}
