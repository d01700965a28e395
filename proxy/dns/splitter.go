package dns

import "encoding/binary"

// Splitter finds the messages of a stream (RFC 1035 §4.2.2). Its zero value is
// ready. It holds one message.
type Splitter struct {
	held []byte // of the length and the message, as far as they came
}

// Feed takes bytes from the front of p. It returns how many, and a message
// where these complete one, valid until the next call. Where there is none all of
// p is taken.
func (s *Splitter) Feed(p []byte) (n int, message []byte) {
	if len(s.held) > 2 && len(s.held) == 2+s.length() {
		s.held = s.held[:0]
	}
	for n < len(p) {
		want := 2
		if len(s.held) >= 2 {
			want += s.length()
		}
		take := min(want-len(s.held), len(p)-n)
		s.held = append(s.held, p[n:n+take]...)
		n += take
		if len(s.held) >= 2 && len(s.held) == 2+s.length() {
			if s.length() > 0 {
				return n, s.held[2:]
			}
			s.held = s.held[:0]
		}
	}
	return n, nil
}

// length is what the first two bytes say.
func (s *Splitter) length() int { return int(binary.BigEndian.Uint16(s.held)) }
