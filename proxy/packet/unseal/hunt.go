package unseal

import "weir/proxy/handshake"

// hunt is the search for the next record behind missing bytes, in all that came since.
type hunt struct {
	missing int64 // bytes from the last record that is known to the buffer
	at      int   // where in the buffer the search is
	greets  bool  // the handshake was not over before
}

// Bounds of a hunt: how many numbers are tried, and how far is looked, in bytes.
const (
	maxAhead = 1024
	maxHunt  = 64 << 10
)

const unfound = "bytes were not captured, and the next record behind them cannot be found"

// gap takes missing bytes.
func (s *side) gap(n, at int64) error {
	if s.lost {
		return s.tell(SealedGap, nil, n, at)
	}
	if s.open == nil && s.next == nil && s.epochs == [epochs]opener{} {
		err := s.lose("bytes of the handshake were not captured", s.buf, nil, at)
		if err != nil {
			return err
		}
		return s.tell(SealedGap, nil, n, at)
	}
	s.half.Lose()
	if s.hunt != nil {
		s.hunt.missing += int64(len(s.buf)) + n
		s.hunt.at, s.buf = 0, nil
		return nil
	}
	n, known := s.within(n)
	if known {
		return s.damaged(at)
	}
	s.begin(n)
	return nil
}

// within takes missing bytes of a record whose end is known; else n is how many bytes
// of records that nobody knows are missing.
func (s *side) within(n int64) (missing int64, known bool) {
	left := s.skip
	if left == 0 && len(s.buf) >= recordHeader {
		left = int64(recordSize(s.buf) - len(s.buf))
	}
	if n <= left && s.open != nil && !s.implicit() {
		s.skip = left - n
		return 0, true
	}
	if s.skip > 0 { // the rest of what was told before
		return n - s.skip, false
	}
	return n + int64(len(s.buf)), false
}

// implicit reports whether a record cannot be opened without the one before it.
func (s *side) implicit() bool {
	switch o := s.open.(type) {
	case *chained:
		return o.implicit
	case *streamed:
		return true
	}
	return false
}

// damaged tells of one record whose length is known and whose content is not.
func (s *side) damaged(at int64) error {
	if len(s.buf) == 0 { // it was told before
		return nil
	}
	size, isData := recordSize(s.buf), s.carriesData(s.buf[0])
	s.buf = nil
	s.seq++
	if !isData {
		return nil
	}
	return s.tell(Gap, nil, s.length(int64(size), 1), at)
}

// carriesData reports whether a record of that outer type is likely to hold
// application data.
func (s *side) carriesData(outer uint8) bool {
	return outer == handshake.RecordData && (s.c.version() < versionTLS13 || s.epoch == epochTraffic)
}

// length is how many bytes of content so many records had, 0 where nobody can know.
func (s *side) length(size int64, records uint64) int64 {
	if s.open == nil {
		return 0
	}
	over, exact := s.open.overhead()
	if !exact || records > maxAhead {
		return 0
	}
	return max(0, size-int64(over)*int64(records))
}

// begin begins to look for the next record behind so many missing bytes.
func (s *side) begin(missing int64) {
	s.hunt = &hunt{missing: missing, greets: !s.finished}
	s.buf, s.skip = nil, 0
	s.half.Lose()
}

// search looks through the buffer. It returns what is to be fed behind the record
// that it found.
func (s *side) search(at int64) (rest []byte, err error) {
	h := s.hunt
	for {
		h.at += candidate(s.buf[h.at:])
		if h.at > maxHunt || s.c.work < 0 {
			return nil, s.lose(unfound, s.buf, nil, at)
		}
		p := s.buf[h.at:]
		if len(p) < recordHeader || len(p) < recordSize(p) {
			return nil, nil
		}
		size := recordSize(p)
		r := sealed{header: p[:recordHeader], payload: p[recordHeader:size], before: s.buf[:h.at]}
		ahead, kind, content, ok := s.numbers(r)
		if !ok {
			h.at++
			continue
		}
		s.hunt, s.buf = nil, nil
		s.c.Opened++
		if err := s.missed(h, r.kind(), ahead, at); err != nil {
			return nil, err
		}
		return p[size:], s.content(kind, content, at)
	}
}

// missed tells of the application data that was in so many records before the one
// that was found.
func (s *side) missed(h *hunt, outer uint8, ahead uint64, at int64) error {
	if !s.carriesData(outer) {
		return nil
	}
	if !h.greets {
		return s.tell(Gap, nil, s.length(h.missing+int64(h.at), ahead), at)
	}
	first := uint64(0)
	if s.c.version() < versionTLS13 {
		first = 1 // behind Finished
	}
	if s.seq-1 <= first {
		return nil // it is the first that can hold any
	}
	return s.tell(Gap, nil, 0, at)
}

// candidate is where in p the first record may begin, as far as p shows it.
func candidate(p []byte) int {
	for i := range p {
		h := p[i:]
		if h[0] < handshake.RecordAlert || h[0] > handshake.RecordData || len(h) > 1 && h[1] != 3 || len(h) > 2 && h[2] > 4 {
			continue
		}
		if len(h) >= recordHeader && (!isRecord(h) || recordSize(h) == recordHeader) {
			continue
		}
		return i
	}
	return len(p)
}

// numbers tries the numbers that a record behind missing bytes may have, and the
// epochs that may have begun there. ahead is how many records are missing.
func (s *side) numbers(r sealed) (ahead uint64, kind uint8, content []byte, ok bool) {
	if s.open == nil && s.next != nil && s.c.version() < versionTLS13 {
		// The change of the cipher is among what is missing.
		s.open, s.seq, s.next = s.next, 0, nil
	}
	limit := min(uint64(s.hunt.missing/recordHeader)+2, maxAhead)
	for ahead = range limit {
		if s.open == nil {
			break
		}
		if kind, content, ok = s.try(s.open, s.seq+ahead, r); ok {
			s.seq += ahead + 1
			return ahead, kind, content, true
		}
	}
	if s.c.version() < versionTLS13 {
		return 0, 0, nil, false
	}
	for e := s.epoch + 1; e < epochs; e++ {
		if o := s.epochs[e]; o != nil {
			if kind, content, ok = s.first(o, r); ok {
				seq := s.seq
				s.advance(e)
				s.seq = seq
				return maxAhead + 1, kind, content, true
			}
		}
	}
	return s.afterUpdate(r)
}

// maxFirst is how many numbers are tried with keys that began among missing bytes.
const maxFirst = 64

// first tries the first numbers of other keys; the one behind it becomes the side's.
func (s *side) first(o opener, r sealed) (kind uint8, content []byte, ok bool) {
	for seq := range uint64(maxFirst) {
		if kind, content, ok = s.try(o, seq, r); ok {
			s.seq = seq + 1
			return kind, content, true
		}
	}
	return 0, nil, false
}

// afterUpdate tries the keys behind a key update that is among what is missing.
func (s *side) afterUpdate(r sealed) (ahead uint64, kind uint8, content []byte, ok bool) {
	if s.epoch != epochTraffic || s.open == nil {
		return 0, 0, nil, false
	}
	secret := update(s.c.suite, s.traffic)
	o := modernOpener(s.c.suite, secret)
	if o == nil {
		return 0, 0, nil, false
	}
	if kind, content, ok = s.first(o, r); ok {
		s.traffic, s.open = secret, o
		return maxAhead + 1, kind, content, true
	}
	return 0, 0, nil, false
}
