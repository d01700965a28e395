package synth

import (
	"container/list"
	"net/netip"

	flowpb "weir/proto"
)

// maxTalks bounds the connections that are open at once, and maxTuples the pairs of
// ports of which is remembered that they were used: fewer than there are dynamic
// ports, so that one is free.
const (
	maxTalks  = 4096
	maxTuples = 1 << 13
)

// identity says which flows share a connection.
type identity struct {
	client, server any // the id of a connection, or where it has none itself
	secure         bool
}

// talks is the connections that are open.
type talks struct {
	open  map[identity]*list.Element // of *talk
	order *list.List                 // the one that was silent longest first
	used  map[ends]struct{}
}

func newTalks() talks {
	return talks{open: map[identity]*list.Element{}, order: list.New(), used: map[ends]struct{}{}}
}

// identify returns which connection a flow is part of; false: one of its own.
func identify(f *flowpb.Whole, secure bool) (identity, bool) {
	of := func(c *flowpb.Conn) any {
		switch {
		case c == nil:
			return nil
		case c.GetId() != 0:
			return c.GetId()
		default:
			return c
		}
	}
	id := identity{of(f.Client), of(f.Server), secure}
	return id, f.Client != nil
}

// find returns an open connection, which is now the one that was used last.
func (s *talks) find(id identity) *talk {
	e := s.open[id]
	if e == nil {
		return nil
	}
	s.order.MoveToBack(e)
	return e.Value.(*talk)
}

// add enters a connection. Where too many are open it returns the one to be closed.
func (s *talks) add(t *talk) (silent *talk) {
	e := s.order.PushBack(t)
	if t.shared {
		s.open[t.id] = e
	}
	t.place = e
	if s.order.Len() > maxTalks {
		return s.order.Front().Value.(*talk)
	}
	return nil
}

// remove forgets a connection.
func (s *talks) remove(t *talk) {
	if t.place == nil {
		return
	}
	s.order.Remove(t.place)
	if s.open[t.id] == t.place {
		delete(s.open, t.id)
	}
	t.place = nil
}

func (s *talks) all() (out []*talk) {
	for e := s.order.Front(); e != nil; e = e.Next() {
		out = append(out, e.Value.(*talk))
	}
	return out
}

// claim returns the addresses of a new connection: with a client port of its own
// where there is none, or where the pair was used before.
func (s *talks) claim(e ends) ends {
	if len(s.used) >= maxTuples {
		clear(s.used)
	}
	for port := e.client.Port(); ; port++ {
		if port == 0 {
			port = firstPort
		}
		e.client = netip.AddrPortFrom(e.client.Addr(), port)
		if _, taken := s.used[e]; !taken {
			s.used[e] = struct{}{}
			return e
		}
	}
}
