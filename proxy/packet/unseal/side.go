package unseal

import (
	"bytes"
	"encoding/binary"

	"weir/proxy/handshake"
)

// Sizes in bytes. A record may be larger than its plaintext by what encryption adds.
const (
	recordHeader = 5
	maxRecord    = 1<<14 + 2048
	// maxEarly bounds the records that come before their keys can be known, and those
	// that are passed over while keys of the handshake are missing.
	maxEarly = 64 << 10
)

// The epochs of keys of TLS 1.3, in their order.
const (
	epochEarly = iota
	epochHandshake
	epochTraffic
	epochs
)

// side is one direction.
type side struct {
	c     *Conn
	index int
	half  *handshake.Half

	buf  []byte // the record that comes; where its beginning is looked for, all since
	skip int64  // bytes of a damaged record that are still to come
	hunt *hunt  // not nil while the next record is looked for
	lost bool   // the side stays sealed

	open opener // nil: records are in clear
	seq  uint64 // of the next record
	next opener // of TLS 1.2 and before: from the next change of the cipher on

	epochs   [epochs]opener // of TLS 1.3
	epoch    int
	traffic  []byte // the secret of epochTraffic
	finished bool   // its Finished was opened

	early     []waiting // records that came before their keys could be known
	earlySize int
	passed    int // bytes of records passed over for want of keys of the handshake
}

// waiting is a record that waits for keys.
type waiting struct {
	p  []byte
	at int64
}

func (s *side) tell(kind Kind, p []byte, n, at int64) error {
	return s.c.yield(Event{Kind: kind, Side: s.index, Data: p, Length: n, AtNs: at})
}

// feed splits bytes into records.
func (s *side) feed(p []byte, at int64) error {
	for len(p) > 0 {
		switch {
		case s.lost:
			return s.tell(Sealed, p, 0, at)
		case s.skip > 0:
			n := min(s.skip, int64(len(p)))
			s.skip -= n
			p = p[n:]
			continue
		case s.hunt != nil:
			s.buf = append(s.buf, p...)
			var err error
			if p, err = s.search(at); err != nil {
				return err
			}
			continue
		}
		n, r := s.cut(p)
		p = p[n:]
		if r == nil {
			continue
		}
		if !isRecord(r) {
			return s.lose("what comes is no TLS record", r, p, at)
		}
		buf := s.buf
		s.buf = nil
		err := s.record(r, at)
		s.c.shared.leave(buf)
		if err != nil {
			return err
		}
	}
	return nil
}

// cut takes bytes of p into the record that comes. r is that once it is whole, or
// once its header is none.
func (s *side) cut(p []byte) (n int, r []byte) {
	if len(s.buf) == 0 && len(p) >= recordHeader {
		if size := recordSize(p); len(p) >= size || !isRecord(p) {
			return min(len(p), size), p[:min(len(p), size)]
		}
	}
	if s.buf == nil {
		s.buf = s.c.shared.room()
	}
	if need := recordHeader - len(s.buf); need > 0 {
		n = min(need, len(p))
		s.buf = append(s.buf, p[:n]...)
		if len(s.buf) < recordHeader {
			return n, nil
		}
		if !isRecord(s.buf) {
			return n, s.buf
		}
	}
	m := min(recordSize(s.buf)-len(s.buf), len(p)-n)
	s.buf = append(s.buf, p[n:n+m]...)
	if len(s.buf) < recordSize(s.buf) {
		return n + m, nil
	}
	return n + m, s.buf
}

func recordSize(header []byte) int { return recordHeader + int(binary.BigEndian.Uint16(header[3:])) }

// isRecord reports whether a header is one of a TLS record.
func isRecord(h []byte) bool {
	return h[0] >= handshake.RecordChangeCipher && h[0] <= recordHeartbeat && h[1] == 3 && recordSize(h) <= recordHeader+maxRecord
}

const recordHeartbeat = 24 // RFC 6520

// lose gives the side up: the bytes are told as they came, and so is what follows.
func (s *side) lose(reason string, p, more []byte, at int64) error {
	s.lost = true
	if err := s.c.yield(Event{Kind: Lost, Side: s.index, Reason: reason, AtNs: at}); err != nil {
		return err
	}
	for _, w := range s.early {
		if err := s.tell(Sealed, w.p, 0, w.at); err != nil {
			return err
		}
	}
	s.early, s.hunt = nil, nil
	for _, part := range [][]byte{p, more} {
		if len(part) == 0 {
			continue
		}
		if err := s.tell(Sealed, part, 0, at); err != nil {
			return err
		}
	}
	s.buf = nil
	return nil
}

// record takes a whole record.
func (s *side) record(p []byte, at int64) error {
	r := sealed{header: p[:recordHeader], payload: p[recordHeader:]}
	if s.mustWait(r) {
		if s.earlySize += len(p); s.earlySize > maxEarly {
			return s.lose(s.c.unknown(), p, nil, at)
		}
		s.early = append(s.early, waiting{bytes.Clone(p), at})
		return nil
	}
	if s.inClear(r) {
		return s.content(r.kind(), r.payload, at)
	}
	kind, content, ok := s.unseal(r)
	if !ok {
		return s.failed(r, p, at)
	}
	s.c.Opened++
	return s.content(kind, content, at)
}

// inClear reports whether a record is not encrypted. In TLS 1.3 its outer type says
// so.
func (s *side) inClear(r sealed) bool {
	if s.c.version() >= versionTLS13 || s.c.server == nil {
		return r.kind() != handshake.RecordData
	}
	return s.open == nil && r.kind() != handshake.RecordData
}

// mustWait reports whether it cannot be known yet how a record of the client is
// sealed: before the server answered, or before it said whether it takes early data.
func (s *side) mustWait(r sealed) bool {
	c := s.c
	switch {
	case s.index != 0 || c.hellos == 0:
		return false
	case c.server == nil:
		return r.kind() == handshake.RecordData || r.kind() == handshake.RecordChangeCipher || len(s.early) > 0
	case r.kind() != handshake.RecordData:
		return false
	case c.server.Retry:
		return true
	}
	return c.version() >= versionTLS13 && s.epoch == epochEarly && s.epochs[epochEarly] != nil && !c.Halves[1].Encrypted && !c.sides[1].lost
}

// release opens the records that waited, once that can be.
func (s *side) release() error {
	if s.c.server != nil && s.c.server.Retry && s.c.hellos == 1 {
		s.early, s.earlySize = nil, 0 // early data that the server does not take
	}
	for len(s.early) > 0 && !s.lost {
		w := s.early[0]
		if s.mustWait(sealed{header: w.p[:recordHeader]}) {
			return nil
		}
		s.early = s.early[1:]
		if err := s.record(w.p, w.at); err != nil {
			return err
		}
	}
	if len(s.early) == 0 {
		s.earlySize = 0
	}
	return nil
}

// content takes what a record holds.
func (s *side) content(kind uint8, p []byte, at int64) error {
	switch kind {
	case handshake.RecordData:
		if len(p) == 0 || s.rejected() {
			return nil
		}
		return s.tell(Data, p, 0, at)
	case handshake.RecordChangeCipher:
		if s.c.version() < versionTLS13 {
			s.open, s.seq, s.next = s.next, 0, nil
			s.half.Lose() // a message never goes on behind it
			if s.open == nil && s.c.server != nil {
				return s.lose(s.c.unknown(), nil, nil, at)
			}
		}
		return nil
	}
	s.half.Opened(s.c.version(), kind, p)
	return nil
}

// rejected reports whether what was just opened is early data that the server does
// not take. The client sends it again.
func (s *side) rejected() bool {
	return s.index == 0 && s.c.version() >= versionTLS13 && s.epoch == epochEarly && s.c.Halves[1].Encrypted && !s.c.Halves[1].EarlyData
}
