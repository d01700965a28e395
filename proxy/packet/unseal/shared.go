package unseal

import (
	"crypto/sha256"

	"weir/proxy/handshake"
)

// Shared is what the Conns of one goroutine share: the sessions of TLS 1.2 and before
// that a client may go on with, and memory. Its zero value is ready.
type Shared struct {
	sessions map[[sha256.Size]byte]*Secrets // by the hash of their number or ticket
	order    [][sha256.Size]byte            // the oldest first, a ring once it is full
	oldest   int

	plain []byte   // what the last record held
	free  [][]byte // room for records that come in pieces
}

// Bounds of the sessions that are remembered, and of the room that is kept for records
// to come.
const (
	maxSessions = 1 << 14
	maxFree     = 16
)

// ticketHeader is what precedes the ticket in NewSessionTicket, in bytes: a lifetime
// and the length (RFC 5077, section 3.3).
const ticketHeader = 6

// Session returns the secrets of the earlier connection that a client goes on with;
// nil where none is known, or where it begins anew. Some key logs have the secrets of a
// session once, others under the random of each of its connections.
func (s *Shared) Session(h *handshake.ClientHello) *Secrets {
	for _, name := range [][]byte{h.Ticket, h.SessionID} {
		if len(name) == 0 {
			continue
		}
		if found := s.sessions[sha256.Sum256(name)]; found != nil {
			return found
		}
	}
	return nil
}

// remember keeps the secrets of a session under its number or ticket.
func (s *Shared) remember(name []byte, secrets *Secrets) {
	if len(name) == 0 || secrets == nil || secrets.of[master] == nil {
		return
	}
	key := sha256.Sum256(name)
	if s.sessions == nil {
		s.sessions = map[[sha256.Size]byte]*Secrets{}
	}
	if s.sessions[key] == nil {
		if len(s.order) < maxSessions {
			s.order = append(s.order, key)
		} else {
			delete(s.sessions, s.order[s.oldest])
			s.order[s.oldest] = key
			s.oldest = (s.oldest + 1) % maxSessions
		}
	}
	s.sessions[key] = secrets
}

// room returns an empty slice for a record.
func (s *Shared) room() []byte {
	if n := len(s.free); n > 0 {
		p := s.free[n-1]
		s.free = s.free[:n-1]
		return p
	}
	return make([]byte, 0, recordHeader+maxRecord)
}

// leave gives a slice back that nobody looks at any more.
func (s *Shared) leave(p []byte) {
	if cap(p) == recordHeader+maxRecord && len(s.free) < maxFree {
		s.free = append(s.free, p[:0])
	}
}
