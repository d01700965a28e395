package unseal

import "weir/proxy/handshake"

// modern sets the keys of TLS 1.3. The side goes on with those of the handshake, or
// before them with those of early data.
func (s *side) modern(early, hands, traffic []byte) {
	su := s.c.suite
	s.epochs = [epochs]opener{modernOpener(su, early), modernOpener(su, hands), modernOpener(su, traffic)}
	s.traffic, s.epoch, s.seq = traffic, epochEarly, 0
	if s.epochs[epochEarly] == nil {
		s.epoch = epochHandshake
	}
	s.open = s.epochs[s.epoch]
}

// advance goes on with the keys of a later epoch, and lets go of those before.
func (s *side) advance(to int) {
	if to <= s.epoch || s.c.version() < versionTLS13 {
		return
	}
	s.epoch, s.seq, s.open = to, 0, s.epochs[to]
	clear(s.epochs[:to])
}

// updated goes on with the next keys of the same epoch.
func (s *side) updated() {
	s.traffic = update(s.c.suite, s.traffic)
	s.open, s.seq = modernOpener(s.c.suite, s.traffic), 0
}

// unseal opens the next record: with the present keys, else with those of a later
// epoch, whose beginning may have been missed.
func (s *side) unseal(r sealed) (kind uint8, content []byte, ok bool) {
	if s.open != nil {
		if kind, content, ok = s.try(s.open, s.seq, r); ok {
			s.seq++
			return kind, content, true
		}
	}
	if s.c.version() < versionTLS13 {
		return 0, nil, false
	}
	for e := s.epoch + 1; e < epochs; e++ {
		if s.epochs[e] == nil {
			continue
		}
		if kind, content, ok = s.try(s.epochs[e], 0, r); ok {
			s.advance(e)
			s.seq = 1
			return kind, content, true
		}
	}
	return 0, nil, false
}

// try opens a record with a number, within what may be tried in vain.
func (s *side) try(o opener, seq uint64, r sealed) (kind uint8, content []byte, ok bool) {
	if s.c.work < 0 {
		return 0, nil, false
	}
	kind, content, ok = o.open(s.c.shared.plain[:0], seq, r)
	if !ok {
		s.c.work -= int64(len(r.payload))
		return 0, nil, false
	}
	s.c.shared.plain = content[:0]
	return kind, content, true
}

// failed takes a record that does not open.
func (s *side) failed(r sealed, p []byte, at int64) error {
	if s.passes(r) && s.passed+len(p) <= maxEarly {
		s.passed += len(p)
		return nil
	}
	if s.c.Opened == 0 || s.open == nil {
		return s.lose(s.c.unknown(), p, nil, at)
	}
	// It was damaged on its way into the capture; the next may be whole.
	s.begin(int64(len(p)))
	return nil
}

// passes reports whether a record that does not open may be passed over: it is one of
// the handshake, or early data, and its keys are missing; those that follow are not.
func (s *side) passes(r sealed) bool {
	if s.c.version() < versionTLS13 || r.kind() != handshake.RecordData || s.epochs[epochTraffic] == nil {
		return false
	}
	early := s.index == 0 && s.c.offersEarly() && s.seq == 0
	return s.epoch <= epochHandshake && (early || s.open == nil)
}
